//! Tables: what is kept of the records.

mod decisions;

pub(crate) use decisions::candidates;
pub use decisions::{DecisionRow, DecisionTable, FileDecisions, FullDecision, WorkerId};
