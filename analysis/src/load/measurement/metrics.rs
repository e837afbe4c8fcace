//! The metrics of a measurement: computed from its requests where there are requests, else taken from the
//! producer's summary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Measurement, Parsed, RequestRow};
use crate::stats::{mean, quantile_sorted};

/// The names of all metrics, with their units and meaning, in the order in which they are shown.
pub const METRICS: [(&str, &str, &str); 14] = [
    ("requests", "", "requests that count"),
    ("completed", "", "those that did not fail"),
    ("offered_rate", "1/s", "requests sent per second"),
    ("requests_per_s", "1/s", "requests completed per second"),
    ("output_tokens_per_s", "1/s", "output tokens per second"),
    ("ttft_p50_ms", "ms", "time to first token, median"),
    ("ttft_p95_ms", "ms", "time to first token, 95th percentile"),
    ("ttft_p99_ms", "ms", "time to first token, 99th percentile"),
    ("tbt_p95_ms", "ms", "time between tokens, 95th percentile"),
    ("e2e_mean_ms", "ms", "end-to-end latency, mean"),
    ("e2e_p99_ms", "ms", "end-to-end latency, 99th percentile"),
    ("e2e_ms_per_output_token", "ms", "all end-to-end latency by all output tokens"),
    ("slo_violation_rate", "", "share of requests that failed or were too slow"),
    ("duration_s", "s", "from the first request sent to the last one answered"),
];

/// Where a metric comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Computed from the requests that count.
    Requests,
    /// What the producer says, about all of its requests.
    Summary,
}

/// A metric that is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metric {
    /// Finite.
    pub value: f64,
    /// Where it comes from.
    pub origin: Origin,
}

/// What a request must keep to. A request that failed never does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Slo {
    /// The longest time to first token, milliseconds.
    pub ttft_ms: Option<f64>,
    /// The longest mean time between tokens, milliseconds.
    pub itl_ms: Option<f64>,
    /// The longest end-to-end latency, milliseconds.
    pub e2e_ms: Option<f64>,
}

impl Slo {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Fill in the metrics, and what must be known of them.
pub(super) fn fill(measurement: &mut Measurement, parsed: &Parsed, slo: &Slo) {
    let (computed, notes) = of_requests(measurement, parsed, slo);
    measurement.notes.extend(notes);
    let origin =
        |origin| move |(name, value): (&'static str, f64)| (name, Metric { value, origin });
    let summary = parsed.summary.iter().map(|(name, value)| (*name, *value));
    // What is computed replaces what was said.
    let known = summary.map(origin(Origin::Summary));
    let known = known.chain(computed.into_iter().map(origin(Origin::Requests)));
    measurement.metrics = known.filter(|(_, metric)| metric.value.is_finite()).collect();
    let is_of_all = |metric: &Metric| metric.origin == Origin::Summary;
    if measurement.discarded > 0 && measurement.metrics.values().any(is_of_all) {
        measurement.metrics.retain(|_, metric| !is_of_all(metric));
        measurement.notes.push(
            "what only the producer's summary says is left out: it counts the discarded requests"
                .into(),
        );
    }
    if !slo.is_empty() && !measurement.metrics.contains_key("slo_violation_rate") {
        measurement.notes.push(
            "the file does not say of every request whether it kept to the SLO: there is no \
             slo_violation_rate"
                .into(),
        );
    }
}

/// What the requests that count say, and what must be known of it.
fn of_requests(measurement: &Measurement, parsed: &Parsed, slo: &Slo) -> (Computed, Vec<String>) {
    let counted = Counted::of(measurement.counted());
    let mut computed = counted.workload();
    let mut notes = Vec::new();
    if !parsed.has_outcomes || counted.rows.is_empty() {
        return (computed, notes);
    }
    computed.extend(counted.outcomes(slo));
    let producers = parsed.duration_s.filter(|_| measurement.discarded == 0);
    match counted.duration_s().or(producers).filter(|seconds| *seconds > 0.0) {
        Some(duration_s) => computed.extend(counted.rates(duration_s)),
        None => notes.push(
            "the file does not say how long the requests took that count: there are no rates"
                .into(),
        ),
    }
    if counted.has_only_mean_itls() {
        notes.push(
            "the times between tokens are known as the mean of each request only: tbt_p95_ms is \
             the 95th percentile of those"
                .into(),
        );
    }
    (computed, notes)
}

/// The requests that count, and those of them that were completed.
struct Counted<'a> {
    rows: &'a [RequestRow],
    completed: Vec<&'a RequestRow>,
}

type Computed = BTreeMap<&'static str, f64>;

impl<'a> Counted<'a> {
    fn of(rows: &'a [RequestRow]) -> Self {
        Self { rows, completed: rows.iter().filter(|row| row.error.is_none()).collect() }
    }

