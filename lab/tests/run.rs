//! What the real lab records of Dynamo's real router: counts, repeatability, pools, queues.
//!
//! Needs the release build of the library: cargo build --release in the root of the repository.

mod support;

use std::collections::BTreeMap;

use nashtrace::record::{NameSpace, Phase, Player, Reason};
use support::*;

#[test]
fn one_tracked_decision_per_routed_request_in_simulated_time() {
    let lab = Lab::new();
    let trace = lab.play(SMALL, "run");
    assert!(trace.complete);
    assert_eq!(lab.routed("run"), BTreeMap::from([("agg".into(), 400)]));
    assert_eq!(trace.tracked_by_pool(), BTreeMap::from([("aggregated", 400)]));
    for phase in [Phase::Booked, Phase::PrefillDone, Phase::Released] {
        assert_eq!(trace.phases(phase), 400, "{phase:?}");
    }
    // A decision's time is the request's arrival, to the nanosecond.
    let arrivals: BTreeMap<u64, u64> = lab
        .outcomes("run")
        .lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let key = u64::from_str_radix(record["request_key"].as_str().unwrap(), 16).unwrap();
            (key, (record["arrival_time_ms"].as_f64().unwrap() * 1e6).round() as u64)
        })
        .collect();
    for (decision, candidates) in &trace.decisions {
        assert_eq!(decision.head.time, arrivals[&decision.request]);
        assert_eq!(candidates.len(), 4);
        assert!(
            candidates.iter().all(|c| c.total_kv_blocks == 4096 && c.max_batched_tokens == 8192)
        );
        assert_ne!(decision.reason, Reason::Unknown as u8);
    }
}

#[test]
fn settings_say_which_weights_were_in_force() {
    let lab = Lab::new();
    let weights = "[router]\noverlap_score_credit = 0.5\ntemperature = 0.25\n\n[workload]";
    let trace = lab.play(&with(SMALL, &[("[workload]", weights)]), "run");
    let settings: BTreeMap<&str, f64> = trace
        .settings
        .iter()
        .map(|setting| {
            assert_eq!(setting.player, Player::Router as u8);
            assert_eq!(trace.name(NameSpace::Pool, setting.pool), "aggregated");
            (trace.name(NameSpace::Parameter, setting.parameter), setting.new_value)
        })
        .collect();
    assert_eq!(settings["overlap_score_credit"], 0.5);
    assert_eq!(settings["router_temperature"], 0.25);
    assert_eq!(settings.len(), 8);
    for (decision, _) in &trace.decisions {
        assert_eq!((decision.overlap_score_credit, decision.temperature), (0.5, 0.25));
    }
}

#[test]
fn a_disaggregated_request_is_routed_twice_and_the_pools_are_told_apart() {
    let lab = Lab::new();
    let disaggregated = with(
        SMALL,
        &[
            ("mode = \"aggregated\"", "mode = \"disaggregated\""),
            ("workers = 4", "prefill_workers = 2\ndecode_workers = 3"),
        ],
    );
    let trace = lab.play(&disaggregated, "run");
    let routed = lab.routed("run");
    assert_eq!(routed.values().copied().collect::<Vec<_>>(), [400, 400]);
    assert_eq!(trace.tracked_by_pool(), BTreeMap::from([("decode", 400), ("prefill", 400)]));
    for (decision, candidates) in &trace.decisions {
        let workers = if trace.name(NameSpace::Pool, decision.pool) == "prefill" { 2 } else { 3 };
        assert_eq!(candidates.len(), workers);
    }
}

