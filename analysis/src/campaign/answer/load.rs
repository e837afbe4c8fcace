//! The game under one load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Anarchy, Estimate, HoldOut, MetricName, NullCalibration, ParetoAnswer, Sensitivity};
use crate::stats::Interval;

/// The game under one load. Sections that need the whole payoff tensor are null while profiles are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadAnswer {
    /// The load, by its number.
    pub load: usize,
    /// Every profile that was measured, by rising number.
    pub cells: Vec<Cell>,
    /// Profiles without a usable run.
    pub missing_profiles: Vec<Vec<usize>>,
    /// Why the whole game is not known, in a sentence.
    pub not_identified: Option<String>,
    /// Blocks in which every profile was measured: what paired intervals rest on.
    pub whole_blocks: usize,
    /// Which runs the point values of the game rest on: `whole blocks`, or `profile and block effects`, fitted to all runs
    /// where less than two blocks are whole, with ` (unlinked)` where some profiles share no block with others. Null
    /// while profiles are missing.
    #[serde(default)]
    pub points_from: Option<String>,
    /// Where a player would go, as far as payoffs are known.
    pub best_responses: BestResponses,
    /// What each player could gain by leaving the default profile alone.
    pub regret: Vec<RegretAnswer>,
    /// Equilibria.
    pub equilibria: Option<EquilibriaAnswer>,
    /// Commitment by the leader.
    pub stackelberg: Option<Stackelberg>,
    /// Why there is no commitment.
    pub stackelberg_missing: Option<String>,
    /// What each player brings, between baseline and intelligent strategies.
    pub shapley: Option<ShapleyValues>,
    /// Why there are no Shapley values.
    pub shapley_missing: Option<String>,
    /// Everyone intelligent against everyone at the baseline; null if the design does not mark both for every player.
    #[serde(default)]
    pub intelligent_against_baseline: Option<AgainstBaseline>,
    /// Price of Anarchy and of Stability: the design's cost first, then the others.
    pub anarchy: Vec<Anarchy>,
    /// How near the game is to one with a potential.
    pub potential: Option<PotentialAnswer>,
    /// The Pareto front; null without objectives.
    pub pareto: Option<ParetoAnswer>,
    /// How answers hang on the set of strategies.
    pub sensitivity: Option<Sensitivity>,
    /// Claims chosen on half of the blocks and valued on the other; null with less than four whole blocks.
    pub hold_out: Option<HoldOut>,
    /// What the same code says of data in which nothing differs.
    pub null_calibration: Option<NullCalibration>,
    /// Realised cost of the recorded assignments over the best found in hindsight, under a fitted congestion
    /// model: each block's mean over profiles, and their mean.
    pub routing_anarchy: Option<Estimate>,
    /// The same over the lower bound of the relaxed problem, which no assignment is below.
    #[serde(default)]
    pub routing_anarchy_bound: Option<Estimate>,
    /// Profiles that both rest on: those whose every run has a model that explains what was seen.
    #[serde(default)]
    pub routing_anarchy_profiles: usize,
    /// Why it is not known.
    pub routing_anarchy_missing: Option<String>,
}

/// A measured profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The profile.
    pub profile: Vec<usize>,
    /// By player.
    pub payoffs: Vec<PlayerPayoff>,
    /// The social cost: the first metric of welfare.
    pub cost: Option<Estimate>,
    /// Every metric that its runs tell, by name.
    pub metrics: BTreeMap<String, MetricMean>,
    /// Its runs, by block.
    pub replicates: Vec<ReplicateAnswer>,
}

/// A player's payoff.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlayerPayoff {
    /// Mean over the blocks that the game's point values rest on.
    pub mean: f64,
    /// 95 % interval of the mean; null of one block.
    pub interval: Option<Interval>,
}

/// A metric's mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricMean {
    /// Mean over the blocks that tell.
    pub mean: f64,
    /// 95 % interval; null of one block.
    pub interval: Option<Interval>,
    /// Blocks that tell.
    pub blocks: usize,
}

