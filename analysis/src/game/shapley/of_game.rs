//! The coalitions of a game's players.

use super::coalition::{CoalitionError, CoalitionValues};
use crate::game::Game;

/// The value of a coalition is the social welfare, the sum of all payoffs, in the profile in which its members
/// play their intelligent strategy and all others their baseline (method.md). Replicates keep their blocks, so
/// that intervals can be given. `baseline` and `intelligent` have one strategy per player.
///
/// # Errors
///
/// If there are too many players, or replicates with and without blocks.
pub fn coalitions_of_game(
    game: &Game,
    baseline: &[usize],
    intelligent: &[usize],
) -> Result<CoalitionValues, CoalitionError> {
    let players: Vec<String> = (0..game.players()).map(|p| game.player(p).name.clone()).collect();
    if players.len() > super::MOST_PLAYERS {
        return Err(CoalitionError::Players(players.len()));
    }
    let profile = |coalition: usize| {
        let strategies: Vec<usize> = (0..players.len())
            .map(|p| if coalition >> p & 1 == 1 { intelligent[p] } else { baseline[p] })
            .collect();
        game.profile_index(&strategies)
    };
    let coalitions = 0..1_usize << players.len();
    match game.replicates() {
        None => {
            let values = coalitions.map(|coalition| game.welfare(profile(coalition))).collect();
            CoalitionValues::new(players.clone(), values)
        }
        Some(replicates) => {
            let of_coalition = |coalition: usize| {
                let measured = replicates[profile(coalition)].iter();
                measured
                    .map(|replicate| (replicate.block.clone(), replicate.payoffs.iter().sum()))
                    .collect()
            };
            let measurements = coalitions.map(of_coalition).collect();
            CoalitionValues::of_measurements(players.clone(), measurements)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::{Player, Replicate};

    #[test]
    fn members_play_their_intelligent_strategy() {
        let payoffs = (0..12).map(f64::from).collect();
        let game = Game::new(Player::numbered(&[2, 3]), payoffs).unwrap();
        let table = coalitions_of_game(&game, &[0, 2], &[1, 0]).unwrap();
        // Profiles (1, 3), (2, 3), (1, 1), (2, 1) with welfare 2 x first payoff + 1.
        assert_eq!(table.values(), [9.0, 21.0, 1.0, 13.0]);
    }

    #[test]
    fn replicates_keep_their_blocks() {
        let replicate = |payoff: f64, block: &str| Replicate {
            block: Some(block.to_owned()),
            payoffs: vec![payoff, 1.0],
            cost: None,
        };
        let measured =
            (0..4).map(|p| vec![replicate(p.into(), "a"), replicate(2.0, "b")]).collect();
        let game = Game::of_replicates(Player::numbered(&[2, 2]), measured).unwrap();
        let table = coalitions_of_game(&game, &[0, 0], &[1, 1]).unwrap();
        assert_eq!(table.complete_blocks(), [[1.0, 3.0, 2.0, 4.0], [3.0; 4]]);
    }
}
