//! The rules that a scenario's values obey.
//!
//! The upper bounds are far above any cluster; they turn a slip of the finger into a sentence instead of
//! a run that never ends.

mod congestion;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use super::{
    Arrivals, Cluster, Determinism, Engine, Eviction, Phase, Planner, Router, Scenario, Target,
    Timing, Workload,
};

const WORKERS: RangeInclusive<usize> = 1..=10_000;
const REQUESTS: RangeInclusive<usize> = 1..=10_000_000;
const TOKENS: RangeInclusive<usize> = 1..=10_000_000;
const BLOCKS: RangeInclusive<usize> = 1..=100_000_000;
const BLOCK_TOKENS: RangeInclusive<usize> = 1..=65_536;
const KV_BYTES: RangeInclusive<usize> = 1..=1_000_000_000;
const MOST_SAMPLE: u64 = 65_536;
const SECONDS: RangeInclusive<f64> = 0.0..=1e6;
const MILLISECONDS: RangeInclusive<f64> = 0.0..=1e9;
const WEIGHT: RangeInclusive<f64> = 0.0..=1e6;
const FACTOR: RangeInclusive<f64> = 1e-6..=1e6;

pub(super) fn scenario(scenario: &Scenario) -> Result<(), String> {
    congestion::kinds(scenario)?;
    match scenario.cluster {
        Cluster::Aggregated { workers } => within("cluster.workers", &workers, &WORKERS)?,
        Cluster::Disaggregated { prefill_workers, decode_workers } => {
            within("cluster.prefill_workers", &prefill_workers, &WORKERS)?;
            within("cluster.decode_workers", &decode_workers, &WORKERS)?;
        }
        Cluster::Links { .. } => {}
    }
    engine(&scenario.engine)?;
    tiers(scenario)?;
    eviction(scenario)?;
    router(&scenario.router)?;
    planner(scenario)?;
    workload(&scenario.workload, scenario.engine.block_size)?;
    arrivals(&scenario.arrivals, &scenario.workload)?;
    timing(&scenario.timing)?;
    congestion::game(scenario)?;
    let sample = scenario.block_sample;
    if sample != 0 && (!sample.is_power_of_two() || sample > MOST_SAMPLE) {
        return Err(format!(
            "block_sample: {sample} is neither 0 nor a power of two up to {MOST_SAMPLE}"
        ));
    }
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
    within("engine.max_num_batched_tokens", &engine.max_num_batched_tokens, &TOKENS)?;
    within(
        "engine.kv_cache_bytes_per_token",
        &engine.kv_cache_bytes_per_token.unwrap_or(1),
        &KV_BYTES,
    )?;
    within("engine.startup_seconds", &engine.startup_seconds, &SECONDS)
}

fn tiers(scenario: &Scenario) -> Result<(), String> {
    let Engine { host, disk, .. } = &scenario.engine;
    if let Some(host) = host {
        if scenario.engine.backend != "vllm" || !scenario.engine.prefix_caching {
            return Err(
                "engine.host: the simulator has a host tier only with backend = \"vllm\" and \
                        prefix_caching = true"
                    .into(),
            );
        }
        if scenario.engine.kv_cache_bytes_per_token.is_none()
            && matches!(scenario.timing, Timing::Measured { .. })
        {
            return Err(
                "engine.kv_cache_bytes_per_token: copies to a host tier need it with measured \
                        times"
                    .into(),
            );
        }
        within("engine.host.blocks", &host.blocks, &BLOCKS)?;
        bandwidths(
            "engine.host",
            &[
                ("d2h_bandwidth_gbps", host.d2h_bandwidth_gbps),
                ("h2d_bandwidth_gbps", host.h2d_bandwidth_gbps),
                ("shared_d2h_bandwidth_gbps", host.shared_d2h_bandwidth_gbps),
                ("shared_h2d_bandwidth_gbps", host.shared_h2d_bandwidth_gbps),
            ],
        )?;
        within(
            "engine.host.latency_to_first_byte_ms",
            &host.latency_to_first_byte_ms,
            &MILLISECONDS,
        )?;
    }
    if let Some(disk) = disk {
        if host.is_none() {
            return Err(
                "engine.disk: blocks reach the disk from the host; give [engine.host] too".into()
            );
        }
        if !matches!(scenario.cluster, Cluster::Aggregated { .. }) {
            return Err(
                "engine.disk: the simulator has a disk tier only with mode = \"aggregated\"".into(),
            );
        }
        within("engine.disk.blocks", &disk.blocks, &BLOCKS)?;
        bandwidths(
            "engine.disk",
            &[
                ("read_bandwidth_gbps", disk.read_bandwidth_gbps),
                ("write_bandwidth_gbps", disk.write_bandwidth_gbps),
                ("shared_read_bandwidth_gbps", disk.shared_read_bandwidth_gbps),
                ("shared_write_bandwidth_gbps", disk.shared_write_bandwidth_gbps),
            ],
        )?;
        within(
            "engine.disk.latency_to_first_byte_ms",
            &disk.latency_to_first_byte_ms,
            &MILLISECONDS,
        )?;
    }
    Ok(())
}

