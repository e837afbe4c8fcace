//! Counts of moves, by what happened, why, and between which tiers.

use std::collections::BTreeMap;

use kvbm_engine::LogicalLayoutHandle;

/// Blocks that moved or were to, and copies; by name.
#[derive(Default, Clone)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Add to the count of a name. None is kept that is zero.
    pub fn add(&mut self, name: String, count: usize) {
        if count > 0 {
            *self.0.entry(name).or_default() += count as u64;
        }
    }

    /// The counts, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

/// Between two tiers, as both sides of the comparison name it.
pub fn route(from: LogicalLayoutHandle, to: LogicalLayoutHandle) -> String {
    format!("{from:?} to {to:?}").to_lowercase()
}
