//! AIPerf's `profile_export_aiperf.csv`: the summary as two tables below each other, the metrics that have a
//! distribution and those that are one number; tables of GPUs may follow. Numbers have two decimals.

use std::collections::BTreeMap;

use super::aiperf_json::{Statistics, of_statistics};
use super::bytes::text;
use super::json::Quantity;
use super::{Fault, Parsed};

/// The metrics by the names that the file gives them, without units.
const TAGS: [(&str, &str); 9] = [
    ("Request Throughput", "request_throughput"),
    ("Request Latency", "request_latency"),
    ("Request Count", "request_count"),
    ("Error Request Count", "error_request_count"),
    ("Time to First Token", "time_to_first_token"),
    ("Inter Token Latency", "inter_token_latency"),
    ("Output Token Throughput", "output_token_throughput"),
    ("Output Sequence Length", "output_sequence_length"),
    ("Benchmark Duration", "benchmark_duration"),
];

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text(content)?.as_bytes());
    let mut header: Option<csv::StringRecord> = None;
    let mut metrics: BTreeMap<&str, Statistics> = BTreeMap::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            Fault::new(line as usize, error)
        })?;
        let line = record.position().map_or(1, csv::Position::line) as usize;
        match (&record[0], &header) {
            ("Metric", _) => header = Some(record),
            // A table of something else.
            _ if is_other_header(&record) => header = None,
            (_, None) => {}
            (name, Some(header)) => {
                if let Some((tag, statistics)) = metric(line, name, &record, header)? {
                    metrics.insert(tag, statistics);
                    lines.insert(tag, line);
                }
            }
        }
    }
    if metrics.is_empty() {
        return Err(Fault::new(1, "none of AIPerf's metrics is in it"));
    }
    of_statistics(&metrics)
        .map_err(|(tag, what)| Fault::new(lines.get(tag).copied().unwrap_or(1), what))
}

/// Headers of tables about GPUs begin with where the GPU is.
fn is_other_header(record: &csv::StringRecord) -> bool {
    record.len() > 1
        && record.iter().skip(1).all(|cell| cell.parse::<f64>().is_err() && !cell.is_empty())
}

fn metric(
    line: usize,
    name: &str,
    record: &csv::StringRecord,
    header: &csv::StringRecord,
) -> Result<Option<(&'static str, Statistics)>, Fault> {
    let (bare, unit) = match name.rsplit_once(" (") {
        Some((bare, unit)) => (bare, unit.trim_end_matches(')')),
        None => (name, ""),
    };
    let Some((_, tag)) = TAGS.iter().find(|(known, _)| *known == bare) else { return Ok(None) };
    if record.len() != header.len() {
        let what = format!("{} fields, but the header has {}", record.len(), header.len());
        return Err(Fault::new(line, what));
    }
    let cell = |column: &str| {
        let Some(index) = header.iter().position(|known| known == column) else { return Ok(None) };
        if record[index].is_empty() {
            return Ok(None);
        }
        let value = record[index].parse::<f64>().ok().and_then(Quantity::of);
        let fault = || {
            let what =
                format!("\"{}\" in column \"{column}\" is no plausible quantity", &record[index]);
            Fault::new(line, what)
        };
        value.map(Some).ok_or_else(fault)
    };
    let average = match cell("avg")? {
        Some(average) => Some(average),
        None => cell("Value")?,
    };
    let statistics = Statistics {
        unit: unit.into(),
        avg: average,
        p50: cell("p50")?,
        p95: cell("p95")?,
        p99: cell("p99")?,
    };
    Ok(Some((tag, statistics)))
}
