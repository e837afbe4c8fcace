//! Supports in which one player mixes, in exact arithmetic.
//!
//! All conditions are linear in that player's weights: it has to be indifferent at one profile of the others, and
//! each of these must not gain by another strategy. What satisfies them is a polytope, whose extreme points are
//! found in fractions.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

use super::bimatrix::rank;
use super::continua::{Piece, Resolved, Single};
use super::exact::exact;
use super::extended;
use super::supports::Support;
use super::vertices::vertices;
use crate::game::{Game, MixedProfile};

/// What a support holds in which this player alone mixes. None if there was no time.
pub(super) fn resolve(
    game: &Game,
    support: &Support,
    mixing: usize,
    stop: &dyn Fn() -> bool,
) -> Option<Resolved> {
    let mut resolved = Resolved::default();
    let extreme = extreme_points(game, support, mixing, stop)?;
    let is_played = |place: usize| extreme.iter().any(|weights| !weights[place].is_zero());
    // Otherwise all of it belongs to smaller supports.
    if !(0..support[mixing].len()).all(is_played) {
        return Some(resolved);
    }
    let profile = |weights: &Vec<BigRational>| -> MixedProfile {
        let mut all = vec![vec![1.0]; game.players()];
        all[mixing] = weights.iter().map(|w| w.to_f64().unwrap_or(f64::NAN)).collect();
        extended(game, support, &all)
    };
    let points: Vec<MixedProfile> = extreme.iter().map(profile).collect();
    if let [weights] = &extreme[..] {
        let fractions = Some(fractions(game, support, mixing, weights));
        resolved.singles.push(Single { profile: points[0].clone(), fractions });
        return Some(resolved);
    }
    let offset = |point: &MixedProfile| -> Vec<f64> {
        point[mixing].iter().zip(&points[0][mixing]).map(|(a, b)| a - b).collect()
    };
    let offsets: Vec<Vec<f64>> = points[1..].iter().map(offset).collect();
    resolved.pieces.push(Piece {
        support: support.clone(),
        dimension: rank(&offsets),
        points,
        is_hull: true,
    });
    Some(resolved)
}

/// The extreme points of the weights that satisfy the conditions, zero weights among them.
fn extreme_points(
    game: &Game,
    support: &Support,
    mixing: usize,
    stop: &dyn Fn() -> bool,
) -> Option<Vec<Vec<BigRational>>> {
    let played = &support[mixing];
    let at: usize =
        support.iter().zip(game.strides()).map(|(strategies, stride)| strategies[0] * stride).sum();
    let best = game.payoff(at, mixing);
    let is_best = game.deviations(at, mixing).enumerate().all(|(strategy, other)| {
        let payoff = game.payoff(other, mixing);
        payoff == best || payoff < best && !played.contains(&strategy)
    });
    if !is_best {
        return Some(Vec::new());
    }
    // What the others would gain, per weight.
    let mut gains: Vec<Vec<BigInt>> = Vec::new();
    for player in (0..game.players()).filter(|player| *player != mixing) {
        let profiles = played.iter().map(|s| game.deviation(at, mixing, *s));
        let profiles: Vec<usize> = profiles.collect();
        for strategy in (0..game.strategies(player)).filter(|s| *s != support[player][0]) {
            let gain = |profile: &usize| {
                let other = game.deviation(*profile, player, strategy);
                exact(game.payoff(other, player)) - exact(game.payoff(*profile, player))
            };
            let row: Vec<BigRational> = profiles.iter().map(gain).collect();
            if row.iter().all(Signed::is_positive) {
                return Some(Vec::new());
            }
            if row.iter().any(Signed::is_positive) {
                gains.push(integers(&row));
            }
        }
    }
    // With M = gains + c, the weights x satisfy gains x <= 0 where M (x / c) <= 1 and sum x = 1: a face of the
    // polytope of a best-response problem, whose first row says that the sum is one at most.
    let largest = gains.iter().flatten().map(Signed::abs).max().unwrap_or_else(BigInt::zero);
    let shift: BigInt = largest + 1;
    let of_strategy = |place: usize| -> Vec<BigInt> {
        let shifted = gains.iter().map(|row| &row[place] + &shift);
        std::iter::once(shift.clone()).chain(shifted).collect()
    };
    let matrix: Vec<Vec<BigInt>> = (0..played.len()).map(of_strategy).collect();
    let found = vertices(&matrix, stop)?;
    let on_face = found.iter().filter(|vertex| vertex.labels.contains(played.len()));
    let weights = on_face.map(|vertex| {
        let sum: BigInt = vertex.weights().iter().sum();
        vertex.weights().iter().map(|x| BigRational::new(x.clone(), sum.clone())).collect()
    });
    Some(weights.collect())
}

/// Integers in the same proportions as some fractions of two.
fn integers(row: &[BigRational]) -> Vec<BigInt> {
    let unit = row.iter().map(BigRational::denom).max().cloned().unwrap_or_else(|| 1.into());
    row.iter().map(|value| value.numer() * (&unit / value.denom())).collect()
}

/// The fractions of all strategies, as text.
fn fractions(
    game: &Game,
    support: &Support,
    mixing: usize,
    weights: &[BigRational],
) -> Vec<Vec<String>> {
    let of_player = |player: usize| {
        let mut all = vec!["0".to_owned(); game.strategies(player)];
        for (place, strategy) in support[player].iter().enumerate() {
            all[*strategy] =
                if player == mixing { weights[place].to_string() } else { "1".to_owned() };
        }
        all
    };
    (0..game.players()).map(of_player).collect()
}
