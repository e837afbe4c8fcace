//! A measurement as a table and as JSON.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Arguments, joined};
use crate::answers::JoinedAnswer;
use crate::cli::write_json;
use crate::load::{METRICS, Measurement, Origin, source_of};
use crate::report::{Table, count, heading, number, sentence, warning};
use crate::tables::DecisionTable;

pub(super) fn show(
    measurement: &Measurement,
    arguments: &Arguments,
    joined: Option<&(DecisionTable, JoinedAnswer)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if arguments.json {
        let mut value = to_json(measurement, arguments);
        if let Some((table, answer)) = joined {
            value["joined"] = joined::to_json(table, answer);
        }
        return write_json(&value, out);
    }
    print(measurement, out)?;
    match joined {
        Some((table, answer)) => joined::print(table, answer, out),
        None => Ok(()),
    }
}

fn to_json(measurement: &Measurement, arguments: &Arguments) -> Value {
    let metrics: Map<String, Value> = METRICS
        .iter()
        .filter_map(|(name, ..)| Some(((*name).to_owned(), json!(measurement.metrics.get(name)?))))
        .collect();
    json!({
        "file": source_of(&arguments.file),
        "format": measurement.format.name(),
        "requests": measurement.requests.len(),
        "discarded": measurement.discarded,
        "failed": failed(measurement),
        "with_id": with_id(measurement),
        "started_unix_ms": measurement.started_unix_ms,
        "metrics": metrics,
        "notes": measurement.notes,
    })
}

fn failed(measurement: &Measurement) -> usize {
    measurement.counted().iter().filter(|row| row.error.is_some()).count()
}

fn with_id(measurement: &Measurement) -> usize {
    let has_id = measurement.counted().iter().map(|row| row.key.or(row.client_key).is_some());
    has_id.filter(|has| *has).count()
}

fn print(measurement: &Measurement, out: &mut dyn Write) -> io::Result<()> {
    if !measurement.notes.is_empty() {
        writeln!(out, "{}", warning("Before you read on"))?;
        for note in &measurement.notes {
            writeln!(out, "{}", sentence(note))?;
        }
        writeln!(out)?;
    }
    let requests = match measurement.requests.len() as u64 {
        0 => "a summary alone".to_owned(),
        requests => format!(
            "{} requests, {} of them discarded; {} of the others failed, {} have an id",
            count(requests),
            count(measurement.discarded as u64),
            count(failed(measurement) as u64),
            count(with_id(measurement) as u64),
        ),
    };
    writeln!(out, "{} {requests}\n", heading(measurement.format.name()))?;
    let mut table =
        Table::new(&["metric", "value", "unit", "from", "meaning"]).left(2).left(3).left(4);
    for (name, unit, meaning) in METRICS {
        let Some(metric) = measurement.metrics.get(name) else { continue };
        let origin = match metric.origin {
            Origin::Requests => "requests",
            Origin::Summary => "summary",
        };
        let value = if metric.value.fract() == 0.0 && unit.is_empty() {
            count(metric.value as u64)
        } else {
            number(metric.value)
        };
        table.row(vec![name.into(), value, unit.into(), origin.into(), meaning.into()]);
    }
    write!(out, "{table}")
}
