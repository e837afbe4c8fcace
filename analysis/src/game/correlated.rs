//! Correlated and coarse correlated equilibria, by linear programs over the distributions of profiles.
//!
//! In a correlated equilibrium no player gains by replacing one recommended strategy by another one (Aumann 1974);
//! in a coarse one no player gains by ignoring the recommendations altogether (Moulin and Vial 1978).

use thiserror::Error;

use super::linear_program::{LinearProgram, LinearProgramError, Optimum};
use super::{Deadline, Game};

/// Which deviations are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrelatedKind {
    /// From each recommended strategy to each other one.
    Correlated,
    /// From whatever is recommended to one strategy.
    Coarse,
}

/// The equilibrium with the smallest or largest expectation of some value.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelatedEquilibrium {
    /// The expectation.
    pub value: f64,
    /// The probability of each profile.
    pub distribution: Vec<f64>,
    /// What some player gains at most by a deviation: zero but for rounding.
    pub violation: f64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CorrelatedError {
    /// The program would be too large.
    #[error("the linear program of {profiles} profiles and {conditions} conditions is too large")]
    TooLarge {
        /// Profiles of the game.
        profiles: usize,
        /// Conditions.
        conditions: usize,
    },
    /// The solver failed.
    #[error("the linear program was not solved: {0}")]
    Unsolved(#[from] LinearProgramError),
}

/// Entries of a program that is still tried.
const MOST_ENTRIES: usize = 4_000_000;

/// The equilibrium that minimises, or maximises, the expectation of a value by profile: the sum of payoffs, or a
/// social cost.
///
/// # Errors
///
/// If the program is too large, the solver gives up, or time is up.
pub fn extreme_correlated(
    game: &Game,
    kind: CorrelatedKind,
    values: &[f64],
    largest: bool,
    deadline: Deadline,
) -> Result<CorrelatedEquilibrium, CorrelatedError> {
    let sign = if largest { 1.0 } else { -1.0 };
    let signed: Vec<f64> = values.iter().map(|value| sign * value).collect();
    let mut distribution =
        largest_expectation(game, kind, &signed, scaled_gain(game), deadline)?.point;
    let sum: f64 = distribution.iter().sum();
    distribution.iter_mut().for_each(|weight| *weight /= sum);
    let value = distribution.iter().zip(values).map(|(weight, value)| weight * value).sum();
    let violation = violation(game, kind, &distribution);
    Ok(CorrelatedEquilibrium { value, distribution, violation })
}

/// The largest expectation of a value over all distributions by which nobody gains, with gains of one's own at
/// (player, from profile, to profile): a lower bound of each gain gives a larger set, which has the true one
/// in it.
///
/// # Errors
///
/// If the program is too large, the solver gives up, or time is up.
pub(super) fn largest_expectation(
    game: &Game,
    kind: CorrelatedKind,
    values: &[f64],
    gain: impl Fn(usize, usize, usize) -> f64,
    deadline: Deadline,
) -> Result<Optimum, CorrelatedError> {
    let (profiles, count) = (game.profiles(), condition_count(game, kind));
    if profiles.saturating_mul(count) > MOST_ENTRIES {
        return Err(CorrelatedError::TooLarge { profiles, conditions: count });
    }
    if deadline.has_passed() {
        return Err(LinearProgramError::OutOfTime.into());
    }
    let conditions = conditions(game, kind, gain);
    // Values between zero and one keep the solver's tolerances meaningful.
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    let scale = if high > low { high - low } else { 1.0 };
    let row = |condition: &Condition| {
        let mut row = vec![0.0; profiles];
        condition.iter().for_each(|(profile, gain)| row[*profile] = *gain);
        (row, 0.0)
    };
    let program = LinearProgram {
        objective: values.iter().map(|value| (value - low) / scale).collect(),
        at_most: conditions.iter().map(row).collect(),
        equal: vec![(vec![1.0; profiles], 1.0)],
    };
    let Optimum { value, point } = program.maximise(deadline)?;
    Ok(Optimum { value: low + value * scale, point })
}

/// What a player gains by moving from one profile to another one, relative to its range of payoffs.
pub(super) fn scaled_gain(game: &Game) -> impl Fn(usize, usize, usize) -> f64 {
    let scales = game.payoff_scales();
    move |player, from, to| {
        let scale = scales[player];
        // Divided first: the difference of two finite numbers may be infinite.
        game.payoff(to, player) / scale - game.payoff(from, player) / scale
    }
}

fn gain(game: &Game, player: usize, from: usize, to: usize) -> f64 {
    game.payoff(to, player) - game.payoff(from, player)
}

/// What some player gains at most by a deviation from a distribution over profiles, never below zero.
#[must_use]
pub fn violation(game: &Game, kind: CorrelatedKind, distribution: &[f64]) -> f64 {
    let conditions = conditions(game, kind, |player, from, to| gain(game, player, from, to));
    let gains = conditions.iter().map(|condition| {
        condition.iter().map(|(profile, gain)| distribution[*profile] * gain).sum::<f64>()
    });
    gains.fold(0.0, f64::max)
}

/// What a deviation gains in each profile where it changes anything.
type Condition = Vec<(usize, f64)>;

/// How many conditions there are.
fn condition_count(game: &Game, kind: CorrelatedKind) -> usize {
    let of_player = |player: usize| match kind {
        CorrelatedKind::Correlated => game.strategies(player) * (game.strategies(player) - 1),
        CorrelatedKind::Coarse => game.strategies(player),
    };
    (0..game.players()).map(of_player).sum()
}

/// All conditions.
fn conditions(
    game: &Game,
    kind: CorrelatedKind,
    gain: impl Fn(usize, usize, usize) -> f64,
) -> Vec<Condition> {
    let mut all = Vec::new();
    for player in 0..game.players() {
        let count = game.strategies(player);
        for to in 0..count {
            let mut by_recommended: Vec<Condition> = vec![Vec::new(); count];
            for profile in 0..game.profiles() {
                let recommended = game.strategy(profile, player);
                if recommended != to {
                    let gain = gain(player, profile, game.deviation(profile, player, to));
                    by_recommended[recommended].push((profile, gain));
                }
            }
            match kind {
                CorrelatedKind::Correlated => {
                    by_recommended.remove(to);
                    all.extend(by_recommended);
                }
                CorrelatedKind::Coarse => all.push(by_recommended.concat()),
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;
    use crate::game::congestion::tests::{braess, singletons, tight_five_halves};

    fn welfare(game: &Game) -> Vec<f64> {
        (0..game.profiles()).map(|profile| game.welfare(profile)).collect()
    }

    fn range(game: &Game, kind: CorrelatedKind) -> [f64; 2] {
        let values = welfare(game);
        [false, true].map(|largest| {
            let extreme =
                extreme_correlated(game, kind, &values, largest, Deadline::NEVER).unwrap();
            assert!(extreme.violation < 1e-9, "{}", extreme.violation);
            extreme.value
        })
    }

    fn close(found: [f64; 2], expected: [f64; 2]) {
        let is_close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(is_close, "{found:?} instead of {expected:?}");
    }

    #[test]
    fn chicken_shapley_and_matching_pennies() {
        let chicken = [6.0, 6.0, 2.0, 7.0, 7.0, 2.0, 0.0, 0.0];
        let chicken = Game::new(Player::numbered(&[2, 2]), chicken.to_vec()).unwrap();
        close(range(&chicken, CorrelatedKind::Correlated), [7.2, 10.5]);
        // With two strategies each, ignoring the recommendation is the only deviation.
        close(range(&chicken, CorrelatedKind::Coarse), [7.2, 10.5]);
        let a = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let b = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let payoffs = a.iter().zip(b).flat_map(|(a, b)| [*a, b]).collect();
        let shapley = Game::new(Player::numbered(&[3, 3]), payoffs).unwrap();
        close(range(&shapley, CorrelatedKind::Correlated), [2.0 / 3.0, 1.0]);
    }

    #[test]
    fn costs_of_the_literature() {
        let worst = |game: &Game, kind| {
            extreme_correlated(game, kind, game.costs().unwrap(), true, Deadline::NEVER)
                .unwrap()
                .value
        };
        let tight = tight_five_halves().to_game().unwrap();
        assert!((worst(&tight, CorrelatedKind::Coarse) - 15.0).abs() < 1e-9);
        let singles = singletons().to_game().unwrap();
        assert!((worst(&singles, CorrelatedKind::Coarse) - 8.0).abs() < 1e-9);
        let bridge = braess(true).to_game().unwrap();
        assert!((worst(&bridge, CorrelatedKind::Correlated) - 18.0).abs() < 1e-9);
    }

    #[test]
    fn all_equal_payoffs_allow_everything() {
        let game = Game::new(Player::numbered(&[2, 2]), vec![1.0; 8]).unwrap();
        let values = [1.0, 2.0, 3.0, 4.0];
        let best =
            extreme_correlated(&game, CorrelatedKind::Coarse, &values, true, Deadline::NEVER)
                .unwrap();
        assert_eq!((best.value, best.violation), (4.0, 0.0));
    }
}
