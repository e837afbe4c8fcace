//! `nashtrace equilibrium`: four tests, and one verdict over all series of a run or a table.

mod show;
mod verdict;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::verdict::{Part, Regret, Tested, Verdict};
use super::input::{Input, read};
use super::regret::{Loaded, OutcomeFiles};
use super::time_limit::TimeLimit;
use super::{Answered, Ending, complain, write_json};
use crate::answers::{PoolSeries, Series};
use crate::game::Deadline;
use crate::load::{ColumnError, Columns};
use crate::tables::DecisionTable;

const EXAMPLES: &str = "\
Examples:
  nashtrace equilibrium target/quickstart/calm
  nashtrace equilibrium run/ --windows 400 --epsilon 0.5 --json | jq .verdict
  nashtrace equilibrium series.csv --column ttft_ms --column rate --regret max_regret
  nashtrace equilibrium - < series.csv

The four tests: 1. stationary: after the last change point ADF rejects a unit root (p < 0.05) and KPSS does not
reject stationarity (p > 0.05); 2. settled: enough values remain after the last change point (PELT);
3. steady: no spectral peak stands out from red noise with r > 1; 4. nobody would move: the regret there is
below epsilon. Of a trace, the regret is the router's own.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Traces, or tables: a path that ends in .csv, or - for standard input
    #[command(flatten)]
    input: Input,
    /// Only this column of a table; may be repeated [default: all that are numbers]
    #[arg(long, value_name = "C")]
    column: Vec<String>,
    /// Column of a table with the largest regret of any player
    #[arg(long, value_name = "C")]
    regret: Option<String>,
    /// Regret below this is none; of a trace, in KV blocks
    #[arg(long, value_name = "E", default_value_t = 1.0, value_parser = epsilon)]
    epsilon: f64,
    /// Divide a trace into at most this many windows
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    windows: u32,
    /// Values that must remain after the last change point
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(10..))]
    min_window: u32,
    /// Outcomes of the requests (JSON lines) [default: requests.jsonl of the lab run]
    #[arg(long, value_name = "FILE")]
    outcomes: Option<PathBuf>,
    #[command(flatten)]
    limit: TimeLimit,
}

fn epsilon(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(epsilon) if epsilon >= 0.0 && epsilon.is_finite() => Ok(epsilon),
        _ => Err("a number of 0 or more".into()),
    }
}

impl Arguments {
    /// The tests of several series; they do not depend on threads, unless time is up.
    fn test(&self, series: &[Series], deadline: Deadline) -> Vec<Tested> {
        let least = self.min_window as usize;
        series.par_iter().map(|series| Tested::of(series, least, deadline)).collect()
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let deadline = arguments.limit.deadline();
    let is_table = |path: &PathBuf| {
        path == Path::new("-") || path.extension().is_some_and(|extension| extension == "csv")
    };
    let paths = &arguments.input.paths;
    if !paths.iter().any(is_table) {
        return of_traces(arguments, deadline, out);
    }
    if paths.len() > 1 {
        complain("a table is judged alone: name one .csv file, or traces");
        return (Ending::Unreadable, Ok(()));
    }
    match of_table(arguments, &paths[0], deadline) {
        Ok(verdict) => (Ending::Good, write(&[verdict], arguments, out)),
        Err(error) => {
            complain(&error.to_string());
            (Ending::Unreadable, Ok(()))
        }
    }
}

fn write(verdicts: &[Verdict], arguments: &Arguments, out: &mut dyn Write) -> io::Result<()> {
    if arguments.input.json {
        write_json(&show::json(verdicts), out)
    } else {
        verdicts.iter().try_for_each(|verdict| show::print(verdict, out))
    }
}

fn of_table(
    arguments: &Arguments,
    file: &Path,
    deadline: Deadline,
) -> Result<Verdict, ColumnError> {
    let columns = Columns::read(file)?;
    let names: Vec<String> = if arguments.column.is_empty() {
        let is_series =
            |name: &&String| columns.is_numeric(name) && arguments.regret.as_ref() != Some(*name);
        columns.names().iter().filter(is_series).cloned().collect()
    } else {
        arguments.column.clone()
    };
    let read = |name: String| Ok(Series { values: columns.numbers(&name)?, name });
    let series = names.into_iter().map(read).collect::<Result<Vec<Series>, ColumnError>>()?;
    let tested = arguments.test(&series, deadline);
    let regret = match &arguments.regret {
        Some(name) => {
            let values = columns.numbers(name)?;
            Regret::of_window(&values[window_from(&tested)..], name, arguments.epsilon)
        }
        None => Regret::unknown("no --regret column was named"),
    };
    let part = Part { name: None, window_s: None, tested, gaps: Vec::new(), regret };
    Ok(Verdict { run: columns.source().into(), warnings: Vec::new(), parts: vec![part] })
}

/// Where the last of several series has settled.
fn window_from(tested: &[Tested]) -> usize {
    let starts = tested.iter().filter_map(|series| series.rest.as_ref().ok());
    starts.map(|rest| rest.window_from).max().unwrap_or(0)
}

fn of_traces(arguments: &Arguments, deadline: Deadline, out: &mut dyn Write) -> Answered {
    let keeping = DecisionTable::keeping(0);
    let read = read(&arguments.input, || keeping.visitor());
    let mut is_whole = read.is_whole();
    let mut outcomes = OutcomeFiles::default();
    let mut verdicts = Vec::new();
    for run in read.runs {
        let name = run.folder.to_string_lossy().into_owned();
        let loaded = Loaded::of(run, 0, arguments.outcomes.as_ref(), &mut outcomes);
        is_whole &= loaded.is_whole;
        verdicts.push(of_run(name, loaded, arguments, deadline));
    }
    (Ending::of_reading(is_whole), write(&verdicts, arguments, out))
}

fn of_run(run: String, loaded: Loaded, arguments: &Arguments, deadline: Deadline) -> Verdict {
    let Loaded { table, mut warnings, .. } = loaded;
    let pools = PoolSeries::of(&table, arguments.windows as usize);
    if pools.is_empty() {
        warnings.push("nothing was decided here that could be divided into windows".into());
    }
    let part = |pool: PoolSeries| {
        let tested = arguments.test(&pool.series, deadline);
        let estimate = pool.predicted_regret_from(window_from(&tested));
        Part {
            name: Some(table.pools[pool.pool as usize].clone()),
            window_s: Some(pool.window_s),
            regret: Regret::of_router(&estimate, arguments.epsilon),
            gaps: pool.gaps,
            tested,
        }
    };
    Verdict { run, warnings, parts: pools.into_iter().map(part).collect() }
}
