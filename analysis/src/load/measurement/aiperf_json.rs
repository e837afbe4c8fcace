//! AIPerf's `profile_export_aiperf.json`: a summary. Every metric is an object with a unit and statistics.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::aiperf_records::milliseconds;
use super::bytes::text;
use super::json::{Quantity, of_json};
use super::{Fault, Parsed};

#[derive(Deserialize)]
struct Export {
    request_throughput: Option<Statistics>,
    request_latency: Option<Statistics>,
    request_count: Option<Statistics>,
    error_request_count: Option<Statistics>,
    time_to_first_token: Option<Statistics>,
    inter_token_latency: Option<Statistics>,
    output_token_throughput: Option<Statistics>,
    output_sequence_length: Option<Statistics>,
    benchmark_duration: Option<Statistics>,
    #[serde(default)]
    was_cancelled: bool,
}

#[derive(Deserialize)]
pub(super) struct Statistics {
    pub(super) unit: String,
    pub(super) avg: Option<Quantity>,
    pub(super) p50: Option<Quantity>,
    pub(super) p95: Option<Quantity>,
    pub(super) p99: Option<Quantity>,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let text = text(content)?;
    let export: Export = of_json(1, text)?;
    let line_of = |name: &str| {
        let key = format!("\"{name}\"");
        text.lines().position(|line| line.contains(&key)).map_or(1, |index| index + 1)
    };
    let metrics = [
        ("request_throughput", export.request_throughput),
        ("request_latency", export.request_latency),
        ("request_count", export.request_count),
        ("error_request_count", export.error_request_count),
        ("time_to_first_token", export.time_to_first_token),
        ("inter_token_latency", export.inter_token_latency),
        ("output_token_throughput", export.output_token_throughput),
        ("output_sequence_length", export.output_sequence_length),
        ("benchmark_duration", export.benchmark_duration),
    ];
    let known = metrics.into_iter().filter_map(|(name, metric)| Some((name, metric?))).collect();
    let mut parsed =
        of_statistics(&known).map_err(|(name, what)| Fault::new(line_of(name), what))?;
    if export.was_cancelled {
        parsed.notes.push("the benchmark was cancelled".into());
    }
    Ok(parsed)
}

/// What the statistics of AIPerf's metrics, by tag, say.
pub(super) fn of_statistics<'a>(
    metrics: &BTreeMap<&'a str, Statistics>,
) -> Result<Parsed, (&'a str, String)> {
    let mut summary = BTreeMap::new();
    let mut insert = |name, value: Option<f64>| {
        if let Some(value) = value {
            summary.insert(name, value);
        }
    };
    let ms = |tag: &'a str, pick: fn(&Statistics) -> Option<Quantity>| {
        let Some(metric) = metrics.get(tag) else { return Ok(None) };
        let Some(value) = pick(metric) else { return Ok(None) };
        let fault = || (tag, format!("{tag}: {} {} is no duration", value.0, metric.unit));
        milliseconds(value.0, &metric.unit).map(Some).ok_or_else(fault)
    };
    let average = |tag: &str| Some(metrics.get(tag)?.avg?.0);
    let completed = average("request_count");
    let failed = average("error_request_count").unwrap_or(0.0);
    let duration_s = ms("benchmark_duration", |of| of.avg)?.map(|ms| ms / 1e3);
    let e2e_mean = ms("request_latency", |of| of.avg)?;
    insert("completed", completed);
    insert("requests", completed.map(|completed| completed + failed));
    insert("duration_s", duration_s);
    insert("requests_per_s", average("request_throughput"));
    insert("output_tokens_per_s", average("output_token_throughput"));
    insert("ttft_p50_ms", ms("time_to_first_token", |of| of.p50)?);
    insert("ttft_p95_ms", ms("time_to_first_token", |of| of.p95)?);
    insert("ttft_p99_ms", ms("time_to_first_token", |of| of.p99)?);
    insert("tbt_p95_ms", ms("inter_token_latency", |of| of.p95)?);
    insert("e2e_mean_ms", e2e_mean);
    insert("e2e_p99_ms", ms("request_latency", |of| of.p99)?);
    let tokens = average("output_sequence_length").filter(|tokens| *tokens > 0.0);
    insert("e2e_ms_per_output_token", e2e_mean.zip(tokens).map(|(ms, tokens)| ms / tokens));
    let mut notes = Vec::new();
    if summary.contains_key("tbt_p95_ms") {
        notes.push(
            "AIPerf's percentiles of the time between tokens are those of the requests' means"
                .into(),
        );
    }
    Ok(Parsed { has_outcomes: true, duration_s, summary, notes, ..Parsed::default() })
}
