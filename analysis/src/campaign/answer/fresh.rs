//! Claims that were played again.

use serde::{Deserialize, Serialize};

use super::Estimate;

/// The claims of a load, played on blocks that took no part in choosing them (`nashtrace experiment hold-out`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FreshBlocks {
    /// The load.
    pub load: usize,
    /// Runs that the hold-out asks for under this load.
    pub planned: usize,
    /// Of these, those that tell the social cost.
    pub used: usize,
    /// Whether the runs of the campaign still claim the same profiles.
    pub is_current: bool,
    /// The profile that was claimed to be the cheapest.
    pub optimum: Vec<usize>,
    /// The one that was claimed to be the costliest pure equilibrium; null if there was none.
    pub worst: Option<Vec<usize>>,
    /// The default profile.
    pub default: Vec<usize>,
    /// The equilibrium's cost by the optimum's, block by block, and the mean.
    pub anarchy: Option<Estimate>,
    /// The default's cost by the optimum's, likewise.
    pub default_over_optimum: Option<Estimate>,
}
