//! The Price of Anarchy under one load, and what it hangs on.

use serde::{Deserialize, Serialize};

use super::{Estimate, MetricName};
use crate::stats::Interval;

/// Price of Anarchy and of Stability for one social cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anarchy {
    /// The social cost.
    pub cost: MetricName,
    /// `identified`, `point only`, `NOT IDENTIFIED`, `UNBOUNDED` or `NO SOCIAL COST`.
    pub verdict: String,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// Costliest equilibrium found over the optimum.
    pub anarchy: Option<f64>,
    /// Cheapest equilibrium found over the optimum.
    pub stability: Option<f64>,
    /// Rows: stability of pure equilibria, anarchy of pure equilibria, anarchy of all equilibria, worst
    /// correlated, worst coarse correlated, smoothness bound.
    pub rows: Vec<PriceRow>,
    /// The mean of the resamples' Price of Anarchy minus the point: how far noise shifts it.
    pub noise_shift: Option<f64>,
    /// The cheapest profile.
    pub optimum: Option<Vec<usize>>,
    /// Its cost.
    pub optimum_cost: Option<Estimate>,
    /// The costliest equilibrium, by its place in the list; null if it lies on a continuum that is not listed.
    pub worst_equilibrium: Option<usize>,
    /// The cheapest equilibrium, likewise.
    pub best_equilibrium: Option<usize>,
    /// The additive gap, in the cost's unit.
    pub gap: Option<Gap>,
}

/// One way to bound the price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRow {
    /// `stability_pure`, `anarchy_pure`, `anarchy_all`, `worst_correlated`, `worst_coarse_correlated` or
    /// `smoothness`.
    pub name: String,
    /// The point value.
    pub point: Option<f64>,
    /// 95 % bounds, simultaneous over all profiles.
    pub simultaneous: Option<Interval>,
    /// 95 % percentiles over resampled blocks: a spread, not an interval of known coverage.
    pub bootstrap: Option<Interval>,
}

/// Cost of the costliest pure equilibrium minus that of the optimum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// In the cost's unit, paired over blocks; the choice of the two profiles is not in its interval.
    pub gap: Estimate,
    /// The costliest pure equilibrium.
    pub worst: Vec<usize>,
}

/// How answers hang on the set of strategies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// Each strategy left out in turn.
    pub without: Vec<Subgame>,
    /// So many strategies per player, spread evenly: 3, 5, 7, as far as the design has them.
    pub sizes: Vec<Subgame>,
}

/// The game with some strategies only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgame {
    /// The player whose strategy is left out.
    pub player: Option<usize>,
    /// The strategy that is left out.
    pub strategy: Option<usize>,
    /// The most strategies of a player.
    pub size: usize,
    /// Kept strategies, by player.
    pub kept: Vec<Vec<usize>>,
    /// Pure equilibria, numbered as in the whole game.
    pub pure: Vec<Vec<usize>>,
    /// Price of Anarchy over the equilibria found.
    pub anarchy: Option<f64>,
    /// Its simultaneous bounds over pure equilibria.
    pub bounds: Option<Interval>,
    /// `complete`, ...
    pub completeness: String,
}

/// Claims chosen on half of the blocks and valued on the other half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldOut {
    /// Both ways.
    pub ways: Vec<HoldOutWay>,
    /// The mean of both ways' ratios on blocks that took no part in the choice.
    pub anarchy: Option<f64>,
}

/// One way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldOutWay {
    /// Blocks that the choice was made on, by their number.
    pub chosen_on: Vec<usize>,
    /// The cheapest profile there.
    pub optimum: Vec<usize>,
    /// The costliest pure equilibrium there; null if there is none.
    pub worst: Option<Vec<usize>>,
    /// Price of Anarchy where it was chosen.
    pub anarchy_there: Option<f64>,
    /// The same two profiles' ratio of costs on the other blocks.
    pub anarchy_held_out: Option<f64>,
    /// What some player gains at most by leaving that equilibrium on the other blocks.
    pub regret_held_out: Option<f64>,
}

/// What the same code says of data in which nothing differs: each block's deviations from the profiles' means,
/// dealt out anew to the profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullCalibration {
    /// Data sets.
    pub data_sets: usize,
    /// Of these, those with a pure equilibrium.
    pub identified: usize,
    /// Median of the naive Price of Anarchy.
    pub median: Option<f64>,
    /// Its 95 % quantile.
    pub quantile_95: Option<f64>,
    /// Share of data sets whose simultaneous lower bound is above 1: claims of anarchy where there is none. Null
    /// with less than three whole blocks.
    pub false_claims: Option<f64>,
    /// Share of data sets whose naive price is at least the observed one.
    pub p_value: Option<f64>,
}
