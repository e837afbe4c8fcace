//! What `analysis.json` holds.
//!
//! Players, strategies, loads and blocks are given by number, as in the design; profiles are lists with one strategy
//! per player. What could not be answered is null, and a sentence beside it says why.

mod fresh;
mod load;
mod over_loads;
mod pareto;
mod price;
mod runs;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use fresh::FreshBlocks;
pub use load::{
    AgainstBaseline, BestResponseCycle, BestResponses, Cell, Coalition, Commitment, Continuum,
    EquilibriaAnswer, EquilibriumAnswer, LoadAnswer, MetricMean, MetricRatio, Move, Oscillating,
    PlayerPayoff, PotentialAnswer, RegretAnswer, ReplicateAnswer, ShapleyPlayer, ShapleyValues,
    Stackelberg,
};
pub use over_loads::{CurvePoint, FeedbackShare, FeedbackStart, KneeAnswer, OverLoads, Regime};
pub use pareto::{ObjectiveAnswer, ParetoAnswer, ParetoPoint, SameObjectives};
pub use price::{
    Anarchy, Gap, HoldOut, HoldOutWay, NullCalibration, PriceRow, Sensitivity, Subgame,
};
pub use runs::{
    Feedback, RunAnswer, RunFate, RunsAnswer, SeriesVerdict, ShownPeriod, ShownRun, ShownSeries,
};

use crate::stats::Interval;

/// Version of [`Analysis`].
pub const SCHEMA_VERSION: u32 = 1;

/// The answers of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// One or two sentences.
    pub verdict: String,
    /// What a reader must know before he believes the numbers, weightiest first.
    pub doubts: Vec<Doubt>,
    /// What was asked.
    pub design: DesignAnswer,
    /// What became of every run.
    pub runs: RunsAnswer,
    /// By load, by rising value.
    pub loads: Vec<LoadAnswer>,
    /// How answers change with the load.
    pub over_loads: OverLoads,
    /// Runs that would check claims on blocks that no claim was chosen on.
    pub held_out_runs: Vec<HeldOutRun>,
    /// What such runs said; empty if none were made.
    #[serde(default)]
    pub fresh_blocks: Vec<FreshBlocks>,
    /// Where the numbers come from.
    pub provenance: Provenance,
}

/// A doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What is in doubt, in a word: `runs`, `equilibria`, `anarchy`, ...
    pub about: String,
    /// 3: the headline may be wrong; 2: an answer may be wrong; 1: read with care.
    pub weight: u8,
    /// The load that it is about; null for all.
    pub load: Option<usize>,
    /// In plain words.
    pub sentence: String,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesignAnswer {
    /// The design's name.
    pub name: String,
    /// What it asks.
    pub description: String,
    /// How runs were made: `lab` (simulated time) or `command`.
    pub driver: String,
    /// Who plays.
    pub players: Vec<PlayerAnswer>,
    /// Profiles that the strategies allow.
    pub profiles: usize,
    /// Under which loads.
    pub loads: Vec<LoadName>,
    /// What `value` of a load counts.
    pub load_unit: String,
    /// Blocks: arrival traces, each replayed under every profile.
    pub blocks: usize,
    /// Leading share of a run's requests that does not count.
    pub discard: f64,
    /// The social cost.
    pub welfare: MetricName,
    /// Others that are reported beside it.
    pub also: Vec<MetricName>,
    /// The player that commits first.
    pub leader: Option<usize>,
    /// The default profile.
    pub default: Vec<usize>,
}

/// A player.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlayerAnswer {
    /// Its name.
    pub name: String,
    /// The names of its strategies.
    pub strategies: Vec<String>,
    /// Its default.
    pub default: usize,
    /// What it does outside a coalition.
    pub baseline: Option<usize>,
    /// What it does as a member of a coalition.
    pub intelligent: Option<usize>,
    /// The terms of its utility, which add up.
    pub utility: Vec<Term>,
}

/// A term of a utility: weight x metric / reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The metric.
    pub metric: MetricName,
    /// Its weight.
    pub weight: f64,
    /// What the metric is divided by; null if it is not known, and then there are no payoffs.
    pub reference: Option<f64>,
    /// Where the reference comes from: `given`, or a sentence.
    pub reference_from: String,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricName {
    /// Its name.
    pub name: String,
    /// Its unit; empty for shares and plain numbers.
    pub unit: String,
}

/// A load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadName {
    /// Its name.
    pub name: String,
    /// Where it is on the axis of loads.
    pub value: f64,
}

/// A run to be made on a block that took no part in choosing what it checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOutRun {
    /// The load.
    pub load: usize,
    /// The profile.
    pub profile: Vec<usize>,
    /// What it was claimed to be: `optimum`, `worst equilibrium` or `default`.
    pub claim: String,
    /// Blocks beyond those of the design, by number.
    pub blocks: Vec<usize>,
}

/// Where the numbers come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// XXH3 of the design and its scenario.
    pub design_hash: String,
    /// The design's seed.
    pub design_seed: u64,
    /// The seed of everything random in the analysis.
    pub seed: u64,
    /// Resamples of the blocks.
    pub resamples: usize,
    /// The version of this program.
    pub nashtrace: String,
    /// Versions of what made the used runs' traces, by program; several where they differ.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Records of the decisions, events and blocks that the runs' traces hold.
    pub records: u64,
    /// Records that were lost.
    pub lost: u64,
    /// Used runs that have no trace.
    pub runs_without_trace: usize,
    /// Whether the time limit cut something short; what, in sentences.
    pub cut_short: Vec<String>,
    /// Which formulas are ours and not from the literature.
    pub ours: Vec<String>,
}

/// A number with its interval and sample size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its 95 % interval; null of a single block.
    pub interval: Option<Interval>,
    /// Blocks that it rests on.
    pub blocks: usize,
}
