//! What the simulator itself counted in each tier of KV blocks, to hold against the trace.

use dynamo_mocker::replay::TraceSimulationReport;
use serde::Serialize;

/// Blocks that came to a tier and blocks that were evicted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// Blocks that came; of the disk the simulator does not tell.
    pub stored: Option<u64>,
    /// Blocks that were evicted.
    pub evicted: u64,
}

/// The tiers of all workers together. Device and host are counted in what the workers told their router,
/// which decode workers of a disaggregated cluster do not; every worker tells of a block in a host tier
/// that they share. The disk is counted in the simulator's own report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tiers {
    /// Device memory.
    pub g1: Blocks,
    /// Host memory.
    pub g2: Blocks,
    /// Disk, if there is one.
    pub g3: Option<Blocks>,
}

impl Blocks {
    fn with(self, other: Self) -> Self {
        Self {
            stored: self.stored.zip(other.stored).map(|(one, other)| one + other),
            evicted: self.evicted + other.evicted,
        }
    }
}

impl Tiers {
    /// These and those of other workers.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            g1: self.g1.with(other.g1),
            g2: self.g2.with(other.g2),
            g3: self.g3.zip(other.g3).map(|(one, other)| one.with(other)),
        }
    }

    /// Of the simulation that this thread has just played.
    #[cfg(feature = "instrumented")]
    #[must_use]
    pub fn of(report: &TraceSimulationReport) -> Option<Self> {
        use dynamo_mocker::replay::nashtrace_replay::{Told, take_published};
        let blocks = |told: Told| Blocks { stored: Some(told.stored), evicted: told.removed };
        let published = take_published();
        Some(Self {
            g1: blocks(published.device),
            g2: blocks(published.host),
            g3: report.g3_offload.as_ref().map(|g3| Blocks { stored: None, evicted: g3.evictions }),
        })
    }

    /// Nothing: unpatched, the simulator does not tell.
    #[cfg(not(feature = "instrumented"))]
    #[must_use]
    pub fn of(_report: &TraceSimulationReport) -> Option<Self> {
        None
    }
}
