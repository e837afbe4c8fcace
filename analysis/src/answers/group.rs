//! What decisions of a group have in common.

use crate::stats::Estimate;
use crate::tables::DecisionRow;

/// A group of decisions, for instance those for one worker.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Decisions.
    pub decisions: u64,
    /// Mean predicted regret, KV blocks.
    pub predicted: Estimate,
    /// Mean overlap regret, KV blocks.
    pub overlap: Estimate,
    /// Mean time to first token of the requests whose outcome is known, milliseconds.
    pub ttft_ms: Estimate,
    /// Mean end-to-end latency of the requests whose outcome is known, milliseconds.
    pub e2e_ms: Estimate,
}

impl Group {
    /// Describe decisions in time order.
    pub(super) fn of(rows: &[&DecisionRow]) -> Self {
        let estimate =
            |pick: fn(&DecisionRow) -> f64| Estimate::of(rows.iter().map(|row| pick(row)));
        Self {
            decisions: rows.len() as u64,
            predicted: estimate(|row| row.predicted),
            overlap: estimate(|row| row.overlap),
            ttft_ms: estimate(|row| row.ttft_ms),
            e2e_ms: estimate(|row| row.e2e_ms),
        }
    }
}
