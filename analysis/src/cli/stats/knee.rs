//! `nashtrace stats knee`.

use std::io::Write;

use serde_json::json;

use super::{Answer, Answered, Failure, Input, Table, show};
use crate::cli::show::{finite, interval};
use crate::report::{count, heading, number, sentence};
use crate::stats::{Interval, knee};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// The column on the horizontal axis, for instance the load
    #[arg(long, value_name = "C")]
    against: String,
    /// Take both columns as they are, not their logarithms
    #[arg(long)]
    linear: bool,
}

/// A knee that one straight line shows more often than this is none.
const LEVEL: f64 = 0.05;

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    show(answer(arguments), arguments.input.json, out)
}

fn answer(arguments: &Arguments) -> Result<Answer, Failure> {
    let table = arguments.input.read()?;
    let y = scaled(&table, &table.column, arguments.linear)?;
    let x = scaled(&table, &arguments.against, arguments.linear)?;
    let found = knee(&x, &y).map_err(|refusal| table.refused(refusal))?;
    let back = |value: f64| if arguments.linear { value } else { value.exp() };
    let place = Interval { low: back(found.knee.low), high: back(found.knee.high) };
    let lines = &found.lines;
    let identified = found.p_value <= LEVEL;
    let json = json!({
        "column": table.column,
        "against": arguments.against,
        "n": x.len(),
        "scale": if arguments.linear { "linear" } else { "log-log" },
        "knee": back(lines.knee),
        "knee_interval": place,
        "height": back(lines.height),
        "slope_before": lines.slope_before,
        "slope_before_interval": finite_interval(found.slope_before),
        "slope_after": lines.slope_after,
        "slope_after_interval": finite_interval(found.slope_after),
        "p_value": found.p_value,
        "identified": identified,
        "resamples": found.resamples,
    });
    let verdict = if identified {
        "The slope changes: one straight line hardly ever looks like this."
    } else {
        "One straight line often looks like this: the knee is not identified."
    };
    let text = format!(
        "{} at {} = {} ({}), from {} points\n  slope {} ({}) before, {} ({}) behind; p-value {}\n{}\n",
        heading("Knee"),
        arguments.against,
        number(back(lines.knee)),
        interval(Some(&place)),
        count(x.len() as u64),
        number(lines.slope_before),
        interval(Some(&found.slope_before)),
        number(lines.slope_after),
        interval(Some(&found.slope_after)),
        number(found.p_value),
        sentence(verdict),
    );
    Ok(Answer { json, text })
}

fn finite_interval(interval: Interval) -> Option<Interval> {
    finite(interval.low).and(finite(interval.high)).map(|_| interval)
}

/// A column, or its logarithms.
fn scaled(table: &Table, column: &str, linear: bool) -> Result<Vec<f64>, Failure> {
    let values = table.columns.numbers(column)?;
    if linear {
        return Ok(values);
    }
    if let Some(row) = values.iter().position(|value| *value <= 0.0) {
        return Err(Failure::Table(format!(
            "{}: line {}: column {column} has {}, which has no logarithm; use --linear",
            table.columns.source(),
            table.columns.line(row),
            values[row]
        )));
    }
    Ok(values.into_iter().map(f64::ln).collect())
}
