//! How answers change with the load.

use serde::{Deserialize, Serialize};

use crate::stats::Interval;

/// How answers change with the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverLoads {
    /// By load: the Price of Anarchy with its simultaneous bounds.
    pub anarchy: Vec<CurvePoint>,
    /// By load: p99 time to first token over that under the lowest load, in the default profile. An index,
    /// not a Price of Anarchy.
    pub tail_inflation: Vec<CurvePoint>,
    /// What `tail_inflation` is measured against, in a sentence.
    pub tail_inflation_against: String,
    /// Where the slope of log(p99 time to first token) against log(load) changes; null with a reason.
    pub knee: Option<KneeAnswer>,
    /// Why there is no knee.
    pub knee_missing: Option<String>,
    /// Loads below, at and above the knee; empty without a knee.
    pub regimes: Vec<Regime>,
    /// At which load cache hits and evictions begin to move together in the default profile.
    #[serde(default)]
    pub feedback: FeedbackStart,
}

/// At which load router-KV feedback begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedbackStart {
    /// By load.
    pub loads: Vec<FeedbackShare>,
    /// The lowest load, by its number, from which on most runs of the default profile that could be tested have feedback;
    /// null if there is none.
    pub starts: Option<usize>,
}

/// How many runs of the default profile have feedback under a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackShare {
    /// The load, by its number.
    pub load: usize,
    /// Runs of the default profile whose two series could be correlated.
    pub runs: usize,
    /// Those in which the correlation is present.
    pub with_feedback: usize,
}

/// A point of a curve over the loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The load, by its number.
    pub load: usize,
    /// Where it is on the axis of loads.
    pub value: f64,
    /// Null if it is not identified.
    pub point: Option<f64>,
    /// Its 95 % band.
    pub band: Option<Interval>,
    /// Why something is null.
    pub missing: Option<String>,
}

/// A knee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KneeAnswer {
    /// On the axis of loads.
    pub load: f64,
    /// 95 % interval.
    pub interval: Interval,
    /// Slope of log against log below it.
    pub slope_below: f64,
    /// 95 % interval.
    pub slope_below_interval: Interval,
    /// Slope above it.
    pub slope_above: f64,
    /// 95 % interval.
    pub slope_above_interval: Interval,
    /// How often one straight line would look as much like two.
    pub p_value: f64,
    /// Runs that it rests on.
    pub points: usize,
}

/// A regime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regime {
    /// `below`, `at` or `above` the knee.
    pub name: String,
    /// Its loads, by number.
    pub loads: Vec<usize>,
    /// Least and largest Price of Anarchy of these loads.
    pub anarchy: Option<Interval>,
    /// Least and largest tail inflation of these loads.
    pub tail_inflation: Option<Interval>,
}
