//! The design as it stands in the file, before its rules are checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Table, Value};

/// A value and its place.
type At<T> = Spanned<T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DesignFile {
    pub(super) name: At<String>,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) blocks: At<usize>,
    pub(super) plan: Option<At<Value>>,
    pub(super) discard: Option<At<f64>>,
    pub(super) series_step_seconds: Option<At<f64>>,
    pub(super) leader: Option<At<String>>,
    #[serde(default)]
    pub(super) load_unit: String,
    pub(super) driver: At<DriverFile>,
    pub(super) players: At<Vec<At<PlayerFile>>>,
    pub(super) loads: At<Vec<At<LoadFile>>>,
    #[serde(default)]
    pub(super) references: BTreeMap<At<String>, At<f64>>,
    pub(super) welfare: WelfareFile,
    #[serde(default)]
    pub(super) slo: SloFile,
    #[serde(default)]
    pub(super) objectives: BTreeMap<At<String>, At<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlayerFile {
    pub(super) name: At<String>,
    pub(super) default: Option<At<String>>,
    pub(super) baseline: Option<At<String>>,
    pub(super) intelligent: Option<At<String>>,
    pub(super) utility: Option<BTreeMap<At<String>, At<f64>>>,
    #[serde(default)]
    pub(super) strategies: Vec<At<StrategyFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StrategyFile {
    pub(super) name: At<String>,
    #[serde(default)]
    pub(super) set: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoadFile {
    pub(super) name: At<String>,
    pub(super) value: At<f64>,
    #[serde(default)]
    pub(super) set: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WelfareFile {
    pub(super) cost: At<String>,
    #[serde(default)]
    pub(super) also: Vec<At<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SloFile {
    pub(super) ttft_ms: Option<At<f64>>,
    pub(super) itl_ms: Option<At<f64>>,
    pub(super) e2e_ms: Option<At<f64>>,
}

/// The keys of every kind of driver; which of them belong to the kind is checked later.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DriverFile {
    pub(super) kind: At<String>,
    pub(super) scenario: Option<At<String>>,
    pub(super) keep_traces: Option<At<bool>>,
    pub(super) time_limit_seconds: Option<At<f64>>,
    pub(super) deploy: Option<At<StepFile>>,
    pub(super) ready: Option<At<StepFile>>,
    pub(super) warm_up: Option<At<StepFile>>,
    pub(super) drive: Option<At<StepFile>>,
    pub(super) collect: Option<At<StepFile>>,
    pub(super) tear_down: Option<At<StepFile>>,
    pub(super) cooling_seconds: Option<At<f64>>,
    pub(super) restart: Option<At<String>>,
    pub(super) results: Option<At<ResultsFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    pub(super) command: At<String>,
    pub(super) time_limit_seconds: Option<At<f64>>,
    pub(super) poll_seconds: Option<At<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsFile {
    pub(super) format: At<String>,
    pub(super) path: String,
}
