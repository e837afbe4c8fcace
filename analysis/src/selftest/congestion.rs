//! The intervals of fitted latencies.

use super::{Check, Measure, Outcome, Plan, count, covers};
use crate::game::congestion::{Family, Latency, Observation, fit_latency};
use crate::stats::Normal;

/// Measurements of each resource.
const OBSERVATIONS: usize = 30;

/// Standard deviation of a measurement.
const NOISE: f64 = 0.3;

pub(super) fn checks(plan: Plan) -> Vec<Check> {
    let affine: &[(&'static str, f64)] = &[("constant", 3.0), ("slope", 2.0)];
    let square: &[(&'static str, f64)] = &[("constant", 5.0), ("linear", 1.0), ("square", 0.5)];
    let queue: &[(&'static str, f64)] = &[("unloaded", 4.0), ("capacity", 13.0)];
    let steps: &[(&'static str, f64)] = &[("base", 6.0), ("step", 2.0), ("batch", 2.6)];
    let cases = [
        ("affine", Latency::affine(2.0, 3.0), Family::Polynomial(1), affine),
        ("square", Latency::Polynomial(vec![5.0, 1.0, 0.5]), Family::Polynomial(2), square),
        ("M/M/1", Latency::Mm1 { unloaded: 4.0, capacity: 13.0 }, Family::Mm1, queue),
        ("steps", Latency::Step { base: 6.0, step: 2.0, batch: 2.6 }, Family::Step, steps),
    ];
    let mut checks = Vec::new();
    for (name, latency, family, parameters) in &cases {
        let subjects: Vec<(&'static str, Measure)> =
            parameters.iter().map(|(name, _)| (*name, Measure::Coverage)).collect();
        let truths: Vec<f64> = parameters.iter().map(|(_, truth)| *truth).collect();
        let data = format!("{name} latency: {OBSERVATIONS} measurements, noise {NOISE}");
        checks.extend(count(plan, &data, &subjects, |seed| one(latency, *family, &truths, seed)));
    }
    checks
}

fn one(latency: &Latency, family: Family, truths: &[f64], seed: u64) -> Vec<Outcome> {
    let mut normal = Normal::new(seed);
    let observations: Vec<Observation> = (1..=OBSERVATIONS)
        .map(|index| {
            let load = 10.0 * index as f64 / OBSERVATIONS as f64;
            Observation { load, latency: latency.at(load) + NOISE * normal.draw() }
        })
        .collect();
    match fit_latency(&observations, family) {
        Ok(fit) => fit
            .parameters
            .iter()
            .zip(truths)
            .map(|(found, truth)| Some(covers(found.interval.low, found.interval.high, *truth)))
            .collect(),
        Err(_) => vec![None; truths.len()],
    }
}
