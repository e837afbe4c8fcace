//! Zero crossings of an autocorrelation function.

use super::INTERVALS;
use crate::stats::quantile::mean;

/// The mean period and its regularity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossings {
    /// Twice the mean interval between crossings, in samples; NaN of none.
    pub period: f64,
    /// Twice the standard deviation (divisor one less than their number) of the intervals.
    pub deviation: f64,
    /// period / (3 deviation).
    pub r: f64,
    /// Intervals used, at most ten.
    pub intervals: usize,
}

impl Crossings {
    /// From autocorrelations beginning at lag 0. The time to the first crossing, a quarter of a period, is
    /// left out.
    #[must_use]
    pub(super) fn of(autocorrelations: &[f64]) -> Self {
        let crossings = zero_crossings(autocorrelations, INTERVALS + 1);
        let intervals: Vec<f64> = crossings.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let period = 2.0 * mean(&intervals);
        let deviation = 2.0 * deviation(&intervals);
        Self { period, deviation, r: period / (3.0 * deviation), intervals: intervals.len() }
    }

    pub(super) fn none() -> Self {
        Self { period: f64::NAN, deviation: f64::NAN, r: f64::NAN, intervals: 0 }
    }
}

/// The research plan's test, on the same autocorrelation: oscillating if the coefficient of variation of
/// all intervals between crossings is below 0.5 and there are at least four crossings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanVariant {
    /// Crossings.
    pub crossings: usize,
    /// Coefficient of variation of the intervals between them; NaN of fewer than two intervals.
    pub variation: f64,
    /// Its verdict.
    pub oscillating: bool,
}

impl PlanVariant {
    pub(super) fn of(autocorrelations: &[f64]) -> Self {
        let crossings = zero_crossings(autocorrelations, usize::MAX);
        let intervals: Vec<f64> = crossings.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let variation = deviation(&intervals) / mean(&intervals);
        let oscillating = crossings.len() >= 4 && variation < 0.5;
        Self { crossings: crossings.len(), variation, oscillating }
    }
}

fn zero_crossings(values: &[f64], most: usize) -> Vec<f64> {
    let crossing = |(index, pair): (usize, &[f64])| {
        let (before, after) = (pair[0], pair[1]);
        let crosses = (before > 0.0 && after <= 0.0) || (before < 0.0 && after >= 0.0);
        crosses.then(|| index as f64 + before / (before - after))
    };
    values.windows(2).enumerate().filter_map(crossing).take(most).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}
