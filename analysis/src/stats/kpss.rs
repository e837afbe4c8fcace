//! The test of Kwiatkowski, Phillips, Schmidt and Shin (1992): is the series stationary?

use super::adf::{dot, sum_over_pairs};
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
    let residuals = residuals(series, around)?;
    let lags = match lags {
        KpssLags::Automatic => automatic_lags(&residuals),
        KpssLags::Legacy => (12.0 * (n as f64 / 100.0).powf(0.25)).ceil() as usize,
        KpssLags::Fixed(lags) => lags,
    };
    if lags >= n {
        let message = format!("{lags} lags are too many for {n} values; at most {}", n - 1);
        return Err(Refusal::Setting(message));
    }
    let sums = partial_sums(&residuals);
    let variance = long_run_variance(&sums, lags);
    let statistic = dot(&sums[1..], &sums[1..]) / (n as f64).powi(2) / variance;
    let critical = match around {
        Around::Level => [0.347, 0.463, 0.574, 0.739],
        Around::Trend => [0.119, 0.146, 0.176, 0.216],
    };
    let (p_value, clipped) = interpolate(statistic, &critical);
    Ok(KpssTest { statistic, p_value, clipped, lags, critical })
}

/// What the residuals before each time sum up to, and all of them.
fn partial_sums(residuals: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let added = residuals.iter().map(|residual| {
        sum += residual;
        sum
    });
    std::iter::once(0.0).chain(added).collect()
}

/// The long-run variance with Bartlett weights (Newey and West 1987) from the partial sums of the residuals. The
/// weights of the products of two residuals are how many windows of `lags` + 1 residuals have both, so it is
/// the mean square of the windows' sums, those included that reach over an end: no product per lag is needed.
fn long_run_variance(sums: &[f64], lags: usize) -> f64 {
    let n = sums.len() - 1;
    let width = lags + 1;
    let all = sums[n];
    let before = &sums[1..width];
    let after = &sums[n + 1 - width..n];
    let squares = dot(before, before)
        + sum_over_pairs(&sums[width..], &sums[..=n - width], |end, begin| (end - begin).powi(2))
        + sum_over_pairs(after, after, |begin, _| (all - begin).powi(2));
    squares / width as f64 / n as f64
}

/// What is left of a series without its level, or without its trend; an error if that is nothing.
fn residuals(series: &[f64], around: Around) -> Result<Vec<f64>, Refusal> {
    let centre = mean(series);
    let deviations: Vec<f64> = series.iter().map(|value| value - centre).collect();
    if around == Around::Level {
        return Ok(deviations);
    }
    let n = series.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let times: Vec<f64> = (0..series.len()).map(|t| t as f64 - middle).collect();
    let slope = dot(&times, &deviations) / (n * (n * n - 1.0) / 12.0);
    let residuals: Vec<f64> =
        deviations.iter().zip(&times).map(|(deviation, time)| deviation - slope * time).collect();
    if dot(&residuals, &residuals) <= 1e-24 * dot(&deviations, &deviations) {
        return Err(Refusal::Singular);
    }
    Ok(residuals)
}

fn automatic_lags(residuals: &[f64]) -> usize {
    let n = residuals.len();
    let bandwidth = (n as f64).powf(2.0 / 9.0) as usize;
    let (mut zeroth, mut first) = (dot(residuals, residuals) / n as f64, 0.0);
    for lag in 1..=bandwidth {
        let covariance = 2.0 * dot(&residuals[lag..], &residuals[..n - lag]) / n as f64;
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

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    #[test]
    fn windows_weigh_the_autocovariances() {
        let mut random = ChaCha12Rng::seed_from_u64(11);
        for n in [4, 5, 30, 1000] {
            let residuals: Vec<f64> = (0..n).map(|_| random.random::<f64>() - 0.5).collect();
            for lags in [0, 1, 3, n / 2, n - 1] {
                let weighted = |lag: usize| {
                    let weight = 1.0 - lag as f64 / (lags + 1) as f64;
                    weight * dot(&residuals[lag..], &residuals[..n - lag])
                };
                let products = weighted(0) + 2.0 * (1..=lags).map(weighted).sum::<f64>();
                let found = long_run_variance(&partial_sums(&residuals), lags);
                let size = dot(&residuals, &residuals) / n as f64;
                let difference = (found - products / n as f64).abs();
                assert!(difference < 1e-12 * size, "n {n}, lags {lags}: {difference}");
            }
        }
    }
}