/// One run of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicateAnswer {
    /// The block.
    pub block: usize,
    /// The run.
    pub run: String,
    /// By player.
    pub payoffs: Vec<f64>,
    /// The social cost.
    pub cost: Option<f64>,
}

/// The graph of best responses over pure profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestResponses {
    /// Moves of one player to a strategy that gains most, where something is gained and all its strategies are known.
    pub moves: Vec<Move>,
    /// Profiles that nobody gains by leaving.
    pub rest_points: Vec<Vec<usize>>,
    /// Ways round, one per set of profiles that reach each other; null while profiles are missing.
    pub cycles: Option<Vec<BestResponseCycle>>,
}

/// A move to a best response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// From this profile.
    pub from: Vec<usize>,
    /// To this one.
    pub to: Vec<usize>,
    /// Who moves.
    pub player: usize,
    /// What it gains, paired over blocks; without an interval, and of 0 blocks, where it is fitted.
    pub gain: Estimate,
}

/// A way round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestResponseCycle {
    /// A shortest way round.
    pub cycle: Vec<Vec<usize>>,
    /// How many profiles reach each other.
    pub profiles: usize,
    /// Whether no best response leads out.
    pub is_sink: bool,
    /// Whether the runs of the cycle's profiles oscillate.
    pub oscillating: Oscillating,
    /// The same of the runs of all other profiles.
    pub elsewhere: Oscillating,
}

/// How many runs oscillate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oscillating {
    /// Runs whose series were tested.
    pub tested: usize,
    /// Of these, those with an oscillation in some series.
    pub oscillating: usize,
}

/// What a player could gain by leaving the default profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegretAnswer {
    /// The player.
    pub player: usize,
    /// Its best strategy against the others' defaults; null if nothing is known.
    pub best: Option<usize>,
    /// The largest gain of the means; never below 0.
    pub point: Option<f64>,
    /// The strategy chosen on some blocks, its gain taken on the others: without the winner's curse. Null with less
    /// than two blocks.
    pub cross_fitted: Option<f64>,
    /// At 95 %, simultaneous over the player's strategies.
    pub interval: Option<Interval>,
    /// Blocks that have all these profiles.
    pub blocks: usize,
    /// Strategies whose profile was not measured.
    pub missing: Vec<usize>,
}

/// Equilibria of the means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EquilibriaAnswer {
    /// Pure ones first.
    pub list: Vec<EquilibriumAnswer>,
    /// Continua.
    pub continua: Vec<Continuum>,
    /// `complete`, `complete up to degeneracy` or `N found`.
    pub completeness: String,
    /// Why it is not simply complete.
    pub reasons: Vec<String>,
    /// Profiles that may be pure equilibria, with 95 % probability of all together; null with less than three whole
    /// blocks.
    pub possible: Option<Vec<Vec<usize>>>,
    /// Profiles that are pure equilibria for certain, likewise.
    pub certain: Option<Vec<Vec<usize>>>,
    /// Pure profiles that nobody gains more by leaving than one standard error of that gain.
    pub within_one_standard_error: Option<Vec<Vec<usize>>>,
    /// Share of resampled blocks without a pure equilibrium.
    pub without_pure: Option<f64>,
}

/// An equilibrium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EquilibriumAnswer {
    /// One probability per strategy of each player.
    pub mixture: Vec<Vec<f64>>,
    /// The profile, if it is pure.
    pub pure: Option<Vec<usize>>,
    /// What each player gets.
    pub payoffs: Vec<f64>,
    /// Expected social cost.
    pub cost: Option<f64>,
    /// What a player could gain at most by leaving: rounding.
    pub regret: f64,
    /// `exact`, `interval`, `interval_tied` or `numerical`.
    pub certificate: String,
    /// Index of the equilibrium, if known.
    pub index: Option<i8>,
    /// Whether all best responses are played.
    pub is_strict: bool,
    /// The continuum that it is part of.
    pub continuum: Option<usize>,
    /// Share of resampled blocks whose game has an equilibrium with the same support; null with less than two
    /// whole blocks, or if time or the size of the support forbade.
    pub frequency: Option<f64>,
}

