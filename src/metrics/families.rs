//! The one table of metrics: every name with its type, labels, unit and meaning.

use prometheus::core::Collector;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
};

/// A family of metrics that share a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
    /// Upper bounds, of a histogram only.
    buckets: &'static [f64],
}

const BLOCKS: &[f64] = &[
    0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0,
];
/// Fewer, because there are five of these histograms for every worker.
const COARSE_BLOCKS: &[f64] = &[0.0, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0];
const SECONDS: &[f64] =
    &[0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

const LONG_SECONDS: &[f64] =
    &[0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3600.0, 10800.0, 86400.0];
const TRANSFER_BUCKETS: &[f64] =
    &[0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// One observation for each candidate of a decision and component of its score.
pub(super) const WORKER_SCORE: Family = Family {
    name: "dynamo_router_worker_score",
    help: "Score of a candidate in a tracked routing decision, in KV blocks, lower is better, by \
           component: kv_overlap is the credit for cached blocks, already taken off the others; \
           total is what the router compares",
    labels: &["router_id", "worker_id", "dp_rank", "worker_type", "score_component"],
    buckets: COARSE_BLOCKS,
};

pub(super) const DECISIONS: Family = Family {
    name: "dynamo_router_decisions_total",
    help: "Tracked routing decisions, by the worker that was selected and why",
    labels: &["router_id", "selected_worker", "reason"],
    buckets: &[],
};

pub(super) const PREDICTED_REGRET: Family = Family {
    name: "dynamo_router_predicted_regret_blocks",
    help: "Score of the selected worker less the lowest score of a tracked decision, in KV blocks",
    labels: &["router_id", "worker_type"],
    buckets: BLOCKS,
};

pub(super) const OVERLAP_REGRET: Family = Family {
    name: "dynamo_router_overlap_regret_blocks",
    help: "Cached prefix blocks that the selected worker lacks against the candidate that has most, in \
           KV blocks",
    labels: &["router_id", "worker_type"],
    buckets: BLOCKS,
};

pub(super) const QUEUE_WAIT: Family = Family {
    name: "dynamo_router_queue_wait_seconds",
    help: "Time between a request's arrival in the router's queue and its tracked decision",
    labels: &["router_id", "worker_type"],
    buckets: SECONDS,
};

pub(super) const OTHER_WORKERS: Family = Family {
    name: "nashtrace_other_workers",
    help: "Workers beyond NASHTRACE_METRICS_WORKERS, which share the worker label `other`",
    labels: &[],
    buckets: &[],
};

pub(super) const BLOCK_EVENTS: Family = Family {
    name: "dynamo_kvbm_block_events_total",
    help: "KV blocks that something happened to, by tier and event; a lookup or copy counts its blocks. \
           Estimated where NASHTRACE_BLOCK_SAMPLE is above 1",
    labels: &["tier", "event"],
    buckets: &[],
};

pub(super) const BLOCK_LOOKUPS: Family = Family {
    name: "dynamo_kvbm_lookup_blocks_total",
    help: "KV blocks that were looked up, by tier and whether they were found (hit) or not (miss)",
    labels: &["tier", "result"],
    buckets: &[],
};

pub(super) const BLOCK_EVICTIONS: Family = Family {
    name: "dynamo_kvbm_evictions_total",
    help: "KV blocks evicted from a tier, by the uppermost lower tier that still held the content; \
           `evict` if none did. Estimated from a sample where nashtrace_block_sample is above 1",
    labels: &["from_tier", "to_tier"],
    buckets: &[],
};

pub(super) const RECOMPUTED_BLOCKS: Family = Family {
    name: "dynamo_kvbm_recomputed_blocks_total",
    help: "KV blocks computed again after every tier within reach had evicted them; none where device \
           memory (g1) is not seen. Estimated from a sample where nashtrace_block_sample is above 1",
    labels: &["tier"],
    buckets: &[],
};

pub(super) const RECOMPUTED_TOKENS: Family = Family {
    name: "dynamo_kvbm_recomputed_tokens_total",
    help: "Tokens of the recomputed KV blocks",
    labels: &["tier"],
    buckets: &[],
};

pub(super) const TIER_OCCUPANCY: Family = Family {
    name: "dynamo_kvbm_tier_occupancy_bytes",
    help: "Bytes of the KV blocks that are present in a tier",
    labels: &["tier"],
    buckets: &[],
};

pub(super) const TIER_CAPACITY: Family = Family {
    name: "dynamo_kvbm_tier_capacity_bytes",
    help: "Bytes of KV blocks that fit a tier",
    labels: &["tier"],
    buckets: &[],
};

pub(super) const BLOCK_LIFETIME: Family = Family {
    name: "dynamo_kvbm_block_lifetime_seconds",
    help: "Time between a KV block's registration in a tier and its eviction from there",
    labels: &["tier"],
    buckets: LONG_SECONDS,
};

pub(super) const BLOCK_IDLE_TIME: Family = Family {
    name: "dynamo_kvbm_block_idle_seconds",
    help: "Time for which nobody used a KV block before it was evicted",
    labels: &["tier"],
    buckets: LONG_SECONDS,
};

pub(super) const REUSE_DISTANCE: Family = Family {
    name: "dynamo_kvbm_reuse_distance_blocks",
    help: "KV blocks of the same pool that became idle between a block's last use and its reuse",
    labels: &["tier"],
    buckets: BLOCKS,
};

pub(super) const BLOCK_SAMPLE: Family = Family {
    name: "nashtrace_block_sample",
    help: "One in so many block hashes is followed through its life",
    labels: &[],
    buckets: &[],
};

pub(super) const SCALING_EVENTS: Family = Family {
    name: "dynamo_planner_scaling_events_total",
    help: "Scalings that the planner decided and later saw to have taken place; none in advisory mode",
    labels: &["direction", "worker_type"],
    buckets: &[],
};

pub(super) const PREDICTED_LOAD: Family = Family {
    name: "dynamo_planner_predicted_load",
    help: "What the planner had predicted for the last interval that it observed: request_rate per second, \
           isl and osl in tokens, kv_hit_rate",
    labels: &["metric_type"],
    buckets: &[],
};

pub(super) const ACTUAL_LOAD: Family = Family {
    name: "dynamo_planner_actual_load",
    help: "What came of dynamo_planner_predicted_load: the load of the same interval",
    labels: &["metric_type"],
    buckets: &[],
};

pub(super) const TRANSFER_SECONDS: Family = Family {
    name: "dynamo_kvbm_transfer_seconds",
    help: "Duration of copies of KV blocks between tiers, by what it was measured with: cuda_events is \
           the device's own time, host_clock includes the time until the host saw the end",
    labels: &["from_tier", "to_tier", "strategy", "timing"],
    buckets: TRANSFER_BUCKETS,
};

pub(super) const TRANSFER_BYTES: Family = Family {
    name: "dynamo_kvbm_transfer_bytes_total",
    help: "Bytes of KV blocks whose copies between tiers did not fail, as far as they are known",
    labels: &["from_tier", "to_tier", "strategy"],
    buckets: &[],
};

pub(super) const TRANSFERS: Family = Family {
    name: "dynamo_kvbm_transfers_total",
    help: "Copies of KV blocks between tiers, by how they ended; lost ones were given up",
    labels: &["from_tier", "to_tier", "strategy", "outcome"],
    buckets: &[],
};

pub(super) const CUDA_UNTIMED: Family = Family {
    name: "nashtrace_cuda_untimed_total",
    help: "Times that CUDA events could not be used for a copy on a stream, which has the host's clock \
           only then, by reason",
    labels: &["reason"],
    buckets: &[],
};

pub(super) const CUDA_UNCERTAINTY: Family = Family {
    name: "nashtrace_cuda_anchor_uncertainty_seconds",
    help: "How wrong the beginning of a copy on a device may be on the trace's clock, by the last anchor",
    labels: &["device"],
    buckets: &[],
};

pub(super) const EVENTS_PRODUCED: Family = Family {
    name: "nashtrace_events_produced_total",
    help: "Events begun, by kind; each candidate of a decision counts as one",
    labels: &["kind"],
    buckets: &[],
};

pub(super) const EVENTS_WRITTEN: Family = Family {
    name: "nashtrace_events_written_total",
    help: "Events in the trace file, by kind",
    labels: &["kind"],
    buckets: &[],
};

pub(super) const EVENTS_LOST: Family = Family {
    name: "nashtrace_events_lost_total",
    help: "Events lost, by kind and reason",
    labels: &["kind", "reason"],
    buckets: &[],
};

pub(super) const FILES_DELETED: Family = Family {
    name: "nashtrace_files_deleted_total",
    help: "Trace files of this session that were deleted to keep to NASHTRACE_TOTAL_BYTES",
    labels: &[],
    buckets: &[],
};

pub(super) const RING_HIGH_WATER: Family = Family {
    name: "nashtrace_ring_high_water_bytes",
    help: "Most bytes that the collector has found waiting in one ring",
    labels: &[],
    buckets: &[],
};

pub(super) const RING_SIZE: Family = Family {
    name: "nashtrace_ring_size_bytes",
    help: "Bytes of each recording thread's ring",
    labels: &[],
    buckets: &[],
};

pub(super) const PRODUCERS: Family = Family {
    name: "nashtrace_producers",
    help: "Recording threads that have a ring",
    labels: &[],
    buckets: &[],
};

pub(super) const COLLECTOR_LAG: Family = Family {
    name: "nashtrace_collector_lag_seconds",
    help: "How much later than planned the collector last looked into the rings",
    labels: &[],
    buckets: &[],
};

pub(super) const COLLECTOR_UP: Family = Family {
    name: "nashtrace_collector_up",
    help: "1 while the collector is at work, 0 when the session has stopped or the collector has failed",
    labels: &[],
    buckets: &[],
};

impl Family {
    pub(super) fn counters(&self, registry: &Registry) -> IntCounterVec {
        registered(registry, IntCounterVec::new(self.options(), self.labels))
    }

    pub(super) fn gauges(&self, registry: &Registry) -> GaugeVec {
        registered(registry, GaugeVec::new(self.options(), self.labels))
    }

    pub(super) fn int_gauges(&self, registry: &Registry) -> IntGaugeVec {
        registered(registry, IntGaugeVec::new(self.options(), self.labels))
    }

    pub(super) fn histograms(&self, registry: &Registry) -> HistogramVec {
        let options = HistogramOpts { common_opts: self.options(), buckets: self.buckets.into() };
        registered(registry, HistogramVec::new(options, self.labels))
    }

    fn options(&self) -> Opts {
        Opts::new(self.name, self.help)
    }
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
) -> C {
    let family = made.expect("the table's names and labels are valid");
    registry.register(Box::new(family.clone())).expect("names are registered once");
    family
}
