//! Strategies that another pure strategy makes superfluous.

use super::Game;

/// Which strategies remain, and which went in what order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dominance {
    /// Per player, the strategies that remain, ascending.
    pub remaining: Vec<Vec<usize>>,
    /// What was removed, round by round.
    pub rounds: Vec<Vec<Dominated>>,
    /// Whether nothing that remains is dominated; otherwise there was no time to look at everything.
    pub is_whole: bool,
}

/// A strategy that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dominated {
    /// Whose strategy.
    pub player: usize,
    /// The strategy.
    pub strategy: usize,
    /// A strategy that is better.
    pub by: usize,
}

/// What "better" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DominanceKind {
    /// Better against everything that the others may still play. No equilibrium uses what is removed, and the
    /// order does not matter.
    Strict,
    /// Never worse, and better against something. Equilibria may be lost, and which ones depends on the
    /// order; here every round removes all that is dominated at its beginning, except one of two strategies
    /// that pay the same everywhere.
    Weak,
}

/// Remove dominated strategies until there are none, in rounds of all players together. Only domination by a
/// pure strategy counts; payoffs are compared exactly.
#[must_use]
pub fn iterated_dominance(game: &Game, kind: DominanceKind) -> Dominance {
    iterated_dominance_until(game, kind, &|| false)
}

/// [`iterated_dominance`] that ends early if it is stopped; what it has removed by then is dominated.
#[must_use]
pub fn iterated_dominance_until(
    game: &Game,
    kind: DominanceKind,
    stop: &dyn Fn() -> bool,
) -> Dominance {
    let mut remaining: Vec<Vec<usize>> =
        (0..game.players()).map(|player| (0..game.strategies(player)).collect()).collect();
    let mut rounds = Vec::new();
    loop {
        let round: Vec<Dominated> = (0..game.players())
            .flat_map(|player| dominated(game, &remaining, player, kind, stop))
            .collect();
        if round.is_empty() {
            return Dominance { remaining, rounds, is_whole: !stop() };
        }
        for removed in &round {
            remaining[removed.player].retain(|strategy| *strategy != removed.strategy);
        }
        rounds.push(round);
    }
}

fn dominated(
    game: &Game,
    remaining: &[Vec<usize>],
    player: usize,
    kind: DominanceKind,
    stop: &dyn Fn() -> bool,
) -> Vec<Dominated> {
    let others = profiles_of_others(game, remaining, player);
    let stride = game.strides()[player];
    let dominates = |by: usize, strategy: usize| {
        let mut is_better = false;
        let never_worse = others.iter().all(|profile| {
            let better = game.payoff(profile + by * stride, player);
            let worse = game.payoff(profile + strategy * stride, player);
            is_better |= better > worse;
            better > worse || kind == DominanceKind::Weak && better == worse
        });
        never_worse && is_better
    };
    let of_player = &remaining[player];
    let removed = of_player.iter().filter_map(|&strategy| {
        if stop() {
            return None;
        }
        let by = of_player.iter().find(|by| **by != strategy && dominates(**by, strategy));
        by.map(|&by| Dominated { player, strategy, by })
    });
    removed.collect()
}

/// The numbers of all profiles of the remaining strategies in which a player plays its first strategy.
fn profiles_of_others(game: &Game, remaining: &[Vec<usize>], player: usize) -> Vec<usize> {
    let mut profiles = vec![0];
    for (other, strategies) in remaining.iter().enumerate().filter(|(other, _)| *other != player) {
        let stride = game.strides()[other];
        let extended = |profile: &usize| {
            let profile = *profile;
            strategies.iter().map(move |strategy| profile + strategy * stride)
        };
        profiles = profiles.iter().flat_map(extended).collect();
    }
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    fn two_by_two(payoffs: [f64; 8]) -> Game {
        Game::new(Player::numbered(&[2, 2]), payoffs.to_vec()).unwrap()
    }

    #[test]
    fn the_prisoners_dilemma_is_solved_by_strict_dominance() {
        let game = two_by_two([3.0, 3.0, 0.0, 5.0, 5.0, 0.0, 1.0, 1.0]);
        let strict = iterated_dominance(&game, DominanceKind::Strict);
        assert_eq!(strict.remaining, [[1], [1]]);
        assert_eq!(strict.rounds.len(), 1);
    }

    #[test]
    fn strict_and_weak_are_told_apart() {
        // The second row is never better, and the columns differ in the second row only.
        let game = two_by_two([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 0.0, 0.0]);
        let strict = iterated_dominance(&game, DominanceKind::Strict);
        assert_eq!((strict.remaining, strict.rounds.len()), (vec![vec![0, 1], vec![0, 1]], 0));
        let weak = iterated_dominance(&game, DominanceKind::Weak);
        assert_eq!(weak.remaining, [[0], [0]]);
    }

    #[test]
    fn equal_strategies_both_stay() {
        let game = two_by_two([1.0; 8]);
        let weak = iterated_dominance(&game, DominanceKind::Weak);
        assert_eq!(weak.remaining, [[0, 1], [0, 1]]);
    }
}
