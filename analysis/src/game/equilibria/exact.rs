//! Regret in exact arithmetic.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::game::Game;

/// A finite number as a fraction, exactly.
pub(super) fn exact(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap_or_else(BigRational::zero)
}

/// The largest regret of any player in a mixed profile, computed in fractions from the very numbers that are
/// reported; each player's weights count relative to their sum. Rounded once, at the end.
#[must_use]
pub fn exact_max_regret(game: &Game, profile: &[Vec<f64>]) -> f64 {
    let profile: Vec<Vec<BigInt>> = profile.iter().map(|weights| integers(weights)).collect();
    let regrets = (0..game.players()).map(|player| regret(game, &profile, player));
    let largest = regrets.max().unwrap_or_else(BigRational::zero);
    largest.to_f64().unwrap_or(f64::INFINITY)
}

/// Integers in the same proportions as some numbers: fractions of two, of which the smallest sets the unit.
fn integers(values: &[f64]) -> Vec<BigInt> {
    let fractions: Vec<BigRational> = values.iter().map(|value| exact(*value)).collect();
    let unit = fractions.iter().map(BigRational::denom).max().cloned().unwrap_or_else(|| 1.into());
    fractions.iter().map(|fraction| fraction.numer() * (&unit / fraction.denom())).collect()
}

fn regret(game: &Game, profile: &[Vec<BigInt>], player: usize) -> BigRational {
    let others = || profile.iter().enumerate().filter(|(other, _)| *other != player);
    // Profiles that the others' strategies allow: all that is converted into fractions.
    let is_possible = |number: &usize| {
        others().all(|(other, weights)| !weights[game.strategy(*number, other)].is_zero())
    };
    let payoffs: Vec<(usize, BigRational)> = (0..game.profiles())
        .filter(is_possible)
        .map(|number| (number, exact(game.payoff(number, player))))
        .collect();
    let scale = payoffs.iter().map(|(_, payoff)| payoff.denom()).max().cloned();
    let scale = scale.unwrap_or_else(|| 1.into());
    let mut expected = vec![BigInt::zero(); game.strategies(player)];
    for (number, payoff) in &payoffs {
        let mut term = payoff.numer() * (&scale / payoff.denom());
        for (other, weights) in others() {
            term *= &weights[game.strategy(*number, other)];
        }
        expected[game.strategy(*number, player)] += term;
    }
    let sum = |weights: &[BigInt]| weights.iter().sum::<BigInt>();
    let own: BigInt = profile[player].iter().zip(&expected).map(|(w, e)| w * e).sum();
    let best = expected.iter().max().cloned().unwrap_or_else(BigInt::zero);
    let gain = best * sum(&profile[player]) - own;
    let sums: BigInt = profile.iter().map(|weights| sum(weights)).product();
    let regret =
        if sums.is_zero() { BigRational::zero() } else { BigRational::new(gain, sums * scale) };
    if regret.is_negative() { BigRational::zero() } else { regret }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    #[test]
    fn regret_is_exact_where_floats_are_not() {
        // A third is no float: the last digit of the weights shows in the regret.
        let payoffs = [2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0];
        let game = Game::new(Player::numbered(&[2, 2]), payoffs.to_vec()).unwrap();
        let third = 1.0 / 3.0;
        let profile = vec![vec![1.0 - third, third], vec![third, 1.0 - third]];
        let regret = exact_max_regret(&game, &profile);
        assert!(regret > 0.0 && regret < 1e-15, "{regret:e}");
        let half = vec![vec![0.5, 0.5], vec![0.25, 0.75]];
        assert_eq!(exact_max_regret(&game, &half), 0.125);
        assert!((game.max_regret(&half) - 0.125).abs() < 1e-15);
        assert_eq!(exact_max_regret(&game, &game.pure_profile(0)), 0.0);
    }

    #[test]
    fn it_agrees_with_floats() {
        let payoffs = (0..36).map(|index| f64::from(index * 7919 % 101) / 7.0).collect();
        let game = Game::new(Player::numbered(&[2, 3, 2]), payoffs).unwrap();
        let profile = vec![vec![0.3, 0.7], vec![0.2, 0.5, 0.3], vec![0.9, 0.1]];
        let difference = exact_max_regret(&game, &profile) - game.max_regret(&profile);
        assert!(difference.abs() < 1e-13, "{difference:e}");
    }
}
