//! The metrics of a run: what each means, its unit and where it comes from.

/// A metric that runs may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricFacts {
    /// The name in designs and in `run.json`.
    pub name: &'static str,
    /// The unit; empty for shares and plain numbers.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Where the lab's runs have it from.
    pub source: &'static str,
}

const fn fact(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    source: &'static str,
) -> MetricFacts {
    MetricFacts { name, unit, meaning, source }
}

/// Every metric. "Counted" requests are those that arrive after the discarded leading share; a metric of
/// which a run knows nothing is null there.
pub const METRICS: [MetricFacts; 33] = [
    fact("requests", "", "counted requests", "requests.jsonl"),
    fact("completed", "", "counted requests that were answered in full", "requests.jsonl"),
    fact(
        "offered_rate",
        "requests/s",
        "counted requests by the time between their arrivals",
        "requests.jsonl",
    ),
    fact("ttft_mean_ms", "ms", "mean time to first token", "requests.jsonl"),
    fact("ttft_p50_ms", "ms", "median time to first token", "requests.jsonl"),
    fact("ttft_p95_ms", "ms", "95th percentile of the time to first token", "requests.jsonl"),
    fact("ttft_p99_ms", "ms", "99th percentile of the time to first token", "requests.jsonl"),
    fact(
        "tbt_mean_ms",
        "ms",
        "mean over requests of the mean time between tokens",
        "requests.jsonl",
    ),
    fact(
        "tbt_p95_ms",
        "ms",
        "95th percentile over requests of the mean time between tokens",
        "requests.jsonl",
    ),
    fact("e2e_mean_ms", "ms", "mean time from arrival to last token", "requests.jsonl"),
    fact(
        "e2e_p95_ms",
        "ms",
        "95th percentile of the time from arrival to last token",
        "requests.jsonl",
    ),
    fact(
        "e2e_p99_ms",
        "ms",
        "99th percentile of the time from arrival to last token",
        "requests.jsonl",
    ),
    fact(
        "e2e_ms_per_output_token",
        "ms",
        "time from arrival to last token, summed, by the output tokens",
        "requests.jsonl",
    ),
    fact(
        "output_tokens_per_s",
        "tokens/s",
        "output tokens by the time from the first counted arrival to the last token",
        "requests.jsonl",
    ),
    fact(
        "requests_per_s",
        "requests/s",
        "completed requests by the time from the first counted arrival to the last token",
        "requests.jsonl",
    ),
    fact(
        "slo_violation_rate",
        "",
        "share of counted requests that miss a service level or are not completed",
        "requests.jsonl and [slo]",
    ),
    fact(
        "goodput_requests_per_s",
        "requests/s",
        "completed requests within every service level, by the same time",
        "requests.jsonl and [slo]",
    ),
    fact(
        "cache_hit_rate",
        "",
        "share of prompt tokens whose keys and values were cached at first admission",
        "requests.jsonl",
    ),
    fact(
        "gpu_seconds",
        "GPU s",
        "GPUs by the time they were held, over the whole run",
        "simulator.json and the scenario",
    ),
    fact(
        "gpu_count",
        "GPUs",
        "GPU seconds by the run's duration: the GPUs held on average",
        "simulator.json and the scenario",
    ),
    fact(
        "gpu_seconds_per_good_request",
        "GPU s",
        "average GPUs by the goodput",
        "gpu_count and goodput_requests_per_s",
    ),
    fact(
        "evictions",
        "blocks",
        "KV blocks that left device memory while their worker lived, over the whole run",
        "the trace",
    ),
    fact("eviction_rate", "blocks/s", "evictions by the run's duration", "the trace"),
    fact(
        "recomputation_rate",
        "",
        "share of the stored device blocks that the same worker had held and given up before",
        "the trace",
    ),
    fact(
        "memory_headroom",
        "",
        "share of the device blocks that no resident block takes, averaged over the run's seconds and the workers; blocks of no known content count as room",
        "the trace and the scenario",
    ),
    fact(
        "predicted_regret_mean",
        "blocks",
        "mean over decisions of the chosen worker's cost above the cheapest",
        "the trace",
    ),
    fact(
        "overlap_regret_mean",
        "blocks",
        "mean over decisions of the prefix blocks lost against the best worker",
        "the trace",
    ),
    fact("decisions", "", "recorded routing decisions", "the trace"),
    fact(
        "routing_anarchy",
        "",
        "summed times to first token of the recorded assignment by those of the best assignment found in hindsight, both under first-come-first-served queues fitted to the trace; of at most 2,000 decisions of the pool that sees the prompt first; null where the queues explain less than half of the variance",
        "the trace and requests.jsonl",
    ),
    fact(
        "routing_anarchy_bound",
        "",
        "the same by the lower bound of the relaxed problem, which no assignment is below: routing_anarchy is at most this",
        "the trace and requests.jsonl",
    ),
    fact(
        "routing_model_explained",
        "",
        "share of the variance of the times to first token that the queues explain",
        "the trace and requests.jsonl",
    ),
    fact("load_imbalance", "", "coefficient of variation of the requests per worker", "the trace"),
    fact(
        "duration_s",
        "s",
        "time from the first arrival to the last token, over the whole run",
        "requests.jsonl",
    ),
];

/// Metrics that also exist for the requests of one source alone, as `NAME@SOURCE`.
pub(super) const BY_SOURCE: [&str; 2] = ["ttft_mean_ms", "e2e_mean_ms"];

/// A metric by its name; `NAME@SOURCE` is the metric over the requests of one source (the key `source` of
/// `requests.jsonl`).
#[must_use]
pub fn metric(name: &str) -> Option<&'static MetricFacts> {
    let whole = match name.split_once('@') {
        Some((whole, source)) if BY_SOURCE.contains(&whole) && !source.is_empty() => whole,
        _ => name,
    };
    METRICS.iter().find(|fact| fact.name == whole)
}

/// A sentence about a name that no metric has.
pub(super) fn unknown(name: &str) -> String {
    let known: Vec<&str> = METRICS.iter().map(|fact| fact.name).collect();
    format!("there is no metric \"{name}\"; the metrics are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_facts_complete() {
        for (index, fact) in METRICS.iter().enumerate() {
            assert!(METRICS[..index].iter().all(|other| other.name != fact.name), "{}", fact.name);
            assert!(!fact.meaning.is_empty() && !fact.source.is_empty(), "{}", fact.name);
            assert_eq!(metric(fact.name), Some(fact));
        }
        assert_eq!(metric("ttft"), None);
        assert_eq!(metric("e2e_mean_ms@chat"), metric("e2e_mean_ms"));
        assert_eq!((metric("e2e_mean_ms@"), metric("requests@chat")), (None, None));
    }
}
