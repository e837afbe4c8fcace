//! What a decision cost, and what a sequence of decisions does to the workers: pure functions.

mod herding;

pub use herding::{Herding, gini};
pub use nashtrace::state::{overlap_regret, predicted_regret};
