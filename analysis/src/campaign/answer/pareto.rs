//! The Pareto front of a load.

use serde::{Deserialize, Serialize};

use super::MetricName;
use crate::stats::Interval;

/// The Pareto front over the measured profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParetoAnswer {
    /// The objectives.
    pub objectives: Vec<ObjectiveAnswer>,
    /// Every measured profile.
    pub points: Vec<ParetoPoint>,
    /// The volume that the front dominates up to the reference point; null with a reason.
    pub hypervolume: Option<f64>,
    /// 95 % interval over resampled blocks, bias-corrected and accelerated; null of less than five whole blocks.
    pub hypervolume_interval: Option<Interval>,
    /// Why there is no volume.
    pub hypervolume_missing: Option<String>,
    /// Objectives that are in fact one.
    pub same: Vec<SameObjectives>,
}

/// An objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveAnswer {
    /// The metric.
    pub metric: MetricName,
    /// `min` or `max`.
    pub direction: String,
    /// The reference point's value, if the design gives one.
    pub reference: Option<f64>,
}

/// A profile among the objectives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParetoPoint {
    /// The profile.
    pub profile: Vec<usize>,
    /// Means, by objective.
    pub means: Vec<f64>,
    /// Standard errors, by objective; null of one block.
    pub standard_errors: Vec<Option<f64>>,
    /// Whether nothing dominates it.
    pub on_front: bool,
    /// Share of resamples of whole blocks in which nothing dominates it; null of one block.
    pub membership: Option<f64>,
    /// Whether it belongs to the front for sure: in at least 95 % of the resamples; null of one block.
    #[serde(default)]
    pub is_sure: Option<bool>,
    /// 95 % intervals of the means, by objective: bias-corrected and accelerated; null of less than five blocks.
    #[serde(default)]
    pub intervals: Vec<Option<Interval>>,
    /// Whether it is on the front at the resolution of the measurement: two standard errors per objective; null of
    /// one block.
    pub on_epsilon_front: Option<bool>,
}

/// Two objectives that are in fact one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SameObjectives {
    /// The objectives, by number.
    pub objectives: [usize; 2],
    /// Their rank correlation over the profiles, each turned so that less is better.
    pub rank_correlation: f64,
}
