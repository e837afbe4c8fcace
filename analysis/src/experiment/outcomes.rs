//! What became of a run's requests, and the metrics that follow.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::design::{Design, ServiceLevel};
use super::metric::BY_SOURCE;
use crate::load::{Measurement, RequestRow};
use crate::stats::{mean, quantile_sorted};

/// Values by metric.
pub(super) type Metrics = BTreeMap<String, Option<f64>>;

/// One request, in the names of the lab's `requests.jsonl`. Whatever else a line has is left alone.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RequestOutcome {
    pub(super) arrival_time_ms: f64,
    #[serde(default)]
    pub(super) ttft_ms: Option<f64>,
    /// Mean time between its tokens.
    #[serde(default)]
    pub(super) itl_ms: Option<f64>,
    #[serde(default, alias = "e2e_ms")]
    pub(super) e2e_latency_ms: Option<f64>,
    #[serde(default)]
    pub(super) input_length: f64,
    #[serde(default)]
    pub(super) output_length: f64,
    #[serde(default)]
    pub(super) reused_input_tokens: Option<f64>,
    /// The request's key in the trace, in hexadecimal.
    #[serde(default)]
    pub(super) request_key: Option<String>,
    #[serde(default)]
    pub(super) terminal_status: Option<String>,
    /// Who sent it, if several did.
    #[serde(default)]
    pub(super) source: Option<String>,
}

impl RequestOutcome {
    pub(super) fn is_complete(&self) -> bool {
        let ended_well = self.terminal_status.as_deref().is_none_or(|status| status == "completed");
        ended_well && self.e2e_latency_ms.is_some()
    }

    /// When its last token came.
    pub(super) fn end_ms(&self) -> Option<f64> {
        self.e2e_latency_ms.map(|latency| self.arrival_time_ms + latency)
    }

    fn keeps(&self, level: &ServiceLevel) -> bool {
        let within = |value: Option<f64>, most: Option<f64>| {
            most.is_none_or(|most| value.is_none_or(|value| value <= most))
        };
        self.is_complete()
            && within(self.ttft_ms, level.ttft_ms)
            && within(self.itl_ms, level.itl_ms)
            && within(self.e2e_latency_ms, level.e2e_ms)
    }
}

/// The requests of a measurement, by arrival; none if it does not say when each was sent.
pub(super) fn of_measurement(measurement: &Measurement) -> Vec<RequestOutcome> {
    let of_row = |row: &RequestRow| {
        Some(RequestOutcome {
            arrival_time_ms: row.start_ms?,
            ttft_ms: row.ttft_ms,
            itl_ms: row
                .itl_mean_ms
                .or_else(|| (!row.itls_ms.is_empty()).then(|| mean(&row.itls_ms))),
            e2e_latency_ms: row.e2e_ms,
            input_length: row.input_tokens.unwrap_or(0) as f64,
            output_length: row.output_tokens.unwrap_or(0) as f64,
            reused_input_tokens: None,
            request_key: None,
            terminal_status: row.error.is_some().then(|| "failed".to_owned()),
            source: None,
        })
    };
    measurement.requests.iter().map(of_row).collect::<Option<_>>().unwrap_or_default()
}

/// Read the requests of a run, by arrival.
///
/// # Errors
///
/// A sentence with file and line.
pub(super) fn read(path: &Path) -> Result<Vec<RequestOutcome>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    let mut requests = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| format!("{name}: {error}"))?;
        let fault = |what: &str| format!("{name}, line {}: {what}", number + 1);
        let request: RequestOutcome =
            serde_json::from_str(&line).map_err(|error| fault(&error.to_string()))?;
        requests.push(request);
    }
    requests.sort_by(|a, b| a.arrival_time_ms.total_cmp(&b.arrival_time_ms));
    match requests.is_empty() {
        true => Err(format!("{name} has no request")),
        false => Ok(requests),
    }
}

