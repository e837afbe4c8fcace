//! Continua of equilibria in games of three and more players: recognised, measured, traced to their ends.
//!
//! What is found here is numerical, unless only one player mixes: points that satisfy the conditions of a support up
//! to rounding, and the directions in which they go on doing so.

use nalgebra::{DMatrix, DVector};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cells::{self, Cell};
use super::examine::Suspect;
use super::one_mixing;
use super::supports::Support;
use crate::game::{Game, MixedProfile};

/// Part of a continuum, within one support.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) support: Support,
    pub(super) dimension: usize,
    /// Where it ends, if it is a curve; else points on its boundary.
    pub(super) points: Vec<MixedProfile>,
    /// Whether it is the convex hull of these points.
    pub(super) is_hull: bool,
}

/// An equilibrium that is alone in its support although the indifference conditions do not make it so: a multiple
/// root of them, or a point of a continuum of roots at which other strategies pay just as much.
#[derive(Debug, Clone)]
pub(super) struct Single {
    pub(super) profile: MixedProfile,
    /// Its weights, where they are known exactly.
    pub(super) fractions: Option<Vec<Vec<String>>>,
}

/// What a suspicious support turned out to hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    pub(super) pieces: Vec<Piece>,
    pub(super) singles: Vec<Single>,
    /// Whether it may hold something else, though nothing was found.
    pub(super) is_open: bool,
}

/// Random points where the search in a support begins, beside those given.
const STARTS: usize = 40;
/// Cells at most from which it begins with some of the strategies outside held to pay as much.
const STARTED_CELLS: usize = 32;
/// Of so many such strategies every set is tried, of more only small ones and all of them.
const ALL_SETS: usize = 4;
/// Conditions that hold up to this, in payoffs between zero and one, hold.
const HOLDS: f64 = 1e-9;
/// Singular values below this, relative to the largest or to one, are zero.
const ZERO: f64 = 1e-6;
/// Length of a step along a continuum.
const STEP: f64 = 0.01;
/// Two points closer than this are one.
pub(super) const SAME: f64 = 1e-6;

/// Look for continua in a support, and for points that no regular root leads to. `normalised` is the game with
/// payoffs between zero and one.
pub(super) fn resolve(
    game: &Game,
    normalised: &Game,
    suspect: &Suspect,
    seed: u64,
    stop: &dyn Fn() -> bool,
) -> Resolved {
    let support = &suspect.support;
    let mut mixing = (0..game.players()).filter(|player| support[*player].len() > 1);
    if let (Some(player), None) = (mixing.next(), mixing.next()) {
        let nothing = || Resolved { is_open: true, ..Resolved::default() };
        return one_mixing::resolve(game, support, player, stop).unwrap_or_else(nothing);
    }
    if overdetermined(support)
        .any(|player| cells::cannot_be_indifferent(normalised, support, player, stop))
    {
        return Resolved::default();
    }
    let cells = cells::left(normalised, support, stop);
    let mut search =
        Look { game: normalised, support, resolved: Resolved::default(), seen: vec![] };
    if cells.is_empty() {
        return search.resolved;
    }
    let free = search.conditions(&[]);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let given = suspect.points.iter().map(|point| free.of_profile(point));
    let random = (0..STARTS).map(|_| free.random(&mut random));
    let starts: Vec<DVector<f64>> = given.chain(random).collect();
    let mut goes_on = true;
    for start in starts {
        goes_on = goes_on && !stop() && search.begin(start, &[]);
    }
    let stride = cells.len().div_ceil(STARTED_CELLS);
    for cell in cells.iter().step_by(stride) {
        if stop() || !search.resolved.pieces.is_empty() {
            break;
        }
        if !search.has_seen(cell) {
            search.begin_in(cell);
        }
    }
    search.resolved.is_open =
        search.resolved.pieces.is_empty() && !cells.iter().all(|cell| search.has_seen(cell));
    search.resolved
}

