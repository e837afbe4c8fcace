//! How answers change with the load.

use std::collections::BTreeMap;

use super::answer::{CurvePoint, KneeAnswer, LoadAnswer, OverLoads, Regime};
use super::cells::estimate;
use super::tensor::Tensor;
use super::verdict::{band, banded_point};
use crate::experiment::Design;
use crate::stats::{Interval, knee_of_blocks};

/// The metric whose tail is followed.
const TAIL: &str = "ttft_p99_ms";

/// Curves, knee and regimes.
pub(super) fn over_loads(design: &Design, tensor: &Tensor<'_>, loads: &[LoadAnswer]) -> OverLoads {
    let anarchy: Vec<CurvePoint> = loads.iter().map(|load| anarchy(design, load)).collect();
    let tails = tails(design, tensor);
    let tail_inflation: Vec<CurvePoint> =
        (0..design.loads.len()).map(|load| inflation(design, &tails, load)).collect();
    let found = knee_of(design, &tails);
    let regimes = match &found {
        Ok(knee) => regimes(knee, &anarchy, &tail_inflation),
        Err(_) => Vec::new(),
    };
    let lowest = design.loads.first().map_or("", |load| load.name.as_str());
    OverLoads {
        anarchy,
        tail_inflation,
        tail_inflation_against: format!(
            "{TAIL} of the default profile over that under load {lowest}, block by block: the lowest load of the design \
             stands for an unloaded system"
        ),
        knee_missing: found.as_ref().err().cloned(),
        knee: found.ok(),
        regimes,
        feedback: super::shown::feedback_start(design, tensor),
    }
}

fn point(design: &Design, load: usize) -> CurvePoint {
    let value = design.loads[load].value;
    CurvePoint { load, value, point: None, band: None, missing: None }
}

fn anarchy(design: &Design, answer: &LoadAnswer) -> CurvePoint {
    let Some(price) = answer.anarchy.first() else { return point(design, answer.load) };
    CurvePoint {
        point: banded_point(price),
        band: band(price),
        missing: price.reason.clone(),
        ..point(design, answer.load)
    }
}

/// By load: block and tail of the default profile.
fn tails(design: &Design, tensor: &Tensor<'_>) -> Vec<Vec<(usize, f64)>> {
    let number = design.profile_number(&design.default_profile());
    let of_load = |load: &super::tensor::LoadTensor<'_>| {
        let runs = load.get(&number).into_iter().flatten();
        let tail = |run: &super::tensor::UsedRun<'_>| {
            let tail = run.record.metric(TAIL).filter(|tail| tail.is_finite() && *tail > 0.0);
            Some((run.record.block, tail?))
        };
        runs.filter_map(tail).collect()
    };
    tensor.loads.iter().map(of_load).collect()
}

fn inflation(design: &Design, tails: &[Vec<(usize, f64)>], load: usize) -> CurvePoint {
    let unloaded = |block: usize| tails[0].iter().find(|(own, _)| *own == block).map(|own| own.1);
    let ratios = tails[load].iter().filter_map(|(block, tail)| Some(tail / unloaded(*block)?));
    let found = estimate(&ratios.collect::<Vec<f64>>());
    CurvePoint {
        point: found.map(|found| found.value),
        band: found.and_then(|found| found.interval),
        missing: found.is_none().then(|| {
            format!(
                "no block has {TAIL} of the default profile under this load and under the lowest"
            )
        }),
        ..point(design, load)
    }
}

fn knee_of(design: &Design, tails: &[Vec<(usize, f64)>]) -> Result<KneeAnswer, String> {
    let measured = tails.iter().zip(&design.loads).filter(|(tails, _)| !tails.is_empty());
    let loads: Vec<f64> = measured.clone().map(|(_, load)| load.value).collect();
    if let Some(load) = loads.iter().find(|load| **load <= 0.0) {
        return Err(format!("a load of {load} has no logarithm"));
    }
    let mut blocks: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for (tails, load) in measured {
        for (block, tail) in tails {
            blocks.entry(*block).or_default().push((load.value.ln(), tail.ln()));
        }
    }
    let blocks: Vec<Vec<(f64, f64)>> = blocks.into_values().collect();
    let found = knee_of_blocks(&blocks).map_err(|refusal| {
        format!("no knee from {} loads of the default profile: {refusal}", loads.len())
    })?;
    let linear =
        |interval: Interval| Interval { low: interval.low.exp(), high: interval.high.exp() };
    Ok(KneeAnswer {
        load: found.lines.knee.exp(),
        interval: linear(found.knee),
        slope_below: found.lines.slope_before,
        slope_below_interval: found.slope_before,
        slope_above: found.lines.slope_after,
        slope_above_interval: found.slope_after,
        p_value: found.p_value,
        points: blocks.iter().map(Vec::len).sum(),
    })
}

fn regimes(knee: &KneeAnswer, anarchy: &[CurvePoint], tails: &[CurvePoint]) -> Vec<Regime> {
    let place = |value: f64| match value {
        value if value < knee.interval.low => "below",
        value if value > knee.interval.high => "above",
        _ => "at",
    };
    let regime = |name: &str| {
        let inside = |point: &&CurvePoint| place(point.value) == name;
        Regime {
            name: name.to_owned(),
            loads: anarchy.iter().filter(inside).map(|point| point.load).collect(),
            anarchy: range(anarchy.iter().filter(inside)),
            tail_inflation: range(tails.iter().filter(inside)),
        }
    };
    ["below", "at", "above"].map(regime).into()
}

fn range<'a>(points: impl Iterator<Item = &'a CurvePoint>) -> Option<Interval> {
    let points = points.filter_map(|point| point.point);
    points
        .map(|point| Interval { low: point, high: point })
        .reduce(|all, own| Interval { low: all.low.min(own.low), high: all.high.max(own.high) })
}
