//! Continua of equilibria in games of three and more players: recognised, measured, traced to their ends.
//!
//! What is found here is numerical: points that satisfy the conditions of a support up to rounding, and the
//! directions in which they go on doing so.

use nalgebra::{DMatrix, DVector};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::examine::Suspect;
use super::supports::Support;
use crate::game::{Game, MixedProfile};

/// Part of a continuum, within one support.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) support: Support,
    pub(super) dimension: usize,
    /// Where it ends, if it is a curve; else points on its boundary.
    pub(super) points: Vec<MixedProfile>,
}

/// What a suspicious support turned out to hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    pub(super) pieces: Vec<Piece>,
    /// Equilibria that are isolated although their Jacobian is singular: multiple roots.
    pub(super) multiple: Vec<MixedProfile>,
    /// Whether an equilibrium of the support was found at all.
    pub(super) has_equilibrium: bool,
}

/// Random points where the search in a support begins, beside those given.
const STARTS: usize = 40;
/// Conditions that hold up to this, in payoffs between zero and one, hold.
const HOLDS: f64 = 1e-9;
/// Singular values below this, relative to the largest or to one, are zero.
const ZERO: f64 = 1e-6;
/// Length of a step along a continuum.
const STEP: f64 = 0.01;
/// Two points closer than this are one.
pub(super) const SAME: f64 = 1e-6;

/// Look for continua in a support. `game` has payoffs between zero and one.
pub(super) fn resolve(
    game: &Game,
    suspect: &Suspect,
    seed: u64,
    stop: &dyn Fn() -> bool,
) -> Resolved {
    let conditions = Conditions { game, support: &suspect.support };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut resolved = Resolved::default();
    let given = suspect.points.iter().map(|point| conditions.of_profile(point));
    let starts: Vec<DVector<f64>> =
        given.chain((0..STARTS).map(|_| conditions.random(&mut random))).collect();
    for start in starts {
        if stop() {
            break;
        }
        let Some(point) = conditions.solve(start).filter(|point| conditions.holds(point)) else {
            continue;
        };
        resolved.has_equilibrium = true;
        let free = conditions.directions(&point);
        let profile = conditions.profile(&point);
        if free.is_empty() {
            continue;
        }
        if !free.iter().any(|direction| conditions.goes_on(&point, direction)) {
            if !resolved.multiple.iter().any(|known| distance(known, &profile) < 1e-3) {
                resolved.multiple.push(profile);
            }
            continue;
        }
        if free.len() == 1 {
            let points = vec![
                conditions.profile(&conditions.trace(&point, &free[0])),
                conditions.profile(&conditions.trace(&point, &-&free[0])),
            ];
            resolved.add(Piece { support: suspect.support.clone(), dimension: 1, points });
        } else {
            let mut points = Vec::new();
            for direction in free.iter().flat_map(|direction| [direction.clone(), -direction]) {
                points.push(conditions.profile(&conditions.trace(&point, &direction)));
            }
            resolved.add(Piece { support: suspect.support.clone(), dimension: free.len(), points });
            // Its other points would only add points to it.
            break;
        }
    }
    resolved
}

impl Resolved {
    /// Add a piece unless it has the same ends as one that is known.
    fn add(&mut self, piece: Piece) {
        let is_same = |known: &&Piece| {
            let near = |point: &MixedProfile| {
                known.points.iter().any(|other| distance(point, other) < SAME)
            };
            piece.points.iter().all(near)
        };
        if self.pieces.iter().find(is_same).is_none() {
            self.pieces.push(piece);
        }
    }
}

/// The largest difference between two profiles' weights.
pub(super) fn distance(a: &MixedProfile, b: &MixedProfile) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Whether an equilibrium is a limit of a piece's points.
pub(super) fn is_limit(game: &Game, piece: &Piece, profile: &MixedProfile) -> bool {
    const NEARBY: f64 = 1e-3;
    if piece.points.iter().any(|point| distance(point, profile) < SAME) {
        return true;
    }
    let conditions = Conditions { game, support: &piece.support };
    let is_played = |(player, weights): (usize, &Vec<f64>)| {
        let played = |(strategy, weight): (usize, &f64)| {
            *weight == 0.0 || piece.support[player].contains(&strategy)
        };
        weights.iter().enumerate().all(played)
    };
    if !profile.iter().enumerate().all(is_played) {
        return false;
    }
    let here = conditions.of_profile(profile);
    piece.points.iter().any(|point| {
        let there = conditions.of_profile(point);
        let begin = &here + (there - &here) * NEARBY;
        let near = conditions.solve(begin).filter(|point| conditions.holds(point));
        near.is_some_and(|near| (near - &here).amax() < 3.0 * NEARBY)
    })
}

/// The conditions of a support in the weights of all its strategies.
struct Conditions<'a> {
    game: &'a Game,
    support: &'a Support,
}

