//! The design of an experiment: a TOML file.
//!
//! ```toml
//! name = "three-players"
//! seed = 1
//! blocks = 10                    # arrival traces; each one is replayed under every profile
//! plan = "factorial"             # or { latin = PROFILES }, or { adaptive = RUNS }
//! discard = 0.1                  # leading share of the requests that does not count
//!
//! [driver]
//! kind = "lab"
//! scenario = "scenario.toml"     # strategies and loads overwrite its keys
//!
//! [[players]]
//! name = "router"
//! default = "balanced"           # the profile whose regret is reported
//! utility = { ttft_p95_ms = -1.0, cache_hit_rate = 1.0 }
//! [[players.strategies]]
//! name = "balanced"
//! set = { "router.overlap_score_credit" = 1.0 }
//!
//! [[loads]]
//! name = "low"
//! value = 19.0
//! set = { "arrivals.rate" = 19.0 }
//!
//! [welfare]
//! cost = "e2e_ms_per_output_token"
//! ```

mod check;
mod driver;
mod driver_check;
mod file;
mod settings;

use std::collections::BTreeMap;
use std::path::Path;

use crate::load::{Fault, TextFileError, of_file};

pub use driver::{CommandDriver, Driver, LabDriver, Restart, Results, ResultsFormat, Step};

/// A design whose rules hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// What it is called in reports.
    pub name: String,
    /// What it asks, in a sentence.
    pub description: String,
    /// Where all random numbers begin.
    pub seed: u64,
    /// Arrival traces, each replayed under every profile.
    pub blocks: usize,
    /// Which profiles are measured.
    pub plan: SamplePlan,
    /// Leading share of a run's requests that does not count.
    pub discard: f64,
    /// Seconds between two points of a run's series.
    pub series_step_s: f64,
    /// How a run is made.
    pub driver: Driver,
    /// Who plays.
    pub players: Vec<Player>,
    /// The player that commits first in a Stackelberg game: the one named, or else `planner`, or else nobody.
    pub leader: Option<usize>,
    /// Under which loads, by rising value.
    pub loads: Vec<Load>,
    /// What `value` of a load counts.
    pub load_unit: String,
    /// What a metric is divided by in utilities. Left out: its mean in the default profile under the first load.
    pub references: BTreeMap<String, f64>,
    /// The social cost.
    pub welfare: Welfare,
    /// The levels of service that are promised.
    pub slo: ServiceLevel,
    /// What the Pareto front is about.
    pub objectives: Vec<Objective>,
}

/// Which profiles are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplePlan {
    /// All.
    Factorial,
    /// So many of them, spread by a Latin hypercube, among them those that regret and Shapley values need.
    Latin {
        /// Profiles.
        profiles: usize,
    },
    /// All in the design's blocks, and then so many runs more, block by block under the load whose interval of the Price
    /// of Anarchy is expected to shrink most.
    Adaptive {
        /// Runs beyond the design's blocks, at most; a multiple of the profiles.
        runs: usize,
    },
}

/// A player.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    /// Its name.
    pub name: String,
    /// Its strategies.
    pub strategies: Vec<Strategy>,
    /// The strategy whose regret is reported, by its number.
    pub default: usize,
    /// What it does outside a coalition, by its number.
    pub baseline: Option<usize>,
    /// What it does as a member of a coalition, by its number.
    pub intelligent: Option<usize>,
    /// Weights of metrics over their references, by metric.
    pub utility: BTreeMap<String, f64>,
}

/// A strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// Its name.
    pub name: String,
    /// What it sets: dotted keys of the scenario, or variables of the commands.
    pub set: BTreeMap<String, toml::Value>,
}

/// A load.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Its name.
    pub name: String,
    /// Where it is on the axis of loads.
    pub value: f64,
    /// What it sets.
    pub set: BTreeMap<String, toml::Value>,
}

/// The social cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welfare {
    /// A metric above zero of which less is better.
    pub cost: String,
    /// Others that are reported beside it.
    pub also: Vec<String>,
}

/// The levels of service that are promised, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ServiceLevel {
    /// Time to first token.
    pub ttft_ms: Option<f64>,
    /// Mean time between a request's tokens.
    pub itl_ms: Option<f64>,
    /// Time to the last token.
    pub e2e_ms: Option<f64>,
}

/// An objective of the Pareto front.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// The metric.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// The reference point's value, if given.
    pub reference: Option<f64>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Less.
    Min,
    /// More.
    Max,
}

impl Design {
    /// Read a design and check it; `-` is standard input.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a rule is broken: file, line and what to do.
    pub fn load(path: &Path) -> Result<Self, TextFileError> {
        of_file(path, Self::parse)
    }

    /// Check the text of a design.
    ///
    /// # Errors
    ///
    /// If a rule is broken: the line and what to do.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        check::design(text)
    }

    /// How many profiles there are, measured or not.
    #[must_use]
    pub fn profiles(&self) -> usize {
        self.players.iter().map(|player| player.strategies.len()).product()
    }

    /// The number of a profile; the last player's strategy changes fastest.
    #[must_use]
    pub fn profile_number(&self, profile: &[usize]) -> usize {
        let players = self.players.iter().zip(profile);
        players.fold(0, |number, (player, strategy)| number * player.strategies.len() + strategy)
    }

    /// The profile in which every player plays its default.
    #[must_use]
    pub fn default_profile(&self) -> Vec<usize> {
        self.players.iter().map(|player| player.default).collect()
    }

    /// The names of a profile's strategies.
    #[must_use]
    pub fn strategy_names(&self, profile: &[usize]) -> Vec<&str> {
        let players = self.players.iter().zip(profile);
        players.map(|(player, strategy)| player.strategies[*strategy].name.as_str()).collect()
    }

    /// Everything that a profile and a load set, by key.
    #[must_use]
    pub fn settings(&self, profile: &[usize], load: usize) -> BTreeMap<String, toml::Value> {
        let players = self.players.iter().zip(profile);
        let strategies = players.map(|(player, strategy)| &player.strategies[*strategy].set);
        let all = strategies.chain(std::iter::once(&self.loads[load].set));
        all.flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
