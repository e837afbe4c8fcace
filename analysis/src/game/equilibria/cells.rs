//! Where a support may hold an equilibrium: its product of simplices is divided into cells, and those go in which
//! some condition cannot hold.
//!
//! A gain is linear in each player's weights, so within a product of simplices it lies between its least and its
//! largest value at the combinations of their corners.

use std::collections::VecDeque;

use super::exclusion::POSITIVE;
use super::supports::{Support, profiles_of_others};
use crate::game::{Game, MixedProfile};

/// Cells that are looked at, at most.
const MOST_CELLS: usize = 4_000;
/// The same where one player's conditions are looked at.
const MOST_CELLS_OF_ONE: usize = 20_000;
/// Cells with no edge longer than this are not divided any further.
const SMALL: f64 = 1e-6;

/// A part of a support in which nothing speaks against an equilibrium.
pub(super) struct Cell {
    /// The middle of it.
    pub(super) centre: MixedProfile,
    /// Its longest edge.
    pub(super) size: f64,
    /// Per player, the strategies outside the support that may pay as much as those within.
    pub(super) tied: Vec<Vec<usize>>,
}

/// The cells that are left when there are no more, or all are small, or enough were looked at. If there are none,
/// the support has no equilibrium, and no limit of such. `game` has payoffs between zero and one.
pub(super) fn left(game: &Game, support: &Support, stop: &dyn Fn() -> bool) -> Vec<Cell> {
    let gains = gains(game, support);
    let mut waiting = VecDeque::from([whole(support)]);
    let mut left = Vec::new();
    let mut seen = 0;
    while let Some(corners) = waiting.pop_front() {
        seen += 1;
        let Some(tied) = possible_ties(game, &gains, &corners) else { continue };
        let (player, edge, size) = longest_edge(&corners, None);
        if size > SMALL && seen < MOST_CELLS && !stop() {
            waiting.extend(halves(corners, player, edge));
        } else {
            let centre = centre(game, support, &corners);
            left.push(Cell { centre, size, tied });
        }
    }
    left
}

/// Whether the others cannot mix so that all strategies of one player's support pay the same, and none pays more. As a rule
/// they cannot where that player has more indifferences than the others have weights to choose, and then only the
/// others' few weights have to be divided.
pub(super) fn cannot_be_indifferent(
    game: &Game,
    support: &Support,
    player: usize,
    stop: &dyn Fn() -> bool,
) -> bool {
    let mut gains = gains(game, support);
    gains.retain(|gain| gain.player == player);
    let mut waiting = VecDeque::from([whole(support)]);
    let mut seen = 0;
    while let Some(corners) = waiting.pop_front() {
        seen += 1;
        if possible_ties(game, &gains, &corners).is_none() {
            continue;
        }
        let (divided, edge, size) = longest_edge(&corners, Some(player));
        if size <= SMALL || seen >= MOST_CELLS_OF_ONE || stop() {
            return false;
        }
        waiting.extend(halves(corners, divided, edge));
    }
    true
}

fn whole(support: &Support) -> Corners {
    let of_player = |played: &Vec<usize>| {
        let corner = |place: usize| {
            (0..played.len()).map(|other| f64::from(u8::from(other == place))).collect()
        };
        (0..played.len()).map(corner).collect()
    };
    support.iter().map(of_player).collect()
}

/// Per player, the corners of a simplex of weights.
type Corners = Vec<Vec<Vec<f64>>>;

/// What a player gains by a strategy instead of the first one of its support.
struct Gain {
    player: usize,
    strategy: usize,
    /// Whether it has to be zero, or else at most that.
    is_equation: bool,
    /// At every combination of the others' strategies, the last player's changing fastest.
    tensor: Vec<f64>,
}

fn gains(game: &Game, support: &Support) -> Vec<Gain> {
    let mut gains = Vec::new();
    for (player, played) in support.iter().enumerate() {
        let others = profiles_of_others(game, support, player);
        let stride = game.strides()[player];
        for strategy in (0..game.strategies(player)).filter(|strategy| *strategy != played[0]) {
            let payoff = |other: usize, own: usize| game.payoff(other + own * stride, player);
            let gain = |other: &usize| payoff(*other, strategy) - payoff(*other, played[0]);
            gains.push(Gain {
                player,
                strategy,
                is_equation: played.contains(&strategy),
                tensor: others.iter().map(gain).collect(),
            });
        }
    }
    gains
}

