//! How the point value moves when blocks are drawn anew.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

use super::paired::PairedBlocks;
use super::point::{Verdict, least};
use crate::game::{Deadline, Game};
use crate::stats::{Interval, mean, quantile_sorted};

/// The Price of Anarchy over pure equilibria in resamples of the blocks.
///
/// Its percentiles show the spread, not an interval of known coverage: noise makes the worst of several
/// equilibria look worse and the best of several profiles look better, so the distribution is shifted up. See
/// [`super::simultaneous_bounds`] for an interval that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct AnarchyResamples {
    /// 95 % percentiles of the Price of Anarchy over the resamples that have a pure equilibrium.
    pub anarchy: Interval,
    /// Of the Price of Stability.
    pub stability: Interval,
    /// The mean of the resamples' Price of Anarchy minus the point value: how far noise shifts it.
    pub bias: f64,
    /// Share of the resamples without a pure equilibrium.
    pub without_equilibrium: f64,
    /// By profile that is a pure equilibrium of the means: the share of resamples in which it still is.
    pub survival: Vec<(usize, f64)>,
    /// Resamples; fewer than asked for if time was up.
    pub resamples: usize,
}

/// Draw blocks with replacement, average, and take the pure equilibria and their Price of Anarchy again.
///
/// # Errors
///
/// The verdict if there are no costs, fewer than two blocks, or no resample has a pure equilibrium.
pub fn resample_anarchy(
    game: &Game,
    blocks: &PairedBlocks,
    resamples: usize,
    seed: u64,
    deadline: Deadline,
) -> Result<AnarchyResamples, Verdict> {
    /// So many are drawn whatever the time.
    const LEAST: usize = 20;
    if blocks.costs.is_empty() {
        return Err(Verdict::NoSocialCost);
    }
    if blocks.len() < 2 {
        return Err(Verdict::NotIdentified);
    }
    let means = Sample::of(game, blocks, &vec![1; blocks.len()]);
    let drawn: Vec<Option<Sample>> = (0..resamples)
        .into_par_iter()
        .map(|resample| {
            if resample >= LEAST && deadline.has_passed() {
                return None;
            }
            Some(Sample::of(game, blocks, &drawn_times(blocks, seed, resample)))
        })
        .collect();
    let drawn: Vec<Sample> = drawn.into_iter().flatten().collect();
    let resamples = drawn.len();
    if drawn.iter().any(|sample| !sample.is_positive) {
        return Err(Verdict::Unbounded);
    }
    let identified: Vec<&Sample> = drawn.iter().filter(|s| !s.equilibria.is_empty()).collect();
    if identified.is_empty() {
        return Err(Verdict::NotIdentified);
    }
    let anarchy: Vec<f64> = identified.iter().map(|sample| sample.anarchy).collect();
    let stability: Vec<f64> = identified.iter().map(|sample| sample.stability).collect();
    let bias = mean(&anarchy) - means.anarchy;
    let share = |count: usize| count as f64 / resamples as f64;
    let survival = means.equilibria.iter().map(|profile| {
        let kept = drawn.iter().filter(|sample| sample.equilibria.contains(profile)).count();
        (*profile, share(kept))
    });
    Ok(AnarchyResamples {
        anarchy: percentiles(anarchy.clone()),
        stability: percentiles(stability),
        bias,
        without_equilibrium: share(resamples - identified.len()),
        survival: survival.collect(),
        resamples,
    })
}

/// How often each block is drawn. A stream of its own for each resample: the same numbers on any number of threads.
fn drawn_times(blocks: &PairedBlocks, seed: u64, resample: usize) -> Vec<usize> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    random.set_stream(resample as u64);
    let mut times = vec![0; blocks.len()];
    (0..blocks.len()).for_each(|_| times[random.random_range(0..blocks.len())] += 1);
    times
}

/// How pure equilibria fare when blocks are drawn anew.
#[derive(Debug, Clone, PartialEq)]
pub struct PureSurvival {
    /// By profile, the share of resamples in which it is a pure equilibrium.
    pub shares: Vec<f64>,
    /// Share of the resamples without a pure equilibrium.
    pub without_equilibrium: f64,
}

/// Draw blocks with replacement, average, and take the pure equilibria again, whatever profiles cost. `None` of less
/// than two blocks or without a resample.
#[must_use]
pub fn pure_survival(
    game: &Game,
    blocks: &PairedBlocks,
    resamples: usize,
    seed: u64,
) -> Option<PureSurvival> {
    if blocks.len() < 2 || resamples == 0 {
        return None;
    }
    let drawn: Vec<Vec<usize>> = (0..resamples)
        .into_par_iter()
        .map(|resample| {
            let payoffs = weighted_mean(&blocks.payoffs, &drawn_times(blocks, seed, resample));
            pure_of(game, &payoffs)
        })
        .collect();
    let mut shares = vec![0.0; game.profiles()];
    drawn.iter().flatten().for_each(|profile| shares[*profile] += 1.0);
    shares.iter_mut().for_each(|share| *share /= resamples as f64);
    let without = drawn.iter().filter(|equilibria| equilibria.is_empty()).count();
    Some(PureSurvival { shares, without_equilibrium: without as f64 / resamples as f64 })
}

