//! Autocorrelation, cross-correlation, and how many independent values a series is worth.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use realfft::RealFftPlanner;

use super::block_length::block_length;
use super::bootstrap::Interval;
use super::quantile::{mean, quantile_sorted};
use super::refusal::{Refusal, check};

/// The autocorrelations from lag 0 to `longest`, with the divisor n at every lag.
///
/// # Errors
///
/// If the series is constant or not longer than the longest lag.
pub fn autocorrelations(series: &[f64], longest: usize) -> Result<Vec<f64>, Refusal> {
    check(series, longest.max(1) + 1)?;
    let deviations = centred(series);
    let mut products = products(&deviations, &deviations, longest);
    let size = products[0];
    products.iter_mut().for_each(|product| *product /= size);
    Ok(products)
}

/// Half the width of the 95 % band around each autocorrelation if those beyond it are zero (Bartlett
/// 1946), for lags 1 and longer.
#[must_use]
pub fn bartlett_bands(autocorrelations: &[f64], n: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let longest = autocorrelations.len();
    (1..longest)
        .map(|lag| {
            let band = super::quantile::NORMAL_975 * ((1.0 + 2.0 * sum) / n as f64).sqrt();
            sum += autocorrelations[lag].powi(2);
            band
        })
        .collect()
}

/// How many independent values would say as much about the mean: n over the integrated autocorrelation time,
/// summed by Geyer's (1992) initial positive sequence. At most n. n of a constant series.
#[must_use]
pub fn effective_sample_size(series: &[f64]) -> f64 {
    let n = series.len();
    let Ok(correlations) = autocorrelations(series, n.saturating_sub(1)) else { return n as f64 };
    let pairs = correlations.chunks_exact(2).map(|pair| pair[0] + pair[1]);
    let sum: f64 = pairs.take_while(|pair| *pair > 0.0).sum();
    (n as f64 / (2.0 * sum - 1.0).max(1.0)).max(1.0)
}

/// Where two series move together.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossCorrelation {
    /// The correlations at lags -longest to longest; at a positive lag the second series follows the first.
    pub correlations: Vec<f64>,
    /// The lag of the correlation that is greatest in size.
    pub lag: i64,
    /// The correlation there.
    pub correlation: f64,
    /// A 95 % interval of the lag, by a block bootstrap of the lagged products.
    pub lag_interval: Interval,
    /// A 95 % interval of the correlation at that lag, by the same resamples.
    pub correlation_interval: Interval,
    /// Values in a block.
    pub block: usize,
}

const RESAMPLES: usize = 1000;
const SEED: u64 = 0x6c61_6773;

/// Correlate two series at lags up to `longest` either way.
///
/// # Errors
///
/// If one is constant, or they are shorter than four times the longest lag.
///
/// # Panics
///
/// If they have different lengths.
pub fn cross_correlation(
    first: &[f64],
    second: &[f64],
    longest: usize,
) -> Result<CrossCorrelation, Refusal> {
    assert_eq!(first.len(), second.len(), "pairs");
    check(first, 4 * longest.max(2))?;
    check(second, 4 * longest.max(2))?;
    let n = first.len();
    let (first, second) = (standardised(first), standardised(second));
    let mut correlations = products(&second, &first, longest);
    correlations.reverse();
    correlations.pop();
    correlations.extend(products(&first, &second, longest));
    correlations.iter_mut().for_each(|product| *product /= n as f64);
    let peak = peak(&correlations);
    let lag_of = |index: usize| index as i64 - longest as i64;
    let block =
        (block_length(&first).max(block_length(&second)).ceil() as usize).max(longest).max(n / 200);
    let sums = block_sums(&first, &second, longest, block);
    let mut random = ChaCha12Rng::seed_from_u64(SEED);
    let (mut lags, mut at_peak) = (Vec::new(), Vec::new());
    let mut sum = vec![0.0; correlations.len()];
    for _ in 0..RESAMPLES {
        sum.fill(0.0);
        for _ in 0..sums.len() {
            let drawn = &sums[random.random_range(0..sums.len())];
            sum.iter_mut().zip(drawn).for_each(|(sum, block)| *sum += block);
        }
        lags.push(lag_of(self::peak(&sum)) as f64);
        at_peak.push(sum[peak] / n as f64);
    }
    Ok(CrossCorrelation {
        lag: lag_of(peak),
        correlation: correlations[peak],
        lag_interval: percentiles(&mut lags, longest as f64),
        correlation_interval: percentiles(&mut at_peak, 1.0),
        correlations,
        block,
    })
}

