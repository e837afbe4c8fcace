//! What a reader must know before he believes the numbers, and how to read them.

use std::collections::BTreeSet;

use super::Report;
use crate::answers::RegretAnswer;
use crate::load::{FileFacts, deleted_files};
use crate::tables::DecisionTable;

/// What is missing from the files of a run.
pub(super) fn of_files<'a>(files: impl Iterator<Item = &'a FileFacts> + Clone) -> Vec<String> {
    let mut warnings = deleted_files(files.clone());
    let mut hosts = BTreeSet::new();
    for facts in files {
        warnings.extend(facts.missing_sentences());
        hosts.insert(facts.header.host.as_str());
    }
    if hosts.len() > 1 {
        warnings.push(format!(
            "the run was recorded on {} hosts, whose clocks may differ: the order of decisions of \
             different hosts, and with it windows and runs, is only as good as their clocks",
            hosts.len()
        ));
    }
    warnings
}

/// What an answer cannot know.
pub(super) fn of_answer(answer: &RegretAnswer, table: &DecisionTable) -> Vec<String> {
    let mut warnings = Vec::new();
    if table.on_clock.iter().all(|count| *count > 0) {
        warnings.push(
            "some decisions are on simulated time and some on machine time: their order is not \
             meaningful"
                .into(),
        );
    }
    let unknown = answer.all.predicted.unknown.max(answer.all.overlap.unknown);
    if unknown > 0 {
        warnings.push(format!(
            "{unknown} decisions have a cost or an overlap that is not a finite number; the summaries \
             leave them out"
        ));
    }
    let joined: u64 = answer.pools.iter().filter_map(|pool| pool.realised).map(|r| r.joined).sum();
    let without = answer.all.decisions - joined;
    if joined > 0 && without > 0 {
        warnings.push(format!(
            "the outcomes of {without} decisions are not known; latencies are those of the others"
        ));
    }
    warnings
}

/// Several runs are not one experiment.
pub(super) fn of_several_runs(count: usize) -> Vec<String> {
    vec![format!(
        "these are {count} runs taken together, which have no common time and no common workers: see \
         each in runs"
    )]
}

/// How to read the numbers of a report.
pub(super) fn of_reading(report: &Report) -> Vec<String> {
    let all = &report.answer.all;
    let mut notes = Vec::new();
    if all.decisions == 0 {
        return notes;
    }
    if all.predicted.max == 0.0 {
        notes.push(if all.highest_temperature == 0.0 {
            "Predicted regret is 0 throughout: at temperature 0 the router takes the lowest of its own \
             costs, so only the overlap regret can tell decisions apart."
                .into()
        } else {
            format!(
                "Predicted regret is 0 throughout, although the temperature is up to {}: the draws all \
                 fell on the lowest cost.",
                all.highest_temperature
            )
        });
    }
    if report.answer.pools.iter().all(|pool| pool.realised.is_none()) {
        notes.push("No outcomes were given, so nothing is said about latencies.".into());
    }
    if report.answer.pools.len() > 1 {
        notes.push(
            "Pools are different games: shares, windows and correlations are given for each."
                .into(),
        );
    }
    notes.push(
        "Intervals are 95 %: of means by a circular block bootstrap with blocks as long as the \
         decisions' dependence asks for, of quantiles from order statistics and of rank correlations by \
         Fisher's transformation, both taking decisions as independent. Shares, Gini coefficients, \
         runs, totals and extremes are counts of this trace and have none. --json has all intervals."
            .into(),
    );
    notes
}
