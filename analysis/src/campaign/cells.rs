//! Measured profiles.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Cell, Estimate, MetricMean, PlayerPayoff, ReplicateAnswer};
use super::tensor::{LoadTensor, UsedRun, WholeGame, profile_of};
use crate::experiment::Design;
use crate::stats::{mean, student_interval};

/// A mean with Student's interval over blocks; `None` of nothing.
pub(super) fn estimate(values: &[f64]) -> Option<Estimate> {
    let interval = student_interval(values);
    (!values.is_empty()).then(|| Estimate { value: mean(values), interval, blocks: values.len() })
}

/// Every measured profile of a load.
pub(super) fn cells(
    design: &Design,
    tensor: &LoadTensor<'_>,
    whole: Option<&WholeGame>,
) -> Vec<Cell> {
    tensor.iter().map(|(number, runs)| cell(design, *number, runs, whole)).collect()
}

fn cell(design: &Design, number: usize, runs: &[UsedRun<'_>], whole: Option<&WholeGame>) -> Cell {
    let counts = |run: &&UsedRun<'_>| whole.is_none_or(|whole| whole.counts(run));
    let cost = |run: &UsedRun<'_>| run.record.metric(&design.welfare.cost);
    let costs: Vec<f64> = runs.iter().filter(counts).filter_map(cost).collect();
    let payoff = |player: usize| {
        let values: Vec<f64> = runs.iter().filter(counts).map(|run| run.payoffs[player]).collect();
        PlayerPayoff { mean: mean(&values), interval: student_interval(&values) }
    };
    let replicate = |run: &UsedRun<'_>| ReplicateAnswer {
        block: run.record.block,
        run: run.record.run.clone(),
        payoffs: run.payoffs.clone(),
        cost: cost(run),
    };
    Cell {
        profile: profile_of(design, number),
        payoffs: (0..design.players.len()).map(payoff).collect(),
        cost: estimate(&costs),
        metrics: metrics(runs),
        replicates: runs.iter().map(replicate).collect(),
    }
}

fn metrics(runs: &[UsedRun<'_>]) -> BTreeMap<String, MetricMean> {
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.record.metrics.keys()).collect();
    let of_metric = |name: &String| {
        let values = runs.iter().filter_map(|run| run.record.metric(name));
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let found = estimate(&values)?;
        let (mean, interval, blocks) = (found.value, found.interval, found.blocks);
        Some((name.clone(), MetricMean { mean, interval, blocks }))
    };
    names.into_iter().filter_map(of_metric).collect()
}