/// The pure equilibria of payoffs, given as in [`Game::payoffs`].
fn pure_of(game: &Game, payoffs: &[f64]) -> Vec<usize> {
    let players = game.players();
    let payoff = |profile: usize, player: usize| payoffs[profile * players + player];
    let rests = |profile: &usize| {
        (0..players).all(|player| {
            let own = payoff(*profile, player);
            game.deviations(*profile, player).all(|other| payoff(other, player) <= own)
        })
    };
    (0..game.profiles()).filter(rests).collect()
}

fn percentiles(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    Interval { low: quantile_sorted(&values, 0.025), high: quantile_sorted(&values, 0.975) }
}

/// The game of the mean of some blocks.
struct Sample {
    equilibria: Vec<usize>,
    anarchy: f64,
    stability: f64,
    is_positive: bool,
}

impl Sample {
    /// Each block counts so many times.
    fn of(game: &Game, blocks: &PairedBlocks, times: &[usize]) -> Self {
        let costs = weighted_mean(&blocks.costs, times);
        let equilibria = pure_of(game, &weighted_mean(&blocks.payoffs, times));
        let of_equilibria = equilibria.iter().map(|profile| costs[*profile]);
        let optimum = costs[least(&costs)];
        Self {
            anarchy: of_equilibria.clone().fold(f64::NEG_INFINITY, f64::max) / optimum,
            stability: of_equilibria.fold(f64::INFINITY, f64::min) / optimum,
            is_positive: optimum > 0.0,
            equilibria,
        }
    }
}

fn weighted_mean(blocks: &[Vec<f64>], times: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; blocks[0].len()];
    for (block, times) in blocks.iter().zip(times).filter(|(_, times)| **times > 0) {
        let weight = *times as f64;
        sums.iter_mut().zip(block).for_each(|(sum, value)| *sum += weight * value);
    }
    let count = times.iter().sum::<usize>() as f64;
    sums.iter_mut().for_each(|sum| *sum /= count);
    sums
}

#[cfg(test)]
mod tests {
    use super::super::paired::Pairing;
    use super::*;
    use crate::game::congestion::tests::tight_five_halves;

    /// Blocks that multiply every cost by a factor of their own.
    fn blocks(game: &Game, factors: &[f64]) -> PairedBlocks {
        let scaled = |values: &[f64], factor: f64| values.iter().map(|v| v * factor).collect();
        PairedBlocks {
            payoffs: factors.iter().map(|factor| scaled(game.payoffs(), *factor)).collect(),
            costs: factors.iter().map(|factor| scaled(game.costs().unwrap(), *factor)).collect(),
            pairing: Pairing::Named,
            left_out: 0,
        }
    }

    #[test]
    fn what_blocks_have_in_common_changes_nothing() {
        let game = tight_five_halves().to_game().unwrap();
        let found =
            resample_anarchy(&game, &blocks(&game, &[1.0, 2.0, 3.0]), 200, 1, Deadline::NEVER)
                .unwrap();
        assert!(
            (found.anarchy.low - 2.5).abs() < 1e-12 && (found.anarchy.high - 2.5).abs() < 1e-12
        );
        assert!((found.stability.high - 1.0).abs() < 1e-12 && found.bias.abs() < 1e-12);
        assert_eq!(found.survival, [(0, 1.0), (7, 1.0)]);
        assert_eq!(found.without_equilibrium, 0.0);
    }

    #[test]
    fn an_equilibrium_that_hangs_on_one_block_is_lost_in_some_resamples() {
        let game = tight_five_halves().to_game().unwrap();
        let mut data = blocks(&game, &[1.0; 5]);
        // In one block player 1 gains much by leaving the costly equilibrium.
        data.payoffs[0][3 * 3] += 3.0;
        let found = resample_anarchy(&game, &data, 1000, 1, Deadline::NEVER).unwrap();
        let share = found.survival.iter().find(|(profile, _)| *profile == 7).map(|found| found.1);
        assert!(share.is_none_or(|share| share < 1.0), "{:?}", found.survival);
        let again = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(
            found,
            again.install(|| resample_anarchy(&game, &data, 1000, 1, Deadline::NEVER).unwrap())
        );
    }

    #[test]
    fn every_profile_has_its_share_of_resamples() {
        let game = tight_five_halves().to_game().unwrap();
        let mut data = blocks(&game, &[1.0; 5]);
        data.payoffs[0][3 * 3] += 3.0;
        let found = pure_survival(&game, &data, 400, 1).unwrap();
        let drawn = resample_anarchy(&game, &data, 400, 1, Deadline::NEVER).unwrap();
        for (profile, share) in drawn.survival {
            assert_eq!(found.shares[profile], share);
        }
        assert_eq!(found.without_equilibrium, drawn.without_equilibrium);
        assert_eq!(pure_survival(&game, &blocks(&game, &[1.0]), 400, 1), None);
    }

    #[test]
    fn too_little_has_its_verdict() {
        let game = tight_five_halves().to_game().unwrap();
        let one = resample_anarchy(&game, &blocks(&game, &[1.0]), 10, 1, Deadline::NEVER);
        assert_eq!(one, Err(Verdict::NotIdentified));
    }
}
