//! Normal random numbers.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Independent normal random numbers of mean 0 and variance 1.
#[derive(Debug, Clone)]
pub struct Normal {
    random: ChaCha12Rng,
    spare: Option<f64>,
}

impl Normal {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: ChaCha12Rng::seed_from_u64(seed), spare: None }
    }

    /// The next one, by Box and Muller (1958).
    pub fn draw(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.random.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.random.random::<f64>();
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{mean, standard_error};

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut normal = Normal::new(3);
        let values: Vec<f64> = (0..40_000).map(|_| normal.draw()).collect();
        let squares: Vec<f64> = values.iter().map(|value| value * value).collect();
        assert!(mean(&values).abs() < 4.0 * standard_error(&values));
        assert!((mean(&squares) - 1.0).abs() < 4.0 * standard_error(&squares));
    }
}
