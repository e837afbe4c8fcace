//! Rank correlation.

use super::bootstrap::Interval;
use super::quantile::{NORMAL_975, mean};

/// A rank correlation with what is needed to judge it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Spearman's coefficient.
    pub value: f64,
    /// Its 95 % interval by Fisher's transformation with the standard error of Bonett and Wright
    /// (2000), which takes the pairs to be independent. `None` for fewer than four pairs.
    pub interval: Option<Interval>,
    /// Pairs.
    pub count: u64,
}

/// Spearman's rank correlation with average ranks for ties; `None` for fewer than three pairs or if
/// one side is constant.
///
/// # Panics
///
/// If the slices have different lengths.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<Correlation> {
    assert_eq!(x.len(), y.len(), "pairs");
    let count = x.len();
    if count < 3 {
        return None;
    }
    let (x, y) = (ranks(x), ranks(y));
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(&y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    (xx > 0.0 && yy > 0.0).then(|| {
        let value = xy / (xx * yy).sqrt();
        Correlation { value, interval: interval(value, count), count: count as u64 }
    })
}

fn interval(value: f64, count: usize) -> Option<Interval> {
    if count < 4 {
        return None;
    }
    let error = ((1.0 + value * value / 2.0) / (count as f64 - 3.0)).sqrt();
    let end = |z: f64| (value.atanh() + z * error).tanh();
    Some(Interval { low: end(-NORMAL_975), high: end(NORMAL_975) })
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let equal =
            order[first..].iter().take_while(|i| values[**i] == values[order[first]]).count();
        let average = first as f64 + (equal - 1) as f64 / 2.0;
        for index in &order[first..first + equal] {
            ranks[*index] = average;
        }
        first += equal;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotone_pairs_correlate_fully() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(spearman(&x, &[1.0, 10.0, 100.0, 1000.0]).unwrap().value, 1.0);
        let falling = spearman(&x, &[4.0, 3.0, 2.0, 1.0]).unwrap();
        assert_eq!((falling.value, falling.count), (-1.0, 4));
        assert_eq!(falling.interval, Some(Interval { low: -1.0, high: -1.0 }));
    }

    #[test]
    fn the_interval_narrows_with_the_pairs() {
        let width = |count: u32| {
            let x: Vec<f64> = (0..count).map(f64::from).collect();
            let y: Vec<f64> = (0..count).map(|i| f64::from(i * 7 % 10)).collect();
            let correlation = spearman(&x, &y).unwrap();
            let interval = correlation.interval.unwrap();
            assert!(interval.low < correlation.value && correlation.value < interval.high);
            interval.high - interval.low
        };
        assert!(width(20) > 2.0 * width(200));
    }

    #[test]
    fn ties_get_average_ranks() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
    }

    #[test]
    fn constants_have_no_correlation() {
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 2.0]), None);
    }
}
