//! Requests that somebody measured, joined to the decisions about them.

use std::collections::{BTreeMap, HashSet};

use super::Group;
use crate::load::{Measurement, RequestRow};
use crate::tables::{DecisionRow, DecisionTable, WorkerId};

/// What the measured requests say about the decisions of a trace.
#[derive(Debug, Clone)]
pub struct JoinedAnswer {
    /// Measured requests that count.
    pub requests: u64,
    /// Those that have an id.
    pub with_id: u64,
    /// Those that the trace has a tracked decision of.
    pub matched: u64,
    /// Tracked decisions.
    pub decisions: u64,
    /// Those whose request was measured.
    pub joined: u64,
    /// Joined decisions by the worker that was chosen.
    pub by_worker: Vec<(WorkerId, Group)>,
    /// Joined decisions that took the lowest cost.
    pub without_regret: Group,
    /// Joined decisions that did not.
    pub with_regret: Group,
}

impl JoinedAnswer {
    /// Join a table that was made with the outcomes of a measurement.
    #[must_use]
    pub fn of(table: &DecisionTable, measurement: &Measurement) -> Self {
        let decided: HashSet<u64> = table.tracked().map(|row| row.request).collect();
        let counted = measurement.counted();
        let keys = |row: &RequestRow| [row.key, row.client_key];
        let has_id = |row: &&RequestRow| keys(row).iter().any(Option::is_some);
        let is_decided =
            |row: &&RequestRow| keys(row).iter().flatten().any(|key| decided.contains(key));
        let measured: HashSet<u64> = counted.iter().flat_map(keys).flatten().collect();
        let joined: Vec<&DecisionRow> =
            table.tracked().filter(|row| measured.contains(&row.request)).collect();
        let mut by_worker: BTreeMap<WorkerId, Vec<&DecisionRow>> = BTreeMap::new();
        for row in &joined {
            by_worker.entry(row.chosen).or_default().push(row);
        }
        let of_worker = |(worker, rows): (WorkerId, Vec<&DecisionRow>)| (worker, Group::of(&rows));
        let (with_regret, without_regret): (Vec<&DecisionRow>, Vec<&DecisionRow>) = joined
            .iter()
            .copied()
            .filter(|row| row.predicted.is_finite())
            .partition(|row| row.predicted > 0.0);
        Self {
            requests: counted.len() as u64,
            with_id: counted.iter().filter(has_id).count() as u64,
            matched: counted.iter().filter(is_decided).count() as u64,
            decisions: table.tracked().count() as u64,
            joined: joined.len() as u64,
            by_worker: by_worker.into_iter().map(of_worker).collect(),
            without_regret: Group::of(&without_regret),
            with_regret: Group::of(&with_regret),
        }
    }
}
