//! Commitment to a mixture.

use super::super::correlated::{largest_expectation, scaled_gain};
use super::super::linear_program::{LinearProgram, LinearProgramError};
use crate::game::{CorrelatedError, CorrelatedKind, Deadline, Game};

/// A mixture that is committed to, and where the others settle.
#[derive(Debug, Clone, PartialEq)]
pub struct MixedCommitment {
    /// The leader's mixture.
    pub mixture: Vec<f64>,
    /// The others' answer: a pure profile, in which the leader's strategy is the first.
    pub answer: usize,
    /// What the leader gets.
    pub value: f64,
}

/// The best mixture if the others settle where the leader likes it most: one linear program for each pure
/// profile of the followers, under the condition that it is their equilibrium (Conitzer and Sandholm 2006, and
/// the same with several followers). With one follower this is the strong Stackelberg equilibrium; with
/// several it is exact over answers in pure strategies. `None` if no mixture leaves a pure equilibrium.
///
/// # Errors
///
/// If a linear program is not solved to its accuracy, or time is up.
pub fn mixed_optimistic(
    game: &Game,
    leader: usize,
    deadline: Deadline,
) -> Result<Option<MixedCommitment>, LinearProgramError> {
    let mut best: Option<MixedCommitment> = None;
    for answer in answers(game, leader) {
        let program = LinearProgram {
            objective: leader_payoffs(game, leader, answer),
            at_most: deviation_rows(game, leader, answer)
                .into_iter()
                .map(|row| (row, 0.0))
                .collect(),
            equal: vec![(vec![1.0; game.strategies(leader)], 1.0)],
        };
        match program.maximise(deadline) {
            Ok(optimum) if best.as_ref().is_none_or(|kept| optimum.value > kept.value) => {
                best =
                    Some(MixedCommitment { mixture: optimum.point, answer, value: optimum.value });
            }
            Ok(_) | Err(LinearProgramError::Infeasible) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(best)
}

/// The value that a leader of one follower can come as near to as it likes if the follower breaks its ties
/// against it (the weak Stackelberg value, a supremum; von Stengel and Zamir 2010), and a mixture at its
/// edge. Only strategies count that are the follower's single best answer to some mixture, where others that
/// always pay the follower the same are one with it. `None` if there are several followers.
///
/// # Errors
///
/// If a linear program is not solved to its accuracy, or time is up.
pub fn mixed_pessimistic(
    game: &Game,
    leader: usize,
    deadline: Deadline,
) -> Result<Option<MixedCommitment>, LinearProgramError> {
    if game.players() != 2 {
        return Ok(None);
    }
    let mut best: Option<MixedCommitment> = None;
    for answer in answers(game, leader) {
        let rows = deviation_rows(game, leader, answer);
        let (same, others): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(|row| rows[*row].iter().all(|gain| *gain == 0.0));
        if !is_best_somewhere(game, leader, &rows, &others, deadline)? {
            continue;
        }
        // The follower takes the worst for the leader among what is the same to it. The value is the last
        // variable, shifted so that it is not negative.
        let follower = 1 - leader;
        let shift = game.payoff_range(leader).0;
        let width = game.strategies(leader);
        let alternatives = same.iter().map(|row| strategy_of_row(game, answer, follower, *row));
        let own = game.strategy(answer, follower);
        let below = std::iter::once(own).chain(alternatives).map(|strategy| {
            let answer = game.deviation(answer, follower, strategy);
            let mut row: Vec<f64> =
                leader_payoffs(game, leader, answer).iter().map(|payoff| shift - payoff).collect();
            row.push(1.0);
            (row, 0.0)
        });
        let kept = others.iter().map(|row| {
            let mut row = rows[*row].clone();
            row.push(0.0);
            (row, 0.0)
        });
        let mut objective = vec![0.0; width + 1];
        objective[width] = 1.0;
        let mut sum = vec![1.0; width + 1];
        sum[width] = 0.0;
        let program = LinearProgram {
            objective,
            at_most: below.chain(kept).collect(),
            equal: vec![(sum, 1.0)],
        };
        let mut optimum = program.maximise(deadline)?;
        optimum.point.truncate(width);
        let value = optimum.value + shift;
        if best.as_ref().is_none_or(|kept| value > kept.value) {
            best = Some(MixedCommitment { mixture: optimum.point, answer, value });
        }
    }
    Ok(best)
}

/// A margin below which a best answer is not single, relative to the follower's payoffs.
const MARGIN: f64 = 1e-9;

/// Whether some mixture makes every other strategy strictly worse for the follower.
fn is_best_somewhere(
    game: &Game,
    leader: usize,
    rows: &[Vec<f64>],
    others: &[usize],
    deadline: Deadline,
) -> Result<bool, LinearProgramError> {
    let width = game.strategies(leader);
    let scale = game.payoff_scale(1 - leader);
    // Maximise the margin, which is the last variable; it is at most 1 so that it has a bound.
    let with_margin = |row: &usize| {
        let mut row: Vec<f64> = rows[*row].iter().map(|gain| gain / scale).collect();
        row.push(1.0);
        (row, 0.0)
    };
    let mut objective = vec![0.0; width + 1];
    objective[width] = 1.0;
    let mut sum = vec![1.0; width + 1];
    sum[width] = 0.0;
    let mut at_most: Vec<_> = others.iter().map(with_margin).collect();
    at_most.push((objective.clone(), 1.0));
    let program = LinearProgram { objective, at_most, equal: vec![(sum, 1.0)] };
    match program.maximise(deadline) {
        Ok(optimum) => Ok(optimum.value > MARGIN),
        Err(LinearProgramError::Infeasible) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The best mixture on a grid, by the followers' worst and best pure equilibrium after it: a lower bound of
/// what a leader of several followers can reach, and the reason is that only the grid is tried. `steps` is the
/// number of equal parts that the probability is cut into. `None` where no mixture of the grid leaves a
/// pure equilibrium.
#[must_use]
pub fn mixed_on_grid(game: &Game, leader: usize, steps: usize) -> [Option<MixedCommitment>; 2] {
    let (mut optimistic, mut pessimistic) = (None::<MixedCommitment>, None::<MixedCommitment>);
    let answers = answers(game, leader);
    let rows: Vec<Vec<Vec<f64>>> =
        answers.iter().map(|answer| deviation_rows(game, leader, *answer)).collect();
    let payoffs: Vec<Vec<f64>> =
        answers.iter().map(|answer| leader_payoffs(game, leader, *answer)).collect();
    for mixture in grid(game.strategies(leader), steps) {
        let expect = |row: &[f64]| row.iter().zip(&mixture).map(|(a, b)| a * b).sum::<f64>();
        let rests = |index: &usize| rows[*index].iter().all(|row| expect(row) <= 1e-12);
        let settled: Vec<(usize, f64)> = (0..answers.len())
            .filter(rests)
            .map(|index| (answers[index], expect(&payoffs[index])))
            .collect();
        let best = settled.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let worst = settled.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        for (slot, found) in [(&mut optimistic, best), (&mut pessimistic, worst)] {
            if let Some((answer, value)) = found
                && slot.as_ref().is_none_or(|kept| *value > kept.value)
            {
                let (mixture, answer, value) = (mixture.clone(), *answer, *value);
                *slot = Some(MixedCommitment { mixture, answer, value });
            }
        }
    }
    [optimistic, pessimistic]
}

/// What the leader gets at most if it may also send each follower a private recommendation that it is best
/// to follow (Conitzer and Korzhyk 2011): one linear program, and an upper bound of every commitment.
///
/// # Errors
///
/// If the linear program is too large, not solved to its accuracy, or time is up.
pub fn correlated_commitment(
    game: &Game,
    leader: usize,
    deadline: Deadline,
) -> Result<f64, CorrelatedError> {
    let values: Vec<f64> = (0..game.profiles()).map(|p| game.payoff(p, leader)).collect();
    // The leader is bound, so its own gains constrain nothing.
    let gain = scaled_gain(game);
    let gain = |player, from, to| if player == leader { 0.0 } else { gain(player, from, to) };
    Ok(largest_expectation(game, CorrelatedKind::Correlated, &values, gain, deadline)?.value)
}

/// The followers' pure profiles, as profiles in which the leader plays its first strategy.
fn answers(game: &Game, leader: usize) -> Vec<usize> {
    (0..game.profiles()).filter(|profile| game.strategy(*profile, leader) == 0).collect()
}

/// By strategy of the leader, what it gets while the others play this.
fn leader_payoffs(game: &Game, leader: usize, answer: usize) -> Vec<f64> {
    game.deviations(answer, leader).map(|profile| game.payoff(profile, leader)).collect()
}

/// For each follower and each other strategy of it, by strategy of the leader: what it would gain.
fn deviation_rows(game: &Game, leader: usize, answer: usize) -> Vec<Vec<f64>> {
    let followers = (0..game.players()).filter(|player| *player != leader);
    followers
        .flat_map(|player| {
            let own = game.strategy(answer, player);
            let others = (0..game.strategies(player)).filter(move |strategy| *strategy != own);
            others.map(move |strategy| {
                let gain = |profile: usize| {
                    let moved = game.deviation(profile, player, strategy);
                    game.payoff(moved, player) - game.payoff(profile, player)
                };
                game.deviations(answer, leader).map(gain).collect()
            })
        })
        .collect()
}

/// The strategy that a row of [`deviation_rows`] of a single follower is about.
fn strategy_of_row(game: &Game, answer: usize, follower: usize, row: usize) -> usize {
    row + usize::from(row >= game.strategy(answer, follower))
}

/// All mixtures whose probabilities are multiples of 1 / steps.
fn grid(strategies: usize, steps: usize) -> Vec<Vec<f64>> {
    fn extend(parts: &mut Vec<usize>, left: usize, strategies: usize, found: &mut Vec<Vec<usize>>) {
        if parts.len() + 1 == strategies {
            parts.push(left);
            found.push(parts.clone());
            parts.pop();
            return;
        }
        for part in 0..=left {
            parts.push(part);
            extend(parts, left - part, strategies, found);
            parts.pop();
        }
    }
    let mut found = Vec::new();
    extend(&mut Vec::new(), steps, strategies, &mut found);
    let share = |part: usize| part as f64 / steps as f64;
    found.into_iter().map(|parts| parts.into_iter().map(share).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::pure::pure_commitment;
    use super::*;
    use crate::game::potential::tests::{game, random_game};

    #[test]
    fn conitzer_and_sandholm() {
        let game = game(&[2, 2], &[2., 1., 4., 0., 1., 0., 3., 1.]);
        let strong = mixed_optimistic(&game, 0, Deadline::NEVER).unwrap().unwrap();
        assert!((strong.value - 3.5).abs() < 1e-9, "{strong:?}");
        assert!(strong.mixture.iter().all(|weight| (weight - 0.5).abs() < 1e-9));
        // A hair beyond the edge the follower's answer is single: the weak value is the same.
        let weak = mixed_pessimistic(&game, 0, Deadline::NEVER).unwrap().unwrap();
        assert!((weak.value - 3.5).abs() < 1e-9, "{weak:?}");
        assert!((correlated_commitment(&game, 0, Deadline::NEVER).unwrap() - 3.5).abs() < 1e-9);
    }

    #[test]
    fn a_follower_who_does_not_care_ruins_the_pessimist() {
        let game = game(&[2, 2], &[5., 1., 0., 1., 2., 1., 1., 1.]);
        let strong = mixed_optimistic(&game, 0, Deadline::NEVER).unwrap().unwrap();
        let weak = mixed_pessimistic(&game, 0, Deadline::NEVER).unwrap().unwrap();
        assert!((strong.value - 5.0).abs() < 1e-9 && (weak.value - 1.0).abs() < 1e-9, "{weak:?}");
    }

    #[test]
    fn commitments_are_ordered_on_random_games_of_two() {
        for seed in 0..100 {
            let game = random_game(&[3, 4], seed);
            for leader in 0..2 {
                let strong =
                    mixed_optimistic(&game, leader, Deadline::NEVER).unwrap().unwrap().value;
                let weak =
                    mixed_pessimistic(&game, leader, Deadline::NEVER).unwrap().unwrap().value;
                let pure = pure_commitment(&game, leader).optimistic.unwrap().value;
                let correlated = correlated_commitment(&game, leader, Deadline::NEVER).unwrap();
                let [_, on_grid] = mixed_on_grid(&game, leader, 6);
                assert!(pure <= strong + 1e-9, "seed {seed}");
                // Without ties all agree, and with one follower correlation adds nothing.
                assert!((strong - weak).abs() < 1e-7, "seed {seed}: {strong} {weak}");
                assert!((strong - correlated).abs() < 1e-7, "seed {seed}: {strong} {correlated}");
                assert!(on_grid.unwrap().value <= weak + 1e-9, "seed {seed}");
            }
        }
    }

    #[test]
    fn three_players_are_bounded_by_correlated_commitment() {
        for seed in 0..40 {
            let game = random_game(&[2, 3, 2], seed);
            let strong = mixed_optimistic(&game, 1, Deadline::NEVER).unwrap();
            let [grid, pessimist] = mixed_on_grid(&game, 1, 8);
            let correlated = correlated_commitment(&game, 1, Deadline::NEVER).unwrap();
            let value = |found: &Option<MixedCommitment>| {
                found.as_ref().map_or(f64::NEG_INFINITY, |found| found.value)
            };
            let rising = [value(&pessimist), value(&grid), value(&strong), correlated];
            assert!(
                rising.windows(2).all(|pair| pair[0] <= pair[1] + 1e-7),
                "seed {seed}: {rising:?}"
            );
        }
    }
}
