//! What is played: the scenario file and its rules.

mod check;
mod engine;
mod links;
mod planner;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use engine::{DiskTier, Engine, Eviction, HostTier, Scope};
pub use links::Link;
pub use planner::{Planner, Target};

/// A scenario, as read from a TOML file. Every key that is left out has the value shown here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the scenario is called in reports.
    pub name: String,
    /// What it shows, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Seed of the workload and of the router's draws: the same seed gives the same decisions.
    #[serde(default)]
    pub seed: u64,
    /// Where the router's seed comes from.
    #[serde(default)]
    pub determinism: Determinism,
    /// The workers.
    pub cluster: Cluster,
    /// The inference engine of every worker.
    #[serde(default)]
    pub engine: Engine,
    /// The router's weights.
    #[serde(default)]
    pub router: Router,
    /// Adds and removes workers while the scenario is played. Left out: their number stays.
    pub planner: Option<Planner>,
    /// The requests.
    pub workload: Workload,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// How long a forward pass takes.
    #[serde(default)]
    pub timing: Timing,
    /// One in so many hashes of KV blocks has its events recorded: a power of two, or 0 for none. There are
    /// hundreds of them for every request.
    #[serde(default)]
    pub block_sample: u64,
}

/// Where the router's seed comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Determinism {
    /// The scenario's seed. Needs the patched simulator.
    #[default]
    Seeded,
    /// Dynamo's own canonical replay, which has one fixed seed and plays open loops only.
    Canonical,
}

/// The workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cluster {
    /// Every worker prefills and decodes.
    Aggregated {
        /// Number of workers.
        workers: usize,
    },
    /// Prefill and decode workers are apart.
    Disaggregated {
        /// Number of prefill workers.
        prefill_workers: usize,
        /// Number of decode workers.
        decode_workers: usize,
    },
    /// Links that sources choose between. Each is one worker behind a router of its own; only those that a
    /// source takes are played.
    Links {
        /// The links by name.
        links: BTreeMap<String, Link>,
        /// The link of each source, both by name.
        routes: BTreeMap<String, String>,
    },
}

/// The router's weights, by the names of Dynamo's `KvRouterConfig` and with its defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Router {
    /// Weight of a device-resident prefix block.
    pub overlap_score_credit: f64,
    /// How fast that weight falls with a worker's excess prefill load.
    pub overlap_score_credit_decay: f64,
    /// Weight of prefill work against decode work.
    pub prefill_load_scale: f64,
    /// Weight of one active request, in blocks.
    pub decode_active_request_weight: f64,
    /// Weight of a prefix block in host memory.
    pub host_cache_hit_weight: f64,
    /// Weight of a prefix block on disk.
    pub disk_cache_hit_weight: f64,
    /// Softmax temperature; 0 takes the cheapest worker.
    pub temperature: f64,
    /// Fraction of the prefill capacity from which a worker counts as busy; requests queue in the
    /// router while all are. Left out: the router never queues.
    pub queue_threshold: Option<f64>,
    /// Delay before the router sees what a worker cached or evicted, in milliseconds.
    pub kv_event_lag_ms: f64,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            overlap_score_credit: 1.0,
            overlap_score_credit_decay: 0.0,
            prefill_load_scale: 1.0,
            decode_active_request_weight: 0.0,
            host_cache_hit_weight: 0.75,
            disk_cache_hit_weight: 0.25,
            temperature: 0.0,
            queue_threshold: None,
            kv_event_lag_ms: 0.0,
        }
    }
}

/// The requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Workload {
    /// Sessions that begin with one of several shared prefixes (system prompts), some more popular
    /// than others.
    Synthetic {
        /// Requests in all.
        requests: usize,
        /// Requests of one session; each repeats the prompt of the one before and adds to it.
        #[serde(default = "one")]
        turns: usize,
        /// Pause between the answer and the next request of a session, in milliseconds.
        #[serde(default)]
        think_time_ms: f64,
        /// Number of shared prefixes.
        prefixes: usize,
        /// Exponent of the Zipf law of their popularity; 0 makes all equally popular.
        #[serde(default)]
        skew: f64,
        /// Tokens of a shared prefix.
        prefix_tokens: usize,
        /// Mean of the tokens that a request adds to its prompt.
        unique_tokens: usize,
        /// Mean of the output tokens.
        output_tokens: usize,
        /// Added and output tokens are uniform between `1 - spread` and `1 + spread` times the mean.
        #[serde(default = "half")]
        spread: f64,
    },
    /// A trace in Mooncake's JSON-lines format.
    Mooncake {
        /// The file; relative paths count from the scenario file.
        path: PathBuf,
        /// Tokens behind one hash id.
        #[serde(default = "mooncake_block")]
        trace_block_size: usize,
    },
    /// In every round each source sends one prompt, which begins like no other, over its link, all at the same
    /// time, and gets one token back.
    Congestion {
        /// Mean of the tokens of a prompt.
        prompt_tokens: usize,
        /// Prompts are uniform between `1 - spread` and `1 + spread` times the mean, by the seed alone: a
        /// source sends the same prompts over whatever link.
        #[serde(default = "half")]
        spread: f64,
    },
}

