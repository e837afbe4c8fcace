//! How long the blocks of a block bootstrap should be, and how much the mean of dependent values varies.

use super::quantile::mean;

/// Successive autocorrelations that must be insignificant.
const IN_A_ROW: usize = 5;

/// What neighbours have to do with each other.
pub(super) struct Dependence {
    /// See [`block_length`].
    pub(super) block_length: f64,
    /// n times the variance of the mean of n values, under the flat-top window, which may make it negative.
    pub(super) long_run_variance: f64,
}

/// The block length for the mean of a series under the circular block bootstrap, by the automatic rule
/// of Politis and White (2004), corrected by Patton, Politis and White (2009): from the
/// autocovariances up to twice the lag from which five in a row are insignificant, under a flat-top
/// window. 1 for series that are constant or shorter than ten.
#[must_use]
pub fn block_length(series: &[f64]) -> f64 {
    dependence(series).block_length
}

/// The same with the variance that it is made from.
pub(super) fn dependence(series: &[f64]) -> Dependence {
    const NONE: Dependence = Dependence { block_length: 1.0, long_run_variance: 0.0 };
    let n = series.len();
    if n < 10 {
        return NONE;
    }
    let centre = mean(series);
    let deviations: Vec<f64> = series.iter().map(|value| value - centre).collect();
    let covariances = autocovariances(&deviations);
    if covariances[0] <= 0.0 {
        return NONE;
    }
    let bandwidth = covariances.len() - 1;
    let (mut slope, mut variance) = (0.0, covariances[0]);
    for (lag, covariance) in covariances.iter().enumerate().skip(1) {
        let share = lag as f64 / bandwidth as f64;
        let window = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        slope += 2.0 * window * lag as f64 * covariance;
        variance += 2.0 * window * covariance;
    }
    let n = n as f64;
    let longest = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    let length = (2.0 * slope * slope / (4.0 / 3.0 * variance * variance)).cbrt() * n.cbrt();
    // Of a vanishing variance the length is not a number, and one is as good as any.
    Dependence { block_length: length.max(1.0).min(longest), long_run_variance: variance }
}

/// The autocovariances that the window uses, from lag 0 to its bandwidth.
fn autocovariances(deviations: &[f64]) -> Vec<f64> {
    let n = deviations.len();
    let significant = 2.0 * ((n as f64).log10() / n as f64).sqrt();
    let longest = (n as f64).sqrt().ceil() as usize + IN_A_ROW;
    let longest = longest.min(n - 2);
    let mut covariances = Vec::new();
    let mut insignificant = 0;
    let mut bandwidth = longest;
    let mut lag = 0;
    while lag <= bandwidth {
        let (early, late) = (&deviations[..n - lag], &deviations[lag..]);
        let product: f64 = early.iter().zip(late).map(|(a, b)| a * b).sum();
        covariances.push(product / n as f64);
        let scale = (sum_of_squares(&early[..n - lag - 1]) * sum_of_squares(&late[1..])).sqrt();
        insignificant = if product.abs() < significant * scale { insignificant + 1 } else { 0 };
        if insignificant == IN_A_ROW && bandwidth == longest {
            let first = lag + 1 - IN_A_ROW;
            bandwidth = (2 * first.max(1)).min(longest);
        }
        lag += 1;
    }
    covariances.truncate(bandwidth + 1);
    covariances
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    fn autoregressive(n: usize, coefficient: f64) -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(7);
        let mut level = 0.0;
        let mut next = || {
            level = coefficient * level + random.random::<f64>() - 0.5;
            level
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn dependence_needs_longer_blocks() {
        let lengths = [0.0, 0.5, 0.9, 0.98].map(|c| block_length(&autoregressive(20_000, c)));
        assert!(lengths[0] < 10.0, "{lengths:?}");
        assert!(lengths.is_sorted(), "{lengths:?}");
        // Of an autoregression the rule's limit is known: (2 g^2 / d)^(1/3) n^(1/3) with
        // g / variance = 2 c / (1 - c^2).
        let expected = (1.5 * (1.8_f64 / 0.19).powi(2)).cbrt() * 20_000_f64.cbrt();
        assert!((0.7..1.4).contains(&(lengths[2] / expected)), "{} for {expected}", lengths[2]);
    }

    #[test]
    fn short_and_constant_series_have_blocks_of_one() {
        assert_eq!(block_length(&[]), 1.0);
        assert_eq!(block_length(&[1.0, 2.0, 3.0]), 1.0);
        assert_eq!(block_length(&[4.0; 500]), 1.0);
    }

    #[test]
    fn it_does_not_depend_on_scale_or_place() {
        let series = autoregressive(3_000, 0.8);
        let moved: Vec<f64> = series.iter().map(|value| 1e3 + 50.0 * value).collect();
        assert!((block_length(&series) / block_length(&moved) - 1.0).abs() < 1e-6);
    }
}