#[test]
fn the_same_scenario_and_seed_give_the_same_decisions_byte_for_byte() {
    let lab = Lab::new();
    // A temperature, so that the router draws; several turns, so that requests depend on one another.
    let drawing = with(
        SMALL,
        &[
            ("[workload]", "[router]\ntemperature = 0.2\n\n[workload]"),
            ("requests = 400", "requests = 400\nturns = 3\nthink_time_ms = 200.0"),
        ],
    );
    let first = lab.play(&drawing, "first");
    let second = lab.play(&drawing, "second");
    assert_eq!(first.decision_bytes, second.decision_bytes);
    assert_eq!(lab.outcomes("first"), lab.outcomes("second"));
    assert_eq!(lab.report("first"), lab.report("second"));
    let other = lab.play(&drawing.replace("seed = 11", "seed = 12"), "other");
    assert_ne!(first.decision_bytes, other.decision_bytes);
}

#[test]
fn a_closed_loop_keeps_its_concurrency_and_is_repeatable() {
    let lab = Lab::new();
    let closed =
        with(SMALL, &[("loop = \"open\"\nrate = 30.0", "loop = \"closed\"\nconcurrency = 5")]);
    let first = lab.play(&closed, "first");
    let second = lab.play(&closed, "second");
    assert_eq!(first.tracked_by_pool(), BTreeMap::from([("aggregated", 400)]));
    assert_eq!(first.decision_bytes, second.decision_bytes);
    for (_, candidates) in &first.decisions {
        assert!(candidates.iter().map(|c| c.active_requests).sum::<u32>() < 5);
    }
}

#[test]
fn waiting_in_the_routers_queue_is_recorded() {
    let lab = Lab::new();
    let queueing = with(
        SMALL,
        &[
            ("[workload]", "[router]\nqueue_threshold = 0.05\n\n[workload]"),
            ("rate = 30.0", "rate = 200.0"),
        ],
    );
    let trace = lab.play(&queueing, "run");
    let waits: BTreeMap<u64, u64> =
        trace.decisions.iter().map(|(d, _)| (d.request, d.queue_wait_ns)).collect();
    assert!(waits.values().any(|wait| *wait > 0), "nothing queued");
    for line in lab.outcomes("run").lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let key = u64::from_str_radix(record["request_key"].as_str().unwrap(), 16).unwrap();
        let theirs = record["routing_history"][0]["queue_wait_ms"].as_f64().unwrap() * 1e6;
        assert!((waits[&key] as f64 - theirs).abs() < 1.0, "{} for {theirs}", waits[&key]);
    }
}

#[test]
fn a_mooncake_trace_is_played() {
    let lab = Lab::new();
    let rows: String = (0..60)
        .map(|row| {
            let prompt = row % 5;
            format!(
                "{{\"timestamp\": {}, \"input_length\": 1400, \"output_length\": 20, \
                 \"hash_ids\": [{prompt}, {}, {}]}}\n",
                row * 50,
                100 + prompt,
                1000 + row
            )
        })
        .collect();
    std::fs::write(lab.path("conversation.jsonl"), rows).unwrap();
    let text = "name = \"mooncake\"\n[cluster]\nmode = \"aggregated\"\nworkers = 3\n\
        [workload]\nkind = \"mooncake\"\npath = \"conversation.jsonl\"\n[arrivals]\nloop = \"open\"\nspeedup = 2.0\n";
    let trace = lab.play(text, "run");
    assert_eq!(trace.tracked_by_pool(), BTreeMap::from([("aggregated", 60)]));
    let last = trace.decisions.iter().map(|(decision, _)| decision.head.time).max().unwrap();
    assert_eq!(last, 59 * 25 * 1_000_000, "59 gaps of 50 ms at twice the speed");
    // The second request with a prompt finds its first two trace blocks: 16 KV blocks.
    let overlaps: Vec<u32> = trace
        .decisions
        .iter()
        .map(|(_, rows)| rows.iter().map(|c| c.device_blocks).max().unwrap())
        .collect();
    assert!(overlaps[..5].iter().all(|blocks| *blocks == 0));
    assert!(overlaps[20..].iter().all(|blocks| *blocks == 16), "{overlaps:?}");
}
