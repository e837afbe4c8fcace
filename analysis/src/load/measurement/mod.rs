//! What a load generator or a server says about the requests that it measured: one type for every format.

mod aiperf_csv;
mod aiperf_json;
mod aiperf_records;
mod bytes;
mod dynamo_request_trace;
mod format;
mod json;
mod lab;
mod metrics;
mod mooncake;
mod vllm_bench_latency;
mod vllm_bench_serve;
mod vllm_bench_throughput;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use nashtrace::record::request_key;

pub use self::bytes::LoadError;
pub(in crate::load) use self::bytes::lines;
pub(crate) use self::bytes::{content, source_of};
pub use self::format::Format;
pub(in crate::load) use self::json::of_json;
pub use self::metrics::{METRICS, Metric, Origin, Slo};
pub use self::mooncake::{MooncakeWritten, write_mooncake};
use super::Fault;

/// One request as somebody measured it. What the file does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestRow {
    /// The line that it stands on, from 1.
    pub line: usize,
    /// Key of the id that Dynamo gave the request: `request_key` of its bytes, as in traces.
    pub key: Option<u64>,
    /// Key of the id that the client gave it (`X-Request-Id`).
    pub client_key: Option<u64>,
    /// When it was sent, milliseconds since the first one of the file.
    pub start_ms: Option<f64>,
    /// Time to first token, milliseconds.
    pub ttft_ms: Option<f64>,
    /// Times between successive outputs, milliseconds; empty if only their mean is known.
    pub itls_ms: Vec<f64>,
    /// Mean time between output tokens, milliseconds.
    pub itl_mean_ms: Option<f64>,
    /// End-to-end latency, milliseconds.
    pub e2e_ms: Option<f64>,
    /// Prompt tokens.
    pub input_tokens: Option<u64>,
    /// Output tokens.
    pub output_tokens: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Identities of the prompt's KV blocks; requests with the same first blocks share a prefix.
    pub blocks: Vec<u64>,
    /// The conversation that it is a turn of.
    pub session: Option<String>,
    /// The pause after the turn before, milliseconds.
    pub delay_ms: Option<f64>,
}

impl RequestRow {
    /// The mean time between tokens that the latencies leave: what is not the first token, shared by the
    /// tokens behind it. `None` of a single token.
    fn mean_of_latencies(&self) -> Option<f64> {
        let behind_first = self.output_tokens?.checked_sub(1).filter(|tokens| *tokens > 0)?;
        let decoding = self.e2e_ms? - self.ttft_ms?;
        (decoding >= 0.0).then(|| decoding / behind_first as f64)
    }
}

/// How to read a file of measurements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// The leading share of requests that does not count, in [0, 1): `floor(discard * requests)` of them.
    pub discard: f64,
    /// What a request must keep to, for `slo_violation_rate`.
    pub slo: Slo,
    /// `--request-id-prefix` of `vllm bench serve`: its files have no ids, but request number i was sent
    /// with the id PREFIXi.
    pub request_id_prefix: Option<String>,
    /// Which of several results of one file, from 1; the last one by default (`--append-result`).
    pub result: Option<usize>,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What kind of file it is.
    pub format: Format,
    /// The requests in the order in which they were sent; empty if the file has a summary alone.
    pub requests: Vec<RequestRow>,
    /// How many of the first requests do not count.
    pub discarded: usize,
    /// When the first request was sent, milliseconds since the Unix epoch.
    pub started_unix_ms: Option<f64>,
    /// The metrics that are known, by the names of [`METRICS`].
    pub metrics: BTreeMap<&'static str, Metric>,
    /// What a reader must know before he believes the numbers, one sentence each.
    pub notes: Vec<String>,
}

impl Measurement {
    /// The requests that count.
    #[must_use]
    pub fn counted(&self) -> &[RequestRow] {
        &self.requests[self.discarded..]
    }

    /// The value of a metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).map(|metric| metric.value)
    }

    /// Take Dynamo's ids from a request trace that knows both ids of every request. Returns how many were
    /// found.
    pub fn take_keys_of(&mut self, request_trace: &Self) -> usize {
        let known = request_trace.requests.iter();
        let keys: HashMap<u64, u64> =
            known.filter_map(|row| Some((row.client_key?, row.key?))).collect();
        let mut found = 0;
        for row in self.requests.iter_mut().filter(|row| row.key.is_none()) {
            row.key = row.client_key.and_then(|client| keys.get(&client).copied());
            found += usize::from(row.key.is_some());
        }
        found
    }
}

