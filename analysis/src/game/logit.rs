//! One equilibrium of a game of any size, along the branch of logit quantal response equilibria that begins where
//! everyone plays all strategies alike (McKelvey and Palfrey 1995; Turocy 2005).
//!
//! A logit equilibrium of precision lambda satisfies log x_is - log x_it = lambda (u_is - u_it) for all strategies
//! s, t of each player i. The curve of all (log x, lambda) is followed by its arc length, so that it may turn
//! back; as lambda grows, it approaches a Nash equilibrium.

use nalgebra::{DMatrix, DVector};

use super::{Game, MixedProfile};

/// A point of the logit branch.
#[derive(Debug, Clone, PartialEq)]
pub struct LogitPoint {
    /// Precision of the players' responses, per unit of payoff: 0 is indifference, infinity best response.
    pub lambda: f64,
    /// What they play.
    pub profile: MixedProfile,
}

/// The branch as far as it was followed.
#[derive(Debug, Clone, PartialEq)]
pub struct LogitPath {
    /// Its points, from precision 0.
    pub points: Vec<LogitPoint>,
    /// The largest regret at the last point.
    pub regret: f64,
    /// Whether that is as small as it was to be.
    pub is_converged: bool,
}

/// Steps along the curve at most.
const MOST_STEPS: usize = 20_000;
/// Games with more strategies of all players together are too large: every step solves a system of that many
/// equations.
const MOST_STRATEGIES: usize = 1_000;
/// The cosine of the largest angle between the curve's directions at both ends of a step.
const STRAIGHT: f64 = 0.95;
/// How far the corrector may move, relative to the step's length.
const CORRECTION: f64 = 0.2;
/// Steps that were corrected by less than this grow.
const EASY: f64 = 0.05;

/// Follow the branch until the largest regret, relative to a player's range of payoffs, is at most `tolerance`.
/// It ends early if it is stopped, or cannot be followed any further; where it begins, if there are more than a
/// thousand strategies.
#[must_use]
pub fn logit_path(game: &Game, tolerance: f64, stop: &dyn Fn() -> bool) -> LogitPath {
    let branch = Branch::of(game);
    let mut state = branch.begin();
    let mut points = vec![branch.point(&state)];
    let mut is_converged = branch.relative_regret(&points[0].profile) <= tolerance;
    if is_converged || branch.size() > MOST_STRATEGIES || stop() {
        let regret = game.max_regret(&points[0].profile);
        return LogitPath { points, regret, is_converged };
    }
    let mut rising = DVector::zeros(state.len());
    rising[state.len() - 1] = 1.0;
    // Precision rises at first. What has the same sign there and everywhere on the curve tells its forward
    // direction, and that a step has not gone over to another part of it.
    let Some((mut direction, sign)) = branch.tangent(&state, &rising) else {
        let regret = game.max_regret(&points[0].profile);
        return LogitPath { points, regret, is_converged };
    };
    let mut length: f64 = 0.1;
    for _ in 0..MOST_STEPS {
        if is_converged || stop() || length < 1e-12 * (1.0 + state.norm()) {
            break;
        }
        let step = branch.correct(&state, &direction, length).and_then(|(next, moved)| {
            let (ahead, own_sign) = branch.tangent(&next, &direction)?;
            let is_same_curve = own_sign == sign && ahead.dot(&direction) >= STRAIGHT;
            is_same_curve.then_some((next, ahead, moved))
        });
        let Some((next, ahead, moved)) = step else {
            length /= 2.0;
            continue;
        };
        state = next;
        direction = ahead;
        if moved < EASY * length {
            length *= 2.0;
        }
        points.push(branch.point(&state));
        is_converged = branch.relative_regret(&points[points.len() - 1].profile) <= tolerance;
    }
    let regret = game.max_regret(&points[points.len() - 1].profile);
    LogitPath { points, regret, is_converged }
}

struct Branch<'a> {
    game: &'a Game,
    /// The range of payoffs of each player.
    ranges: Vec<f64>,
    /// The largest range of payoffs of any player: lambda is in its inverse within this file.
    scale: f64,
    /// Where each player's strategies begin, and their number behind the last.
    begins: Vec<usize>,
}

impl<'a> Branch<'a> {
    fn of(game: &'a Game) -> Self {
        let ranges = game.payoff_scales();
        let scale = ranges.iter().copied().fold(0.0, f64::max);
        let mut begins = vec![0];
        for player in 0..game.players() {
            begins.push(begins[player] + game.strategies(player));
        }
        Self { game, ranges, scale, begins }
    }

    fn size(&self) -> usize {
        self.begins[self.game.players()]
    }

    /// Logarithms of all weights, and lambda behind them.
    fn begin(&self) -> DVector<f64> {
        let logs = (0..self.game.players()).flat_map(|player| {
            let count = self.game.strategies(player);
            std::iter::repeat_n(-(count as f64).ln(), count)
        });
        DVector::from_iterator(self.size() + 1, logs.chain([0.0]))
    }

    fn profile(&self, state: &DVector<f64>) -> MixedProfile {
        let weights = |player: usize| {
            let logs = &state.as_slice()[self.begins[player]..self.begins[player + 1]];
            let weights: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
            let sum: f64 = weights.iter().sum();
            weights.iter().map(|weight| weight / sum).collect()
        };
        (0..self.game.players()).map(weights).collect()
    }

    fn point(&self, state: &DVector<f64>) -> LogitPoint {
        LogitPoint { lambda: state[self.size()] / self.scale, profile: self.profile(state) }
    }