/// The metrics that requests tell, in order of arrival; a leading share is discarded.
pub(super) fn metrics(requests: &[RequestOutcome], design: &Design) -> Metrics {
    let discarded = (requests.len() as f64 * design.discard) as usize;
    let counted = &requests[discarded..];
    let mut metrics = Metrics::new();
    let mut set = |name: &str, value: f64| {
        metrics.insert(name.to_owned(), value.is_finite().then_some(value));
    };
    let pick = |value: fn(&RequestOutcome) -> Option<f64>| -> Vec<f64> {
        let mut values: Vec<f64> = counted.iter().filter_map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (ttft, tbt) = (pick(|request| request.ttft_ms), pick(|request| request.itl_ms));
    let e2e = pick(|request| request.e2e_latency_ms);
    let complete = counted.iter().filter(|request| request.is_complete()).count() as f64;
    let good = counted.iter().filter(|request| request.keeps(&design.slo)).count() as f64;
    let all = counted.len() as f64;
    let seconds = span_ms(counted) / 1e3;
    let arrivals = counted.last().map_or(0.0, |last| last.arrival_time_ms)
        - counted.first().map_or(0.0, |first| first.arrival_time_ms);
    let finished = || counted.iter().filter(|request| request.is_complete());
    let tokens: f64 = finished().map(|request| request.output_length).sum();
    let latency: f64 = finished().filter_map(|request| request.e2e_latency_ms).sum();
    set("requests", all);
    set("completed", complete);
    set("offered_rate", (all - 1.0) / (arrivals / 1e3));
    set("ttft_mean_ms", mean(&ttft));
    for (name, p) in [("ttft_p50_ms", 0.5), ("ttft_p95_ms", 0.95), ("ttft_p99_ms", 0.99)] {
        set(name, quantile_sorted(&ttft, p));
    }
    set("tbt_mean_ms", mean(&tbt));
    set("tbt_p95_ms", quantile_sorted(&tbt, 0.95));
    set("e2e_mean_ms", mean(&e2e));
    set("e2e_p95_ms", quantile_sorted(&e2e, 0.95));
    set("e2e_p99_ms", quantile_sorted(&e2e, 0.99));
    set("e2e_ms_per_output_token", latency / tokens);
    set("output_tokens_per_s", tokens / seconds);
    set("requests_per_s", complete / seconds);
    set("goodput_requests_per_s", good / seconds);
    set("slo_violation_rate", 1.0 - good / all);
    set("duration_s", span_ms(requests) / 1e3);
    if counted.iter().any(|request| request.reused_input_tokens.is_some()) {
        let reused: f64 = counted.iter().filter_map(|request| request.reused_input_tokens).sum();
        let prompts: f64 = counted.iter().map(|request| request.input_length).sum();
        set("cache_hit_rate", reused / prompts);
    }
    by_source(counted, &mut metrics);
    metrics
}

/// The metrics of [`BY_SOURCE`].
fn by_source(counted: &[RequestOutcome], metrics: &mut Metrics) {
    let mut sources: BTreeMap<&str, Vec<&RequestOutcome>> = BTreeMap::new();
    for request in counted {
        if let Some(source) = &request.source {
            sources.entry(source).or_default().push(request);
        }
    }
    let fields: [fn(&RequestOutcome) -> Option<f64>; BY_SOURCE.len()] =
        [|request| request.ttft_ms, |request| request.e2e_latency_ms];
    for (source, requests) in sources {
        for (name, field) in BY_SOURCE.iter().zip(fields) {
            let values: Vec<f64> = requests.iter().filter_map(|request| field(request)).collect();
            let value = mean(&values);
            metrics.insert(format!("{name}@{source}"), value.is_finite().then_some(value));
        }
    }
}

/// From the first arrival to the last token, in milliseconds.
pub(super) fn span_ms(requests: &[RequestOutcome]) -> f64 {
    let first = requests.first().map_or(0.0, |request| request.arrival_time_ms);
    let last = requests.iter().filter_map(RequestOutcome::end_ms).fold(first, f64::max);
    last - first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(discard: f64) -> Design {
        let text = format!(
            "name = \"x\"\nblocks = 1\ndiscard = {discard}\nwelfare = {{ cost = \"e2e_mean_ms\" }}\n\
             slo = {{ ttft_ms = 100 }}\ndriver = {{ kind = \"lab\", scenario = \"s\" }}\n\
             [[players]]\nname = \"router\"\n[[players.strategies]]\nname = \"a\"\n\
             [[loads]]\nname = \"one\"\nvalue = 1\n"
        );
        Design::parse(&text).unwrap()
    }

    fn requests() -> Vec<RequestOutcome> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        // A request every second, the later the slower; the last one is not answered.
        let lines: String = (0..10)
            .map(|n| {
                let (arrival, ttft) = (1000 * n, 30 * n);
                let e2e = if n == 9 { "null".to_owned() } else { (500 + ttft).to_string() };
                format!(
                    "{{\"arrival_time_ms\":{arrival},\"ttft_ms\":{ttft},\"itl_ms\":5,\
                     \"e2e_latency_ms\":{e2e},\"input_length\":200,\"output_length\":100,\
                     \"reused_input_tokens\":50,\"terminal_status\":\"completed\",\"other\":[]}}\n"
                )
            })
            .collect();
        std::fs::write(&path, lines).unwrap();
        read(&path).unwrap()
    }

    #[test]
    fn metrics_by_hand() {
        let metrics = metrics(&requests(), &design(0.0));
        let is = |name: &str, value: f64| {
            let found = metrics[name].unwrap();
            assert!((found - value).abs() < 1e-9, "{name}: {found}");
        };
        is("requests", 10.0);
        is("completed", 9.0);
        is("offered_rate", 1.0);
        is("ttft_p50_ms", 135.0);
        is("ttft_p99_ms", 267.3);
        is("tbt_p95_ms", 5.0);
        is("e2e_mean_ms", 620.0);
        is("e2e_ms_per_output_token", 6.2);
        is("duration_s", 8.74);
        is("output_tokens_per_s", 900.0 / 8.74);
        // Those of 0, 30, 60 and 90 ms keep the level of 100 ms.
        is("slo_violation_rate", 0.6);
        is("cache_hit_rate", 0.25);
    }

    #[test]
    fn the_leading_share_does_not_count() {
        let all = requests();
        let kept = metrics(&all, &design(0.25));
        assert_eq!(kept["requests"], Some(8.0));
        assert_eq!(kept["ttft_p50_ms"], Some(165.0));
        assert_eq!(kept["duration_s"], metrics(&all, &design(0.0))["duration_s"]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        std::fs::write(&path, "{\"arrival_time_ms\":1}\n{\"arrival_time_ms\":").unwrap();
        assert!(read(&path).unwrap_err().starts_with("requests.jsonl, line 2: EOF"));
        std::fs::write(&path, "").unwrap();
        assert_eq!(read(&path).unwrap_err(), "requests.jsonl has no request");
    }
}
