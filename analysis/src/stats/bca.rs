//! Bias-corrected and accelerated bootstrap intervals.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::bootstrap::Interval;
use super::quantile::{mean, quantile_sorted};
use super::student::bootstrap_reach;

const RESAMPLES: usize = 2000;
const SEED: u64 = 0x6263_6100;

/// A 95 % interval of the mean of independent values, see [`interval_bca`]. `None` for fewer than five values, of
/// which it would say more than they know.
#[must_use]
pub fn mean_interval_bca(values: &[f64]) -> Option<Interval> {
    mean_interval_bca_of(values, RESAMPLES)
}

/// The same from so many resamples.
#[must_use]
pub fn mean_interval_bca_of(values: &[f64], resamples: usize) -> Option<Interval> {
    const LEAST: usize = 5;
    if values.len() < LEAST || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let centre = mean(values);
    if values.iter().all(|value| *value == values[0]) {
        return Some(Interval { low: centre, high: centre });
    }
    let n = values.len();
    let mut random = ChaCha12Rng::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..resamples)
        .map(|_| (0..n).map(|_| values[random.random_range(0..n)]).sum::<f64>() / n as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    // Leaving a value out moves a mean by its deviation, up to a factor that cancels.
    let influences: Vec<f64> = values.iter().map(|value| value - centre).collect();
    Some(interval_bca(&means, centre, &influences))
}

/// A 95 % interval of any number, bias-corrected and accelerated (Efron 1987): from its values in resamples, in rising order,
/// its value in the data, and by how much each observation moves it, up to a common factor (mean of all leave-one-out values
/// minus the one without the observation). Percentiles of few observations say too little of the tails: they are taken as
/// far out as Student's t would (Hesterberg 2015).
///
/// # Panics
///
/// If there is no resample, or fewer than two observations.
#[must_use]
pub fn interval_bca(resampled: &[f64], point: f64, influences: &[f64]) -> Interval {
    assert!(influences.len() > 1, "observations");
    let normal = Normal::standard();
    let count = resampled.len() as f64;
    let below = resampled.partition_point(|value| *value < point);
    let equal = resampled.partition_point(|value| *value <= point) - below;
    let share = (below as f64 + equal as f64 / 2.0) / count;
    let bias = normal.inverse_cdf(share.clamp(0.5 / count, 1.0 - 0.5 / count));
    let power = |exponent| influences.iter().map(|value| value.powi(exponent)).sum::<f64>();
    let squares: f64 = power(2);
    let acceleration = if squares > 0.0 { power(3) / (6.0 * squares.powf(1.5)) } else { 0.0 };
    let end = |quantile: f64| {
        let shifted = bias + quantile;
        let level = normal.cdf(bias + shifted / (1.0 - acceleration * shifted));
        quantile_sorted(resampled, level)
    };
    let reach = bootstrap_reach(influences.len() as f64);
    Interval { low: end(-reach), high: end(reach) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leans_towards_the_long_tail() {
        let skewed: Vec<f64> = (1..=40).map(|i| -(1.0 - f64::from(i) / 41.0).ln()).collect();
        let interval = mean_interval_bca(&skewed).unwrap();
        let centre = mean(&skewed);
        assert!(interval.low < centre && centre < interval.high);
        assert!(interval.high - centre > 1.1 * (centre - interval.low), "{interval:?} {centre}");
    }

    #[test]
    fn it_covers_the_truth_about_as_often_as_it_says() {
        let covers = |seed: &u64| {
            let mut random = ChaCha12Rng::seed_from_u64(*seed);
            let values: Vec<f64> = (0..40).map(|_| random.random::<f64>()).collect();
            let interval = mean_interval_bca(&values).unwrap();
            interval.low <= 0.5 && 0.5 <= interval.high
        };
        let covered = (0..60).filter(covers).count();
        assert!((51..=60).contains(&covered), "{covered} of 60");
    }

    #[test]
    fn few_or_equal_values() {
        assert_eq!(mean_interval_bca(&[1.0, 2.0, 3.0]), None);
        assert_eq!(mean_interval_bca(&[2.0; 9]), Some(Interval { low: 2.0, high: 2.0 }));
    }
}
