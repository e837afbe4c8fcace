//! The direct comparison: everyone intelligent against everyone at the baseline, on the same arrivals.

use super::answer::{AgainstBaseline, Estimate, MetricRatio};
use super::cells::estimate;
use super::tensor::{LoadTensor, metric_name, paired};
use crate::experiment::Design;
use crate::stats::Interval;

/// What is compared.
const METRICS: [&str; 2] = ["ttft_p99_ms", "output_tokens_per_s"];

/// `None` if the design does not give every player a baseline and an intelligent strategy.
pub(super) fn against_baseline(
    design: &Design,
    tensor: &LoadTensor<'_>,
) -> Option<AgainstBaseline> {
    let marks: Option<Vec<(usize, usize)>> =
        design.players.iter().map(|player| Some((player.baseline?, player.intelligent?))).collect();
    let (baseline, intelligent): (Vec<usize>, Vec<usize>) = marks?.into_iter().unzip();
    let profiles = [&baseline, &intelligent].map(|profile| design.profile_number(profile));
    let ratios = METRICS.map(|metric| ratio(tensor, profiles, metric)).into();
    Some(AgainstBaseline { baseline, intelligent, ratios })
}

/// The geometric mean of the blocks' ratios, with Student's interval of their logarithms.
fn ratio(tensor: &LoadTensor<'_>, profiles: [usize; 2], metric: &str) -> MetricRatio {
    let value = |run: &super::tensor::UsedRun<'_>| {
        run.record.metric(metric).filter(|value| value.is_finite() && *value > 0.0)
    };
    let blocks = paired(tensor, &profiles, value);
    let logarithms: Vec<f64> =
        blocks.iter().map(|(_, values)| (values[1] / values[0]).ln()).collect();
    let found = estimate(&logarithms).map(|found| Estimate {
        value: found.value.exp(),
        interval: found
            .interval
            .map(|ends| Interval { low: ends.low.exp(), high: ends.high.exp() }),
        ..found
    });
    let missing = found
        .is_none()
        .then(|| format!("no block has {metric} above zero of both profiles under this load"));
    MetricRatio { metric: metric_name(metric), ratio: found, missing }
}
