//! The tests of series: oscillation and change points.

use super::{Check, Measure, Outcome, Plan, count};
use crate::stats::{Model, Normal, OscillationSettings, Search, change_points, oscillation};

/// Values of each series.
const LENGTH: usize = 200;

/// How strongly a value of red noise depends on the one before.
const CORRELATION: f64 = 0.5;

/// Surrogates of each series: enough for a level of 0.005.
const SURROGATES: usize = 399;

/// How far from the truth a change point may be found.
const NEAR: usize = 5;

pub(super) fn checks(plan: Plan) -> Vec<Check> {
    let cycle = |at: usize| 1.5 * (std::f64::consts::TAU * at as f64 / 20.0).sin();
    let step = |at: usize| if at < LENGTH / 2 { 0.0 } else { 2.0 };
    let of = |data: &str, subject, measure, one: &(dyn Fn(u64) -> Outcome + Sync)| {
        count(plan, &format!("{LENGTH} values: {data}"), &[(subject, measure)], |seed| {
            vec![one(seed)]
        })
    };
    let red = format!("red noise, correlation {CORRELATION}");
    let false_alarm = Measure::FalseAlarm;
    [
        of("white noise", "oscillation", false_alarm, &|seed| oscillates(&white(seed))),
        of(&red, "oscillation", false_alarm, &|seed| oscillates(&red_noise(seed))),
        of("noise and a cycle of period 20", "oscillation", Measure::Detection, &|seed| {
            oscillates(&added(white(seed), cycle))
        }),
        of("white noise", "change point", false_alarm, &|seed| {
            changes(&white(seed)).map(|found| !found.is_empty())
        }),
        of(&red, "change point", false_alarm, &|seed| {
            changes(&red_noise(seed)).map(|found| !found.is_empty())
        }),
        of("noise and a step of 2 deviations", "change point", Measure::Detection, &|seed| {
            let found = changes(&added(white(seed), step))?;
            Some(found.iter().any(|at| at.abs_diff(LENGTH / 2) <= NEAR))
        }),
    ]
    .concat()
}

pub(super) fn white(seed: u64) -> Vec<f64> {
    let mut normal = Normal::new(seed);
    (0..LENGTH).map(|_| normal.draw()).collect()
}

/// An autoregression of order 1 with variance 1, from its stationary state.
pub(super) fn red_noise(seed: u64) -> Vec<f64> {
    let shocks = white(seed);
    let scale = (1.0 - CORRELATION * CORRELATION).sqrt();
    let mut last = shocks[0];
    let next = |shock: &f64| {
        last = CORRELATION * last + scale * shock;
        last
    };
    std::iter::once(shocks[0]).chain(shocks[1..].iter().map(next)).collect()
}

fn added(mut series: Vec<f64>, signal: impl Fn(usize) -> f64) -> Vec<f64> {
    series.iter_mut().enumerate().for_each(|(at, value)| *value += signal(at));
    series
}

fn oscillates(series: &[f64]) -> Outcome {
    let settings = OscillationSettings { surrogates: SURROGATES, ..OscillationSettings::default() };
    oscillation(series, &settings).ok().map(|found| found.found().is_some())
}

/// Change points of the mean, with the automatic penalty.
fn changes(series: &[f64]) -> Option<Vec<usize>> {
    let search = Search { model: Model::L2, min_size: 2, penalty: None };
    Some(change_points(series, &search, || true).ok()?.segmentation.change_points)
}
