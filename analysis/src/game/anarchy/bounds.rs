//! Intervals of the Price of Anarchy and of Stability that hold for all profiles at once.

use super::paired::PairedBlocks;
use super::point::Verdict;
use crate::game::correlated::largest_expectation;
use crate::game::{CorrelatedKind, Deadline, Game};
use crate::stats::{mean, standard_error, student_quantile};

/// One interval, or sides of it that cannot be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Lower end, at least 1.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What paired blocks say with 95 % probability, of everything below together.
#[derive(Debug, Clone, PartialEq)]
pub struct AnarchyBounds {
    /// Price of Anarchy over the pure equilibria, given that the true game has one.
    pub anarchy: Bound,
    /// Price of Stability over the pure equilibria, likewise.
    pub stability: Bound,
    /// Price of Anarchy over all equilibria, pure, mixed and correlated. `None` if its linear program
    /// was not asked for or not solved.
    pub all_equilibria: Option<Bound>,
    /// Profiles that may be pure equilibria.
    pub possible: Vec<usize>,
    /// Profiles that are pure equilibria for certain.
    pub certain: Vec<usize>,
    /// Blocks that the bounds rest on.
    pub blocks: usize,
}

/// Blocks below which nothing is said: with two, one degree of freedom is left.
const FEWEST_BLOCKS: usize = 3;

/// The probability of any error, one half for gains and one for costs.
const ERROR: f64 = 0.05;

/// Bound the Price of Anarchy by dual containment: with simultaneous intervals for every gain and every relative
/// cost, the true equilibria are among the profiles whose gains may all be zero or less, and contain those
/// whose gains are.
///
/// Gains are paired differences with Student's t at Bonferroni's level. A profile's cost is bounded relative
/// to its block's mean cost over all profiles, by Fieller's theorem: what a block has in common cancels, and
/// as many intervals are needed as there are profiles, not pairs. Noise counts as roughly normal between
/// blocks. This combination is ours.
///
/// The bound over all equilibria comes from the linear program of correlated equilibria, relaxed by the same
/// intervals; it is solved if there is a deadline for it, until then.
///
/// # Errors
///
/// The verdict if costs are missing or not above zero within their noise, or if there are too few
/// blocks, or no profile can be an equilibrium.
pub fn simultaneous_bounds(
    game: &Game,
    blocks: &PairedBlocks,
    all_until: Option<Deadline>,
) -> Result<AnarchyBounds, Verdict> {
    let found = contain(game, blocks, &|_| 1.0)?;
    let all_equilibria = all_until.and_then(|until| found.all_equilibria(game, until));
    let anarchy = found.anarchy()?;
    let Certainty { stability, possible, certain, .. } = found;
    Ok(AnarchyBounds {
        anarchy,
        stability,
        all_equilibria,
        possible,
        certain,
        blocks: blocks.len(),
    })
}

/// What the simultaneous intervals say of pure equilibria.
pub(super) struct Certainty {
    gains: Gains,
    /// By profile, its cost over the mean of all.
    pub(super) costs: Vec<Bound>,
    optimum: Bound,
    anarchy: Bound,
    stability: Bound,
    possible: Vec<usize>,
    certain: Vec<usize>,
}

/// Make the simultaneous intervals, and see which profiles they leave as equilibria and as optimum. `share` scales
/// the intervals of what concerns a profile: 1 as measured, less to ask what more measurements of it would do.
pub(super) fn contain(
    game: &Game,
    blocks: &PairedBlocks,
    share: &dyn Fn(usize) -> f64,
) -> Result<Certainty, Verdict> {
    if game.costs().is_none() || blocks.costs.len() != blocks.len() {
        return Err(Verdict::NoSocialCost);
    }
    if blocks.len() < FEWEST_BLOCKS {
        return Err(Verdict::NotIdentified);
    }
    let costs = relative_costs(blocks, share)?;
    let gains = Gains::of(game, blocks, share);
    let (possible, certain) = gains.containment(game);
    let low_of = |profile: &usize| costs[*profile].low;
    let high_of = |profile: &usize| costs[*profile].high;
    let everything: Vec<usize> = (0..game.profiles()).collect();
    let optimum = Bound {
        low: least(everything.iter().map(low_of)),
        high: least(everything.iter().map(high_of)),
    };
    if optimum.low <= 0.0 {
        return Err(Verdict::Unbounded);
    }
    // Without a certain equilibrium, the true ones are some of the possible.
    let anarchy_low = if certain.is_empty() {
        least(possible.iter().map(low_of))
    } else {
        largest(certain.iter().map(low_of))
    };
    let stability_high = if certain.is_empty() {
        largest(possible.iter().map(high_of))
    } else {
        least(certain.iter().map(high_of))
    };
    let anarchy = ratio(anarchy_low, largest(possible.iter().map(high_of)), optimum);
    let stability = ratio(least(possible.iter().map(low_of)), stability_high, optimum);
    Ok(Certainty { gains, costs, optimum, anarchy, stability, possible, certain })
}

