//! How a run is made.

use std::path::PathBuf;

/// How a run is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Driver {
    /// Dynamo's router and simulator in simulated time, by `nashtrace-lab`.
    Lab(LabDriver),
    /// Commands that deploy, load and tear down a real cluster.
    Command(Box<CommandDriver>),
}

impl Driver {
    /// Its name in designs and records.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lab(_) => "lab",
            Self::Command(_) => "command",
        }
    }
}

/// Runs by `nashtrace-lab`.
#[derive(Debug, Clone, PartialEq)]
pub struct LabDriver {
    /// The scenario that strategies and loads change; relative paths count from the design.
    pub scenario: PathBuf,
    /// Keep every run's trace and requests, not only what was computed from them.
    pub keep_traces: bool,
    /// Seconds after which a run has failed.
    pub time_limit_s: f64,
}

/// Runs by commands, each given to `sh -c` in the design's folder. They find in their environment
/// `NASHTRACE_RUN` (the run's name), `NASHTRACE_OUT` (its folder), `NASHTRACE_BLOCK`, `NASHTRACE_SEED`,
/// `NASHTRACE_LOAD` (the load's name) and every key that the profile and the load set.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandDriver {
    /// Brings the configuration up.
    pub deploy: Option<Step>,
    /// Ends with 0 once requests can be served; asked again until then.
    pub ready: Option<Step>,
    /// Seconds between two questions.
    pub ready_poll_s: f64,
    /// Load that does not count.
    pub warm_up: Option<Step>,
    /// The load that is measured.
    pub drive: Step,
    /// Brings results to `NASHTRACE_OUT`.
    pub collect: Option<Step>,
    /// Takes the configuration down; also after a failure and an interrupt.
    pub tear_down: Option<Step>,
    /// Seconds of rest before every run.
    pub cooling_s: f64,
    /// When the configuration is deployed anew.
    pub restart: Restart,
    /// Where the outcome stands.
    pub results: Results,
}

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What `sh -c` is given.
    pub command: String,
    /// Seconds after which it has failed.
    pub time_limit_s: f64,
}

/// When the configuration is deployed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Before every run.
    EveryRun,
    /// When the profile of the run is not that of the run before.
    OnChange,
}

/// Where the outcome of a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// What the file is.
    pub format: ResultsFormat,
    /// The file; relative paths count from `NASHTRACE_OUT`.
    pub path: PathBuf,
}

/// What a file of results is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultsFormat {
    /// A JSON object of numbers by metric.
    Metrics,
    /// One JSON object per request, as the lab writes them.
    Requests,
}

impl ResultsFormat {
    /// Every format, by its name in designs.
    pub const NAMES: [(&'static str, Self); 2] =
        [("metrics", Self::Metrics), ("requests", Self::Requests)];
}
