//! The rules that a scenario's values obey.
//!
//! The upper bounds are far above any cluster; they turn a slip of the finger into a sentence instead of
//! a run that never ends.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use super::{Arrivals, Cluster, Determinism, Engine, Router, Scenario, Timing, Workload};

const WORKERS: RangeInclusive<usize> = 1..=10_000;
const REQUESTS: RangeInclusive<usize> = 1..=10_000_000;
const TOKENS: RangeInclusive<usize> = 1..=10_000_000;
const BLOCKS: RangeInclusive<usize> = 1..=100_000_000;
const BLOCK_TOKENS: RangeInclusive<usize> = 1..=65_536;
const MILLISECONDS: RangeInclusive<f64> = 0.0..=1e9;
const WEIGHT: RangeInclusive<f64> = 0.0..=1e6;
const FACTOR: RangeInclusive<f64> = 1e-6..=1e6;

pub(super) fn scenario(scenario: &Scenario) -> Result<(), String> {
    match scenario.cluster {
        Cluster::Aggregated { workers } => within("cluster.workers", &workers, &WORKERS)?,
        Cluster::Disaggregated { prefill_workers, decode_workers } => {
            within("cluster.prefill_workers", &prefill_workers, &WORKERS)?;
            within("cluster.decode_workers", &decode_workers, &WORKERS)?;
        }
    }
    engine(&scenario.engine)?;
    router(&scenario.router)?;
    workload(&scenario.workload, scenario.engine.block_size)?;
    arrivals(&scenario.arrivals, &scenario.workload)?;
    timing(&scenario.timing)?;
    let is_open = matches!(scenario.arrivals, Arrivals::Open { .. });
    if scenario.determinism == Determinism::Canonical && !is_open {
        return Err(
            "determinism: canonical replay plays open loops only; set loop = \"open\"".into()
        );
    }
    Ok(())
}

fn engine(engine: &Engine) -> Result<(), String> {
    if !["vllm", "sglang", "trtllm"].contains(&engine.backend.as_str()) {
        return Err(format!(
            "engine.backend: {:?} is not one of vllm, sglang, trtllm",
            engine.backend
        ));
    }
    within("engine.block_size", &engine.block_size, &BLOCK_TOKENS)?;
    within("engine.kv_blocks", &engine.kv_blocks, &BLOCKS)?;
    within("engine.max_num_seqs", &engine.max_num_seqs, &REQUESTS)?;
    within("engine.max_num_batched_tokens", &engine.max_num_batched_tokens, &TOKENS)
}

fn router(router: &Router) -> Result<(), String> {
    for (key, value) in [
        ("router.overlap_score_credit", router.overlap_score_credit),
        ("router.overlap_score_credit_decay", router.overlap_score_credit_decay),
        ("router.prefill_load_scale", router.prefill_load_scale),
        ("router.decode_active_request_weight", router.decode_active_request_weight),
        ("router.host_cache_hit_weight", router.host_cache_hit_weight),
        ("router.disk_cache_hit_weight", router.disk_cache_hit_weight),
        ("router.temperature", router.temperature),
        ("router.queue_threshold", router.queue_threshold.unwrap_or(0.0)),
    ] {
        within(key, &value, &WEIGHT)?;
    }
    within("router.kv_event_lag_ms", &router.kv_event_lag_ms, &MILLISECONDS)
}

fn workload(workload: &Workload, block_size: usize) -> Result<(), String> {
    match workload {
        Workload::Synthetic {
            requests,
            turns,
            think_time_ms,
            prefixes,
            skew,
            prefix_tokens,
            unique_tokens,
            output_tokens,
            spread,
        } => {
            within("workload.requests", requests, &REQUESTS)?;
            within("workload.turns", turns, &REQUESTS)?;
            within("workload.think_time_ms", think_time_ms, &MILLISECONDS)?;
            within("workload.prefixes", prefixes, &REQUESTS)?;
            within("workload.skew", skew, &(0.0..=100.0))?;
            within("workload.prefix_tokens", prefix_tokens, &(0..=*TOKENS.end()))?;
            within("workload.unique_tokens", unique_tokens, &TOKENS)?;
            within("workload.output_tokens", output_tokens, &TOKENS)?;
            if !(0.0..1.0).contains(spread) {
                return Err(format!("workload.spread: {spread} is not from 0 to below 1"));
            }
            if !prefix_tokens.is_multiple_of(block_size) {
                return Err(format!(
                    "workload.prefix_tokens: {prefix_tokens} is not a multiple of engine.block_size \
                     ({block_size})"
                ));
            }
            Ok(())
        }
        Workload::Mooncake { path, trace_block_size } => {
            within("workload.trace_block_size", trace_block_size, &BLOCK_TOKENS)?;
            exists("workload.path", path)
        }
    }
}

fn arrivals(arrivals: &Arrivals, workload: &Workload) -> Result<(), String> {
    let is_synthetic = matches!(workload, Workload::Synthetic { .. });
    match arrivals {
        Arrivals::Closed { concurrency } => within("arrivals.concurrency", concurrency, &REQUESTS),
        Arrivals::Open { rate: None, .. } if is_synthetic => {
            Err("arrivals.rate: an open loop of a synthetic workload needs a rate".into())
        }
        Arrivals::Open { rate: Some(_), .. } if !is_synthetic => {
            Err("arrivals.rate: a recorded workload has its own times; use speedup".into())
        }
        Arrivals::Open { speedup: Some(_), .. } if is_synthetic => {
            Err("arrivals.speedup: a synthetic workload has a rate instead".into())
        }
        Arrivals::Open { ramp_seconds, .. } if !is_synthetic && *ramp_seconds != 0.0 => {
            Err("arrivals.ramp_seconds: a recorded workload has its own times".into())
        }
        Arrivals::Open { rate, ramp_seconds, speedup } => {
            within("arrivals.rate", &rate.unwrap_or(1.0), &FACTOR)?;
            within("arrivals.ramp_seconds", ramp_seconds, &WEIGHT)?;
            within("arrivals.speedup", &speedup.unwrap_or(1.0), &FACTOR)
        }
    }
}

fn timing(timing: &Timing) -> Result<(), String> {
    match timing {
        Timing::Roofline { model, gpu, tensor_parallel } => {
            within("timing.tensor_parallel", tensor_parallel, &(1..=1024))?;
            crate::timing::roofline(model, gpu, *tensor_parallel).map(|_| ())
        }
        Timing::Measured { spec, systems } => {
            exists("timing.spec", spec)?;
            exists("timing.systems", systems)
        }
    }
}

/// NaN is within nothing.
fn within<T: PartialOrd + Display>(
    key: &str,
    value: &T,
    range: &RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(value) {
        Ok(())
    } else {
        Err(format!("{key}: {value} is not from {} to {}", range.start(), range.end()))
    }
}

fn exists(key: &str, path: &Path) -> Result<(), String> {
    if path.exists() { Ok(()) } else { Err(format!("{key}: {} does not exist", path.display())) }
}