/// A continuum of equilibria.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Continuum {
    /// Its dimension.
    pub dimension: usize,
    /// Points of it.
    pub points: Vec<Vec<Vec<f64>>>,
    /// Whether the points are all its corners.
    pub is_hull: bool,
}

/// Commitment to a pure strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stackelberg {
    /// Who commits.
    pub leader: usize,
    /// The best commitment if the others settle where the leader likes it most.
    pub optimistic: Option<Commitment>,
    /// If they settle where it likes it least.
    pub pessimistic: Option<Commitment>,
    /// Strategies of the leader that leave the others without a pure equilibrium.
    pub unanswered: Vec<usize>,
    /// The best commitment to a mixture, by optimists; null if no mixture leaves a pure equilibrium.
    pub mixed_optimistic: Option<f64>,
    /// What the leader gets in its best pure equilibrium without commitment; null if there is none.
    pub best_equilibrium: Option<f64>,
}

/// A commitment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commitment {
    /// Where play settles.
    pub profile: Vec<usize>,
    /// What the leader gets there.
    pub value: Estimate,
    /// The social cost there.
    pub cost: Option<f64>,
}

/// Shapley values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShapleyValues {
    /// By player.
    pub players: Vec<ShapleyPlayer>,
    /// The value of every coalition: the sum of all payoffs.
    pub coalitions: Vec<Coalition>,
    /// What pairs add beyond what each adds, by player and player.
    pub interactions: Vec<Vec<f64>>,
    /// Whether no coalition gets more alone; null of one player.
    pub in_core: Option<bool>,
    /// Blocks that intervals rest on.
    pub blocks: usize,
}

/// A player's share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapleyPlayer {
    /// The player.
    pub player: usize,
    /// Its Shapley value, in units of utility.
    pub value: f64,
    /// 95 % interval from paired blocks.
    pub interval: Option<Interval>,
}

/// A coalition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coalition {
    /// Its members; empty of nobody.
    pub members: Vec<usize>,
    /// The profile that it plays.
    pub profile: Vec<usize>,
    /// Its value.
    pub value: f64,
}

/// Everyone intelligent against everyone at the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgainstBaseline {
    /// The profile in which all play their baseline.
    pub baseline: Vec<usize>,
    /// The profile in which all play their intelligent strategy.
    pub intelligent: Vec<usize>,
    /// `ttft_p99_ms`, which is better below 1, and `output_tokens_per_s`, which is better above 1.
    pub ratios: Vec<MetricRatio>,
}

/// A metric of one profile over that of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRatio {
    /// The metric.
    pub metric: MetricName,
    /// The geometric mean of the blocks' ratios, intelligent over baseline, with the 95 % interval of paired blocks.
    pub ratio: Option<Estimate>,
    /// Why there is none.
    pub missing: Option<String>,
}

/// How near the game is to one with a potential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PotentialAnswer {
    /// Whether the means have an exact potential.
    pub exact: bool,
    /// The largest sum of gains round a cycle of four moves.
    pub violation: f64,
    /// Its corners.
    pub violating_cycle: Option<Vec<Vec<usize>>>,
    /// Whether the means have an ordinal potential.
    pub ordinal: bool,
    /// Of what players can influence, the share that the nearest potential explains.
    pub potential_share: Option<f64>,
    /// The share that is pure circling.
    pub harmonic_share: Option<f64>,
    /// Squared norm of the harmonic part.
    pub harmonic_norm: Option<f64>,
    /// What noise alone adds to it.
    pub noise_floor: Option<f64>,
    /// How often noise alone would give such a harmonic part; null with less than two whole blocks.
    pub harmonic_p: Option<f64>,
    /// The nearest potential by profile number, mean 0.
    pub potential: Vec<f64>,
    /// In a sentence: potential game within the noise, or not.
    pub sentence: String,
}
