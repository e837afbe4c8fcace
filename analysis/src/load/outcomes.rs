//! What became of the requests of a trace, by whoever measured it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::measurement::{Format, LoadError, Measurement, ReadOptions, read_measurement};

/// The outcome of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Time to first token, milliseconds.
    pub ttft_ms: Option<f64>,
    /// End-to-end latency, milliseconds.
    pub e2e_ms: Option<f64>,
    /// Prompt tokens as the router counts them, which tell whether this is the request that the trace means.
    pub input_tokens: Option<u64>,
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
    /// It cannot be read, or is not what it should be.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Nothing in it can be joined to a trace.
    #[error(
        "{}: none of its requests has an id that a trace could know (its format is {format})",
        path.display()
    )]
    NoIds {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: Format,
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

impl Outcomes {
    /// Read a file of outcomes, in any format that has request ids.
    ///
    /// # Errors
    ///
    /// If it cannot be read, a line is not what it should be, or there are no ids in it.
    pub fn load(path: &Path) -> Result<Self, OutcomeError> {
        let measurement = read_measurement(path, None, &ReadOptions::default())?;
        let outcomes = Self::of(path, &measurement);
        if outcomes.by_request.is_empty() {
            return Err(OutcomeError::NoIds { path: path.into(), format: measurement.format });
        }
        Ok(outcomes)
    }

    /// The outcomes of the requests of a measurement that count. `path` is where they are from.
    #[must_use]
    pub fn of(path: &Path, measurement: &Measurement) -> Self {
        let mut by_request = HashMap::new();
        for row in measurement.counted() {
            let outcome = Outcome {
                ttft_ms: row.ttft_ms,
                e2e_ms: row.e2e_ms,
                // A client counts tokens with its own tokenizer and without the template of the chat.
                input_tokens: row.input_tokens.filter(|_| measurement.format == Format::Lab),
            };
            for key in [row.client_key, row.key].into_iter().flatten() {
                by_request.insert(key, outcome);
            }
        }
        Self { path: path.into(), by_request }
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
            if let Some(found) = self.get(request).and_then(|outcome| outcome.input_tokens)
                && found != u64::from(expected)
            {
                let path = self.path.clone();
                return Err(OutcomeError::Foreign { path, request, found, expected });
            }
        }
        Ok(())
    }
}
