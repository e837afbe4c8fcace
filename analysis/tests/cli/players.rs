//! What the commands say about the KV block manager, its copies, and the planner.

use nashtrace::record::{
    BlockEvent, EffectKind, NameSpace, Outcome, PlannerFlag, Strategy, Tier, Timing, UNKNOWN_U64,
};
use serde_json::{Value, json as value};

use crate::support::{Recorded, Session, json, key, nashtrace, record};

const G1: Tier = Tier::G1;
const G2: Tier = Tier::G2;

/// Worker 1 holds two blocks in each tier. Request 1 computes block 10; request 2, sent to worker 1 for
/// its cache, evicts it from G1 and then from G2; request 3 computes it again, 4 s later.
fn recomputation() -> Recorded {
    record(|session| {
        let first = (session.block_pool("recomputation-g1", G1, 1), G1);
        let second = (session.block_pool("recomputation-g2", G2, 1), G2);
        session.decision(2, &[(0, 0), (4, 1)], 1, 0.0); // A cache hit at worker 1.
        session.decision(3, &[(0, 0), (0, 1)], 1, 0.0);
        session.at(10).block(first, BlockEvent::Register, 10, 1); // 10 s
        session.block(second, BlockEvent::Register, 10, 1);
        session.block(first, BlockEvent::Idle, 10, 1); // 12 s
        session.block(first, BlockEvent::Resurrect, 10, 2);
        session.block(first, BlockEvent::Idle, 10, 2); // 14 s
        session.block(first, BlockEvent::Evict, 10, 2); // 15 s, still in G2
        session.block(second, BlockEvent::Evict, 10, 2); // 16 s, gone for good
        session.block(first, BlockEvent::Miss, 10, 3);
        session.at(20).block(first, BlockEvent::Register, 10, 3);
        session.block(first, BlockEvent::Hit, 10, 3);
    })
}

