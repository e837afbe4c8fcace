//! What can be concluded from the records and the counters alone: pure, no I/O.

mod blocks;
mod choice;
mod cost;
mod departed;
mod planner;
mod regret;
mod totals;

pub use blocks::{BlockLives, Contradiction, Eviction, Gone, Meaning, PoolState, Reuse};
pub use choice::{Choice, judge, propensity};
pub use cost::{Components, CostFormula};
pub use planner::{Direction, Joined, Load, Predictions, Scalings};
pub use regret::{overlap_regret, predicted_regret};
pub(crate) use totals::Totals;
