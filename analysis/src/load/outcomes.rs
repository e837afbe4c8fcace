//! What became of the requests, from the lab's `requests.jsonl`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The outcome of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Time to first token, milliseconds.
    pub ttft_ms: Option<f64>,
    /// End-to-end latency, milliseconds.
    pub e2e_ms: Option<f64>,
    /// Prompt tokens, which tell whether this is the request that the trace means.
    pub input_tokens: u64,
}

/// Outcomes by request key.
#[derive(Debug, Clone)]
pub struct Outcomes {
    path: PathBuf,
    by_request: HashMap<u64, Outcome>,
}

/// Why a file of outcomes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A line is not a request record.
    #[error("{}: line {line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The outcomes are those of another run.
    #[error(
        "{}: request {request:016x} has {found} prompt tokens here and {expected} in the trace: these \
         are the outcomes of another run",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The request's key.
        request: u64,
        /// Its prompt tokens in the file.
        found: u64,
        /// Its prompt tokens in the trace.
        expected: u32,
    },
}

/// The fields that are used of the lab's records.
#[derive(Deserialize)]
struct Record {
    request_key: String,
    ttft_ms: Option<f64>,
    e2e_latency_ms: Option<f64>,
    input_length: u64,
}

impl Outcomes {
    /// Read a file of outcomes.
    ///
    /// # Errors
    ///
    /// If it cannot be read or a line is not a request record.
    pub fn load(path: &Path) -> Result<Self, OutcomeError> {
        let io_error = |source| OutcomeError::Io { path: path.into(), source };
        let mut by_request = HashMap::new();
        for (index, line) in BufReader::new(File::open(path).map_err(io_error)?).lines().enumerate()
        {
            let line_error = |message: String| OutcomeError::Line {
                path: path.into(),
                line: index + 1,
                message,
            };
            let record: Record = serde_json::from_str(&line.map_err(io_error)?)
                .map_err(|error| line_error(error.to_string()))?;
            let key = u64::from_str_radix(&record.request_key, 16)
                .map_err(|_| line_error("request_key is not a hexadecimal number".into()))?;
            let outcome = Outcome {
                ttft_ms: record.ttft_ms,
                e2e_ms: record.e2e_latency_ms,
                input_tokens: record.input_length,
            };
            by_request.insert(key, outcome);
        }
        Ok(Self { path: path.into(), by_request })
    }

    /// The outcome of a request.
    #[must_use]
    pub fn get(&self, request: u64) -> Option<&Outcome> {
        self.by_request.get(&request)
    }

    /// Make sure that the requests of a trace, given with their prompt tokens, are the ones that are meant
    /// here.
    ///
    /// # Errors
    ///
    /// [`OutcomeError::Foreign`] for the first one that is not.
    pub fn check(&self, requests: impl Iterator<Item = (u64, u32)>) -> Result<(), OutcomeError> {
        for (request, expected) in requests {
            if let Some(outcome) = self.get(request)
                && outcome.input_tokens != u64::from(expected)
            {
                let (path, found) = (self.path.clone(), outcome.input_tokens);
                return Err(OutcomeError::Foreign { path, request, found, expected });
            }
        }
        Ok(())
    }
}
