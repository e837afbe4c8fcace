//! Shapley values by random orders of arrival, for many players.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::stats::{Interval, student_quantile};

/// Estimates of the Shapley values.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledShapley {
    /// One value per player; their sum is exact.
    pub values: Vec<f64>,
    /// The standard error of each.
    pub standard_errors: Vec<f64>,
    /// Random orders that were walked.
    pub permutations: usize,
}

impl SampledShapley {
    /// The 95 % interval of a player's value: the orders are independent, so Student's t applies to the mean
    /// over them.
    #[must_use]
    pub fn interval(&self, player: usize) -> Interval {
        let quantile = student_quantile(0.975, (self.permutations - 1) as f64);
        let (value, half) = (self.values[player], quantile * self.standard_errors[player]);
        Interval { low: value - half, high: value + half }
    }
}

/// Estimate Shapley values by random orders of arrival (Castro, Gómez and Tejada 2009): each order gives
/// what each player adds to those before it. `value` is asked for a coalition, one flag per player.
///
/// # Panics
///
/// If there are fewer than two permutations, of which no error can be estimated.
pub fn sampled_shapley(
    players: usize,
    value: impl Fn(&[bool]) -> f64,
    permutations: usize,
    seed: u64,
) -> SampledShapley {
    assert!(permutations >= 2, "an error needs two permutations");
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..players).collect();
    let (mut means, mut squares) = (vec![0.0; players], vec![0.0; players]);
    let nobody = value(&vec![false; players]);
    for walked in 1..=permutations {
        order.shuffle(&mut random);
        let mut coalition = vec![false; players];
        let mut before = nobody;
        for player in &order {
            coalition[*player] = true;
            let after = value(&coalition);
            let deviation = after - before - means[*player];
            // Welford's update: digits survive a mean that is large against its spread.
            means[*player] += deviation / walked as f64;
            squares[*player] += deviation * (after - before - means[*player]);
            before = after;
        }
    }
    let n = permutations as f64;
    let standard_errors = squares.iter().map(|sum| (sum / (n - 1.0) / n).sqrt()).collect();
    SampledShapley { values: means, standard_errors, permutations }
}

#[cfg(test)]
mod tests {
    use super::super::exact::{shapley, tests::random};
    use super::*;

    fn look_up(table: &[f64], coalition: &[bool]) -> f64 {
        let bits =
            coalition.iter().enumerate().map(|(player, is_in)| usize::from(*is_in) << player);
        table[bits.sum::<usize>()]
    }

    #[test]
    fn samples_agree_with_the_exact_values_within_their_error() {
        let mut misses = 0;
        for seed in 0..40 {
            let table = random(6, seed);
            let exact = shapley(&table);
            let sampled = sampled_shapley(6, |c| look_up(&table, c), 2000, seed);
            for (player, exact) in exact.iter().enumerate() {
                let off = (sampled.values[player] - exact).abs();
                misses += usize::from(off > 1.96 * sampled.standard_errors[player]);
            }
            let whole = table[63] - table[0];
            assert!((sampled.values.iter().sum::<f64>() - whole).abs() < 1e-9, "seed {seed}");
        }
        // Binomial(240, 0.05) stays below 24 with probability 0.999.
        assert!(misses < 24, "{misses} of 240 outside 95 %");
    }

    #[test]
    fn many_players_and_the_same_seed() {
        // Additive: everyone brings its number, exactly.
        let value = |c: &[bool]| -> f64 {
            c.iter().enumerate().filter(|(_, is_in)| **is_in).map(|(p, _)| p as f64).sum()
        };
        let sampled = sampled_shapley(40, value, 50, 7);
        assert!((0..40).all(|p| (sampled.values[p] - p as f64).abs() < 1e-9));
        assert_eq!(sampled, sampled_shapley(40, value, 50, 7));
    }
}
