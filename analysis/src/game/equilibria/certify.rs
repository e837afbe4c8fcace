//! From an approximate root to an equilibrium that is proved, or to the proof that it is none.

use nalgebra::{DMatrix, DVector};

use super::interval::Interval;
use super::supports::{Support, profiles_of_others};
use crate::game::Game;

/// What is known about a root of a support's indifference conditions.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// In a box of known size lies exactly one root, and it is an equilibrium.
    Proved(Proved),
    /// No equilibrium of this support is near.
    None,
    /// The root exists, but whether it is an equilibrium cannot be told: a weight may be zero, or a strategy
    /// outside the support may pay just as much.
    Tied {
        /// The root.
        root: Proved,
        /// Whether a weight may be zero, which would make it a root of a smaller support.
        on_boundary: bool,
    },
    /// Newton's method or the proof failed: the Jacobian may be singular.
    Unproved,
}

/// A root that is proved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proved {
    /// One weight per strategy of the support.
    pub(super) weights: Vec<Vec<f64>>,
    /// Half the largest side of the box that holds the root.
    pub(super) radius: f64,
    /// The sign of the determinant of the negative Jacobian; these sum to one over all equilibria of a game
    /// without ties.
    pub(super) index: i8,
}

/// Which weights of a support are unknown: all but the largest of each player, which the others leave over.
struct Unknowns<'a> {
    game: &'a Game,
    support: &'a Support,
    /// Per player, the place of the strategy that is left over.
    reference: Vec<usize>,
    /// Player and place of each unknown.
    places: Vec<(usize, usize)>,
    /// Per player: the profiles of the others.
    others: Vec<Vec<usize>>,
    /// Payoffs are multiplied by this, a power of two, which is exact.
    scales: Vec<f64>,
}

/// A root that lies further from the given point than this is another one.
const OWN: f64 = 1e-3;

/// Refine an approximate real root of the conditions of a support and prove it by Krawczyk's test.
pub(super) fn certify(game: &Game, support: &Support, approximate: &[Vec<f64>]) -> Verdict {
    let unknowns = Unknowns::new(game, support, approximate);
    let Some(middle) = unknowns.newton(approximate) else {
        return Verdict::Unproved;
    };
    let Some((root, index)) = unknowns.krawczyk(&middle) else {
        return Verdict::Unproved;
    };
    let weights = unknowns.weights(&root);
    let all = || weights.iter().flatten();
    if all().any(|weight| weight.high < 0.0) {
        return Verdict::None;
    }
    let on_boundary = all().any(|weight| weight.low <= 0.0);
    let mut is_tied = on_boundary;
    for player in 0..game.players() {
        let outside = (0..game.strategies(player)).filter(|s| !support[player].contains(s));
        for strategy in outside {
            let reference = support[player][unknowns.reference[player]];
            let gain = unknowns.difference(player, strategy, reference, &weights, None);
            if gain.low > 0.0 {
                return Verdict::None;
            }
            is_tied |= gain.high >= 0.0;
        }
    }
    let radius = root.iter().map(|x| (x.high - x.low) / 2.0).fold(0.0, f64::max);
    let middles = weights.iter().map(|of_player| of_player.iter().map(|w| w.middle()).collect());
    let root = Proved { weights: middles.collect(), radius, index };
    if is_tied { Verdict::Tied { root, on_boundary } } else { Verdict::Proved(root) }
}

impl<'a> Unknowns<'a> {
    fn new(game: &'a Game, support: &'a Support, approximate: &[Vec<f64>]) -> Self {
        let largest = |weights: &Vec<f64>| {
            (0..weights.len()).fold(0, |a, b| if weights[b] > weights[a] { b } else { a })
        };
        let reference: Vec<usize> = approximate.iter().map(largest).collect();
        let places = support.iter().enumerate().flat_map(|(player, played)| {
            let left_over = reference[player];
            (0..played.len())
                .filter(move |place| *place != left_over)
                .map(move |place| (player, place))
        });
        let places = places.collect();
        let players = 0..game.players();
        let others = players.clone().map(|player| profiles_of_others(game, support, player));
        let scale = |player: usize| {
            let (low, high) = game.payoff_range(player);
            let size = low.abs().max(high.abs());
            // Beyond this a power of two would be no normal number.
            if size == 0.0 { 1.0 } else { (-size.log2().floor()).clamp(-1000.0, 1000.0).exp2() }
        };
        let scales = players.map(scale).collect();
        Self { game, support, reference, places, others: others.collect(), scales }
    }

