//! What the simulations of a run come to together.

use serde::Serialize;
use serde_json::{Value, json};

use crate::replay::Played;
use crate::tiers::Tiers;

/// The requests of a run. A run of links has a simulation for each, side by side in simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Totals {
    /// Requests that were to be simulated.
    pub requests: usize,
    /// Requests that completed.
    pub completed: usize,
    /// Routing decisions that the simulator itself counted: one per request and pool.
    pub routed: usize,
    /// Simulated time until the last request was answered.
    pub simulated_seconds: f64,
    /// Mean time to the first token.
    pub ttft_mean_ms: f64,
    /// Its 99th percentile, at the nearest rank.
    pub ttft_p99_ms: f64,
    /// Share of the prompt tokens that were cached.
    pub cache_hit_rate: f64,
}

impl Totals {
    /// Of all simulations of a run.
    #[must_use]
    pub fn of(played: &[Played]) -> Self {
        let reports = || played.iter().map(|played| &played.report);
        let records = || reports().flat_map(|report| &report.per_request);
        let mut ttfts: Vec<f64> = records().filter_map(|record| record.ttft_ms).collect();
        ttfts.sort_by(f64::total_cmp);
        let p99 = (ttfts.len().saturating_sub(1) as f64 * 0.99).round() as usize;
        let prompts: usize = reports().map(|report| report.request_counts.total_input_tokens).sum();
        let cached = reports().map(|report| {
            report.prefix_cache_reused_ratio * report.request_counts.total_input_tokens as f64
        });
        Self {
            requests: reports().map(|report| report.request_counts.num_requests).sum(),
            completed: reports().map(|report| report.request_counts.completed_requests).sum(),
            routed: records().map(|record| record.routing_history.len()).sum(),
            simulated_seconds: duration_ms(played) / 1e3,
            ttft_mean_ms: ttfts.iter().sum::<f64>() / ttfts.len().max(1) as f64,
            ttft_p99_ms: ttfts.get(p99).copied().unwrap_or(0.0),
            cache_hit_rate: cached.sum::<f64>() / prompts.max(1) as f64,
        }
    }
}

fn duration_ms(played: &[Played]) -> f64 {
    played.iter().map(|played| played.report.throughput.duration_ms).fold(0.0, f64::max)
}

/// The reports of links by their names, under the same names as in each what they come to together.
pub(crate) fn report_of_links(played: &[Played]) -> serde_json::Result<Value> {
    let totals = Totals::of(played);
    let sum = |value: fn(&Played) -> f64| played.iter().map(value).sum::<f64>();
    let mut report = json!({
        "num_requests": totals.requests,
        "completed_requests": totals.completed,
        "duration_ms": duration_ms(played),
        "prefill_worker_seconds": sum(|played| played.report.throughput.prefill_worker_seconds),
        "decode_worker_seconds": sum(|played| played.report.throughput.decode_worker_seconds),
        "links": {},
    });
    for played in played {
        let link = played.carried.as_ref().map_or("", |carried| &carried.link);
        report["links"][link] = serde_json::to_value(&played.report)?;
    }
    Ok(report)
}

/// What the simulator counted in the tiers of all simulations; `None` if it does not tell.
pub(crate) fn tiers(played: &[Played]) -> Option<Tiers> {
    played.iter().map(|played| played.tiers).reduce(|one, other| Some(one?.with(other?)))?
}
