//! Commitment that is seen through noise.

use thiserror::Error;

use crate::game::{Game, GameError, Player};

/// Why the game with noise is not made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoiseError {
    /// The followers would have too many strategies.
    #[error(
        "followers who answer every signal have {strategies} profiles in this game, more than {most}; \
         leave out strategies to study commitment under noise"
    )]
    TooLarge {
        /// Profiles of the game with noise.
        strategies: u128,
        /// Profiles that are allowed.
        most: u128,
    },
    /// An error rate that is none.
    #[error("an observation is wrong with a probability from 0 to 1")]
    Rate,
    /// The game with noise is no game.
    #[error(transparent)]
    Game(#[from] GameError),
}

/// Profiles of a game with noise, at most.
const MOST_PROFILES: u128 = 1 << 20;

/// The game in which the leader moves first and the others see its strategy wrongly with a probability: then
/// each other strategy is seen as often. All followers see the same. A follower's strategies are maps from
/// what is seen to what is done, written `a|b|c` for the answers to the leader's first, second and third
/// strategy. Its equilibria are those of commitment under noise; Bagwell (1995) shows that the pure ones are
/// those of the game without commitment, however small the noise.
///
/// # Errors
///
/// If the rate is no probability, or the game would be too large.
pub fn observed_with_noise(game: &Game, leader: usize, rate: f64) -> Result<Game, NoiseError> {
    if !(0.0..=1.0).contains(&rate) {
        return Err(NoiseError::Rate);
    }
    let signals = game.strategies(leader);
    let maps = |player: usize| (game.strategies(player) as u128).saturating_pow(signals as u32);
    let counts: Vec<u128> = (0..game.players())
        .map(|player| if player == leader { signals as u128 } else { maps(player) })
        .collect();
    let strategies = counts.iter().fold(1, |product: u128, count| product.saturating_mul(*count));
    if strategies > MOST_PROFILES {
        return Err(NoiseError::TooLarge { strategies, most: MOST_PROFILES });
    }
    let answer = |player: usize, map: usize, signal: usize| {
        let count = game.strategies(player);
        map / count.pow((signals - 1 - signal) as u32) % count
    };
    let players = (0..game.players()).map(|player| {
        if player == leader {
            return game.player(leader).clone();
        }
        let named = |map: usize| {
            let names =
                (0..signals).map(|s| &*game.player(player).strategies[answer(player, map, s)]);
            names.collect::<Vec<&str>>().join("|")
        };
        let strategies = (0..counts[player] as usize).map(named).collect();
        Player { name: game.player(player).name.clone(), strategies }
    });
    let players: Vec<Player> = players.collect();
    let mut payoffs = Vec::with_capacity(strategies as usize * players.len());
    for number in 0..strategies as usize {
        let mut left = number;
        let mut chosen = vec![0; players.len()];
        for player in (0..players.len()).rev() {
            let count = players[player].strategies.len();
            (chosen[player], left) = (left % count, left / count);
        }
        let mut expected = vec![0.0; players.len()];
        for signal in 0..signals {
            let is_right = signal == chosen[leader];
            let probability = match (is_right, signals) {
                (_, 1) => 1.0,
                (true, _) => 1.0 - rate,
                (false, _) => rate / (signals - 1) as f64,
            };
            let profile: Vec<usize> = (0..players.len())
                .map(|p| if p == leader { chosen[p] } else { answer(p, chosen[p], signal) })
                .collect();
            let paid = game.payoffs_of(game.profile_index(&profile));
            expected.iter_mut().zip(paid).for_each(|(sum, payoff)| *sum += probability * payoff);
        }
        payoffs.extend(expected);
    }
    Ok(Game::new(players, payoffs)?)
}

#[cfg(test)]
pub(in crate::game) mod tests {
    use super::*;
    use crate::game::potential::tests::game;
    use crate::game::pure_equilibria;

    /// Bagwell 1995: leader and follower choose S or C.
    pub(in crate::game) fn bagwell() -> Game {
        game(&[2, 2], &[5., 2., 3., 1., 6., 3., 4., 4.])
    }

    #[test]
    fn without_noise_the_leader_has_its_stackelberg_value_and_with_a_little_it_is_gone() {
        let values = |rate: f64| -> Vec<f64> {
            let game = observed_with_noise(&bagwell(), 0, rate).unwrap();
            pure_equilibria(&game).into_iter().map(|profile| game.payoff(profile, 0)).collect()
        };
        assert!(values(0.0).contains(&5.0));
        assert_eq!(values(0.01), [4.0]);
    }

    #[test]
    fn noise_mixes_the_answers() {
        let noisy = observed_with_noise(&bagwell(), 0, 0.25).unwrap();
        assert_eq!(noisy.shape(), [2, 4]);
        let profile = noisy.profile_index(&[0, 1]);
        assert_eq!(noisy.profile_names(profile), ["1", "1|2"]);
        assert_eq!(noisy.payoffs_of(profile), [0.75 * 5.0 + 0.25 * 3.0, 0.75 * 2.0 + 0.25]);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let large = crate::game::potential::tests::random_game(&[7, 7, 7], 1);
        let error = observed_with_noise(&large, 0, 0.1).unwrap_err();
        assert!(matches!(error, NoiseError::TooLarge { .. }));
        assert_eq!(observed_with_noise(&bagwell(), 0, 2.0), Err(NoiseError::Rate));
    }
}
