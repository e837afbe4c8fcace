//! Continua of equilibria that hang together.

use super::answer::Component;
use super::continua::{self, Piece};
use super::extended;
use crate::game::{Game, MixedProfile};

/// Pieces that hang together: of the same support and more than one dimension, or where one ends at another.
pub(super) fn components(game: &Game, pieces: &[Piece]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let touches = |a: &Piece, b: &Piece| {
        a.support == b.support && a.dimension > 1
            || a.points.iter().any(|point| continua::is_limit(game, b, point))
            || b.points.iter().any(|point| continua::is_limit(game, a, point))
    };
    for number in 0..pieces.len() {
        let near =
            |part: &Vec<usize>| part.iter().any(|other| touches(&pieces[*other], &pieces[number]));
        let (joined, apart): (Vec<_>, Vec<_>) = parts.into_iter().partition(near);
        let mut part: Vec<usize> = joined.into_iter().flatten().collect();
        part.push(number);
        parts = apart;
        parts.push(part);
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts.sort();
    parts
}

/// One continuum of pieces of the reduced game, in the whole one.
pub(super) fn joined(game: &Game, kept: &[Vec<usize>], pieces: &[&Piece]) -> Component {
    let mut points: Vec<MixedProfile> = Vec::new();
    for point in pieces.iter().flat_map(|piece| &piece.points) {
        let point = extended(game, kept, point);
        if !points.iter().any(|known| continua::distance(known, &point) < continua::SAME) {
            points.push(point);
        }
    }
    let played = |player: usize| {
        let mut played: Vec<usize> = pieces
            .iter()
            .flat_map(|piece| &piece.support[player])
            .map(|s| kept[player][*s])
            .collect();
        played.sort_unstable();
        played.dedup();
        played
    };
    let dimension = pieces.iter().map(|piece| piece.dimension).max().unwrap_or(0);
    Component {
        support: (0..game.players()).map(played).collect(),
        dimension,
        points,
        is_hull: matches!(pieces, [piece] if piece.is_hull),
    }
}
