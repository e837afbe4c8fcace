//! Runs that are shown over time.

use super::answer::{
    Feedback, FeedbackShare, FeedbackStart, LoadAnswer, ShownPeriod, ShownRun, ShownSeries,
};
use super::gate::{Window, oscillation_of};
use super::tensor::{LoadTensor, Tensor};
use crate::experiment::{Design, Record, RecordSeries};
use crate::stats::{Interval, cross_correlation};

/// The two series whose feedback is looked at.
const FEEDBACK: [&str; 2] = ["cache_hit_rate", "eviction_rate"];

/// Intervals by which one may follow the other, at most.
const LONGEST_LAG: usize = 30;

/// Standard errors of a correlation beyond which the largest of 2 [`LONGEST_LAG`] + 1 is one in twenty times by chance, by
/// Bonferroni: the normal quantile at 1 - 0.05 / 122.
const ALL_LAGS: f64 = 3.35;

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
            feedback: feedback(run.record, design),
            regretted: run.record.trace.as_ref().and_then(|trace| trace.regretted.clone()),
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
fn feedback(record: &Record, design: &Design) -> Option<Feedback> {
    let [hits, evictions] =
        FEEDBACK.map(|name| record.series.iter().find(|series| series.name == name));
    let (hits, evictions) = (hits?, evictions?);
    let correlated = correlated(hits, evictions, design.discard)?;
    let swing = |series| one(series, record, design).oscillations.first().copied();
    Some(Feedback { hit_rate_swing: swing(hits), eviction_swing: swing(evictions), ..correlated })
}

/// The cross-correlation alone.
fn correlated(hits: &RecordSeries, evictions: &RecordSeries, discard: f64) -> Option<Feedback> {
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
    let root = (hits_known.len() as f64).sqrt();
    let interval = found.correlation_interval;
    Some(Feedback {
        lag: found.lag as f64 * hits.step,
        correlation: found.correlation,
        lags: (0..found.correlations.len()).map(lag).collect(),
        band: 1.96 / root,
        lag_interval: Some(Interval {
            low: found.lag_interval.low * hits.step,
            high: found.lag_interval.high * hits.step,
        }),
        correlation_interval: Some(interval),
        is_present: found.correlation.abs() > ALL_LAGS / root
            && (interval.low > 0.0 || interval.high < 0.0),
        correlations: found.correlations,
        hit_rate_swing: None,
        eviction_swing: None,
    })
}

/// Under which load feedback begins in the default profile.
pub(super) fn feedback_start(design: &Design, tensor: &Tensor<'_>) -> FeedbackStart {
    let number = design.profile_number(&design.default_profile());
    let share = |(load, of_load): (usize, &LoadTensor<'_>)| {
        let runs = of_load.get(&number).into_iter().flatten();
        let tested = runs.filter_map(|run| {
            let [hits, evictions] =
                FEEDBACK.map(|name| run.record.series.iter().find(|series| series.name == name));
            Some(correlated(hits?, evictions?, design.discard)?.is_present)
        });
        let tested: Vec<bool> = tested.collect();
        let with_feedback = tested.iter().filter(|is_present| **is_present).count();
        FeedbackShare { load, runs: tested.len(), with_feedback }
    };
    let loads: Vec<FeedbackShare> = tensor.loads.iter().enumerate().map(share).collect();
    let tested = loads.iter().rev().filter(|share| share.runs > 0);
    let starts = tested.take_while(|share| 2 * share.with_feedback > share.runs).last();
    FeedbackStart { starts: starts.map(|share| share.load), loads }
}