/// The ratio of costs between these ends to the optimum.
fn ratio(low: f64, high: f64, optimum: Bound) -> Bound {
    // No cost is below the optimum, whatever the intervals say.
    Bound { low: (low / optimum.high).max(1.0), high: (high / optimum.low).max(1.0) }
}

impl Certainty {
    /// The Price of Anarchy, unless no profile can be an equilibrium.
    pub(super) fn anarchy(&self) -> Result<Bound, Verdict> {
        if self.possible.is_empty() { Err(Verdict::NotIdentified) } else { Ok(self.anarchy) }
    }

    /// The bound over all equilibria, by the linear program.
    fn all_equilibria(&self, game: &Game, until: Deadline) -> Option<Bound> {
        let scales = game.payoff_scales();
        let gain = |player: usize, from: usize, to: usize| {
            self.gains.low(game, player, from, to) / scales[player]
        };
        let most = |values: Vec<f64>| {
            let found = largest_expectation(game, CorrelatedKind::Correlated, &values, gain, until);
            found.ok().map(|optimum| optimum.value)
        };
        let high = most(self.costs.iter().map(|bound| bound.high).collect())?;
        let low = match self.certain.as_slice() {
            [] => -most(self.costs.iter().map(|bound| -bound.low).collect())?,
            certain => largest(certain.iter().map(|profile| self.costs[*profile].low)),
        };
        Some(ratio(low, high, self.optimum))
    }
}

/// Simultaneous intervals of the gain of every move: mean plus or minus the critical value x standard error.
struct Gains {
    /// By profile, then by player and strategy: mean and half the width. Moves to one's own strategy are 0.
    moves: Vec<Vec<Vec<(f64, f64)>>>,
}

impl Gains {
    fn of(game: &Game, blocks: &PairedBlocks, share: &dyn Fn(usize) -> f64) -> Self {
        let players = game.players();
        let pairs = |player: usize| {
            game.profiles() / game.strategies(player)
                * (game.strategies(player) * (game.strategies(player) - 1) / 2)
        };
        let count = (0..players).map(pairs).sum::<usize>().max(1) as f64;
        let critical = critical_value(count, blocks.len());
        let gain = |player: usize, from: usize, to: usize| {
            let differences: Vec<f64> = blocks
                .payoffs
                .iter()
                .map(|payoffs| payoffs[to * players + player] - payoffs[from * players + player])
                .collect();
            let share = share(from).min(share(to));
            (mean(&differences), share * critical * standard_error(&differences))
        };
        let of_player = |from: usize, player: usize| {
            game.deviations(from, player).map(|to| gain(player, from, to)).collect()
        };
        let of_profile = |from: usize| (0..players).map(|p| of_player(from, p)).collect();
        Self { moves: (0..game.profiles()).map(of_profile).collect() }
    }

    fn low(&self, game: &Game, player: usize, from: usize, to: usize) -> f64 {
        let (mean, half) = self.moves[from][player][game.strategy(to, player)];
        mean - half
    }

    /// The profiles that may be equilibria, and those that are for certain.
    fn containment(&self, game: &Game) -> (Vec<usize>, Vec<usize>) {
        let all = |profile: usize, holds: &dyn Fn(f64, f64) -> bool| {
            self.moves[profile].iter().flatten().all(|(mean, half)| holds(*mean, *half))
        };
        let is_possible = |profile: &usize| all(*profile, &|mean, half| mean - half <= 0.0);
        let is_certain = |profile: &usize| all(*profile, &|mean, half| mean + half <= 0.0);
        let profiles = 0..game.profiles();
        (profiles.clone().filter(is_possible).collect(), profiles.filter(is_certain).collect())
    }
}

/// Two-sided, for so many intervals together.
pub(super) fn critical_value(intervals: f64, blocks: usize) -> f64 {
    student_quantile(1.0 - ERROR / 2.0 / (2.0 * intervals), blocks as f64 - 1.0)
}

/// Simultaneous intervals of each profile's cost over the mean cost of all profiles.
fn relative_costs(
    blocks: &PairedBlocks,
    share: &dyn Fn(usize) -> f64,
) -> Result<Vec<Bound>, Verdict> {
    let profiles = blocks.costs[0].len();
    let critical = critical_value(profiles as f64, blocks.len());
    let overall: Vec<f64> = blocks.costs.iter().map(|costs| mean(costs)).collect();
    (0..profiles)
        .map(|profile| {
            let own: Vec<f64> = blocks.costs.iter().map(|costs| costs[profile]).collect();
            fieller(&own, &overall, share(profile) * critical).ok_or(Verdict::Unbounded)
        })
        .collect()
}

