//! `nashtrace regret`: which decisions were regretted, why they were taken, and which worker is herded.

mod json;
mod notes;
mod tables;

pub(in crate::cli) use self::json::group_json;
pub(in crate::cli) use self::tables::GroupTable;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::input::{Input, ReadRun, read};
use super::{Answered, Ending, complain, write_json};
use crate::answers::RegretAnswer;
use crate::load::{OutcomeError, Outcomes, outcomes_beside};
use crate::report::heading;
use crate::tables::{DecisionTable, FileDecisions};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Show this many of the most regretted decisions
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Divide the trace into this many stretches of time
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    windows: u32,
    /// Outcomes of the requests, in any format of `nashtrace load` that has request ids [default: requests.jsonl
    /// of the lab run]
    #[arg(long, value_name = "FILE")]
    outcomes: Option<PathBuf>,
}

/// What is said about one run, or about several together.
struct Report {
    /// The run's folder; none of several together.
    run: Option<String>,
    table: DecisionTable,
    answer: RegretAnswer,
    /// Events lost while recording.
    lost: u64,
    /// What a reader must know before he believes the numbers.
    warnings: Vec<String>,
    /// Whether everything that belongs to it could be used.
    is_whole: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let keeping = DecisionTable::keeping(arguments.top);
    let read = read(&arguments.input, || keeping.visitor());
    let is_whole = read.is_whole();
    let mut outcomes = OutcomeFiles::default();
    let reports: Vec<Report> =
        read.runs.into_iter().map(|run| Report::of(run, arguments, &mut outcomes)).collect();
    let ending = Ending::of_reading(is_whole && reports.iter().all(|report| report.is_whole));
    let written = if arguments.input.json {
        write_json(&to_json(reports, arguments), out)
    } else {
        print(&reports, out)
    };
    (ending, written)
}

/// One run is the answer; several are told apart, behind what can be said of them together.
fn to_json(mut reports: Vec<Report>, arguments: &Arguments) -> Value {
    if reports.len() == 1 {
        return json::report(&reports.remove(0));
    }
    let mut all = json::report(&Report::together(&reports, arguments));
    all["runs"] = reports.iter().map(json::report).collect();
    all
}

fn print(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        if reports.len() > 1 {
            let run = report.run.as_deref().unwrap_or_default();
            writeln!(out, "{} {run}\n", heading("Run"))?;
        }
        tables::print(report, out)?;
    }
    Ok(())
}

impl Report {
    fn of(run: ReadRun<FileDecisions>, arguments: &Arguments, outcomes: &mut OutcomeFiles) -> Self {
        let lost = run.files.iter().map(|(facts, _)| facts.lost()).sum();
        let folder = run.folder.to_string_lossy().into_owned();
        let Loaded { table, mut warnings, is_whole } =
            Loaded::of(run, arguments.top, arguments.outcomes.as_ref(), outcomes);
        let answer = RegretAnswer::of(&table, arguments.windows as usize);
        warnings.extend(notes::of_answer(&answer, &table));
        let run = Some(folder);
        Self { run, table, answer, lost, warnings, is_whole }
    }

    fn together(reports: &[Self], arguments: &Arguments) -> Self {
        let labelled = reports.iter().map(|report| {
            let run = report.run.as_deref().unwrap_or_default();
            (run, &report.table)
        });
        let table = DecisionTable::together(labelled);
        let answer = RegretAnswer::of(&table, arguments.windows as usize);
        let mut warnings = notes::of_several_runs(reports.len());
        for report in reports {
            let of_run = report.warnings.iter().filter(|warning| !warnings.contains(warning));
            let of_run: Vec<String> = of_run.cloned().collect();
            warnings.extend(of_run);
        }
        let lost = reports.iter().map(|report| report.lost).sum();
        Self { run: None, table, answer, lost, warnings, is_whole: true }
    }
}

/// The decisions of a run with the outcomes of their requests.
pub(in crate::cli) struct Loaded {
    pub(in crate::cli) table: DecisionTable,
    /// What is missing.
    pub(in crate::cli) warnings: Vec<String>,
    /// Whether the outcomes, where there are some, could be used.
    pub(in crate::cli) is_whole: bool,
}

impl Loaded {
    /// Of each file of a run, the decisions and the outcomes beside it, unless a file of outcomes is given.
    pub(in crate::cli) fn of(
        run: ReadRun<FileDecisions>,
        keep: usize,
        given: Option<&PathBuf>,
        outcomes: &mut OutcomeFiles,
    ) -> Self {
        let facts = run.files.iter().map(|(facts, _)| facts);
        let started_wall_ns = facts.clone().map(|facts| facts.header.started_wall_ns).min();
        let mut warnings = notes::of_files(facts);
        let mut table = DecisionTable::keeping(keep);
        let mut is_whole = true;
        for (facts, decisions) in run.files {
            let outcomes = match outcomes.of_trace(given, &facts.path, &decisions) {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    complain(&error.to_string());
                    warnings.push(format!("{error}; they are left out"));
                    is_whole = false;
                    None
                }
            };
            table.add(decisions, &facts, outcomes, started_wall_ns.unwrap_or(0));
        }
        table.sort();
        Self { table, warnings, is_whole }
    }
}

/// Files of outcomes, each read once: a run may have several traces.
#[derive(Default)]
pub(in crate::cli) struct OutcomeFiles {
    loaded: BTreeMap<PathBuf, Outcomes>,
}

impl OutcomeFiles {
    /// The outcomes of a trace's decisions: those beside it, unless a file is given.
    pub(in crate::cli) fn of_trace(
        &mut self,
        given: Option<&PathBuf>,
        trace: &Path,
        decisions: &FileDecisions,
    ) -> Result<Option<&Outcomes>, OutcomeError> {
        let file = given.cloned().or_else(|| outcomes_beside(trace));
        file.map(|file| self.load(file, decisions)).transpose()
    }

    /// The outcomes of a file, if they are those of these decisions.
    fn load(
        &mut self,
        file: PathBuf,
        decisions: &FileDecisions,
    ) -> Result<&Outcomes, OutcomeError> {
        let outcomes = match self.loaded.entry(file) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let outcomes = Outcomes::load(new.key())?;
                new.insert(outcomes)
            }
        };
        outcomes.check(decisions.requests())?;
        Ok(outcomes)
    }
}