    /// What was asked for.
    fn workload(&self) -> Computed {
        let mut computed = Computed::new();
        if self.rows.is_empty() {
            return computed;
        }
        computed.insert("requests", self.rows.len() as f64);
        let starts: Option<Vec<f64>> = self.rows.iter().map(|row| row.start_ms).collect();
        if let Some([first, .., last]) = starts.as_deref() {
            computed.insert("offered_rate", (self.rows.len() - 1) as f64 / (last - first) * 1e3);
        }
        computed
    }

    /// What came of it.
    fn outcomes(&self, slo: &Slo) -> Computed {
        let mut computed = Computed::new();
        computed.insert("completed", self.completed.len() as f64);
        let ttfts = sorted(self.completed.iter().filter_map(|row| row.ttft_ms));
        let itls = sorted(self.itls());
        let e2es = sorted(self.completed.iter().filter_map(|row| row.e2e_ms));
        computed.extend([
            ("ttft_p50_ms", quantile_sorted(&ttfts, 0.50)),
            ("ttft_p95_ms", quantile_sorted(&ttfts, 0.95)),
            ("ttft_p99_ms", quantile_sorted(&ttfts, 0.99)),
            ("tbt_p95_ms", quantile_sorted(&itls, 0.95)),
            ("e2e_mean_ms", mean(&e2es)),
            ("e2e_p99_ms", quantile_sorted(&e2es, 0.99)),
        ]);
        let known = self.completed.iter().filter_map(|row| Some((row.e2e_ms?, row.output_tokens?)));
        let (e2e, tokens) =
            known.fold((0.0, 0.0), |(e2e, tokens), (ms, count)| (e2e + ms, tokens + count as f64));
        computed.insert("e2e_ms_per_output_token", e2e / tokens);
        if let Some(rate) = self.slo_violation_rate(slo) {
            computed.insert("slo_violation_rate", rate);
        }
        // A quantile of nothing is not known.
        computed.retain(|_, value| value.is_finite());
        computed
    }

    fn rates(&self, duration_s: f64) -> Computed {
        let mut computed = Computed::from([
            ("duration_s", duration_s),
            ("requests_per_s", self.completed.len() as f64 / duration_s),
        ]);
        let tokens: Option<Vec<f64>> =
            self.completed.iter().map(|row| row.output_tokens.map(|count| count as f64)).collect();
        if let Some(tokens) = tokens {
            computed.insert("output_tokens_per_s", tokens.iter().sum::<f64>() / duration_s);
        }
        computed
    }

    /// From the first request sent to the last one answered, if all of that is known.
    fn duration_s(&self) -> Option<f64> {
        let starts: Option<Vec<f64>> = self.rows.iter().map(|row| row.start_ms).collect();
        let ends: Option<Vec<f64>> =
            self.completed.iter().map(|row| Some(row.start_ms? + row.e2e_ms?)).collect();
        let first = starts?.into_iter().min_by(f64::total_cmp)?;
        let last = ends?.into_iter().max_by(f64::total_cmp)?;
        Some((last - first) / 1e3)
    }

    /// Single times between outputs are comparable with each other only, so they count if every request
    /// has them.
    fn has_every_itl(&self) -> bool {
        let has_itls = |row: &&RequestRow| !row.itls_ms.is_empty() || row.itl_mean_ms.is_none();
        self.completed.iter().all(has_itls)
            && self.completed.iter().any(|row| !row.itls_ms.is_empty())
    }

    fn has_only_mean_itls(&self) -> bool {
        !self.has_every_itl() && self.completed.iter().any(|row| row.itl_mean_ms.is_some())
    }

    /// All times between outputs, or else the mean of each request.
    fn itls(&self) -> impl Iterator<Item = f64> {
        let every = self.has_every_itl();
        self.completed.iter().flat_map(move |row| {
            let mean = row.itl_mean_ms.as_slice();
            if every { &row.itls_ms[..] } else { mean }.iter().copied()
        })
    }

    fn slo_violation_rate(&self, slo: &Slo) -> Option<f64> {
        if slo.is_empty() {
            return None;
        }
        let mut violations = self.rows.len() - self.completed.len();
        for row in &self.completed {
            violations += usize::from(!row.keeps(slo)?);
        }
        Some(violations as f64 / self.rows.len() as f64)
    }
}

impl RequestRow {
    /// Whether a request that was completed kept to the SLO, if that is known. A single token has none
    /// after it.
    fn keeps(&self, slo: &Slo) -> Option<bool> {
        let ttft = match slo.ttft_ms {
            Some(most) => self.ttft_ms? <= most,
            None => true,
        };
        let itl = match slo.itl_ms {
            Some(_) if self.output_tokens.is_some_and(|tokens| tokens < 2) => true,
            Some(most) => self.itl_mean_ms? <= most,
            None => true,
        };
        let e2e = match slo.e2e_ms {
            Some(most) => self.e2e_ms? <= most,
            None => true,
        };
        Some(ttft && itl && e2e)
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
