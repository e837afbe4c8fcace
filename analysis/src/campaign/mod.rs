//! From the runs of a campaign to its answers.

mod answer;

pub use answer::*;
