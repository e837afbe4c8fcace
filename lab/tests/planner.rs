//! A planner in the simulated loop: what it did is in the trace, and what is in the trace it did.
//!
//! Needs the release build of the library: cargo build --release in the root of the repository.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use nashtrace::record::{Clock, EffectKind, NameSpace, PlannerEffect, PlannerFlag, UNKNOWN_U32};
use support::*;

fn rising_and_falling() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/planner.toml");
    std::fs::read_to_string(file).unwrap()
}

/// A scaling by tick and pool: time in nanoseconds, workers after it.
type Scalings = BTreeMap<(u64, String), (u64, usize)>;

/// Every scaling that a planner's tick caused, as the simulator tells it.
fn simulated(lab: &Lab, out: &str) -> Scalings {
    let text = std::fs::read_to_string(lab.path(out).join("scaling.jsonl")).unwrap();
    let operations =
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    operations
        .filter_map(|operation| {
            let tick = operation["planner_tick_ordinal"].as_u64()? + 1;
            let pool = match operation["pool"].as_str().unwrap() {
                "agg" => "aggregated",
                pool => pool,
            };
            let state = &operation["state_after_batch"];
            let count = |key: &str| state[key].as_array().unwrap().len();
            let time = (operation["at_ms"].as_f64().unwrap() * 1e6).round() as u64;
            Some(((tick, pool.to_owned()), (time, count("active") + count("starting"))))
        })
        .collect()
}

fn recorded(trace: &Trace, kind: EffectKind) -> Scalings {
    let is_it = |effect: &&PlannerEffect| effect.effect == kind as u8;
    trace
        .effects
        .iter()
        .filter(is_it)
        .map(|effect| {
            let component = trace.name(NameSpace::WorkerType, effect.worker_type).to_owned();
            ((effect.tick, component), (effect.head.time, effect.to as usize))
        })
        .collect()
}

#[test]
fn every_scaling_of_the_simulator_is_in_the_trace_and_no_other() {
    let lab = Lab::new();
    let trace = lab.play(&rising_and_falling(), "run");
    assert_eq!(trace.reversals, 0, "the simulator's time goes on");
    let simulated = simulated(&lab, "run");
    assert!(simulated.len() > 3, "the load rises and falls: {simulated:?}");
    assert_eq!(recorded(&trace, EffectKind::Submitted), simulated);
    assert_eq!(recorded(&trace, EffectKind::Applied), simulated);

    // One worker, several, one again; and the ticks to come see it.
    let seen: Vec<u32> = trace.planned.iter().map(|planned| planned.ready).collect();
    assert_eq!((seen.first(), seen.last()), (Some(&1), Some(&1)));
    assert!(seen.iter().max().unwrap() > &2, "{seen:?}");
    let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(recorded(&trace, EffectKind::Observed).len(), changes);
}

#[test]
fn ticks_carry_what_was_observed_and_why_it_was_decided() {
    let lab = Lab::new();
    let trace = lab.play(&rising_and_falling(), "run");
    assert_eq!(trace.planned.len(), trace.ticks.len());
    let requests: f64 =
        trace.ticks.iter().map(|tick| tick.observed_request_rate * tick.interval_s).sum();
    assert!((2000.0..=2600.0).contains(&requests), "{requests}");
    for (number, (tick, planned)) in trace.ticks.iter().zip(&trace.planned).enumerate() {
        assert_eq!((tick.head.clock, tick.tick), (Clock::Caller as u8, number as u64 + 1));
        assert_eq!(tick.head.time, (number as u64 + 1) * 5_000_000_000);
        assert!(tick.has(PlannerFlag::LoadScaling) && !tick.has(PlannerFlag::Advisory));
        assert!(tick.gpus >= f64::from(planned.expected) * planned.gpus_per_replica);
        assert!(tick.gpus <= 32.0 + 2.0 * planned.gpus_per_replica, "the budget: {}", tick.gpus);
        let reason = trace.name(NameSpace::Planner, planned.load_reason);
        match reason {
            "scale_up" => assert_eq!(planned.decided, planned.ready + 1),
            "scale_down" => assert_eq!(planned.decided, planned.ready - 1),
            "scaling_in_progress" | "worker_count_mismatch" | "no_fpm_data" => {
                assert_eq!(planned.decided, UNKNOWN_U32);
            }
            "no_change" | "gpu_budget_guard_hold" => {}
            other => panic!("{other}"),
        }
    }
    let hours = trace.ticks.last().unwrap().gpu_hours;
    assert!(hours > 0.0 && hours < 32.0 * 800.0 / 3600.0, "{hours}");
}

#[test]
fn a_planner_of_a_disaggregated_cluster_scales_both_components() {
    let lab = Lab::new();
    let text = with(
        &rising_and_falling(),
        &[
            (
                "mode = \"aggregated\"\nworkers = 1",
                "mode = \"disaggregated\"\nprefill_workers = 1\ndecode_workers = 1",
            ),
            ("max_gpu_budget = 32", "max_gpu_budget = 48\ncontext_length = 4096"),
            // So that prompts queue in a prefill worker, and not only in its batch.
            ("kv_blocks = 1024", "kv_blocks = 1024\nmax_num_batched_tokens = 512"),
        ],
    );
    let trace = lab.play(&text, "run");
    let simulated = simulated(&lab, "run");
    assert_eq!(recorded(&trace, EffectKind::Applied), simulated);
    for component in ["prefill", "decode"] {
        assert!(simulated.keys().any(|(_, pool)| pool == component), "{component}: {simulated:?}");
    }
    assert_eq!(trace.planned.len(), 2 * trace.ticks.len());
}

#[test]
fn the_same_scenario_and_seed_are_planned_the_same_byte_for_byte() {
    let lab = Lab::new();
    let first = lab.play(&rising_and_falling(), "first");
    let second = lab.play(&rising_and_falling(), "second");
    assert!(!first.planner_bytes.is_empty());
    assert_eq!(first.planner_bytes, second.planner_bytes);
    assert_eq!(first.decision_bytes, second.decision_bytes);
    assert_eq!(first.block_bytes, second.block_bytes);
}
