//! The verdict over several series.

use crate::answers::Series;
use crate::game::Deadline;
use crate::stats::{Estimate, Interval, OscillationSettings, Outcome, Refusal, Rest, rest_while};

/// The word for an answer that time did not cut short.
pub(super) const COMPLETE: &str = "complete";

/// What is said about a run or a table.
pub(super) struct Verdict {
    /// Its name.
    pub(super) run: String,
    /// What a reader must know before he believes the verdict.
    pub(super) warnings: Vec<String>,
    /// Its pools; of a table, the table.
    pub(super) parts: Vec<Part>,
}

/// Series that are judged together.
pub(super) struct Part {
    /// The pool; `None` of a table.
    pub(super) name: Option<String>,
    /// Length of a window in seconds; `None` of a table.
    pub(super) window_s: Option<f64>,
    /// The series.
    pub(super) tested: Vec<Tested>,
    /// Series that could not be tested because a window has no value.
    pub(super) gaps: Vec<String>,
    /// Whether a player would move.
    pub(super) regret: Regret,
}

/// A series under the first three tests.
pub(super) struct Tested {
    pub(super) name: String,
    pub(super) values: usize,
    pub(super) rest: Result<Rest, Refusal>,
}

/// The fourth test.
pub(super) struct Regret {
    /// Whose regret it is.
    pub(super) of: String,
    /// The regret that is compared with epsilon.
    pub(super) value: Option<f64>,
    pub(super) interval: Option<Interval>,
    pub(super) epsilon: Option<f64>,
    pub(super) outcome: Outcome,
}

/// The word for all tests together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    InEquilibrium,
    NotInEquilibrium,
    NotDecided,
}

impl Word {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::InEquilibrium => "in_equilibrium",
            Self::NotInEquilibrium => "not_in_equilibrium",
            Self::NotDecided => "not_decided",
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::InEquilibrium => "in equilibrium",
            Self::NotInEquilibrium => "not in equilibrium",
            Self::NotDecided => "not decided",
        }
    }
}

/// A test that did not pass.
pub(super) struct Failure {
    pub(super) part: Option<String>,
    /// The series; `None` of the regret.
    pub(super) series: Option<String>,
    pub(super) test: &'static str,
    /// Whether it was done at all.
    pub(super) was_done: bool,
    pub(super) why: String,
}

impl Tested {
    pub(super) fn of(series: &Series, least: usize, deadline: Deadline) -> Self {
        let settings = OscillationSettings::default();
        let rest = rest_while(&series.values, least, &settings, &|| !deadline.has_passed());
        Self { name: series.name.clone(), values: series.values.len(), rest }
    }

    /// Whether the time sufficed for all tests.
    pub(super) fn is_complete(&self) -> bool {
        self.rest.as_ref().map_or(true, |rest| rest.is_complete)
    }
}

impl Regret {
    pub(super) fn unknown(why: &str) -> Self {
        Self {
            of: "unknown".into(),
            value: None,
            interval: None,
            epsilon: None,
            outcome: Outcome::NotDone(why.into()),
        }
    }

    /// The largest value of a column.
    pub(super) fn of_window(values: &[f64], column: &str, epsilon: f64) -> Self {
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let outcome = if largest < epsilon {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("the largest regret is {largest}, epsilon is {epsilon}"))
        };
        Self {
            of: format!("column {column}"),
            value: Some(largest),
            interval: None,
            epsilon: Some(epsilon),
            outcome,
        }
    }

    /// The router's mean predicted regret, which must be below epsilon with its whole interval.
    pub(super) fn of_router(estimate: &Estimate, epsilon: f64) -> Self {
        let outcome = match estimate.interval {
            None => Outcome::NotDone("the regret of fewer than two decisions is known".into()),
            Some(interval) if interval.high < epsilon => Outcome::Passed,
            Some(interval) => Outcome::Failed(format!(
                "the router's mean predicted regret is {:.4} ({:.4} to {:.4}) KV blocks, epsilon is {epsilon}",
                estimate.mean, interval.low, interval.high
            )),
        };
        Self {
            of: "router, mean predicted regret in KV blocks".into(),
            value: Some(estimate.mean),
            interval: estimate.interval,
            epsilon: Some(epsilon),
            outcome,
        }
    }
}

impl Verdict {
    /// In words, whether there was time for every test of every series.
    pub(super) fn completeness(&self) -> String {
        let tested = || self.parts.iter().flat_map(|part| &part.tested);
        let (complete, all) = (tested().filter(|own| own.is_complete()).count(), tested().count());
        if complete == all {
            COMPLETE.into()
        } else {
            format!("time was up: {complete} of {all} series were tested in full")
        }
    }

    /// Every test that did not pass.
    pub(super) fn failures(&self) -> Vec<Failure> {
        self.parts.iter().flat_map(Part::failures).collect()
    }

    /// All must pass; one that failed decides.
    pub(super) fn word(&self) -> Word {
        let failures = self.failures();
        if failures.iter().any(|failure| failure.was_done) {
            Word::NotInEquilibrium
        } else if !failures.is_empty() || self.parts.iter().all(|part| part.tested.is_empty()) {
            Word::NotDecided
        } else {
            Word::InEquilibrium
        }
    }
}

impl Part {
    fn failures(&self) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut note = |series: Option<&str>, test: &'static str, outcome: &Outcome| {
            let (was_done, why) = match outcome {
                Outcome::Passed => return,
                Outcome::Failed(why) => (true, why),
                Outcome::NotDone(why) => (false, why),
            };
            failures.push(Failure {
                part: self.name.clone(),
                series: series.map(str::to_owned),
                test,
                was_done,
                why: why.clone(),
            });
        };
        for series in &self.tested {
            let name = Some(series.name.as_str());
            match &series.rest {
                Ok(rest) => {
                    note(name, "stationary", &rest.stationary);
                    note(name, "settled", &rest.settled);
                    note(name, "steady", &rest.steady);
                }
                Err(refusal) => note(name, "stationary", &Outcome::NotDone(refusal.to_string())),
            }
        }
        note(None, "nobody would move", &self.regret.outcome);
        failures
    }
}
