//! Equilibria in pure strategies.

use super::Game;

/// The numbers of all profiles that no player would leave alone, in order. Payoffs are compared exactly.
#[must_use]
pub fn pure_equilibria(game: &Game) -> Vec<usize> {
    let mut rests = vec![true; game.profiles()];
    for player in 0..game.players() {
        // Against each combination of the others' strategies the best payoff is found once.
        for first in (0..game.profiles()).filter(|profile| game.strategy(*profile, player) == 0) {
            let payoffs =
                game.deviations(first, player).map(|profile| game.payoff(profile, player));
            let best = payoffs.fold(f64::NEG_INFINITY, f64::max);
            for profile in game.deviations(first, player) {
                rests[profile] &= game.payoff(profile, player) >= best;
            }
        }
    }
    (0..game.profiles()).filter(|profile| rests[*profile]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    #[test]
    fn ties_are_kept() {
        let equal = Game::new(Player::numbered(&[2, 2, 2]), vec![1.0; 24]).unwrap();
        assert_eq!(pure_equilibria(&equal), (0..8).collect::<Vec<_>>());
        // Prisoner's dilemma.
        let dilemma = [3.0, 3.0, 0.0, 5.0, 5.0, 0.0, 1.0, 1.0];
        let dilemma = Game::new(Player::numbered(&[2, 2]), dilemma.to_vec()).unwrap();
        assert_eq!(pure_equilibria(&dilemma), [3]);
    }
}