#[test]
fn blocks_tells_what_was_computed_twice_and_why() {
    let recorded = recomputation();
    let (answer, code) = json(&["blocks", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!((&answer["events"], &answer["contradictions"]), (&10.into(), &0.into()));
    let evictions = value!([
        { "from_tier": "g1", "to_tier": "g2", "blocks": 1 },
        { "from_tier": "g2", "to_tier": null, "blocks": 1 },
    ]);
    assert_eq!(answer["evictions"], evictions);
    let g1 = &answer["tiers"]["g1"];
    assert_eq!(g1["blocks"]["register"], 2);
    assert_eq!(g1["hit_rate"], 0.5);
    assert_eq!((&g1["lifetime_s"]["p50"], &g1["idle_s"]["p50"]), (&5.0.into(), &1.0.into()));
    assert_eq!(g1["reuse_distance"]["count"], 1);
    let again = &answer["recomputation"];
    assert_eq!((&again["blocks"], &again["tokens"]), (&1.into(), &16.into()));
    assert_eq!(again["by_evictors_reason"], value!({ "cache_hit": 1 }));
    assert_eq!(again["gap_s"]["p50"], 4.0);
    let payer = &again["payers"][0];
    assert_eq!(payer["request"], format!("{:016x}", key(3)));
    assert_eq!(payer["mostly_evicted_by"], format!("{:016x}", key(2)));
    let pools = answer["pools"].as_array().unwrap();
    let ours = pools.iter().find(|pool| pool["name"] == "recomputation-g1").unwrap();
    for key in ["peak", "present_at_end", "worker"] {
        assert_eq!(ours[key], 1, "{key}");
    }

    let output = nashtrace(&["blocks", recorded.path(), "--pools"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("1 blocks (16 tokens), 50.0 % of those registered"), "{text}");
    assert!(text.contains("recomputation-g2"), "{text}");

    // What the payer waited, beside who did not pay.
    assert_eq!(again["ttft_ms"]["paying"]["count"], 0);
    recorded.write_outcomes(&[(2, 50.0), (3, 90.0)]);
    let (answer, code) = json(&["blocks", recorded.path(), "--json"]);
    let ttft = &answer["recomputation"]["ttft_ms"];
    assert_eq!((code, &ttft["paying"]["p50"]), (Some(0), &90.0.into()));
    assert_eq!((&ttft["others"]["count"], &ttft["others"]["p50"]), (&1.into(), &50.0.into()));
}

/// A thread evicts what another one has registered a few nanoseconds before, and is written first.
#[test]
fn what_threads_do_one_after_another_is_told_in_that_order() {
    const BLOCKS: u64 = 1_000;
    let recorded = record(|session| {
        let pool = (session.block_pool("two-threads", G1, 1), G1);
        let (session, began) = (&*session, session.ticks());
        let by_another_thread = |event, first: u64| {
            let all = 0..BLOCKS;
            let play = move || {
                all.for_each(|n| session.block_at(first + 1_000 * n, pool, event, n + 1));
            };
            std::thread::scope(|scope| scope.spawn(play).join().unwrap());
        };
        by_another_thread(BlockEvent::Evict, began + 60);
        by_another_thread(BlockEvent::Register, began);
    });
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!((code, &verdict["block_events_checked"]), (Some(0), &(2 * BLOCKS).into()));
    let (answer, _) = json(&["blocks", recorded.path(), "--json"]);
    assert_eq!(answer["contradictions"], 0);
    assert_eq!(answer["recomputation"]["blocks"], 0);
    assert_eq!(answer["tiers"]["g1"]["lifetime_s"]["count"], BLOCKS);
}

/// In containers the next process has the host and the number of the one before.
#[test]
fn a_process_that_was_started_anew_has_blocks_of_its_own() {
    let mut pool = (0, G1);
    let first = record(|session| {
        pool.0 = session.block_pool("restarted", G1, 1);
        session.block(pool, BlockEvent::Register, 10, 1);
    });
    let second = record(|session| session.block(pool, BlockEvent::Register, 10, 1));
    let file = second.file();
    let beside = std::path::Path::new(first.path()).join(file.file_name().unwrap());
    std::fs::copy(file, beside).unwrap();
    let (verdict, code) = json(&["verify", first.path(), "--json"]);
    assert_eq!((code, &verdict["block_events_checked"]), (Some(0), &2.into()), "{verdict}");
    let (answer, _) = json(&["blocks", first.path(), "--json"]);
    assert_eq!((&answer["events"], &answer["contradictions"]), (&2.into(), &0.into()));
}

#[test]
fn verify_finds_blocks_that_break_their_laws() {
    let good = recomputation();
    let (verdict, code) = json(&["verify", good.path(), "--json"]);
    assert_eq!((code, &verdict["block_events_checked"]), (Some(0), &10.into()), "{verdict}");
    /// Plays against a law in a pool.
    type Breach = fn(&mut Session, (u32, Tier));
    let broken: [(&str, Breach); 3] = [
        ("was not present", |session, pool| session.block(pool, BlockEvent::Evict, 5, 1)),
        ("was present already", |session, pool| {
            session.block(pool, BlockEvent::Register, 5, 1);
            session.block(pool, BlockEvent::Register, 5, 1);
        }),
        ("more blocks than fit", |session, pool| {
            (5..8).for_each(|hash| session.block(pool, BlockEvent::Register, hash, 1));
        }),
    ];
    for (law, events) in broken {
        let recorded = record(|session| {
            let pool = session.block_pool("broken", G1, 1);
            events(session, (pool, G1));
        });
        let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
        assert_eq!((code, &verdict["conserved"]), (Some(1), &true.into()), "{law}");
        let problems = verdict["problems"].as_array().unwrap();
        assert!(problems.iter().any(|p| p.as_str().unwrap().contains(law)), "{law}: {problems:?}");
    }
}

#[test]
fn transfers_are_grouped_by_their_way() {
    let recorded = record(|session| {
        for (took_ms, outcome) in [(2, Outcome::Done), (4, Outcome::Done), (9, Outcome::Lost)] {
            session.transfer(|transfer| {
                let began = transfer.head.time;
                (transfer.from_tier, transfer.to_tier) = (G1 as u8, G2 as u8);
                (transfer.strategy, transfer.timing) =
                    (Strategy::CudaDeviceToHost as u8, Timing::CudaEvents as u8);
                (transfer.blocks, transfer.bytes) = (4, 8_000_000);
                transfer.enqueued = began + 3_000;
                transfer.device_began = began + 1_003_000;
                transfer.device_ns = took_ms * 1_000_000;
                transfer.ended = if outcome == Outcome::Lost { UNKNOWN_U64 } else { began + 9_999 };
                transfer.outcome = outcome as u8;
            });
        }
        session.transfer(|transfer| {
            (transfer.from_tier, transfer.to_tier) = (G2 as u8, Tier::G3 as u8);
            (transfer.enqueued, transfer.device_began) = (UNKNOWN_U64, UNKNOWN_U64);
            (transfer.device_ns, transfer.blocks) = (UNKNOWN_U64, 1);
            transfer.ended = transfer.head.time + 5_000_000;
            transfer.outcome = Outcome::Done as u8;
        });
    });
    let (answer, code) = json(&["transfers", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    let [device, host] = &answer["transfers"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!((&device["timing"], &host["timing"]), (&"cuda_events".into(), &"host_clock".into()));
    assert_eq!((&device["transfers"], &device["blocks"]), (&3.into(), &12.into()));
    assert_eq!(device["not_done"], value!({ "lost": 1 }));
    assert_eq!(device["duration_ms"]["p50"], 4.0);
    assert_eq!(device["gigabytes_per_s"]["p50"], 2.0);
    assert_eq!(device["enqueue_us"]["p50"], 3.0);
    assert_eq!(device["queued_ms"]["p50"], 1.0);
    assert_eq!(
        (&host["duration_ms"]["p50"], &host["queued_ms"]["p50"]),
        (&5.0.into(), &Value::Null)
    );
    let text = String::from_utf8(nashtrace(&["transfers", recorded.path()]).stdout).unwrap();
    assert!(text.contains("G1 to G2") && text.contains("cuda d2h"), "{text}");
}

#[test]
fn planner_tells_decisions_effects_and_errors() {
    let recorded = record(|session| {
        let reason = session.name(NameSpace::Planner, "scale_up");
        session.planner_tick(|tick, decision| {
            (tick.tick, tick.flags) = (1, PlannerFlag::FreshTraffic as u32);
            (tick.observed_request_rate, tick.predicted_request_rate) = (5.0, 10.0);
            tick.observed_ttft_ms = f64::NAN;
            (decision.ready, decision.expected, decision.decided) = (1, 1, 2);
            decision.load_reason = reason;
        });
        session.planner_effect(|effect| {
            (effect.tick, effect.from, effect.to) = (1, 1, 2);
            effect.effect = EffectKind::Applied as u8;
        });
        session.planner_tick(|tick, decision| {
            (tick.tick, tick.flags) = (2, PlannerFlag::FreshTraffic as u32);
            (tick.observed_request_rate, tick.predicted_request_rate) = (8.0, f64::NAN);
            (decision.ready, decision.expected, decision.decided) = (2, 2, 2);
        });
        session.planner_effect(|effect| {
            (effect.tick, effect.from, effect.to) = (2, 1, 2);
            effect.effect = EffectKind::Observed as u8;
        });
    });
    let (answer, code) = json(&["planner", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!((&answer["ticks"], &answer["changes_decided"]), (&2.into(), &1.into()));
    assert_eq!(answer["scaling_events"], value!({ "decode": { "up": 1, "down": 0 } }));
    assert_eq!(answer["decision_to_effect_s"]["p50"], 1.0);
    let errors = answer["prediction_error"].as_array().unwrap();
    let rate = errors.iter().find(|error| error["quantity"] == "requests per second").unwrap();
    assert_eq!((&rate["count"], &rate["bias"]), (&1.into(), &2.0.into()));
    let first = &answer["decisions"][0];
    assert_eq!((&first["observed"]["ttft_ms"], &first["tick"]), (&Value::Null, &1.into()));
    assert_eq!(first["components"][0]["effects"][0]["effect"], "applied");
    assert_eq!(first["components"][0]["load_reason"], "scale_up");
    let text = String::from_utf8(nashtrace(&["planner", recorded.path()]).stdout).unwrap();
    assert!(text.contains("scale up") && text.contains("1 to 2"), "{text}");
}

#[test]
fn without_such_events_the_commands_say_so() {
    let recorded = record(|session| session.request(1));
    for (command, hint) in
        [("blocks", "block manager"), ("transfers", "block manager"), ("planner", "planner")]
    {
        let output = nashtrace(&[command, recorded.path()]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{command}: {error}");
        assert!(error.contains(hint), "{command}: {error}");
    }
}
