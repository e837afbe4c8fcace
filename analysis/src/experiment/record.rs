//! `run.json`: what one run gave.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::SCHEMA_VERSION;

/// What one run gave. The same run gives the same bytes: nothing in it depends on when or where it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run's name, which is its folder's.
    pub run: String,
    /// The load, by its number.
    pub load: usize,
    /// The arrival trace, by its number.
    pub block: usize,
    /// The strategy of each player, by its number.
    pub profile: Vec<usize>,
    /// The seed of the arrival trace.
    pub seed: u64,
    /// Which driver made it.
    pub driver: String,
    /// How it ended.
    pub status: Status,
    /// Why it failed, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Values by metric; null where the run does not tell.
    #[serde(default)]
    pub metrics: BTreeMap<String, Option<f64>>,
    /// Values over time.
    #[serde(default)]
    pub series: Vec<RecordSeries>,
    /// What was recorded, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceFacts>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// With metrics.
    Ok,
    /// Without; it is shown and left out of answers.
    Failed,
}

/// Values at regular times; null where nothing happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSeries {
    /// What.
    pub name: String,
    /// In which unit.
    pub unit: String,
    /// Seconds from the first arrival to the beginning of the first interval.
    pub start: f64,
    /// Seconds of an interval.
    pub step: f64,
    /// One per interval.
    pub values: Vec<Option<f64>>,
}

/// What the library recorded of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceFacts {
    /// Records read.
    pub records: u64,
    /// Routing decisions among them.
    pub decisions: u64,
    /// Block events among them.
    pub block_events: u64,
    /// Records that were lost, as the ledgers count them.
    pub lost: u64,
    /// One in so many hashes of KV blocks was recorded.
    pub block_sample: u64,
    /// Versions of what made the trace, by program; a program that does not tell its version is not in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, String>,
    /// The most regretted decisions, worst first; null in records of versions that did not keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regretted: Option<Vec<RegrettedDecision>>,
}

/// A routing decision that was regretted, with what was on the table. Costs and regrets are in KV blocks; what is not
/// known is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegrettedDecision {
    /// Key of the request, 16 hexadecimal digits.
    pub request: String,
    /// Seconds on the clock of the trace.
    pub time_s: f64,
    /// The pool that was routed to.
    pub pool: String,
    /// Prompt tokens.
    pub isl_tokens: u32,
    /// Cost of the chosen worker above the cheapest.
    pub predicted_regret: Option<f64>,
    /// Prefix blocks lost against the best worker.
    pub overlap_regret: Option<f64>,
    /// Why the worker was chosen, by the name of the reason.
    pub reason: String,
    /// Workers that could have been chosen.
    pub offered: usize,
    /// The cheapest of them, by rising cost, with the chosen one and the one with the longest prefix.
    pub candidates: Vec<OfferedWorker>,
}

/// A worker that a decision could choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferedWorker {
    /// Dynamo's worker id.
    pub worker: u64,
    /// Data-parallel rank.
    pub rank: u32,
    /// Whether it was chosen.
    pub chosen: bool,
    /// The router's own cost.
    pub cost: Option<f64>,
    /// Prefix blocks that the router credits it with.
    pub overlap_blocks: Option<f64>,
    /// Prefill tokens booked there.
    pub prefill_tokens: u64,
    /// KV blocks booked there.
    pub decode_blocks: u32,
    /// Requests booked there.
    pub requests: u32,
}

/// Why a run's record could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The operating system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// It is not a record.
    #[error("{}, line {line}: {what}; delete the run's folder and resume the campaign", path.display())]
    Faulty {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

impl Record {
    /// Read a record.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no record of this version.
    pub fn load(path: &Path) -> Result<Self, RecordError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| RecordError::Io { path: path.to_owned(), error })?;
        let faulty = |line: usize, what: String| RecordError::Faulty {
            path: path.to_owned(),
            line: line.max(1),
            what,
        };
        let record: Self =
            serde_json::from_str(&text).map_err(|error| faulty(error.line(), error.to_string()))?;
        if record.schema_version != SCHEMA_VERSION {
            let version = record.schema_version;
            let what = format!("version {version} is not {SCHEMA_VERSION}, which is read here");
            return Err(faulty(1, what));
        }
        Ok(record)
    }

    /// A metric, if the run tells.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            schema_version: SCHEMA_VERSION,
            run: "l0-b0-p1".into(),
            load: 0,
            block: 0,
            profile: vec![0, 1],
            seed: 5,
            driver: "lab".into(),
            status: Status::Ok,
            reason: None,
            metrics: [("ttft_p95_ms".to_owned(), Some(0.1 + 0.2)), ("gpu_count".to_owned(), None)]
                .into(),
            series: vec![RecordSeries {
                name: "ttft_p95_ms".into(),
                unit: "ms".into(),
                start: 0.0,
                step: 1.0,
                values: vec![Some(1.5), None],
            }],
            trace: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        std::fs::write(&path, serde_json::to_string(&record()).unwrap()).unwrap();
        let read = Record::load(&path).unwrap();
        assert_eq!(read, record());
        assert_eq!(read.metric("ttft_p95_ms"), Some(0.1 + 0.2));
        assert_eq!((read.metric("gpu_count"), read.metric("nothing")), (None, None));
    }

    #[test]
    fn a_damaged_record_is_named_with_its_line_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        let error = Record::load(&path).unwrap_err().to_string();
        assert!(error.contains("run.json: No such file"), "{error}");
        std::fs::write(&path, "{\n  \"run\": 1").unwrap();
        let error = Record::load(&path).unwrap_err().to_string();
        assert!(error.contains("run.json, line 2: ") && error.ends_with("resume the campaign"));
        let text = serde_json::to_string(&Record { schema_version: 99, ..record() }).unwrap();
        std::fs::write(&path, text).unwrap();
        let error = Record::load(&path).unwrap_err().to_string();
        assert!(error.contains("version 99 is not 1"), "{error}");
    }
}
