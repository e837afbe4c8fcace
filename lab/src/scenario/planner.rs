//! The planner that adds and removes workers while a scenario is played.

use serde::{Deserialize, Serialize};

/// The load mode of Dynamo's planner, with its names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Planner {
    /// Seconds between two ticks (Dynamo's `load_adjustment_interval_seconds`).
    pub interval_seconds: f64,
    /// What is optimised for: decides the thresholds.
    pub target: Target,
    /// Workers of a component that are always kept.
    pub min_endpoint: usize,
    /// GPUs that all workers together may take.
    pub max_gpu_budget: usize,
    /// GPUs of one worker. Left out: those of the roofline's model, or one.
    pub gpus_per_worker: Option<usize>,
    /// Tokens of the longest prompt and answer that the model takes. The queue of a prefill worker is
    /// measured against them.
    pub context_length: usize,
    /// With the target `load`: queued tokens of any prefill worker from which one is added.
    pub prefill_scale_up_queue_tokens: Option<u64>,
    /// With the target `load`: queued tokens of every prefill worker up to which one is removed.
    pub prefill_scale_down_queue_tokens: Option<u64>,
    /// With the target `load`: percent of any decode worker's KV cache from which one is added.
    pub decode_scale_up_kv_rate: Option<f64>,
    /// With the target `load`: percent of every decode worker's KV cache up to which one is removed.
    pub decode_scale_down_kv_rate: Option<f64>,
}

impl Default for Planner {
    fn default() -> Self {
        Self {
            interval_seconds: 5.0,
            target: Target::Throughput,
            min_endpoint: 1,
            max_gpu_budget: 8,
            gpus_per_worker: None,
            context_length: 32_768,
            prefill_scale_up_queue_tokens: None,
            prefill_scale_down_queue_tokens: None,
            decode_scale_up_kv_rate: None,
            decode_scale_down_kv_rate: None,
        }
    }
}

/// What the planner optimises for (Dynamo's `optimization_target`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Full workers: a queue of one context, a KV cache that is more than full.
    #[default]
    Throughput,
    /// Short waits: a queue of a tenth of a context, a KV cache that is four tenths full.
    Latency,
    /// The thresholds of the scenario.
    Load,
}
