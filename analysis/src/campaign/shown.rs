//! Runs that are shown over time.

use super::answer::{Feedback, LoadAnswer, ShownPeriod, ShownRun, ShownSeries};
use super::gate::{Window, oscillation_of};
use super::tensor::Tensor;
use crate::experiment::{Design, Record, RecordSeries};
use crate::stats::cross_correlation;

/// The two series whose feedback is looked at.
const FEEDBACK: [&str; 2] = ["cache_hit_rate", "eviction_rate"];

/// Intervals by which one may follow the other, at most.
const LONGEST_LAG: usize = 30;

/// By load, the first run of the default profile, the optimum and the cheapest and costliest equilibrium.
pub(super) fn shown(design: &Design, tensor: &Tensor<'_>, loads: &[LoadAnswer]) -> Vec<ShownRun> {
    loads.iter().flat_map(|load| of_load(design, tensor, load)).collect()
}

fn of_load(design: &Design, tensor: &Tensor<'_>, load: &LoadAnswer) -> Vec<ShownRun> {
    let price = load.anarchy.first();
    let equilibrium =
        |place: Option<usize>| load.equilibria.as_ref()?.list.get(place?)?.pure.clone();
    let wanted = [
        ("default", Some(design.default_profile())),
        ("optimum", price.and_then(|price| price.optimum.clone())),
        ("worst equilibrium", equilibrium(price.and_then(|price| price.worst_equilibrium))),
        ("best equilibrium", equilibrium(price.and_then(|price| price.best_equilibrium))),
    ];
    let mut shown: Vec<ShownRun> = Vec::new();
    for (role, profile) in wanted {
        let Some(profile) = profile else { continue };
        if let Some(known) = shown.iter_mut().find(|known| known.profile == profile) {
            known.role = format!("{}, {role}", known.role);
            continue;
        }
        let runs = tensor.loads[load.load].get(&design.profile_number(&profile));
        let Some(run) = runs.and_then(|runs| runs.first()) else { continue };
        shown.push(ShownRun {
            run: run.record.run.clone(),
            load: load.load,
            profile,
            role: role.to_owned(),
            series: run
                .record
                .series
                .iter()
                .map(|series| one(series, run.record, design))
                .collect(),
            feedback: feedback(run.record, design.discard),
        });
    }
    shown
}

fn one(series: &RecordSeries, record: &Record, design: &Design) -> ShownSeries {
    let window = Window::of(series, record, design.discard);
    let rest = window.test().ok();
    let period = rest.as_ref().and_then(|rest| {
        let peak = oscillation_of(rest)?;
        Some(ShownPeriod {
            period: window.seconds(peak.crossings.period),
            amplitude: peak.amplitude,
            regularity: peak.crossings.r,
            from: window.second(rest.window_from),
        })
    });
    ShownSeries {
        name: series.name.clone(),
        unit: series.unit.clone(),
        start: series.start,
        step: series.step,
        values: series.values.clone(),
        change_points: rest.map_or_else(Vec::new, |rest| {
            rest.change_points.iter().map(|at| window.second(*at)).collect()
        }),
        oscillations: period.into_iter().collect(),
    }
}

/// `None` if a series is missing, constant or short.
fn feedback(record: &Record, discard: f64) -> Option<Feedback> {
    let [hits, evictions] =
        FEEDBACK.map(|name| record.series.iter().find(|series| series.name == name));
    let (hits, evictions) = (hits?, evictions?);
    let from = (discard * hits.values.len() as f64).ceil() as usize;
    let pairs = hits.values.iter().zip(&evictions.values).skip(from);
    let (hits_known, evictions_known): (Vec<f64>, Vec<f64>) =
        pairs.filter_map(|(hits, evictions)| Some(((*hits)?, (*evictions)?))).unzip();
    let longest = LONGEST_LAG.min(hits_known.len() / 4);
    if longest < 1 {
        return None;
    }
    let found = cross_correlation(&hits_known, &evictions_known, longest).ok()?;
    let lag = |place: usize| (place as f64 - longest as f64) * hits.step;
    Some(Feedback {
        lag: found.lag as f64 * hits.step,
        correlation: found.correlation,
        lags: (0..found.correlations.len()).map(lag).collect(),
        correlations: found.correlations,
        band: 1.96 / (hits_known.len() as f64).sqrt(),
    })
}
