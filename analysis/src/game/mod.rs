//! What a decision cost, and what a sequence of decisions does to the workers: pure functions.

mod herding;
mod regret;

pub use herding::{Herding, gini};
pub use regret::{overlap_regret, predicted_regret};