fn bandwidths(table: &str, bandwidths: &[(&str, f64)]) -> Result<(), String> {
    for (key, value) in bandwidths {
        within(&format!("{table}.{key}"), value, &WEIGHT)?;
    }
    Ok(())
}

fn eviction(scenario: &Scenario) -> Result<(), String> {
    let engine = &scenario.engine;
    let is_possible = matches!(scenario.cluster, Cluster::Aggregated { .. })
        && matches!(scenario.arrivals, Arrivals::Open { .. })
        && engine.prefix_caching
        && engine.host.is_none()
        && scenario.planner.is_none();
    if engine.eviction == Eviction::Belady && !is_possible {
        return Err("engine.eviction: \"belady\" knows the future only of an open loop through one pool \
                    of aggregated workers, with prefix caching, without a host tier and without a planner"
            .into());
    }
    Ok(())
}

fn planner(scenario: &Scenario) -> Result<(), String> {
    let Some(planner) = &scenario.planner else { return Ok(()) };
    if scenario.determinism == Determinism::Canonical {
        return Err("planner: canonical replay plays without one; leave determinism out".into());
    }
    let Planner { interval_seconds, min_endpoint, max_gpu_budget, context_length, .. } = planner;
    within("planner.interval_seconds", interval_seconds, &(0.001..=1e6))?;
    within("planner.min_endpoint", min_endpoint, &WORKERS)?;
    within("planner.max_gpu_budget", max_gpu_budget, &REQUESTS)?;
    within("planner.gpus_per_worker", &planner.gpus_per_worker.unwrap_or(1), &WORKERS)?;
    within("planner.context_length", context_length, &TOKENS)?;
    let thresholds = [
        ("prefill_scale_up_queue_tokens", planner.prefill_scale_up_queue_tokens.map(|t| t as f64)),
        (
            "prefill_scale_down_queue_tokens",
            planner.prefill_scale_down_queue_tokens.map(|t| t as f64),
        ),
        ("decode_scale_up_kv_rate", planner.decode_scale_up_kv_rate),
        ("decode_scale_down_kv_rate", planner.decode_scale_down_kv_rate),
    ];
    let is_prefill_apart = matches!(scenario.cluster, Cluster::Disaggregated { .. });
    for (key, value) in thresholds {
        let is_needed =
            planner.target == Target::Load && (is_prefill_apart || key.starts_with("decode"));
        if is_needed && value.is_none() {
            return Err(format!("planner.{key}: the target \"load\" needs it"));
        }
        within(&format!("planner.{key}"), &value.unwrap_or(0.0), &WEIGHT)?;
    }
    Ok(())
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
            below_one(*spread)?;
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
        Workload::Congestion { .. } => Ok(()),
    }
}

fn arrivals(arrivals: &Arrivals, workload: &Workload) -> Result<(), String> {
    let is_synthetic = matches!(workload, Workload::Synthetic { .. });
    match arrivals {
        Arrivals::Closed { concurrency } => within("arrivals.concurrency", concurrency, &REQUESTS),
        Arrivals::Rounds { .. } => Ok(()),
        Arrivals::Open { rate: None, phases, .. } if is_synthetic && phases.is_empty() => {
            Err("arrivals.rate: an open loop of a synthetic workload needs a rate".into())
        }
        Arrivals::Open { phases, .. } if !is_synthetic && !phases.is_empty() => {
            Err("arrivals.phases: a recorded workload has its own times; use speedup".into())
        }
        Arrivals::Open { rate, phases, ramp_seconds, .. }
            if !phases.is_empty() && (rate.is_some() || *ramp_seconds != 0.0) =>
        {
            Err("arrivals.phases: they stand instead of rate and ramp_seconds".into())
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
        Arrivals::Open { rate, phases, ramp_seconds, speedup } => {
            for Phase { seconds, rate } in phases {
                within("arrivals.phases.seconds", seconds, &SECONDS)?;
                within("arrivals.phases.rate", rate, &FACTOR)?;
            }
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
        Timing::Links => Ok(()),
    }
}

fn below_one(spread: f64) -> Result<(), String> {
    match (0.0..1.0).contains(&spread) {
        true => Ok(()),
        false => Err(format!("workload.spread: {spread} is not from 0 to below 1")),
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
