//! Means and quantiles.

use super::bootstrap::Interval;

/// The 97.5 % quantile of the standard normal distribution.
pub(super) const NORMAL_975: f64 = 1.959_963_984_540_054;

/// The mean; NaN of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The quantile of sorted values at `p` in [0, 1], with linear interpolation between the closest ranks
/// (type 7 of Hyndman and Fan, the default of R and NumPy); NaN of nothing.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = p * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// A distribution-free 95 % interval of the quantile at `p`: order statistics around its rank, by the
/// normal approximation of the binomial distribution. It takes the values to be independent. `None` if
/// there are too few of them for the upper or the lower end to exist.
#[must_use]
pub fn quantile_interval(sorted: &[f64], p: f64) -> Option<Interval> {
    let n = sorted.len() as f64;
    let spread = NORMAL_975 * (n * p * (1.0 - p)).sqrt();
    let low = (n * p - spread).floor();
    let high = (n * p + spread).ceil();
    if low < 0.0 || high >= n {
        return None;
    }
    Some(Interval { low: sorted[low as usize], high: sorted[high as usize] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile_sorted(&values, 0.0), 1.0);
        assert_eq!(quantile_sorted(&values, 0.5), 3.0);
        assert_eq!(quantile_sorted(&values, 0.75), 5.0);
        assert_eq!(quantile_sorted(&values, 1.0), 8.0);
        assert_eq!(quantile_sorted(&[5.0], 0.99), 5.0);
        assert!(quantile_sorted(&[], 0.5).is_nan());
    }

    #[test]
    fn a_tail_quantile_needs_enough_values_for_an_interval() {
        let values = |n: u32| (0..n).map(f64::from).collect::<Vec<_>>();
        assert!(quantile_interval(&values(100), 0.99).is_none());
        let interval = quantile_interval(&values(10_000), 0.99).unwrap();
        assert!(interval.low < 9900.0 && 9900.0 < interval.high);
        assert!(quantile_interval(&[], 0.5).is_none());
    }
}
