//! What recorded assignments cost against the best in hindsight.

use super::answer::Estimate;
use super::cells::estimate;
use super::tensor::{LoadTensor, UsedRun, paired};
use crate::experiment::LEAST_EXPLAINED;
use crate::report::percent;
use crate::stats::mean;

/// Routing anarchy under one load.
pub(super) struct Routing {
    /// Over the best assignment that was found.
    pub(super) anarchy: Estimate,
    /// Over the lower bound of all assignments.
    pub(super) bound: Estimate,
    /// Profiles that both rest on.
    pub(super) profiles: usize,
}

/// The mean over the profiles whose every run tells, block by block.
///
/// # Errors
///
/// Why there is none.
pub(super) fn routing(tensor: &LoadTensor<'_>) -> Result<Routing, String> {
    let tells = |run: &UsedRun<'_>| run.record.metric("routing_anarchy").is_some();
    let profiles: Vec<usize> = tensor
        .iter()
        .filter(|(_, runs)| runs.iter().all(tells))
        .map(|(profile, _)| *profile)
        .collect();
    let of_blocks = |metric: &str| {
        let blocks = paired(tensor, &profiles, |run| run.record.metric(metric));
        estimate(&blocks.iter().map(|(_, values)| mean(values)).collect::<Vec<f64>>())
    };
    let both = (of_blocks("routing_anarchy"), of_blocks("routing_anarchy_bound"));
    match both {
        (Some(anarchy), Some(bound)) if !profiles.is_empty() => {
            Ok(Routing { anarchy, bound, profiles: profiles.len() })
        }
        _ => Err(why(tensor)),
    }
}

fn why(tensor: &LoadTensor<'_>) -> String {
    let runs = tensor.values().flatten();
    let explained = runs.filter_map(|run| run.record.metric("routing_model_explained"));
    let explained: Vec<f64> = explained.collect();
    if explained.is_empty() {
        return "it takes runs with a trace in which requests had a choice of workers in the pool that sees the prompt first"
            .to_owned();
    }
    format!(
        "in every profile some run is not explained by queues: the models explain {} of the variance of the \
         times to first token on average, and {} are needed in each run",
        percent(mean(&explained)),
        percent(LEAST_EXPLAINED)
    )
}
