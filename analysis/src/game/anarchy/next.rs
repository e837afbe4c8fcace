//! What to measure next, for a narrower interval of the Price of Anarchy.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{Bound, contain, critical_value};
use super::paired::PairedBlocks;
use super::point::Verdict;
use crate::game::Game;

/// A profile to measure once more.
#[derive(Debug, Clone, PartialEq)]
pub struct NextMeasurement {
    /// The profile.
    pub profile: usize,
    /// The block to measure it in: one that lacks it and few others. `None` for a new one.
    pub block: Option<String>,
    /// Profiles that this block lacks before it is whole and counts, this one among them.
    pub missing: usize,
    /// The interval that is expected once what concerns this profile was measured in one more block.
    pub expected: Bound,
    /// By how much narrower that is than the interval of now.
    pub shrinkage: f64,
}

/// What to measure next.
#[derive(Debug, Clone, PartialEq)]
pub struct NextMeasurements {
    /// The interval of the Price of Anarchy over pure equilibria as it is.
    pub now: Bound,
    /// The one that is expected of one more whole block.
    pub with_block: Bound,
    /// Whole blocks that there are.
    pub blocks: usize,
    /// The profiles, the one that is worth most first.
    pub profiles: Vec<NextMeasurement>,
}

/// Rank the profiles by how much the interval of [`super::simultaneous_bounds`] would shrink if everything that
/// concerns one of them, its cost and the gains of moves from it and to it, had been measured in one more block with
/// the same means and scatter. Where that changes neither end of the interval, the profile whose cost is least known
/// comes first. This ranking is ours.
///
/// # Errors
///
/// The verdict if there is no interval yet: then every profile needs more blocks alike.
pub fn next_measurements(game: &Game, blocks: &PairedBlocks) -> Result<NextMeasurements, Verdict> {
    let certainty = contain(game, blocks, &|_| 1.0)?;
    let now = certainty.anarchy()?;
    // How half the width of an interval shrinks by one more block.
    let share = shrunk(game, blocks.len());
    // Narrower intervals around the means of now may leave no equilibrium; then nothing can be expected.
    let expected = |share: &dyn Fn(usize) -> f64| {
        contain(game, blocks, share).and_then(|found| found.anarchy()).unwrap_or(now)
    };
    let with_block = expected(&|_| share);
    let lacking = lacking(game);
    let mut profiles: Vec<NextMeasurement> = (0..game.profiles())
        .map(|profile| {
            let narrower = |other: usize| if other == profile { share } else { 1.0 };
            let expected = expected(&narrower);
            let torn = lacking.iter().filter(|(_, lacks)| lacks.contains(&profile));
            let block = torn.min_by_key(|(_, lacks)| lacks.len());
            NextMeasurement {
                profile,
                missing: block.map_or(game.profiles(), |(_, lacks)| lacks.len()),
                block: block.map(|(name, _)| name.clone()),
                expected,
                shrinkage: (width(now) - width(expected)).max(0.0),
            }
        })
        .collect();
    let unknown = |next: &NextMeasurement| width(certainty.costs[next.profile]);
    profiles.sort_by(|a, b| {
        b.shrinkage.total_cmp(&a.shrinkage).then_with(|| unknown(b).total_cmp(&unknown(a)))
    });
    Ok(NextMeasurements { now, with_block, blocks: blocks.len(), profiles })
}

fn width(bound: Bound) -> f64 {
    bound.high - bound.low
}

/// The half-width with one more block over that of now: fewer blocks have a larger quantile, too. The numbers of
/// intervals of gains and costs differ, which hardly moves the ratio.
fn shrunk(game: &Game, blocks: usize) -> f64 {
    let half = |count: usize| critical_value(game.profiles() as f64, count) / (count as f64).sqrt();
    half(blocks + 1) / half(blocks)
}

