//! Equilibria in pure strategies.

use super::Game;

/// The numbers of all profiles that no player would leave alone, in order. Payoffs are compared exactly.
#[must_use]
pub fn pure_equilibria(game: &Game) -> Vec<usize> {
    (0..game.profiles())
        .filter(|profile| {
            (0..game.players()).all(|player| {
                let own = game.payoff(*profile, player);
                game.deviations(*profile, player).all(|other| game.payoff(other, player) <= own)
            })
        })
        .collect()
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
