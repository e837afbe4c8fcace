//! `nashtrace pareto`: which points are best in several objectives, and what volume they dominate.

mod answer;
mod show;

use std::io::{self, Write};

use self::answer::Answer;
use super::objectives::{Objectives, Points, named_value};
use super::time_limit::TimeLimit;
use super::{Answered, Ending, complain, write_json};
use crate::load::Columns;

const EXAMPLES: &str = "\
Examples:
  nashtrace pareto points.csv --objectives ttft:min,throughput:max --reference ttft=2,throughput=0
  nashtrace pareto runs.csv --objectives ttft:min,gpus:min --configuration profile --json
  nashtrace pareto - --objectives a:min,b:min --epsilon a=0.01,b=0.02 < points.csv

Rows with the same --configuration are replicates: the front is that of their means, and resampling them
says how sure it is. Row numbers count from 0.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    points: Points,
    #[command(flatten)]
    objectives: Objectives,
    /// Column that says which rows are replicates of the same configuration
    #[arg(long, value_name = "C")]
    configuration: Option<String>,
    /// Differences that measurement cannot tell [default: two standard errors of the replicates]
    #[arg(long, value_name = "NAME=VALUE,...", value_delimiter = ',', value_parser = named_value)]
    epsilon: Vec<(String, f64)>,
    /// Samples where the volume is not computed exactly: above six objectives, or when time is up
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..))]
    samples: u32,
    /// Where the random numbers begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    limit: TimeLimit,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    match answer(arguments) {
        Ok(answer) => (Ending::Good, write(&answer, arguments, out)),
        Err(sentence) => {
            complain(&sentence);
            (Ending::Unreadable, Ok(()))
        }
    }
}

fn answer(arguments: &Arguments) -> Result<Answer, String> {
    let columns = Columns::read(&arguments.points.file).map_err(|error| error.to_string())?;
    Answer::of(arguments, &columns)
}

fn write(answer: &Answer, arguments: &Arguments, out: &mut dyn Write) -> io::Result<()> {
    if arguments.json {
        write_json(&show::json(answer, arguments), out)
    } else {
        show::print(answer, arguments, out)
    }
}