/// What a parser makes of a file.
#[derive(Debug, Default)]
struct Parsed {
    /// In file order. Times of start are on any clock.
    rows: Vec<RequestRow>,
    /// Whether the times of start are milliseconds since the Unix epoch.
    on_unix_clock: bool,
    /// Whether the file says what became of the requests; a workload does not.
    has_outcomes: bool,
    /// How long the producer says that it measured, seconds.
    duration_s: Option<f64>,
    /// Metrics that the producer computed.
    summary: BTreeMap<&'static str, f64>,
    notes: Vec<String>,
}

/// Read a file, or standard input if the path is `-`; compressed by gzip or not. Without a format it is
/// found out by what stands in the file.
///
/// # Errors
///
/// If the file cannot be read or is not what it should be; with the line, and the place in a JSON value.
pub fn read_measurement(
    path: &Path,
    format: Option<Format>,
    options: &ReadOptions,
) -> Result<Measurement, LoadError> {
    let content = bytes::content(path)?;
    measurement_of(&content, format, options).map_err(|fault| LoadError::faulty(path, fault))
}

/// The measurement that a file's content is, see [`read_measurement`].
///
/// # Errors
///
/// If it is not what it should be; with the line.
pub fn measurement_of(
    content: &[u8],
    format: Option<Format>,
    options: &ReadOptions,
) -> Result<Measurement, Fault> {
    let format = format.map_or_else(|| Format::of_content(content), Ok)?;
    let parsed = match format {
        Format::VllmBenchServe => vllm_bench_serve::parse(content, options),
        Format::VllmBenchThroughput => vllm_bench_throughput::parse(content),
        Format::VllmBenchLatency => vllm_bench_latency::parse(content),
        Format::AiperfRecords => aiperf_records::parse(content),
        Format::AiperfJson => aiperf_json::parse(content),
        Format::AiperfCsv => aiperf_csv::parse(content),
        Format::DynamoRequestTrace => dynamo_request_trace::parse(content),
        Format::Mooncake => mooncake::parse(content),
        Format::Lab => lab::parse(content),
        Format::Scrape => Err(Fault::new(
            1,
            "this is a file of scraped metrics, which has no requests; ask for series with --metric",
        )),
    }?;
    Ok(finish(format, parsed, options))
}

/// Put the requests in order, leave out the first ones and compute what they say.
fn finish(format: Format, mut parsed: Parsed, options: &ReadOptions) -> Measurement {
    let (requests, first_start_ms) = in_order(std::mem::take(&mut parsed.rows));
    let discarded = (options.discard * requests.len() as f64).floor() as usize;
    let mut measurement = Measurement {
        format,
        discarded: discarded.min(requests.len()),
        started_unix_ms: first_start_ms.filter(|_| parsed.on_unix_clock),
        requests,
        metrics: BTreeMap::new(),
        notes: std::mem::take(&mut parsed.notes),
    };
    if options.discard > 0.0 && measurement.requests.is_empty() {
        measurement.notes.push(
            "the file says nothing about single requests: none of them could be discarded".into(),
        );
    }
    metrics::fill(&mut measurement, &parsed, &options.slo);
    measurement
}

/// The rows in order of start, with starts counted from the first one, which is returned too. If the start
/// of some request is not known, the rows stay in file order.
fn in_order(mut rows: Vec<RequestRow>) -> (Vec<RequestRow>, Option<f64>) {
    let starts = rows.iter().filter_map(|row| row.start_ms);
    let first = starts.min_by(f64::total_cmp);
    if rows.iter().all(|row| row.start_ms.is_some()) {
        let start = |row: &RequestRow| row.start_ms.unwrap_or(f64::INFINITY);
        rows.sort_by(|a, b| start(a).total_cmp(&start(b)));
    }
    if let Some(first) = first {
        for start in rows.iter_mut().filter_map(|row| row.start_ms.as_mut()) {
            *start -= first;
        }
    }
    (rows, first)
}

/// The key of an id, unless it is empty.
fn key_of(id: Option<&str>) -> Option<u64> {
    id.filter(|id| !id.is_empty()).map(|id| request_key(id.as_bytes()))
}
