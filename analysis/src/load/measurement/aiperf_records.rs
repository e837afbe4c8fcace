//! AIPerf's `profile_export.jsonl`: one line per request, times of start in nanoseconds since the Unix epoch.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::bytes::lines;
use super::json::{Count, Quantity, of_json};
use super::{Fault, Parsed, RequestRow, key_of};

#[derive(Deserialize)]
struct Record {
    metadata: Metadata,
    metrics: Option<BTreeMap<String, Measured>>,
    error: Option<ErrorDetails>,
}

#[derive(Deserialize)]
struct Metadata {
    x_request_id: Option<String>,
    conversation_id: Option<String>,
    request_start_ns: u64,
    benchmark_phase: Option<String>,
    #[serde(default)]
    was_cancelled: bool,
}

#[derive(Deserialize)]
struct Measured {
    value: Value,
    unit: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    One(f64),
    Many(Vec<f64>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct ErrorDetails {
    code: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let mut parsed = Parsed { on_unix_clock: true, has_outcomes: true, ..Parsed::default() };
    let mut warm_up = 0;
    for line in lines(content) {
        let (line, text) = line?;
        let record: Record = of_json(line, text)?;
        if record.metadata.benchmark_phase.as_deref() == Some("warmup") {
            warm_up += 1;
        } else {
            parsed.rows.push(record.row(line)?);
        }
    }
    if warm_up > 0 {
        parsed.notes.push(format!("{warm_up} requests of AIPerf's warm-up are left out"));
    }
    Ok(parsed)
}

impl Record {
    fn row(&self, line: usize) -> Result<RequestRow, Fault> {
        let tokens = |name: &str| self.count(line, name);
        let mut row = RequestRow {
            line,
            client_key: key_of(self.metadata.x_request_id.as_deref()),
            start_ms: Some(self.metadata.request_start_ns as f64 / 1e6),
            input_tokens: tokens("input_sequence_length")?,
            session: self.metadata.conversation_id.clone(),
            error: self.error(),
            ..RequestRow::default()
        };
        if row.error.is_some() {
            return Ok(row);
        }
        row.output_tokens = match tokens("output_sequence_length")? {
            Some(count) => Some(count),
            None => tokens("output_token_count")?,
        };
        row.ttft_ms = self.one_ms(line, "time_to_first_token")?;
        row.e2e_ms = self.one_ms(line, "request_latency")?;
        row.itl_mean_ms =
            self.one_ms(line, "inter_token_latency")?.or_else(|| row.mean_of_latencies());
        // Chunks are tokens only if there are as many of them.
        let chunks = self.many_ms(line, "inter_chunk_latency")?;
        if row.output_tokens == Some(chunks.len() as u64 + 1) {
            row.itls_ms = chunks;
        }
        Ok(row)
    }

    fn error(&self) -> Option<String> {
        if let Some(error) = &self.error {
            let kind = error.kind.as_deref().unwrap_or("error");
            let code = error.code.map_or_else(String::new, |code| format!(" {code}"));
            let message = error.message.as_deref().unwrap_or("no message");
            return Some(format!("{kind}{code}: {message}"));
        }
        self.metadata.was_cancelled.then(|| "cancelled".into())
    }

    fn metric(&self, name: &str) -> Option<&Measured> {
        self.metrics.as_ref()?.get(name)
    }

    fn one_ms(&self, line: usize, name: &str) -> Result<Option<f64>, Fault> {
        let Some(metric) = self.metric(name) else { return Ok(None) };
        match metric.value {
            Value::One(value) => metric.ms(line, name, value).map(Some),
            _ => Err(Fault::new(line, format!("metrics.{name}.value: it is not a number"))),
        }
    }

    fn many_ms(&self, line: usize, name: &str) -> Result<Vec<f64>, Fault> {
        let Some(metric) = self.metric(name) else { return Ok(Vec::new()) };
        match &metric.value {
            Value::Many(values) => {
                values.iter().map(|value| metric.ms(line, name, *value)).collect()
            }
            _ => Err(Fault::new(line, format!("metrics.{name}.value: it is not a list"))),
        }
    }

    fn count(&self, line: usize, name: &str) -> Result<Option<u64>, Fault> {
        let Some(metric) = self.metric(name) else { return Ok(None) };
        let count = match metric.value {
            Value::One(value) => Count::of(value),
            _ => None,
        };
        let fault = || Fault::new(line, format!("metrics.{name}.value: it is not a count"));
        count.map(|count| Some(count.0)).ok_or_else(fault)
    }
}

impl Measured {
    fn ms(&self, line: usize, name: &str, value: f64) -> Result<f64, Fault> {
        milliseconds(value, &self.unit).ok_or_else(|| {
            let what = format!("metrics.{name}: {value} {} is no duration", self.unit);
            Fault::new(line, what)
        })
    }
}

/// A duration in one of AIPerf's units.
pub(super) fn milliseconds(value: f64, unit: &str) -> Option<f64> {
    let in_ms = match unit {
        "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" | "sec" => 1e3,
        _ => return None,
    };
    Quantity::of(value * in_ms).map(|quantity| quantity.0)
}
