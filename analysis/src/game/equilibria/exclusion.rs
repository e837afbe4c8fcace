//! A proof that a support has no equilibrium, found without solving anything.
//!
//! An equilibrium is a distribution p over the profiles of its support under which, for every player and every
//! strategy a that it plays, no other strategy b would have paid more whenever a is played, and none of those
//! that are played as well would have paid anything else: linear conditions on p. If there are weights y, with
//! y >= 0 where b is not played, under which the conditions' coefficients of every profile sum to something
//! positive, no p satisfies them (Farkas). Such weights are the vector from the origin to the closest point of
//! the coefficients' convex hull, which pairwise Frank-Wolfe steps approach.

use crate::game::Game;

/// Sums below this are not trusted to be positive: coefficients are at most two in size and their sums have
/// few terms, so their rounding errors stay far below.
pub(super) const POSITIVE: f64 = 1e-11;
/// Supports with more profiles than this are not looked at.
const MOST_PROFILES: usize = 4_096;

/// Payoffs of every player between zero and one, or two where their range is too large for a number.
pub(super) fn normalised_payoffs(game: &Game) -> Vec<f64> {
    let players = game.players();
    let ranges: Vec<(f64, f64)> = (0..players)
        .map(|player| (game.payoff_range(player).0, game.payoff_scale(player)))
        .collect();
    let normalised = |(index, payoff): (usize, &f64)| {
        let (low, scale) = ranges[index % players];
        // Divided first: the difference of two finite numbers may be infinite.
        if scale > 1e300 { payoff / scale - low / scale } else { (payoff - low) / scale }
    };
    game.payoffs().iter().enumerate().map(normalised).collect()
}

/// A condition's coefficient of one profile.
#[derive(Clone, Copy)]
struct Coefficient {
    condition: usize,
    value: f64,
}

/// Whether it can be proved, within so many steps, that no equilibrium has this support.
pub(super) fn is_excluded(
    game: &Game,
    normalised: &[f64],
    support: &[Vec<usize>],
    steps: usize,
    stop: &dyn Fn() -> bool,
) -> bool {
    let profiles: usize = support.iter().map(Vec::len).product();
    if profiles > MOST_PROFILES {
        return false;
    }
    let conditions = Conditions::of(game, normalised, support);
    conditions.have_no_solution(steps, stop)
}

struct Conditions {
    /// Per condition: whether it is an equation, or else says that something is not positive.
    is_equation: Vec<bool>,
    /// Coefficients of all profiles, one after the other.
    coefficients: Vec<Coefficient>,
    /// As many for each profile.
    per_profile: usize,
}

impl Conditions {
    fn of(game: &Game, normalised: &[f64], support: &[Vec<usize>]) -> Self {
        let players = game.players();
        let mut is_equation = Vec::new();
        // Per player, per strategy of its support: the first of its conditions.
        let mut first: Vec<Vec<usize>> = Vec::new();
        for (player, played) in support.iter().enumerate() {
            let mut of_player = Vec::new();
            for strategy in played {
                of_player.push(is_equation.len());
                let others = (0..game.strategies(player)).filter(|other| other != strategy);
                is_equation.extend(others.map(|other| played.binary_search(&other).is_ok()));
            }
            first.push(of_player);
        }
        let per_profile = (0..players).map(|player| game.strategies(player) - 1).sum();
        let mut coefficients = Vec::new();
        let mut places = vec![0; players];
        loop {
            let strategies = places.iter().zip(support).map(|(place, played)| played[*place]);
            let profile: usize = strategies.zip(game.strides()).map(|(s, stride)| s * stride).sum();
            for (player, &place) in places.iter().enumerate() {
                let own = normalised[profile * players + player];
                let played = support[player][place];
                let others = game.deviations(profile, player).enumerate();
                let others = others.filter(|(strategy, _)| *strategy != played);
                let gains = others.map(|(_, other)| normalised[other * players + player] - own);
                let begin = first[player][place];
                coefficients.extend(
                    gains
                        .enumerate()
                        .map(|(index, value)| Coefficient { condition: begin + index, value }),
                );
            }
            let advanced = places.iter_mut().zip(support).rev().any(|(place, played)| {
                *place = (*place + 1) % played.len();
                *place > 0
            });
            if !advanced {
                return Self { is_equation, coefficients, per_profile };
            }
        }
    }

