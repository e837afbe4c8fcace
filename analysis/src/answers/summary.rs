//! Distributions of regrets and propensities.

use crate::stats::{self, Estimate, Interval};
use crate::tables::DecisionRow;

/// The distribution of one kind of regret, in KV blocks.
#[derive(Debug, Clone, Copy)]
pub struct RegretSummary {
    /// Mean, with a 95 % interval.
    pub mean: Estimate,
    /// Median.
    pub p50: f64,
    /// 95 % interval of the median.
    pub p50_interval: Option<Interval>,
    /// 99th percentile.
    pub p99: f64,
    /// 95 % interval of the 99th percentile.
    pub p99_interval: Option<Interval>,
    /// Largest.
    pub max: f64,
    /// Sum.
    pub total: f64,
    /// Decisions with regret above zero.
    pub regretted: u64,
    /// Decisions whose regret is not a finite number; the summary leaves them out.
    pub unknown: u64,
}

impl RegretSummary {
    /// Summarise regrets in time order.
    #[must_use]
    pub fn of(series: impl Iterator<Item = f64>) -> Self {
        let series: Vec<f64> = series.collect();
        let mean = Estimate::of(series.iter().copied());
        let unknown = series.len() as u64 - mean.count;
        let mut sorted = series;
        sorted.retain(|regret| regret.is_finite());
        sorted.sort_by(f64::total_cmp);
        Self {
            mean,
            p50: stats::quantile_sorted(&sorted, 0.5),
            p50_interval: stats::quantile_interval(&sorted, 0.5),
            p99: stats::quantile_sorted(&sorted, 0.99),
            p99_interval: stats::quantile_interval(&sorted, 0.99),
            max: sorted.last().copied().unwrap_or(f64::NAN),
            total: sorted.iter().sum(),
            regretted: sorted.iter().filter(|regret| **regret > 0.0).count() as u64,
            unknown,
        }
    }
}

/// The propensities of the choices that were taken.
#[derive(Debug, Clone, Copy)]
pub struct Propensity {
    /// Their mean, over the decisions whose propensity is known.
    pub mean: Estimate,
    /// Least of those.
    pub min: f64,
}

impl Propensity {
    pub(super) fn of(rows: &[&DecisionRow]) -> Self {
        let propensities = || rows.iter().map(|row| row.propensity);
        Self {
            mean: Estimate::of(propensities()),
            min: propensities().filter(|p| p.is_finite()).fold(f64::NAN, f64::min),
        }
    }
}