    /// What a strategy pays more than another one. With a `change` the weights of one other player are
    /// replaced by the difference between two of its strategies, given by place: a partial derivative.
    fn difference(
        &self,
        player: usize,
        strategy: usize,
        than: usize,
        weights: &[Vec<Interval>],
        change: Option<(usize, usize, usize)>,
    ) -> Interval {
        let stride = self.game.strides()[player];
        let payoff = |profile: usize| {
            Interval::point(self.game.payoff(profile, player) * self.scales[player])
        };
        let mut values: Vec<Interval> = self.others[player]
            .iter()
            .map(|other| payoff(other + strategy * stride) - payoff(other + than * stride))
            .collect();
        for (other, of_other) in weights.iter().enumerate().rev().filter(|(o, _)| *o != player) {
            let rows = values.chunks_exact(of_other.len());
            values = match change {
                Some((changed, plus, minus)) if changed == other => {
                    rows.map(|row| row[plus] - row[minus]).collect()
                }
                _ => rows.map(|row| row.iter().zip(of_other).map(|(v, w)| *v * *w).sum()).collect(),
            };
        }
        values[0]
    }

    /// The weights of all strategies of the support.
    fn weights(&self, point: &[Interval]) -> Vec<Vec<Interval>> {
        let one = |played: &Vec<usize>| vec![Interval::ONE; played.len()];
        let mut weights: Vec<Vec<Interval>> = self.support.iter().map(one).collect();
        for (value, &(player, place)) in point.iter().zip(&self.places) {
            weights[player][place] = *value;
            let left_over = &mut weights[player][self.reference[player]];
            *left_over = *left_over - *value;
        }
        weights
    }

    fn values(&self, point: &[Interval]) -> Vec<Interval> {
        let weights = self.weights(point);
        let value = |&(player, place): &(usize, usize)| {
            let [strategy, than] = [place, self.reference[player]].map(|p| self.support[player][p]);
            self.difference(player, strategy, than, &weights, None)
        };
        self.places.iter().map(value).collect()
    }

    fn jacobian(&self, point: &[Interval]) -> Vec<Interval> {
        let weights = self.weights(point);
        let mut entries = Vec::with_capacity(self.places.len() * self.places.len());
        for &(player, place) in &self.places {
            let [strategy, than] = [place, self.reference[player]].map(|p| self.support[player][p]);
            entries.extend(self.places.iter().map(|&(by, plus)| {
                if by == player {
                    return Interval::ZERO;
                }
                let change = Some((by, plus, self.reference[by]));
                self.difference(player, strategy, than, &weights, change)
            }));
        }
        entries
    }

    fn newton(&self, approximate: &[Vec<f64>]) -> Option<Vec<f64>> {
        let n = self.places.len();
        let begin: Vec<f64> =
            self.places.iter().map(|&(player, place)| approximate[player][place]).collect();
        if n == 0 {
            return Some(begin);
        }
        let mut point = begin.clone();
        let mut last = f64::INFINITY;
        for _ in 0..30 {
            let at: Vec<Interval> = point.iter().map(|x| Interval::point(*x)).collect();
            let values = DVector::from_iterator(n, self.values(&at).iter().map(|v| v.middle()));
            let jacobian = self.jacobian(&at);
            let jacobian = DMatrix::from_row_iterator(n, n, jacobian.iter().map(|v| v.middle()));
            let step = jacobian.lu().solve(&values)?;
            let size = step.amax();
            if !size.is_finite() {
                return None;
            }
            point.iter_mut().zip(&step).for_each(|(x, step)| *x -= step);
            if size < 1e-15 || size >= last && size < 1e-9 {
                break;
            }
            last = size;
        }
        let is_own = point.iter().zip(&begin).all(|(x, b)| (x - b).abs() <= OWN * (1.0 + b.abs()));
        is_own.then_some(point)
    }

