//! Tables: what is kept of the records.

mod blocks;
mod decisions;
mod planner;
mod planner_history;
mod transfers;

pub use blocks::{BlockRow, FileBlocks, ProcessBlocks, by_process};
pub(crate) use decisions::candidates;
pub use decisions::{DecisionRow, DecisionTable, FileDecisions, FullDecision, WorkerId};
pub use planner::{ComponentRow, FilePlanner, OutcomeRow, PlannerTable, TickRow};
pub use planner_history::{ChangeRow, ScalingRow};
pub use transfers::{FileTransfers, TransferRow};
