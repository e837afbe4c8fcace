//! An autoregression of order 1: noise that remembers, and does not oscillate.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::spectrum::{Spectrum, Transform, highest};

/// The autoregression that fits a series.
pub(super) struct RedNoise {
    coefficient: f64,
    residuals: Vec<f64>,
}

impl RedNoise {
    /// By least squares; the coefficient at most 1, the random walk.
    pub(super) fn fit(series: &[f64]) -> Self {
        let coefficient = coefficient(series);
        let residuals = series.windows(2).map(|pair| pair[1] - coefficient * pair[0]).collect();
        Self { coefficient, residuals }
    }

    /// Its spectrum at a frequency per sample, up to a factor.
    pub(super) fn density(&self, frequency: f64) -> f64 {
        let a = self.coefficient;
        1.0 / (1.0 + a * a - 2.0 * a * (std::f64::consts::TAU * frequency).cos()).max(1e-12)
    }

    /// The highest peak of each surrogate series over its own fit; of fewer of them if `go_on` says no.
    pub(super) fn highest_peaks(
        &self,
        (n, transform): (usize, &Transform),
        surrogates: usize,
        seed: u64,
        go_on: &dyn Fn() -> bool,
    ) -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        // Long enough for the beginning to be forgotten, as far as it ever is.
        let before = (3.0 / (1.0 - self.coefficient).max(1e-3)) as usize;
        (0..surrogates)
            .take_while(|_| go_on())
            .map(|_| {
                let mut level = 0.0;
                let mut next = || {
                    let step = self.residuals[random.random_range(0..self.residuals.len())];
                    level = self.coefficient * level + step;
                    level
                };
                (0..before).for_each(|_| {
                    next();
                });
                let series: Vec<f64> = (0..n).map(|_| next()).collect();
                let series = super::without_trend(&series);
                let noise = Self::fit(&series);
                let heights = Spectrum::of(series, transform).heights(&noise);
                highest(&heights, n, &[]).map_or(0.0, |(_, height)| height)
            })
            .collect()
    }
}

fn coefficient(series: &[f64]) -> f64 {
    let product: f64 = series.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let size: f64 = series[..series.len() - 1].iter().map(|value| value * value).sum();
    if size > 0.0 { (product / size).clamp(-1.0, 1.0) } else { 0.0 }
}
