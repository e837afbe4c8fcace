//! What can be concluded from the records alone: pure functions, no I/O.

mod choice;
mod cost;

pub use choice::{Choice, judge, propensity};
pub use cost::CostFormula;
