//! `nashtrace stats`: tests of one series.

mod autocorrelation;
mod changes;
mod knee;
mod oscillation;
mod stationarity;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

pub(super) use self::stationarity::p_value_is;
use super::{Answered, Ending, complain, write_json};
use crate::load::{ColumnError, Columns};
use crate::stats::Refusal;

const EXAMPLES: &str = "\
FILE is a table of comma-separated values, or - for standard input. Rows are equally far apart in
time; a gap is an error. The first line names the columns unless all of it is numbers; then they are
called 1, 2, ...

Examples:
  nashtrace stats adf run.csv --column ttft_ms
  nashtrace stats kpss run.csv --column ttft_ms --regression ct
  nashtrace stats pelt run.csv --column ttft_ms --model l2 --penalty auto --min-size 10
  nashtrace stats oscillation run.csv --column rate --json | jq .period
  nashtrace stats acf run.csv --column hit_rate --against eviction_rate
  nashtrace stats knee sweep.csv --column ttft_p99 --against concurrency";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    test: Test,
}

#[derive(Subcommand)]
enum Test {
    /// Is there a unit root? (augmented Dickey-Fuller)
    Adf(stationarity::AdfArguments),
    /// Is it stationary? (Kwiatkowski, Phillips, Schmidt and Shin)
    Kpss(stationarity::KpssArguments),
    /// When did it change? (exact segmentation by PELT)
    Pelt(changes::PeltArguments),
    /// When would an online monitor have noticed? (tabular CUSUM)
    Cusum(changes::CusumArguments),
    /// Does it oscillate? (autocorrelation crossings in spectral bands, against red noise)
    Oscillation(oscillation::Arguments),
    /// How long does it remember, and what does it follow? (autocorrelation, cross-correlation)
    Acf(autocorrelation::Arguments),
    /// Where does its slope change? (segmented regression)
    Knee(knee::Arguments),
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    match &arguments.test {
        Test::Adf(arguments) => stationarity::adf(arguments, out),
        Test::Kpss(arguments) => stationarity::kpss(arguments, out),
        Test::Pelt(arguments) => changes::pelt(arguments, out),
        Test::Cusum(arguments) => changes::cusum(arguments, out),
        Test::Oscillation(arguments) => oscillation::run(arguments, out),
        Test::Acf(arguments) => autocorrelation::run(arguments, out),
        Test::Knee(arguments) => knee::run(arguments, out),
    }
}

/// The series of a command.
#[derive(clap::Args)]
struct Input {
    /// Comma-separated values, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the column [default: the only one]
    #[arg(long, value_name = "C")]
    column: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why there is no answer.
enum Failure {
    /// The table cannot be used.
    Table(String),
    /// The statistic is not defined for the series.
    Refused { place: String, refusal: Refusal },
}

impl From<ColumnError> for Failure {
    fn from(error: ColumnError) -> Self {
        Self::Table(error.to_string())
    }
}

/// A table with the name of its column.
struct Table {
    columns: Columns,
    column: String,
}

impl Input {
    fn read(&self) -> Result<Table, Failure> {
        let columns = Columns::read(&self.file)?;
        let column = self.column.as_deref().or_else(|| columns.only());
        let column = column.map(str::to_owned).ok_or_else(|| {
            let known = columns.names().join(", ");
            Failure::Table(format!("{}: say which --column: {known}", columns.source()))
        })?;
        Ok(Table { columns, column })
    }
}

impl Table {
    fn series(&self) -> Result<Vec<f64>, Failure> {
        Ok(self.columns.numbers(&self.column)?)
    }

    /// A refusal, with the place of the series.
    fn refused(&self, refusal: Refusal) -> Failure {
        let place = format!("{}: column {}", self.columns.source(), self.column);
        Failure::Refused { place, refusal }
    }
}

/// An answer in both forms.
struct Answer {
    json: Value,
    text: String,
}

/// Show an answer, or say why there is none: data that has no answer is a failure, a table that cannot be
/// read or a setting that does not fit is wrong use.
fn show(answer: Result<Answer, Failure>, is_json: bool, out: &mut dyn Write) -> Answered {
    match answer {
        Ok(answer) => (Ending::Good, write(&answer, is_json, out)),
        Err(Failure::Table(sentence)) => {
            complain(&sentence);
            (Ending::Unreadable, Ok(()))
        }
        Err(Failure::Refused { place, refusal }) => {
            complain(&format!("{place}: {refusal}"));
            let ending = if matches!(refusal, Refusal::Setting(_)) {
                Ending::Unreadable
            } else {
                Ending::BadData
            };
            let message = refusal.to_string();
            let json = json!({"refused": refusal.name(), "message": message});
            (ending, if is_json { write_json(&json, out) } else { Ok(()) })
        }
    }
}

fn write(answer: &Answer, is_json: bool, out: &mut dyn Write) -> io::Result<()> {
    if is_json { write_json(&answer.json, out) } else { write!(out, "{}", answer.text) }
}
