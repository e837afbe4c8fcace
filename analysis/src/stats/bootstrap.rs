//! Intervals by resampling.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use super::block_length::dependence;
use super::quantile::mean;
use super::student::expanded_percentiles;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Resamples of a bootstrap.
const RESAMPLES: usize = 1000;

/// The seed of every bootstrap, so that the same trace gives the same report.
const SEED: u64 = 0x6e61_7368;

/// Blocks in one resample, at most: more would cost time and change nothing that can be seen.
const MOST_BLOCKS: usize = 1000;

/// A 95 % percentile interval of the mean of a time series, by the circular block bootstrap (Politis
/// and Romano 1992): neighbouring decisions see the same cluster and are not independent. The blocks
/// are as long as [`super::block_length()`] says, or longer where that would make more than a thousand of them. Blocks forget what
/// reaches over their ends: where the resamples spread less than the long-run variance says, they are spread as far. And
/// of few blocks the percentiles are taken as far out as Student's t would (Hesterberg 2015).
/// `None` for fewer than two values.
#[must_use]
pub fn mean_interval(series: &[f64]) -> Option<Interval> {
    let n = series.len();
    if n < 2 {
        return None;
    }
    // Centred, so that sums of a long series keep their digits.
    let centre = mean(series);
    let mut sums = Vec::with_capacity(2 * n + 1);
    sums.push(0.0);
    for value in series.iter().chain(series) {
        sums.push(sums[sums.len() - 1] + (value - centre));
    }
    let dependence = dependence(series);
    let block = (dependence.block_length.ceil() as usize).max(n / MOST_BLOCKS);
    let mut random = ChaCha12Rng::seed_from_u64(SEED);
    let mut deviations: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut sum = 0.0;
            let mut left = n;
            while left > 0 {
                let length = block.min(left);
                let start = random.random_range(0..n);
                sum += sums[start + length] - sums[start];
                left -= length;
            }
            sum / n as f64
        })
        .collect();
    deviations.sort_by(f64::total_cmp);
    let variance =
        deviations.iter().map(|deviation| deviation * deviation).sum::<f64>() / RESAMPLES as f64;
    let spread = (dependence.long_run_variance / n as f64 / variance).max(1.0).sqrt();
    let reached = expanded_percentiles(&deviations, n as f64 / block as f64);
    // A mean lies between the least and the greatest value; rounding may carry it a hair outside.
    let least = series.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = series.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let end = |deviation: f64| (centre + spread * deviation).max(least).min(greatest);
    Some(Interval { low: end(reached.low), high: end(reached.high) })
}

/// A mean with what is needed to judge it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean; NaN of nothing.
    pub mean: f64,
    /// Its 95 % interval, see [`mean_interval`].
    pub interval: Option<Interval>,
    /// Values that it is the mean of.
    pub count: u64,
}

impl Estimate {
    /// The mean of the finite values of a series in time order.
    #[must_use]
    pub fn of(series: impl IntoIterator<Item = f64>) -> Self {
        let series: Vec<f64> = series.into_iter().filter(|value| value.is_finite()).collect();
        Self { mean: mean(&series), interval: mean_interval(&series), count: series.len() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom;

    use super::*;

    fn uniform(n: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        (0..n).map(|_| random.random::<f64>()).collect()
    }

    #[test]
    fn the_interval_has_the_width_of_the_central_limit() {
        let series = uniform(10_000, 1);
        let interval = mean_interval(&series).unwrap();
        // 2 * 1.96 * sqrt(1/12) / sqrt(10000)
        let expected = 0.011_316;
        let width = interval.high - interval.low;
        assert!((0.85..1.15).contains(&(width / expected)), "{width} for {expected}");
        assert!(interval.low < mean(&series) && mean(&series) < interval.high);
    }

    #[test]
    fn it_covers_the_truth_about_as_often_as_it_says() {
        let covered = (0..200)
            .filter(|seed| {
                let interval = mean_interval(&uniform(100, *seed)).unwrap();
                interval.low <= 0.5 && 0.5 <= interval.high
            })
            .count();
        // Binomial(200, 0.95) stays within 178..=198 with probability 0.999.
        assert!((178..=199).contains(&covered), "{covered} of 200");
    }

    fn autoregressive(n: usize, seed: u64) -> Vec<f64> {
        let mut level = 0.0;
        let steps = uniform(n, seed).into_iter().map(|noise| {
            level = 0.9 * level + (noise - 0.5);
            level
        });
        steps.collect()
    }

    #[test]
    fn it_covers_the_truth_of_dependent_values_nearly_as_often() {
        let covered = (0..200)
            .filter(|seed| {
                let interval = mean_interval(&autoregressive(4_000, *seed)).unwrap();
                interval.low <= 0.0 && 0.0 <= interval.high
            })
            .count();
        // Blocks of n^(1/3) cover 160 of 200; the bootstrap's own bias keeps this a little below 190.
        assert!((176..=200).contains(&covered), "{covered} of 200");
    }

    #[test]
    fn dependence_widens_it() {
        let correlated = autoregressive(5_000, 3);
        let mut shuffled = correlated.clone();
        shuffled.shuffle(&mut ChaCha12Rng::seed_from_u64(4));
        // In theory by sqrt((1 + 0.9) / (1 - 0.9)) = 4.4.
        let width = |series: &[f64]| mean_interval(series).map(|i| i.high - i.low).unwrap();
        assert!(width(&correlated) > 3.0 * width(&shuffled));
    }

    #[test]
    fn degenerate_series() {
        assert!(mean_interval(&[1.0]).is_none());
        assert_eq!(mean_interval(&[2.0; 50]), Some(Interval { low: 2.0, high: 2.0 }));
        let estimate = Estimate::of([f64::NAN, 1.0, f64::INFINITY, 3.0]);
        assert_eq!((estimate.mean, estimate.count), (2.0, 2));
        assert!(Estimate::of([]).mean.is_nan());
    }
}
