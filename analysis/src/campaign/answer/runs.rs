//! What became of the runs.

use serde::{Deserialize, Serialize};

use crate::experiment::RegrettedDecision;
use crate::stats::Interval;

/// What became of every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunsAnswer {
    /// Runs that the plan asks for.
    pub planned: usize,
    /// Runs that the answers rest on.
    pub used: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Runs that are left out because they did not come to rest as the others of their profile did.
    pub gated: usize,
    /// Runs without a metric that the payoffs need.
    pub incomplete: usize,
    /// Runs that were not made.
    pub missing: usize,
    /// Of the used runs, those whose series do not come to rest.
    pub restless: usize,
    /// Of the used runs, those that would be left out for their drift if blocks enough stayed whole without them.
    #[serde(default)]
    pub drifting: usize,
    /// Every planned run, in the order of the plan.
    pub list: Vec<RunAnswer>,
    /// Runs that are shown over time: by load the default profile, the cheapest and the costliest equilibrium.
    pub shown: Vec<ShownRun>,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunAnswer {
    /// Its name, which is its folder's.
    pub run: String,
    /// The load.
    pub load: usize,
    /// The block.
    pub block: usize,
    /// The profile.
    pub profile: Vec<usize>,
    /// The seed of its arrivals.
    pub seed: u64,
    /// What became of it.
    pub fate: RunFate,
    /// Why it is not used, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Records that its trace lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// Requests that count, if it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Of these, those that failed or did not end, if there are any: latencies and costs per token are of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<u64>,
    /// The tests of its series; empty if it has none.
    pub series: Vec<SeriesVerdict>,
}

/// What became of a run, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunFate {
    /// The answers rest on it.
    Used,
    /// It failed.
    Failed,
    /// It did not come to rest.
    Gated,
    /// A metric that payoffs need is missing.
    Incomplete,
    /// It was not made.
    Missing,
}

/// A series of a run under the tests of stationarity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesVerdict {
    /// The series' name.
    pub name: String,
    /// `stationary`, `break`, `unit root`, `trend`, `constant`, `inconclusive` or `too short`.
    pub nature: String,
    /// Whether it is stationary and long enough after its last change point, and does not drift as a whole; null if a
    /// test could not be done.
    pub at_rest: Option<bool>,
    /// p-value of the unit-root test after the last change point.
    pub adf_p: Option<f64>,
    /// p-value of the test of stationarity there.
    pub kpss_p: Option<f64>,
    /// Seconds of its change points.
    pub change_points: Vec<f64>,
    /// Seconds of the period, if it oscillates.
    pub period: Option<f64>,
}

/// A run over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownRun {
    /// The run.
    pub run: String,
    /// The load.
    pub load: usize,
    /// Its profile.
    pub profile: Vec<usize>,
    /// Why it is shown: `default`, `optimum`, `worst equilibrium` or `best equilibrium`.
    pub role: String,
    /// Its series.
    pub series: Vec<ShownSeries>,
    /// How its cache hit rate and its evictions move together; null if it has not both, or they are constant.
    pub feedback: Option<Feedback>,
    /// Its most regretted routing decisions, worst first; null if its record does not keep them.
    #[serde(default)]
    pub regretted: Option<Vec<RegrettedDecision>>,
}

/// A series with its marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownSeries {
    /// What.
    pub name: String,
    /// In which unit.
    pub unit: String,
    /// Seconds of the beginning of the first interval.
    pub start: f64,
    /// Seconds of an interval.
    pub step: f64,
    /// One per interval; null where nothing happened.
    pub values: Vec<Option<f64>>,
    /// Seconds of its change points.
    pub change_points: Vec<f64>,
    /// What oscillates.
    pub oscillations: Vec<ShownPeriod>,
}

/// An oscillation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShownPeriod {
    /// Seconds from one crest to the next.
    pub period: f64,
    /// Its amplitude, in the series' unit.
    pub amplitude: f64,
    /// Regularity r = T / (3 s) of Thornhill, Huang and Zhang (2003); above 1 it is regular.
    pub regularity: f64,
    /// The second at which the tested window begins.
    pub from: f64,
}

/// Router-KV feedback: cross-correlation of cache hit rate and eviction rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Seconds by which evictions follow the hit rate where the correlation is largest in size.
    pub lag: f64,
    /// The correlation there.
    pub correlation: f64,
    /// Seconds of each correlation's lag.
    pub lags: Vec<f64>,
    /// By lag.
    pub correlations: Vec<f64>,
    /// Size above which a correlation is hardly chance, one by one, at 95 %.
    pub band: f64,
    /// 95 % interval of the lag, by a block bootstrap.
    #[serde(default)]
    pub lag_interval: Option<Interval>,
    /// 95 % interval of the correlation at that lag, by the same resamples.
    #[serde(default)]
    pub correlation_interval: Option<Interval>,
    /// Whether the correlation is beyond the band of all lags together at 95 % and its interval excludes 0.
    #[serde(default)]
    pub is_present: bool,
    /// The oscillation of the cache hit rate, if it has one.
    #[serde(default)]
    pub hit_rate_swing: Option<ShownPeriod>,
    /// The oscillation of the eviction rate, if it has one.
    #[serde(default)]
    pub eviction_swing: Option<ShownPeriod>,
}