/// Players with more indifferences than the others have weights to choose.
fn overdetermined(support: &Support) -> impl Iterator<Item = usize> + '_ {
    let free: usize = support.iter().map(|played| played.len() - 1).sum();
    let own = support.iter().map(|played| played.len() - 1);
    own.enumerate().filter(move |(_, own)| *own > free - own).map(|(player, _)| player)
}

/// A search for equilibria in a support.
struct Look<'a> {
    game: &'a Game,
    support: &'a Support,
    resolved: Resolved,
    /// Points that were found, those among them that belong to smaller supports.
    seen: Vec<MixedProfile>,
}

impl<'a> Look<'a> {
    fn conditions(&self, tied: &[(usize, usize)]) -> Conditions<'a> {
        Conditions { game: self.game, support: self.support, tied: tied.to_vec() }
    }

    /// Whether what may be in a cell was found.
    fn has_seen(&self, cell: &Cell) -> bool {
        self.seen.iter().any(|point| distance(point, &cell.centre) < 4.0 * cell.size + SAME)
    }

    /// Begin at the middle of a cell: without ties, then with those that are possible in it, few first.
    fn begin_in(&mut self, cell: &Cell) {
        let of_player = |(player, tied): (usize, &Vec<usize>)| {
            tied.clone().into_iter().map(move |strategy| (player, strategy))
        };
        let possible: Vec<(usize, usize)> =
            cell.tied.iter().enumerate().flat_map(of_player).collect();
        for tied in sets(&possible) {
            let start = self.conditions(&[]).of_profile(&cell.centre);
            if !self.begin(start, &tied) || self.has_seen(cell) {
                break;
            }
        }
    }

    /// Look from one start, holding some strategies outside to pay as much; false if there is no need for others.
    fn begin(&mut self, start: DVector<f64>, tied: &[(usize, usize)]) -> bool {
        let conditions = self.conditions(tied);
        let Some(point) = conditions.solve(start).filter(|point| conditions.holds(point)) else {
            return true;
        };
        let free = conditions.directions(&point);
        let profile = conditions.profile(&point);
        if !free.iter().any(|direction| conditions.goes_on(&point, direction)) {
            let near = if free.is_empty() { SAME } else { 1e-3 };
            if !self.seen.iter().any(|known| distance(known, &profile) < near) {
                // On the boundary it belongs to a smaller support, where it is found.
                if point.iter().all(|weight| *weight > SAME) {
                    let profile = profile.clone();
                    self.resolved.singles.push(Single { profile, fractions: None });
                }
                self.seen.push(profile);
            }
            return true;
        }
        let directions = free.iter().flat_map(|direction| [direction.clone(), -direction]);
        let end = |direction| conditions.profile(&conditions.trace(&point, &direction));
        let points = directions.map(end).collect();
        let support = self.support.clone();
        self.resolved.add(Piece { support, dimension: free.len(), points, is_hull: false });
        // The other points of more than a curve would only add points to it.
        free.len() == 1
    }
}

/// Sets of some things: none of them, then every set of them, or of many the small ones and all.
fn sets<T: Copy>(things: &[T]) -> Vec<Vec<T>> {
    let mut sets = if things.len() <= ALL_SETS {
        let chosen = |set: usize| {
            let is_in = |(place, _): &(usize, &T)| set >> place & 1 == 1;
            things.iter().enumerate().filter(is_in).map(|(_, thing)| *thing).collect()
        };
        (0..1_usize << things.len()).map(chosen).collect()
    } else {
        let single = things.iter().map(|thing| vec![*thing]);
        std::iter::once(Vec::new()).chain(single).chain([things.to_vec()]).collect::<Vec<_>>()
    };
    sets.sort_by_key(Vec::len);
    sets
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
    let conditions = Conditions { game, support: &piece.support, tied: Vec::new() };
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
    /// Players and strategies outside the support that have to pay as much as those within.
    tied: Vec<(usize, usize)>,
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
            let tied = self.tied.iter().filter(|(by, _)| *by == player).map(|(_, s)| s);
            for strategy in played[1..].iter().chain(tied) {
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