    fn of_profile(&self, profile: usize) -> &[Coefficient] {
        &self.coefficients[profile * self.per_profile..][..self.per_profile]
    }

    fn have_no_solution(&self, steps: usize, stop: &dyn Fn() -> bool) -> bool {
        if self.per_profile == 0 {
            return false;
        }
        let profiles = self.coefficients.len() / self.per_profile;
        let mut weights = vec![1.0 / profiles as f64; profiles];
        let mut sums = vec![0.0; self.is_equation.len()];
        for coefficient in &self.coefficients {
            sums[coefficient.condition] += coefficient.value / profiles as f64;
        }
        let mut y = vec![0.0; sums.len()];
        let mut direction = vec![0.0; sums.len()];
        for step in 0..steps {
            if step % 64 == 63 && stop() {
                return false;
            }
            for ((y, sum), is_equation) in y.iter_mut().zip(&sums).zip(&self.is_equation) {
                *y = if *is_equation { *sum } else { sum.max(0.0) };
            }
            let (mut least, mut best) = (f64::INFINITY, 0);
            let (mut largest, mut worst) = (f64::NEG_INFINITY, 0);
            for (profile, weight) in weights.iter().enumerate() {
                let terms = self.of_profile(profile).iter().map(|c| c.value * y[c.condition]);
                let sum: f64 = terms.sum();
                if sum < least {
                    (least, best) = (sum, profile);
                }
                if sum > largest && *weight > 0.0 {
                    (largest, worst) = (sum, profile);
                }
            }
            if least > POSITIVE {
                return true;
            }
            let size: f64 = y.iter().map(|y| y * y).sum();
            if size < POSITIVE || largest - least <= 0.0 {
                return false;
            }
            // Move weight from the worst profile to the best one, as far as it helps.
            direction.fill(0.0);
            for coefficient in self.of_profile(best) {
                direction[coefficient.condition] += coefficient.value;
            }
            for coefficient in self.of_profile(worst) {
                direction[coefficient.condition] -= coefficient.value;
            }
            let length: f64 = direction.iter().map(|d| d * d).sum();
            let step = ((largest - least) / length).min(weights[worst]);
            weights[best] += step;
            weights[worst] = if step == weights[worst] { 0.0 } else { weights[worst] - step };
            for (sum, direction) in sums.iter_mut().zip(&direction) {
                *sum += step * direction;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    #[test]
    fn supports_without_equilibria_are_excluded_and_others_never() {
        // Matching pennies: only the full support has one.
        let payoffs = [1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0];
        let game = Game::new(Player::numbered(&[2, 2]), payoffs.to_vec()).unwrap();
        let normalised = normalised_payoffs(&game);
        let excluded: Vec<_> = super::super::supports::Supports::of(&[2, 2])
            .unwrap()
            .filter(|support| !is_excluded(&game, &normalised, support, 1000, &|| false))
            .collect();
        assert_eq!(excluded, [[vec![0, 1], vec![0, 1]]]);
    }

    #[test]
    fn huge_payoffs_are_normalised() {
        let payoffs = vec![f64::MAX, 1.0, -f64::MAX, 3.0, 0.0, 2.0, f64::MAX, 1.0];
        let game = Game::new(Player::numbered(&[2, 2]), payoffs).unwrap();
        let normalised = normalised_payoffs(&game);
        assert!(normalised.iter().all(|payoff| (0.0..=2.0).contains(payoff)), "{normalised:?}");
    }
}
