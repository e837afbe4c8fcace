//! The indifference conditions of a support as a system for the homotopy.

use super::homotopy::{Block, System};
use super::supports::{Support, profiles_of_others};
use crate::game::Game;

/// The system of a support, and the players of its groups: those that play more than one strategy.
pub(super) fn system_of(
    game: &Game,
    normalised: &[f64],
    support: &Support,
) -> (System, Vec<usize>) {
    let mixing: Vec<usize> =
        (0..game.players()).filter(|player| support[*player].len() > 1).collect();
    let sizes = mixing.iter().map(|player| support[*player].len()).collect();
    let block = |(group, &player): (usize, &usize)| Block {
        others: (0..mixing.len()).filter(|other| *other != group).collect(),
        equations: support[player].len() - 1,
        tensor: contrasts(game, normalised, support, player),
    };
    let blocks = mixing.iter().enumerate().map(block).collect();
    (System::new(sizes, blocks), mixing)
}

/// Orthonormal contrasts between a player's payoffs of its strategies, against every combination of the others'
/// strategies: (contrast, combination), row-major. All vanish where the player is indifferent.
fn contrasts(game: &Game, normalised: &[f64], support: &Support, player: usize) -> Vec<f64> {
    let others = profiles_of_others(game, support, player);
    let stride = game.strides()[player];
    let players = game.players();
    let payoff =
        |other: usize, strategy: usize| normalised[(other + strategy * stride) * players + player];
    let played = &support[player];
    let mut tensor = Vec::with_capacity((played.len() - 1) * others.len());
    for contrast in 1..played.len() {
        let length = ((contrast * (contrast + 1)) as f64).sqrt();
        tensor.extend(others.iter().map(|&other| {
            let own = payoff(other, played[contrast]);
            let before = &played[..contrast];
            // Differences one by one: what strategies have in common leaves no rounding error.
            before.iter().map(|strategy| payoff(other, *strategy) - own).sum::<f64>() / length
        }));
    }
    tensor
}