    /// A box around the point that contains exactly one root, made as small as two rounds make it, and the
    /// root's index.
    fn krawczyk(&self, middle: &[f64]) -> Option<(Vec<Interval>, i8)> {
        let n = self.places.len();
        if n == 0 {
            return Some((Vec::new(), 1));
        }
        let at: Vec<Interval> = middle.iter().map(|x| Interval::point(*x)).collect();
        let jacobian = self.jacobian(&at);
        let jacobian = DMatrix::from_row_iterator(n, n, jacobian.iter().map(|v| v.middle()));
        let inverse = jacobian.clone().try_inverse()?;
        if inverse.iter().any(|entry| !entry.is_finite()) {
            return None;
        }
        let index = if (-jacobian).determinant() > 0.0 { 1 } else { -1 };
        let values = self.values(&at);
        let inverse = |row: usize, column: usize| Interval::point(inverse[(row, column)]);
        // The Newton step, with all that rounding can do to it.
        let newton: Vec<Interval> = (0..n)
            .map(|row| (0..n).map(|column| inverse(row, column) * values[column]).sum())
            .collect();
        let image = |region: &[Interval]| -> Vec<Interval> {
            let jacobian = self.jacobian(region);
            (0..n)
                .map(|row| {
                    let terms = (0..n).map(|column| {
                        let product: Interval =
                            (0..n).map(|k| inverse(row, k) * jacobian[k * n + column]).sum();
                        let unit = if row == column { Interval::ONE } else { Interval::ZERO };
                        (unit - product) * (region[column] - at[column])
                    });
                    at[row] - newton[row] + terms.sum::<Interval>()
                })
                .collect()
        };
        let mut radii: Vec<f64> =
            newton.iter().map(|step| 2.0 * step.magnitude() + 1e-16).collect();
        for _ in 0..10 {
            let region: Vec<Interval> = middle
                .iter()
                .zip(&radii)
                .map(|(x, radius)| Interval::around(*x, *radius))
                .collect();
            let first = image(&region);
            if first.iter().zip(&region).all(|(new, old)| new.is_inside(*old)) {
                return Some((first, index));
            }
            radii.iter_mut().for_each(|radius| *radius *= 8.0);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    fn battle() -> Game {
        let payoffs = [2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0];
        Game::new(Player::numbered(&[2, 2]), payoffs.to_vec()).unwrap()
    }

    #[test]
    fn a_root_is_proved_and_sharpened() {
        let full = vec![vec![0, 1], vec![0, 1]];
        let Verdict::Proved(root) =
            certify(&battle(), &full, &[vec![0.6667, 0.3333], vec![0.3333, 0.6667]])
        else {
            panic!("not proved");
        };
        assert!((root.weights[0][0] - 2.0 / 3.0).abs() < 1e-15 && root.radius < 1e-14);
        assert_eq!(root.index, -1);
        let pure = certify(&battle(), &vec![vec![0], vec![0]], &[vec![1.0], vec![1.0]]);
        assert!(matches!(pure, Verdict::Proved(Proved { index: 1, .. })));
        let none = certify(&battle(), &vec![vec![0], vec![1]], &[vec![1.0], vec![1.0]]);
        assert_eq!(none, Verdict::None);
    }

    #[test]
    fn what_is_no_root_is_not_proved() {
        let full = vec![vec![0, 1], vec![0, 1]];
        let far = certify(&battle(), &full, &[vec![0.2, 0.8], vec![0.9, 0.1]]);
        assert_eq!(far, Verdict::Unproved);
        let equal = Game::new(Player::numbered(&[2, 2]), vec![1.0; 8]).unwrap();
        assert_eq!(certify(&equal, &full, &[vec![0.5; 2], vec![0.5; 2]]), Verdict::Unproved);
    }
}
