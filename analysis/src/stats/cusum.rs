//! The tabular CUSUM: the online form of looking for a shift, and how often it cries wolf.

use nalgebra::{DMatrix, DVector};
use statrs::function::erf::erfc;

use super::quantile::mean;
use super::refusal::{Refusal, check};

/// How a CUSUM is set up. Everything is in standard deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CusumSettings {
    /// Allowance: half of the shift that is to be found soonest.
    pub allowance: f64,
    /// The sum that raises the alarm.
    pub threshold: f64,
    /// The first values, from which the level and the deviation are estimated.
    pub baseline: usize,
}

/// Which way the series moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Up.
    Up,
    /// Down.
    Down,
}

/// A sum crossed the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// The value that raised it, from 0.
    pub at: usize,
    /// The first value of the run that led to it, an estimate of when the shift happened.
    pub since: usize,
    /// Where to.
    pub side: Side,
}

/// What a CUSUM says about a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Cusum {
    /// The alarms; the sums begin again from zero after each.
    pub alarms: Vec<Alarm>,
    /// The mean of the baseline.
    pub level: f64,
    /// The standard deviation of the baseline.
    pub deviation: f64,
    /// The correlation of successive values of the baseline; the run length takes it to be zero.
    pub correlation: f64,
}

/// Run a two-sided tabular CUSUM (Page 1954) over a series.
///
/// # Errors
///
/// If the series or its baseline is too short or constant.
pub fn cusum(series: &[f64], settings: &CusumSettings) -> Result<Cusum, Refusal> {
    check(series, 4)?;
    let first = settings.baseline;
    if first > series.len() {
        let message =
            format!("a baseline of {first} values is longer than the series of {}", series.len());
        return Err(Refusal::Setting(message));
    }
    let baseline = &series[..first];
    check(baseline, 4)?;
    let level = mean(baseline);
    let squares: f64 = baseline.iter().map(|x| (x - level).powi(2)).sum();
    let products: f64 = baseline.windows(2).map(|pair| (pair[0] - level) * (pair[1] - level)).sum();
    let deviation = (squares / (first - 1) as f64).sqrt();
    let mut alarms = Vec::new();
    let mut sides = [Run::new(Side::Up), Run::new(Side::Down)];
    for (at, value) in series.iter().enumerate() {
        let score = (value - level) / deviation;
        for run in &mut sides {
            let step = if run.side == Side::Up { score } else { -score } - settings.allowance;
            run.sum += step;
            if run.sum <= 0.0 {
                *run = Run { since: at + 1, ..Run::new(run.side) };
            } else if run.sum > settings.threshold {
                alarms.push(Alarm { at, since: run.since, side: run.side });
                *run = Run { since: at + 1, ..Run::new(run.side) };
            }
        }
    }
    Ok(Cusum { alarms, level, deviation, correlation: products / squares })
}

struct Run {
    side: Side,
    sum: f64,
    since: usize,
}

impl Run {
    fn new(side: Side) -> Self {
        Self { side, sum: 0.0, since: 0 }
    }
}

/// The average number of independent normal values until the alarm, when the level has shifted by so many
/// standard deviations: Page's integral equation on Gauss-Legendre nodes, both sides together by
/// 1/ARL = 1/ARL+ + 1/ARL- (van Dobben de Bruyn 1968).
#[must_use]
pub fn average_run_length(allowance: f64, threshold: f64, shift: f64) -> f64 {
    let up = one_sided_run_length(allowance, threshold, shift);
    let down = one_sided_run_length(allowance, threshold, -shift);
    1.0 / (1.0 / up + 1.0 / down)
}

/// The same for a CUSUM that looks one way only.
///
/// # Panics
///
/// If the threshold is not positive.
#[must_use]
pub fn one_sided_run_length(allowance: f64, threshold: f64, shift: f64) -> f64 {
    assert!(threshold > 0.0, "a threshold is positive");
    // The kernel is a normal density: its width, not the threshold, sets how many nodes are needed.
    let nodes = (32 + 16 * threshold.ceil() as usize).min(400);
    let (at, weights) = gauss_legendre(nodes, threshold);
    // L(z) = 1 + L(0) F(k - z) + integral over (0, h) of L(y) f(y + k - z); the last unknown is L(0).
    let mean_step = shift - allowance;
    let point = |index: usize| if index == nodes { 0.0 } else { at[index] };
    let system = DMatrix::from_fn(nodes + 1, nodes + 1, |row, column| {
        let from = point(row) + mean_step;
        let moves = if column == nodes {
            distribution(-from)
        } else {
            weights[column] * density(at[column] - from)
        };
        f64::from(u8::from(row == column)) - moves
    });
    let ones = DVector::from_element(nodes + 1, 1.0);
    system.lu().solve(&ones).map_or(f64::INFINITY, |lengths| lengths[nodes])
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

fn distribution(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// Nodes and weights of the Gauss-Legendre rule on (0, length), by Newton's method on the polynomial.
fn gauss_legendre(count: usize, length: f64) -> (Vec<f64>, Vec<f64>) {
    let n = count as f64;
    let node = |index: usize| {
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut value, mut before) = (1.0, 0.0);
            for degree in 0..count {
                let degree = degree as f64;
                let next = ((2.0 * degree + 1.0) * x * value - degree * before) / (degree + 1.0);
                (before, value) = (value, next);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (length * (1.0 - x) / 2.0, length / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_lengths_are_the_textbooks() {
        // Two-sided, k = 0.5, by shift.
        let shifts = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
        for (threshold, one_sided, lengths) in [
            (4.0, 335.4, [167.68, 74.22, 26.63, 13.29, 8.38, 4.75, 3.34, 2.19]),
            (5.0, 930.9, [465.44, 139.49, 38.00, 17.05, 10.38, 5.75, 4.01, 2.57]),
        ] {
            for (shift, expected) in shifts.into_iter().zip(lengths) {
                let found = average_run_length(0.5, threshold, shift);
                assert!((found - expected).abs() < 0.006, "h {threshold}, {shift}: {found}");
            }
            let found = one_sided_run_length(0.5, threshold, 0.0);
            assert!((found - one_sided).abs() < 0.06, "{found}");
        }
    }

    #[test]
    fn a_shift_is_found_where_it_begins() {
        let wave = |t: usize| if t.is_multiple_of(2) { 1.0 } else { -1.0 };
        let series: Vec<f64> = (0..100).map(|t| wave(t) + if t < 60 { 0.0 } else { 3.0 }).collect();
        let settings = CusumSettings { allowance: 0.5, threshold: 5.0, baseline: 60 };
        let found = cusum(&series, &settings).unwrap();
        let first = found.alarms[0];
        assert_eq!((first.side, first.since), (Side::Up, 60));
        assert!(first.at < 64, "{first:?}");
        assert!((found.level, found.correlation) == (0.0, -59.0 / 60.0), "{found:?}");
    }

    #[test]
    fn what_has_no_deviation_has_no_cusum() {
        let settings = CusumSettings { allowance: 0.5, threshold: 5.0, baseline: 5 };
        let mut series = vec![1.0; 10];
        assert_eq!(cusum(&series, &settings), Err(Refusal::Constant(10)));
        series[9] = 2.0;
        assert_eq!(cusum(&series, &settings), Err(Refusal::Constant(5)));
        let longer = CusumSettings { baseline: 11, ..settings };
        assert!(matches!(cusum(&series, &longer), Err(Refusal::Setting(_))));
    }
}
