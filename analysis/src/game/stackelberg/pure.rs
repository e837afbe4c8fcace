//! Commitment to one strategy.

use crate::game::Game;

/// A strategy that is committed to, and where the others settle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Commitment {
    /// The pure profile, the leader's strategy in it.
    pub profile: usize,
    /// What the leader gets.
    pub value: f64,
}

/// What a leader can commit to with pure strategies, if the others answer with pure equilibria.
#[derive(Debug, Clone, PartialEq)]
pub struct PureCommitment {
    /// The best commitment if the others settle where the leader likes it most (strong Stackelberg). `None`
    /// if no commitment leaves a pure equilibrium.
    pub optimistic: Option<Commitment>,
    /// The best commitment if they settle where it likes it least (weak Stackelberg).
    pub pessimistic: Option<Commitment>,
    /// Strategies of the leader after which the others have no pure equilibrium; they are not counted.
    pub unanswered: Vec<usize>,
}

/// Take every strategy of the leader, every pure equilibrium of the others after it, and the best commitment
/// by optimists and by pessimists. Exact; with one follower there always is an answer.
#[must_use]
pub fn pure_commitment(game: &Game, leader: usize) -> PureCommitment {
    let mut unanswered = Vec::new();
    let (mut optimistic, mut pessimistic) = (None, None);
    for strategy in 0..game.strategies(leader) {
        let answers = answers(game, leader, strategy);
        let by_value = |a: &usize, b: &usize| {
            game.payoff(*a, leader).total_cmp(&game.payoff(*b, leader)).then(b.cmp(a))
        };
        let (Some(best), Some(worst)) =
            (answers.iter().copied().max_by(by_value), answers.iter().copied().min_by(by_value))
        else {
            unanswered.push(strategy);
            continue;
        };
        for (slot, profile) in [(&mut optimistic, best), (&mut pessimistic, worst)] {
            let value = game.payoff(profile, leader);
            if slot.is_none_or(|kept: Commitment| value > kept.value) {
                *slot = Some(Commitment { profile, value });
            }
        }
    }
    PureCommitment { optimistic, pessimistic, unanswered }
}

/// The profiles with this strategy of the leader that no follower gains by leaving.
fn answers(game: &Game, leader: usize, strategy: usize) -> Vec<usize> {
    let followers = || (0..game.players()).filter(|player| *player != leader);
    let rests = |profile: &usize| {
        game.strategy(*profile, leader) == strategy
            && followers().all(|player| game.pure_regret(*profile, player) <= 0.0)
    };
    (0..game.profiles()).filter(rests).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::potential::tests::{game, random_game};

    #[test]
    fn conitzer_and_sandholm() {
        let game = game(&[2, 2], &[2., 1., 4., 0., 1., 0., 3., 1.]);
        let found = pure_commitment(&game, 0);
        assert_eq!(found.optimistic, Some(Commitment { profile: 3, value: 3.0 }));
        assert_eq!(found.optimistic, found.pessimistic);
    }

    #[test]
    fn ties_of_the_follower_part_optimists_from_pessimists() {
        let game = game(&[2, 2], &[5., 1., 0., 1., 2., 3., 0., 0.]);
        let found = pure_commitment(&game, 0);
        assert_eq!(found.optimistic.unwrap().value, 5.0);
        assert_eq!(found.pessimistic.unwrap().value, 2.0);
    }

    #[test]
    fn commitment_is_worth_at_least_any_pure_equilibrium() {
        for seed in 0..200 {
            let game = random_game(&[3, 3, 3], seed);
            for leader in 0..3 {
                let found = pure_commitment(&game, leader);
                let best = crate::game::pure_equilibria(&game)
                    .into_iter()
                    .map(|profile| game.payoff(profile, leader))
                    .fold(f64::NEG_INFINITY, f64::max);
                let value = found.optimistic.map_or(f64::NEG_INFINITY, |found| found.value);
                assert!(value >= best, "seed {seed}");
                assert!(found.pessimistic.is_none_or(|found| found.value <= value));
            }
        }
    }
}
