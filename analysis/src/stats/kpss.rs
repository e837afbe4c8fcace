//! The test of Kwiatkowski, Phillips, Schmidt and Shin (1992): is the series stationary?

use super::adf::dot;
use super::quantile::mean;
use super::refusal::{Refusal, check};

/// What the series is stationary around, under the null hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// A level (`c`).
    Level,
    /// A linear trend (`ct`).
    Trend,
}

/// How many autocovariances the long-run variance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KpssLags {
    /// The data-dependent choice of Hobijn, Franses and Ooms (1998).
    Automatic,
    /// ceil(12 (n/100)^(1/4)) (Schwert 1989).
    Legacy,
    /// This many.
    Fixed(usize),
}

/// Which side of the published table a statistic falls off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clipped {
    /// It does not: the p-value is interpolated.
    No,
    /// The true p-value is greater than the one given.
    Above,
    /// The true p-value is smaller than the one given.
    Below,
}

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KpssTest {
    /// The statistic.
    pub statistic: f64,
    /// The p-value, interpolated in the table of 1992 and clipped to it. The null hypothesis is
    /// stationarity.
    pub p_value: f64,
    /// Whether it was clipped.
    pub clipped: Clipped,
    /// Autocovariances used.
    pub lags: usize,
    /// Critical values at 10, 5, 2.5 and 1 %.
    pub critical: [f64; 4],
}

/// The levels of the critical values.
pub const KPSS_LEVELS: [f64; 4] = [0.10, 0.05, 0.025, 0.01];

/// Test for stationarity.
///
/// # Errors
///
/// If the series is too short, constant, or has no residual.
pub fn kpss(series: &[f64], around: Around, lags: KpssLags) -> Result<KpssTest, Refusal> {
    check(series, 4)?;
    let n = series.len();
    let residuals = residuals(series, around);
    let size = dot(&residuals, &residuals);
    let deviation = mean(series);
    let total: f64 = series.iter().map(|value| (value - deviation).powi(2)).sum();
    if size <= 1e-24 * total {
        return Err(Refusal::Singular);
    }
    let lags = match lags {
        KpssLags::Automatic => automatic_lags(&residuals),
        KpssLags::Legacy => (12.0 * (n as f64 / 100.0).powf(0.25)).ceil() as usize,
        KpssLags::Fixed(lags) => lags,
    };
    if lags >= n {
        let message = format!("{lags} lags are too many for {n} values; at most {}", n - 1);
        return Err(Refusal::Setting(message));
    }
    let variance = long_run_variance(&residuals, lags);
    let mut sum = 0.0;
    let squares: f64 = residuals
        .iter()
        .map(|residual| {
            sum += residual;
            sum * sum
        })
        .sum();
    let statistic = squares / (n as f64).powi(2) / variance;
    let critical = match around {
        Around::Level => [0.347, 0.463, 0.574, 0.739],
        Around::Trend => [0.119, 0.146, 0.176, 0.216],
    };
    let (p_value, clipped) = interpolate(statistic, &critical);
    Ok(KpssTest { statistic, p_value, clipped, lags, critical })
}

/// The long-run variance with Bartlett weights (Newey and West 1987).
pub(super) fn long_run_variance(residuals: &[f64], lags: usize) -> f64 {
    let products = lagged_products(residuals, lags);
    let weighted = |lag: usize| (1.0 - lag as f64 / (lags + 1) as f64) * products[lag];
    let sum = products[0] + 2.0 * (1..=lags).map(weighted).sum::<f64>();
    sum / residuals.len() as f64
}

/// The sums of the products of values so many places apart, from 0 places on. All of them over one part of the
/// series after the other, so that each part is fetched from memory once.
fn lagged_products(values: &[f64], longest: usize) -> Vec<f64> {
    const PART: usize = 2048;
    let mut sums = vec![0.0; longest + 1];
    for begin in (0..values.len()).step_by(PART) {
        let end = (begin + PART).min(values.len());
        for (lag, sum) in sums.iter_mut().enumerate().take(end) {
            let from = begin.max(lag);
            *sum += dot(&values[from..end], &values[from - lag..end - lag]);
        }
    }
    sums
}

fn residuals(series: &[f64], around: Around) -> Vec<f64> {
    let n = series.len() as f64;
    let centre = mean(series);
    let middle = (n - 1.0) / 2.0;
    let slope = match around {
        Around::Level => 0.0,
        Around::Trend => {
            let products = series.iter().enumerate();
            let product: f64 = products.map(|(t, y)| (t as f64 - middle) * (y - centre)).sum();
            product / (n * (n * n - 1.0) / 12.0)
        }
    };
    let fitted = series.iter().enumerate();
    fitted.map(|(t, y)| y - centre - slope * (t as f64 - middle)).collect()
}

pub(super) fn automatic_lags(residuals: &[f64]) -> usize {
    let n = residuals.len();
    let bandwidth = (n as f64).powf(2.0 / 9.0) as usize;
    let products = lagged_products(residuals, bandwidth);
    let (mut zeroth, mut first) = (products[0] / n as f64, 0.0);
    for (lag, product) in products.iter().enumerate().skip(1) {
        let covariance = 2.0 * product / n as f64;
        zeroth += covariance;
        first += lag as f64 * covariance;
    }
    let lags = 1.1447 * ((first / zeroth).powi(2)).cbrt() * (n as f64).cbrt();
    (lags as usize).min(n - 1)
}

fn interpolate(statistic: f64, critical: &[f64; 4]) -> (f64, Clipped) {
    if statistic < critical[0] {
        return (KPSS_LEVELS[0], Clipped::Above);
    }
    if statistic > critical[3] {
        return (KPSS_LEVELS[3], Clipped::Below);
    }
    let above = critical.iter().position(|value| statistic <= *value).unwrap_or(3).max(1);
    let share = (statistic - critical[above - 1]) / (critical[above] - critical[above - 1]);
    let p = KPSS_LEVELS[above - 1] + share * (KPSS_LEVELS[above] - KPSS_LEVELS[above - 1]);
    (p, Clipped::No)
}