fn one() -> usize {
    1
}

fn half() -> f64 {
    0.5
}

fn mooncake_block() -> usize {
    512
}

/// When requests arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// At their own times, whatever the cluster does.
    Open {
        /// Requests per second of a synthetic workload, with exponential gaps between sessions.
        rate: Option<f64>,
        /// Rates of a synthetic workload one after the other, instead of one rate; the last one stays.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        phases: Vec<Phase>,
        /// Seconds in which that rate is reached, rising steadily from nothing.
        #[serde(default)]
        ramp_seconds: f64,
        /// Factor by which the times of a recorded workload are compressed.
        speedup: Option<f64>,
    },
    /// As soon as another one is finished.
    Closed {
        /// Requests in flight.
        concurrency: usize,
    },
    /// All sources at once, again and again.
    Rounds {
        /// How often.
        rounds: usize,
        /// Milliseconds from one round to the next.
        period_ms: f64,
    },
}

/// Requests arrive at one rate for a while.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// How long.
    pub seconds: f64,
    /// Requests per second.
    pub rate: f64,
}

/// How long a forward pass takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Timing {
    /// The larger of computing and memory time of a named model on a named GPU.
    Roofline {
        /// One of the models that `nashtrace-lab models` lists.
        model: String,
        /// One of the GPUs that `nashtrace-lab models` lists.
        gpu: String,
        /// GPUs of one worker.
        tensor_parallel: usize,
    },
    /// Measurements compiled by AISimulate.
    Measured {
        /// The compiled engine specification; relative paths count from the scenario file.
        spec: PathBuf,
        /// The `systems` directory of the AISimulate package.
        systems: PathBuf,
    },
    /// As long as each link says.
    Links,
}

impl Default for Timing {
    fn default() -> Self {
        Self::Roofline { model: "llama-3.1-70b".into(), gpu: "b200".into(), tensor_parallel: 4 }
    }
}

/// Why a file is not a scenario; one sentence with file, line and key.
#[derive(Debug)]
pub struct ScenarioError(String);

impl std::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// Read a scenario and check it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not TOML, has an unknown key or a value out of its range, or
    /// names a file that is missing.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let in_file = |problem: String| ScenarioError(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| in_file(error.to_string()))?;
        let mut scenario = Self::parse(&text).map_err(in_file)?;
        let folder = std::path::absolute(path).map_err(|error| in_file(error.to_string()))?;
        scenario.resolve_paths(folder.parent().unwrap_or(Path::new("/")));
        check::scenario(&scenario).map_err(in_file)?;
        Ok(scenario)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let with_line = |error: &toml::de::Error, key: &str| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            let message = error.message().replace('\n', ", ");
            format!("line {line}: {key}{message}")
        };
        let document = toml::Deserializer::parse(text).map_err(|error| with_line(&error, ""))?;
        serde_path_to_error::deserialize(document).map_err(|error| {
            let path = error.path().to_string();
            let key = if path == "." { String::new() } else { format!("{path}: ") };
            with_line(error.inner(), &key)
        })
    }

    /// The scenario with every key that was left out and with absolute paths, so that it can be played
    /// again from anywhere.
    ///
    /// # Errors
    ///
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, ScenarioError> {
        toml::to_string_pretty(self).map_err(|error| ScenarioError(error.to_string()))
    }

    fn resolve_paths(&mut self, folder: &Path) {
        if let Workload::Mooncake { path, .. } = &mut self.workload {
            *path = folder.join(&path);
        }
        if let Timing::Measured { spec, systems } = &mut self.timing {
            *spec = folder.join(&spec);
            *systems = folder.join(&systems);
        }
    }
}