/// The blocks that are not whole, and the profiles that each lacks.
fn lacking(game: &Game) -> BTreeMap<String, BTreeSet<usize>> {
    let everything: BTreeSet<usize> = (0..game.profiles()).collect();
    let mut lacking = BTreeMap::new();
    for (profile, replicates) in game.replicates().unwrap_or_default().iter().enumerate() {
        for block in replicates.iter().filter_map(|replicate| replicate.block.as_ref()) {
            lacking.entry(block.clone()).or_insert_with(|| everything.clone()).remove(&profile);
        }
    }
    lacking.retain(|_, lacks| !lacks.is_empty());
    lacking
}

#[cfg(test)]
mod tests {
    use super::super::simultaneous_bounds;
    use super::*;
    use crate::game::congestion::tests::tight_five_halves;
    use crate::game::{Player, Replicate};
    use crate::stats::Normal;

    /// Blocks of a game of costs whose profiles scatter differently; the last block lacks the last two.
    fn measured(game: &Game, blocks: usize, scatter: impl Fn(usize) -> f64) -> Game {
        let mut normal = Normal::new(5);
        let mut replicates = vec![Vec::new(); game.profiles()];
        for block in 0..=blocks {
            for (profile, replicates) in replicates.iter_mut().enumerate() {
                if block == blocks && profile + 2 >= game.profiles() {
                    continue;
                }
                let noisy = |payoff: &f64| payoff * (1.0 + scatter(profile) * normal.draw());
                let payoffs: Vec<f64> = game.payoffs_of(profile).iter().map(noisy).collect();
                let cost = Some(-payoffs.iter().sum::<f64>());
                replicates.push(Replicate { block: Some(format!("{block}")), payoffs, cost });
            }
        }
        let players: Vec<Player> = (0..game.players()).map(|p| game.player(p).clone()).collect();
        Game::of_replicates(players, replicates).unwrap()
    }

    #[test]
    fn the_profile_whose_noise_makes_the_interval_wide_comes_first() {
        let game = tight_five_halves().to_game().unwrap();
        // Profile 7 is the costly equilibrium: the upper end hangs on its cost.
        let noisy = measured(&game, 8, |profile| if profile == 7 { 0.05 } else { 0.001 });
        let blocks = PairedBlocks::of(&noisy).unwrap();
        let found = next_measurements(&noisy, &blocks).unwrap();
        assert_eq!(found.now, simultaneous_bounds(&noisy, &blocks, None).unwrap().anarchy);
        let first = &found.profiles[0];
        assert_eq!((first.profile, first.block.as_deref(), first.missing), (7, Some("8"), 2));
        assert!(first.shrinkage > 0.0 && width(first.expected) < width(found.now));
        assert!(width(found.with_block) <= width(first.expected) + 1e-12);
        assert_eq!(found.profiles.len(), 8);
        let elsewhere = found.profiles.iter().find(|next| next.profile == 0).unwrap();
        assert_eq!((elsewhere.block.as_deref(), elsewhere.missing), (None, 8));
    }

    #[test]
    fn measuring_on_shrinks_the_interval_about_as_expected() {
        let game = tight_five_halves().to_game().unwrap();
        let bounds = |blocks: usize| {
            let noisy = measured(&game, blocks, |_| 0.02);
            next_measurements(&noisy, &PairedBlocks::of(&noisy).unwrap()).unwrap()
        };
        let (before, after) = (bounds(12), bounds(13));
        let (expected, found) = (width(before.with_block), width(after.now));
        assert!(expected < width(before.now));
        assert!((found / expected - 1.0).abs() < 0.3, "{found} instead of {expected}");
    }

    #[test]
    fn without_an_interval_there_is_a_verdict() {
        let game = tight_five_halves().to_game().unwrap();
        let noisy = measured(&game, 2, |_| 0.01);
        let blocks = PairedBlocks::of(&noisy).unwrap();
        assert_eq!(next_measurements(&noisy, &blocks), Err(Verdict::NotIdentified));
    }
}