impl Conditions<'_> {
    /// Player and strategy of every weight.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let of_player = |(player, played): (usize, &'_ Vec<usize>)| {
            played.clone().into_iter().map(move |strategy| (player, strategy))
        };
        self.support.iter().enumerate().flat_map(of_player)
    }

    fn of_profile(&self, profile: &MixedProfile) -> DVector<f64> {
        let weights: Vec<f64> = self.places().map(|(player, s)| profile[player][s]).collect();
        DVector::from_vec(weights)
    }

    fn random(&self, random: &mut ChaCha8Rng) -> DVector<f64> {
        let mut weights = Vec::new();
        for played in self.support {
            // Exponential variables, divided by their sum, are uniform on the simplex.
            let draws: Vec<f64> =
                played.iter().map(|_| -random.random_range(f64::MIN_POSITIVE..1.0).ln()).collect();
            let sum: f64 = draws.iter().sum();
            weights.extend(draws.iter().map(|draw| draw / sum));
        }
        DVector::from_vec(weights)
    }

    fn spread(&self, point: &DVector<f64>) -> MixedProfile {
        let mut profile: MixedProfile = (0..self.game.players())
            .map(|player| vec![0.0; self.game.strategies(player)])
            .collect();
        for ((player, strategy), weight) in self.places().zip(point.iter()) {
            profile[player][strategy] = *weight;
        }
        profile
    }

    /// The profile of a point where the conditions hold, without what rounding leaves.
    fn profile(&self, point: &DVector<f64>) -> MixedProfile {
        let mut profile = self.spread(point);
        for weights in &mut profile {
            weights.iter_mut().filter(|weight| **weight < HOLDS).for_each(|weight| *weight = 0.0);
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        profile
    }

    /// By how much each condition is violated, and the derivatives.
    fn linearised(&self, point: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let profile = self.spread(point);
        let places: Vec<(usize, usize)> = self.places().collect();
        let mut values = Vec::new();
        let mut rows: Vec<f64> = Vec::new();
        for (player, played) in self.support.iter().enumerate() {
            values.push(profile[player].iter().sum::<f64>() - 1.0);
            rows.extend(places.iter().map(|(by, _)| f64::from(u8::from(*by == player))));
            let payoffs = self.game.strategy_payoffs(&profile, player);
            let derivatives: Vec<Vec<f64>> = places
                .iter()
                .map(|&(by, strategy)| {
                    if by == player {
                        return vec![0.0; payoffs.len()];
                    }
                    let mut pure = profile.clone();
                    pure[by].fill(0.0);
                    pure[by][strategy] = 1.0;
                    self.game.strategy_payoffs(&pure, player)
                })
                .collect();
            for strategy in &played[1..] {
                values.push(payoffs[*strategy] - payoffs[played[0]]);
                rows.extend(derivatives.iter().map(|d| d[*strategy] - d[played[0]]));
            }
        }
        let matrix = DMatrix::from_row_iterator(values.len(), places.len(), rows);
        (DVector::from_vec(values), matrix)
    }

    /// Gauss-Newton steps of least length until the conditions hold.
    fn solve(&self, mut point: DVector<f64>) -> Option<DVector<f64>> {
        for _ in 0..60 {
            let (values, matrix) = self.linearised(&point);
            if values.amax() < 1e-14 {
                return Some(point);
            }
            let step = matrix.svd(true, true).solve(&values, ZERO * 1e-2).ok()?;
            point -= &step;
            if !point.iter().all(|x| x.abs() < 10.0) {
                return None;
            }
            if step.amax() < 1e-14 {
                break;
            }
        }
        (self.linearised(&point).0.amax() < 1e-12).then_some(point)
    }

    /// Whether a solution of the conditions is an equilibrium.
    fn holds(&self, point: &DVector<f64>) -> bool {
        point.iter().all(|weight| *weight >= -HOLDS)
            && self.game.max_regret(&self.profile(point)) <= HOLDS
    }

    /// An orthonormal basis of the directions in which the conditions hold to first order.
    fn directions(&self, point: &DVector<f64>) -> Vec<DVector<f64>> {
        let (_, matrix) = self.linearised(point);
        let n = matrix.ncols();
        // Of a square matrix the decomposition has all right singular vectors.
        let square = matrix.clone().resize(n.max(matrix.nrows()), n, 0.0);
        let svd = square.svd(false, true);
        let Some(vectors) = svd.v_t else { return Vec::new() };
        let values = svd.singular_values.iter().enumerate();
        values
            .filter(|(_, value)| **value < ZERO)
            .map(|(row, _)| vectors.row(row).transpose())
            .collect()
    }

    /// Whether the conditions hold a little further in a direction, too.
    fn goes_on(&self, point: &DVector<f64>, direction: &DVector<f64>) -> bool {
        const LITTLE: f64 = 1e-3;
        let next = self.solve(point + direction * LITTLE);
        next.is_some_and(|next| (next - point).norm() > LITTLE / 2.0)
    }

    /// Follow a continuum in a direction until a weight is zero or another strategy pays as much.
    fn trace(&self, begin: &DVector<f64>, direction: &DVector<f64>) -> DVector<f64> {
        const MOST_STEPS: usize = 1_000;
        let mut point = begin.clone();
        let mut direction = direction.normalize();
        let mut length = STEP;
        for _ in 0..MOST_STEPS {
            let next = self.solve(&point + &direction * length);
            match next.filter(|next| self.holds(next) && (next - &point).norm() > length / 2.0) {
                Some(next) => {
                    let moved = &next - &point;
                    direction = moved.normalize();
                    point = next;
                }
                None => length /= 2.0,
            }
            if length < 1e-12 {
                break;
            }
        }
        point
    }
}