/// Fieller's interval (1954) of the ratio of two means of paired values: the ratios r at which the mean of
/// a - r b is not significantly different from zero. `None` if the denominator is not significantly above
/// zero, so that the ratio has no bound.
fn fieller(a: &[f64], b: &[f64], critical: f64) -> Option<Bound> {
    let n = a.len() as f64;
    let (a_mean, b_mean) = (mean(a), mean(b));
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - a_mean, b - b_mean);
        (aa, ab, bb) = (aa + a * a, ab + a * b, bb + b * b);
    }
    let square = critical * critical / (n * (n - 1.0));
    let denominator = b_mean * b_mean - square * bb;
    if b_mean <= 0.0 || denominator <= 0.0 {
        return None;
    }
    let middle = a_mean * b_mean - square * ab;
    let last = a_mean * a_mean - square * aa;
    let root = (middle * middle - denominator * last).max(0.0).sqrt();
    Some(Bound { low: (middle - root) / denominator, high: (middle + root) / denominator })
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::super::paired::Pairing;
    use super::*;
    use crate::game::congestion::tests::tight_five_halves;

    /// Costs that vary by this share from block to block, partly together.
    fn measured(game: &Game, count: usize, variation: f64, common: f64, seed: u64) -> PairedBlocks {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let mut blocks = PairedBlocks {
            payoffs: Vec::new(),
            costs: Vec::new(),
            pairing: Pairing::Named,
            left_out: 0,
        };
        for _ in 0..count {
            let shared = normal() * common.sqrt();
            let mut noisy = |value: &f64| {
                value * (1.0 + variation * (shared + normal() * (1.0 - common).sqrt()))
            };
            blocks.payoffs.push(game.payoffs().iter().map(&mut noisy).collect());
            let paid = |payoffs: &[f64]| -payoffs.iter().sum::<f64>();
            let costs = blocks.payoffs[blocks.payoffs.len() - 1].chunks(game.players()).map(paid);
            blocks.costs.push(costs.collect());
        }
        blocks
    }

    #[test]
    fn without_noise_the_bounds_are_the_truth() {
        let game = tight_five_halves().to_game().unwrap();
        let bounds =
            simultaneous_bounds(&game, &measured(&game, 3, 0.0, 0.0, 1), Some(Deadline::NEVER))
                .unwrap();
        let close = |bound: Bound, truth: f64| {
            assert!(
                (bound.low - truth).abs() < 1e-7 && (bound.high - truth).abs() < 1e-7,
                "{bound:?}"
            );
        };
        close(bounds.anarchy, 2.5);
        close(bounds.stability, 1.0);
        close(bounds.all_equilibria.unwrap(), 2.5);
        assert_eq!((bounds.possible, bounds.certain), (vec![0, 7], vec![0, 7]));
    }

    #[test]
    fn common_noise_cancels() {
        let game = tight_five_halves().to_game().unwrap();
        // The costly equilibrium hangs on a tie, so it is never certain and only the upper end is tight.
        let excess = |common: f64| {
            let bounds =
                simultaneous_bounds(&game, &measured(&game, 10, 0.05, common, 3), None).unwrap();
            assert!(bounds.anarchy.low <= 2.5 && 2.5 <= bounds.anarchy.high, "{bounds:?}");
            bounds.anarchy.high - 2.5
        };
        assert!(excess(0.99) < 0.3 * excess(0.0));
    }

    #[test]
    fn what_cannot_be_bounded_has_its_verdict() {
        let game = tight_five_halves().to_game().unwrap();
        let verdict = |blocks: &PairedBlocks| simultaneous_bounds(&game, blocks, None).unwrap_err();
        assert_eq!(verdict(&measured(&game, 2, 0.01, 0.0, 1)), Verdict::NotIdentified);
        assert_eq!(verdict(&measured(&game, 4, 0.8, 0.0, 1)), Verdict::Unbounded);
        let bare = game.with_payoffs(game.payoffs().to_vec()).unwrap();
        let blocks = measured(&game, 5, 0.01, 0.0, 1);
        assert_eq!(simultaneous_bounds(&bare, &blocks, None), Err(Verdict::NoSocialCost));
    }

    #[test]
    fn fieller_s_interval_is_where_the_difference_is_not_significant() {
        let (a, b) = ([10.0, 12.0, 9.0, 13.0, 11.0], [5.0, 5.5, 4.0, 6.5, 5.0]);
        let interval = fieller(&a, &b, 2.776).unwrap();
        for end in [interval.low, interval.high] {
            let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - end * b).collect();
            let t = mean(&differences) / standard_error(&differences);
            assert!((t.abs() - 2.776).abs() < 1e-9, "{t}");
        }
        assert!(fieller(&a, &[1.0, -1.0, 2.0, -2.0, 0.5], 2.776).is_none());
    }
}