/// The sums of lagged products over successive blocks of time, each at all lags: resampling them leaves
/// every value beside its true neighbours.
fn block_sums(first: &[f64], second: &[f64], longest: usize, block: usize) -> Vec<Vec<f64>> {
    let n = first.len();
    let starts = (0..n).step_by(block);
    let sums = starts.map(|start| {
        let end = (start + block).min(n);
        let lags = -(longest as i64)..=longest as i64;
        let at_lag = |lag: i64| {
            let times = (start as i64).max(-lag)..(end as i64).min(n as i64 - lag);
            times.map(|t| first[t as usize] * second[(t + lag) as usize]).sum()
        };
        lags.map(at_lag).collect()
    });
    sums.collect()
}

/// Between plus and minus the largest size. Plain percentiles, of few blocks too: they have the truth more often than they say.
fn percentiles(values: &mut [f64], largest: f64) -> Interval {
    values.sort_by(f64::total_cmp);
    let end = |p| quantile_sorted(values, p).clamp(-largest, largest);
    Interval { low: end(0.025), high: end(0.975) }
}

fn peak(correlations: &[f64]) -> usize {
    let sizes = correlations.iter().map(|value| value.abs()).enumerate();
    sizes.rev().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

pub(super) fn centred(series: &[f64]) -> Vec<f64> {
    let centre = mean(series);
    series.iter().map(|value| value - centre).collect()
}

fn standardised(series: &[f64]) -> Vec<f64> {
    let mut deviations = centred(series);
    let size = deviations.iter().map(|value| value * value).sum::<f64>() / series.len() as f64;
    deviations.iter_mut().for_each(|value| *value /= size.sqrt());
    deviations
}

/// The sums over t of `early[t] * late[t + lag]` for lags 0 to `longest`, by the fast Fourier transform.
fn products(early: &[f64], late: &[f64], longest: usize) -> Vec<f64> {
    let size = (early.len() + longest + 1).next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(size);
    let transform = |values: &[f64]| {
        let mut padded = values.to_vec();
        padded.resize(size, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).expect("the lengths are the plan's");
        spectrum
    };
    let mut spectrum = transform(early);
    for (a, b) in spectrum.iter_mut().zip(transform(late)) {
        *a = a.conj() * b;
    }
    // Of real sequences these two are real; the transform back wants no rounding there.
    let last = spectrum.len() - 1;
    spectrum[0].im = 0.0;
    spectrum[last].im = 0.0;
    let backward = planner.plan_fft_inverse(size);
    let mut out = backward.make_output_vec();
    backward.process(&mut spectrum, &mut out).expect("the lengths are the plan's");
    out.truncate(longest + 1);
    out.iter_mut().for_each(|value| *value /= size as f64);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        (0..n).map(|_| random.random::<f64>() - 0.5).collect()
    }

    #[test]
    fn the_transform_gives_what_the_definition_gives() {
        let series = noise(500, 1);
        let deviations = centred(&series);
        let size: f64 = deviations.iter().map(|value| value * value).sum();
        for (lag, correlation) in autocorrelations(&series, 499).unwrap().iter().enumerate() {
            let pairs = deviations[lag..].iter().zip(&deviations);
            let direct = pairs.map(|(a, b)| a * b).sum::<f64>() / size;
            assert!((correlation - direct).abs() < 1e-12, "lag {lag}: {correlation} for {direct}");
        }
    }

    #[test]
    fn an_autoregression_is_worth_what_theory_says() {
        let mut level = 0.0;
        let series: Vec<f64> = noise(50_000, 2)
            .into_iter()
            .map(|step| {
                level = 0.8 * level + step;
                level
            })
            .collect();
        let expected = 50_000.0 * (1.0 - 0.8) / (1.0 + 0.8);
        let found = effective_sample_size(&series);
        assert!((0.8..1.25).contains(&(found / expected)), "{found} for {expected}");
        assert!(effective_sample_size(&noise(50_000, 3)) > 45_000.0);
        assert_eq!(effective_sample_size(&[2.0; 9]), 9.0);
    }

    #[test]
    fn a_delayed_copy_is_found_at_its_delay() {
        let source = noise(2_000, 4);
        let disturbance = noise(2_000, 5);
        let delayed: Vec<f64> = (0..2_000)
            .map(|t| if t < 7 { 0.0 } else { -source[t - 7] } + 0.5 * disturbance[t])
            .collect();
        let found = cross_correlation(&source, &delayed, 30).unwrap();
        assert_eq!((found.lag, found.correlations.len()), (7, 61));
        assert!(found.correlation < -0.8, "{}", found.correlation);
        assert_eq!(found.lag_interval, Interval { low: 7.0, high: 7.0 });
        assert!(found.correlation_interval.low < found.correlation);
        let back = cross_correlation(&delayed, &source, 30).unwrap();
        assert_eq!(back.lag, -7);
    }

    #[test]
    fn unrelated_series_have_no_certain_lag() {
        let found = cross_correlation(&noise(2_000, 6), &noise(2_000, 7), 30).unwrap();
        assert!(found.correlation.abs() < 0.12);
        assert!(found.lag_interval.high - found.lag_interval.low > 10.0, "{found:?}");
    }
}