/// Strategies outside the support that may pay as much; None if some condition cannot hold.
fn possible_ties(game: &Game, gains: &[Gain], corners: &Corners) -> Option<Vec<Vec<usize>>> {
    let mut tied = vec![Vec::new(); game.players()];
    for gain in gains {
        let values = gain.at_corners(corners);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if least > POSITIVE || gain.is_equation && largest < -POSITIVE {
            return None;
        }
        if !gain.is_equation && largest >= -POSITIVE {
            tied[gain.player].push(gain.strategy);
        }
    }
    Some(tied)
}

impl Gain {
    fn at_corners(&self, corners: &Corners) -> Vec<f64> {
        let mut values = self.tensor.clone();
        let others = corners.iter().enumerate().filter(|(other, _)| *other != self.player);
        for (_, corners) in others {
            // Its index is taken from the front and put at the end: after all of them the order is as before.
            let rest = values.len() / corners.len();
            let at = |index: usize, corner: &Vec<f64>| -> f64 {
                let terms = corner.iter().enumerate();
                terms.map(|(place, weight)| weight * values[place * rest + index]).sum()
            };
            values = (0..rest)
                .flat_map(|index| corners.iter().map(move |corner| (index, corner)))
                .map(|(index, corner)| at(index, corner))
                .collect();
        }
        values
    }
}

/// Whose simplex, but for one player's, has the longest edge, between which corners, and its length.
fn longest_edge(corners: &Corners, but_for: Option<usize>) -> (usize, (usize, usize), f64) {
    let mut longest = (0, (0, 0), 0.0);
    let divided = corners.iter().enumerate().filter(|(player, _)| Some(*player) != but_for);
    for (player, corners) in divided {
        for first in 0..corners.len() {
            for second in first + 1..corners.len() {
                let pairs = corners[first].iter().zip(&corners[second]);
                let length = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                if length > longest.2 {
                    longest = (player, (first, second), length);
                }
            }
        }
    }
    longest
}

fn halves(corners: Corners, player: usize, (first, second): (usize, usize)) -> [Corners; 2] {
    let pairs = corners[player][first].iter().zip(&corners[player][second]);
    let middle: Vec<f64> = pairs.map(|(a, b)| (a + b) / 2.0).collect();
    let mut other = corners.clone();
    other[player][first].clone_from(&middle);
    let mut one = corners;
    one[player][second] = middle;
    [one, other]
}

fn centre(game: &Game, support: &Support, corners: &Corners) -> MixedProfile {
    let middle = |corners: &Vec<Vec<f64>>| -> Vec<f64> {
        let sum = |place: usize| corners.iter().map(|corner| corner[place]).sum::<f64>();
        (0..corners.len()).map(|place| sum(place) / corners.len() as f64).collect()
    };
    let weights: Vec<Vec<f64>> = corners.iter().map(middle).collect();
    super::extended(game, support, &weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    #[test]
    fn a_support_without_equilibria_has_no_cells_and_one_with_one_has_those_around_it() {
        // Matching pennies, and a third player who wants what the first one does not.
        let payoffs = (0..8).flat_map(|p: usize| {
            let [a, b, c] = [p >> 2 & 1, p >> 1 & 1, p & 1];
            [
                f64::from(u8::from(a == b)),
                f64::from(u8::from(a != b)),
                (c as f64) - (a as f64) / 2.0,
            ]
        });
        let game = Game::new(Player::numbered(&[2, 2, 2]), payoffs.collect()).unwrap();
        let cells =
            |third: usize| left(&game, &vec![vec![0, 1], vec![0, 1], vec![third]], &|| false);
        assert!(cells(0).is_empty());
        let around = cells(1);
        assert!(!around.is_empty());
        for cell in around {
            let weights = cell.centre[0].iter().chain(&cell.centre[1]);
            assert!(weights.into_iter().all(|weight| (weight - 0.5).abs() < 1e-5));
            assert_eq!(cell.tied, vec![vec![]; 3] as Vec<Vec<usize>>);
        }
    }
}