    fn relative_regret(&self, profile: &MixedProfile) -> f64 {
        let regrets = self.game.regrets(profile).into_iter().enumerate();
        regrets.map(|(player, regret)| regret / self.ranges[player]).fold(0.0, f64::max)
    }

    /// The conditions' values, and their derivatives by the logarithms and lambda in one more row that is left
    /// free.
    fn linearised(&self, state: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let n = self.size();
        let lambda = state[n];
        let weights: MixedProfile = (0..self.game.players())
            .map(|player| {
                (self.begins[player]..self.begins[player + 1]).map(|i| state[i].exp()).collect()
            })
            .collect();
        let mut values = DVector::zeros(n + 1);
        let mut matrix = DMatrix::zeros(n + 1, n + 1);
        for player in 0..self.game.players() {
            let first = self.begins[player];
            let count = self.game.strategies(player);
            let payoffs = self.game.strategy_payoffs(&weights, player);
            // The weights sum to one.
            values[first] = weights[player].iter().sum::<f64>() - 1.0;
            for (strategy, weight) in weights[player].iter().enumerate() {
                matrix[(first, first + strategy)] = *weight;
            }
            for strategy in 1..count {
                let row = first + strategy;
                let gain = (payoffs[strategy] - payoffs[0]) / self.scale;
                values[row] = state[row] - state[first] - lambda * gain;
                matrix[(row, row)] = 1.0;
                matrix[(row, first)] = -1.0;
                matrix[(row, n)] = -gain;
            }
            for other in (0..self.game.players()).filter(|other| *other != player) {
                let table = self.game.pair_payoffs(&weights, player, other);
                let columns = self.game.strategies(other);
                for strategy in 1..count {
                    for column in 0..columns {
                        let gain = table[strategy * columns + column] - table[column];
                        matrix[(first + strategy, self.begins[other] + column)] =
                            -lambda * gain / self.scale * weights[other][column];
                    }
                }
            }
        }
        (values, matrix)
    }

    /// The direction of the curve, of length one, on the side of the last one; and the sign of the determinant
    /// of the conditions' derivatives with the direction below them. As long as the curve does not cross another
    /// one, that sign stays the same if the direction is never reversed.
    fn tangent(&self, state: &DVector<f64>, last: &DVector<f64>) -> Option<(DVector<f64>, f64)> {
        let n = self.size();
        let (_, mut matrix) = self.linearised(state);
        matrix.row_mut(n).copy_from(&last.transpose());
        let mut right = DVector::zeros(n + 1);
        right[n] = 1.0;
        let factors = matrix.lu();
        let direction = factors.solve(&right)?;
        let norm = direction.norm();
        // The determinant itself may be too large or too small for a number.
        let pivots = factors.u().diagonal().map(f64::signum).product();
        let sign = pivots * factors.p().determinant::<f64>();
        norm.is_finite().then(|| (direction / norm, sign))
    }

    /// A step along the direction, and Newton's method across it; with how far that moved.
    fn correct(
        &self,
        from: &DVector<f64>,
        direction: &DVector<f64>,
        length: f64,
    ) -> Option<(DVector<f64>, f64)> {
        let n = self.size();
        let begin = from + direction * length;
        let mut state = begin.clone();
        let mut last = f64::INFINITY;
        for _ in 0..8 {
            let (values, mut matrix) = self.linearised(&state);
            matrix.row_mut(n).copy_from(&direction.transpose());
            let step = matrix.lu().solve(&values)?;
            // Logarithms and lambda may be large: their own precision is the limit.
            let relative =
                step.iter().zip(state.iter()).map(|(step, x)| step.abs() / (1.0 + x.abs()));
            let size = relative.fold(0.0, f64::max);
            if !step.iter().all(|step| step.is_finite()) || size > last {
                return None;
            }
            state -= step;
            let moved = (&state - &begin).norm();
            if moved > CORRECTION * length {
                return None;
            }
            if size < 1e-10 {
                return Some((state, moved));
            }
            last = size;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    #[test]
    fn every_point_is_a_logit_equilibrium_and_the_end_a_nash_equilibrium() {
        let payoffs = (0..81).map(|index| f64::from(index * 7919 % 101)).collect();
        let game = Game::new(Player::numbered(&[3, 3, 3]), payoffs).unwrap();
        let path = logit_path(&game, 1e-8, &|| false);
        assert!(path.is_converged && path.regret < 1e-6, "{}", path.regret);
        for point in &path.points {
            for player in 0..3 {
                let payoffs = game.strategy_payoffs(&point.profile, player);
                for strategy in 1..3 {
                    let odds = (point.profile[player][strategy] / point.profile[player][0]).ln();
                    let expected = point.lambda * (payoffs[strategy] - payoffs[0]);
                    let error = (odds - expected).abs() / (1.0 + expected.abs());
                    assert!(expected.abs() > 500.0 || error < 1e-6, "{odds} {expected}");
                }
            }
        }
    }

    #[test]
    fn symmetric_games_stay_in_the_middle() {
        // Rock, paper, scissors.
        let payoffs = [0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 0.0];
        let payoffs = payoffs.iter().flat_map(|payoff| [*payoff, -payoff]).collect();
        let game = Game::new(Player::numbered(&[3, 3]), payoffs).unwrap();
        let path = logit_path(&game, 1e-8, &|| false);
        assert_eq!((path.points.len(), path.is_converged), (1, true));
    }
}
