//! What the real lab records of the simulator's KV blocks, held against what the simulator counted.
//!
//! Needs the release build of the library: cargo build --release in the root of the repository.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nashtrace::record::{
    Block, BlockEvent, BlockReason, Clock, NameSpace, Outcome, Strategy, Tier, Timing, Transfer,
    UNKNOWN_U32,
};
use support::*;

fn pressure() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/pressure.toml");
    std::fs::read_to_string(file).unwrap()
}

fn event(block: &Block) -> BlockEvent {
    BlockEvent::from_u8(block.event)
}

#[test]
fn evictions_by_tier_are_the_simulators_own_to_the_unit() {
    let lab = Lab::new();
    let trace = lab.play(&pressure(), "run");
    assert!(trace.complete && trace.damage == 0);
    assert_eq!(trace.reversals, 0, "the simulator's time goes on");
    for (tier, name) in [(Tier::G1, "g1"), (Tier::G2, "g2"), (Tier::G3, "g3")] {
        let evicted = lab.counted("run", name, "evicted");
        assert!(evicted > 100, "{name}: too little pressure to prove anything: {evicted}");
        assert_eq!(trace.blocks_of(tier, BlockEvent::Evict), evicted, "{name}");
    }
    for (tier, name) in [(Tier::G1, "g1"), (Tier::G2, "g2")] {
        let stored = lab.counted("run", name, "stored");
        assert_eq!(trace.blocks_of(tier, BlockEvent::Register), stored, "{name}");
    }
    let g3 = &lab.report("run")["g3_offload"];
    let registered = trace.blocks_of(Tier::G3, BlockEvent::Register);
    let resident = g3["resident_blocks"].as_u64().unwrap();
    assert_eq!(registered - trace.blocks_of(Tier::G3, BlockEvent::Evict), resident);
}

#[test]
fn copies_to_and_from_the_disk_are_the_simulators_own_in_number_bytes_and_time() {
    let lab = Lab::new();
    let trace = lab.play(&pressure(), "run");
    let g3 = &lab.report("run")["g3_offload"];
    for (from, to, direction) in [(Tier::G2, Tier::G3, "write"), (Tier::G3, Tier::G2, "read")] {
        let copies: Vec<&Transfer> = trace
            .transfers
            .iter()
            .filter(|copy| (copy.from_tier, copy.to_tier) == (from as u8, to as u8))
            .collect();
        assert_eq!(copies.len() as u64, g3[direction]["completed_jobs"].as_u64().unwrap());
        let bytes: u64 = copies.iter().map(|copy| copy.bytes).sum();
        assert_eq!(bytes, g3[direction]["completed_bytes"].as_u64().unwrap());
        let took_ms: f64 =
            copies.iter().map(|copy| (copy.ended - copy.head.time) as f64 / 1e6).sum();
        let theirs = g3[direction]["transfer_ms"].as_f64().unwrap();
        assert!((took_ms - theirs).abs() < 1e-3 * copies.len() as f64, "{took_ms} for {theirs}");
    }
    let host = trace.transfers.iter().filter(|copy| copy.from_tier == Tier::G1 as u8);
    assert!(host.count() > 100);
    for copy in &trace.transfers {
        assert_eq!(copy.head.clock, Clock::Caller as u8);
        assert_eq!(
            (copy.strategy, copy.timing),
            (Strategy::Simulated as u8, Timing::Simulated as u8)
        );
        assert_eq!(copy.outcome, Outcome::Done as u8);
        assert!(copy.head.time <= copy.device_began && copy.device_began <= copy.ended);
        // 64 tokens of Llama-3.1-70B.
        assert_eq!(copy.bytes, u64::from(copy.blocks) * 64 * 327_680);
        if copy.from_tier == Tier::G1 as u8 {
            // The default bandwidth of a device: 32e9 bytes a second, to the rounding of a nanosecond.
            let expected = copy.bytes as f64 / 32.0;
            assert!((copy.device_ns as f64 - expected).abs() <= 2.0, "{} ns", copy.device_ns);
        }
    }
}

/// Follows the blocks of every pool through their events.
#[test]
fn no_block_is_used_before_it_came_and_no_pool_holds_more_than_fits() {
    let lab = Lab::new();
    let trace = lab.play(&pressure(), "run");
    let capacities: BTreeMap<u32, u64> =
        trace.pools.iter().map(|pool| (pool.id, pool.capacity_blocks)).collect();
    assert_eq!(trace.pools.len(), 9, "three tiers of three workers");
    let mut present: BTreeSet<(u32, u64)> = BTreeSet::new();
    let mut slots: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let mut held: BTreeMap<u32, u64> = BTreeMap::new();
    for block in &trace.blocks {
        let key = (block.pool, block.hash);
        let held = held.entry(block.pool).or_default();
        match event(block) {
            BlockEvent::Allocate => {
                *held += 1;
                assert!(*held <= capacities[&block.pool], "{block:?}");
                if block.block != UNKNOWN_U32 {
                    let before = slots.insert((block.pool, block.block), 0);
                    assert!(before.is_none() && u64::from(block.block) < capacities[&block.pool]);
                }
            }
            BlockEvent::Register => {
                assert!(present.insert(key), "registered twice: {block:?}");
                if block.block != UNKNOWN_U32 {
                    assert_eq!(slots.insert((block.pool, block.block), block.hash), Some(0));
                }
            }
            BlockEvent::Duplicate | BlockEvent::Idle | BlockEvent::Resurrect => {
                assert!(present.contains(&key), "{block:?}");
            }
            BlockEvent::Evict => {
                assert!(present.remove(&key), "evicted what is not there: {block:?}");
                assert_eq!(block.reason, BlockReason::Capacity as u8);
                assert_ne!(block.request, 0, "somebody needed the room: {block:?}");
                *held -= 1;
                slots.remove(&(block.pool, block.block));
            }
            BlockEvent::Drop => {
                *held -= 1;
                slots.remove(&(block.pool, block.block));
            }
            BlockEvent::Hit => assert!(present.contains(&key), "{block:?}"),
            BlockEvent::Miss | BlockEvent::Offload | BlockEvent::Onboard => {}
            other => panic!("{other:?}"),
        }
    }
    for event in [BlockEvent::Idle, BlockEvent::Resurrect, BlockEvent::Hit, BlockEvent::Miss] {
        assert!(trace.blocks_of(Tier::G1, event) > 0, "{event:?}");
    }
    for (tier, event) in [
        (Tier::G1, BlockEvent::Offload),
        (Tier::G2, BlockEvent::Offload),
        (Tier::G2, BlockEvent::Onboard),
        (Tier::G3, BlockEvent::Onboard),
    ] {
        assert!(trace.blocks_of(tier, event) > 0, "{tier:?} {event:?}");
    }
}

#[test]
fn blocks_join_to_the_decisions_by_request_and_worker() {
    let lab = Lab::new();
    let trace = lab.play(&pressure(), "run");
    let chosen: BTreeMap<u64, u64> = trace
        .decisions
        .iter()
        .map(|(decision, rows)| (decision.request, rows[decision.chosen as usize].worker))
        .collect();
    let workers: BTreeMap<u32, u64> =
        trace.pools.iter().map(|pool| (pool.id, pool.worker)).collect();
    for pool in &trace.pools {
        assert_eq!(trace.name(NameSpace::BlockPool, pool.name), "aggregated");
        assert_eq!((pool.block_size, pool.bytes_per_block), (64, 64 * 327_680));
    }
    for block in trace.blocks.iter().filter(|block| block.request != 0) {
        assert_eq!(workers[&block.pool], chosen[&block.request], "{block:?}");
    }
    // What a request reused of the device and of the host, as the simulator says it, is what the blocks say.
    let mut hits: BTreeMap<(u64, u8), u64> = BTreeMap::new();
    for block in trace.blocks.iter().filter(|block| event(block) == BlockEvent::Hit) {
        *hits.entry((block.request, block.tier)).or_default() += u64::from(block.count);
    }
    let mut compared = 0;
    for line in lab.outcomes("run").lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let key = u64::from_str_radix(record["request_key"].as_str().unwrap(), 16).unwrap();
        let admissions = record["admission_history"].as_array().unwrap();
        let [admission] = admissions.as_slice() else { continue };
        for (tier, reused) in
            [(Tier::G1, "g1_reused_input_tokens"), (Tier::G2, "host_reused_input_tokens")]
        {
            let theirs = admission[reused].as_u64().unwrap();
            let ours = hits.get(&(key, tier as u8)).copied().unwrap_or(0) * 64;
            assert_eq!(ours, theirs, "{tier:?}: {line}");
        }
        compared += 1;
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn the_same_scenario_and_seed_give_the_same_block_events_byte_for_byte() {
    let lab = Lab::new();
    let text = with(&pressure(), &[("requests = 1500", "requests = 600")]);
    let first = lab.play(&text, "first");
    let second = lab.play(&text, "second");
    assert!(first.block_bytes.len() > 10_000);
    assert_eq!(first.block_bytes, second.block_bytes);
    let other = lab.play(&with(&text, &[("seed = 5", "seed = 6")]), "other");
    assert_ne!(first.block_bytes, other.block_bytes);
}

#[test]
fn device_blocks_are_recorded_of_workers_that_tell_nobody() {
    let lab = Lab::new();
    let text = with(
        SMALL,
        &[
            ("seed = 11", "seed = 11\nblock_sample = 1"),
            ("mode = \"aggregated\"", "mode = \"disaggregated\""),
            ("workers = 4", "prefill_workers = 2\ndecode_workers = 2"),
            ("[workload]", "[engine]\nkv_blocks = 128\n\n[workload]"),
        ],
    );
    let trace = lab.play(&text, "run");
    let mut evicted: BTreeMap<&str, u64> = BTreeMap::new();
    for block in trace.blocks.iter().filter(|block| event(block) == BlockEvent::Evict) {
        let pool = trace.pools.iter().find(|pool| pool.id == block.pool).unwrap();
        *evicted.entry(trace.name(NameSpace::BlockPool, pool.name)).or_default() += 1;
    }
    // The simulator tells the router only of its prefill workers.
    assert_eq!(evicted["prefill"], lab.counted("run", "g1", "evicted"));
    assert!(evicted["decode"] > 0);
}

#[test]
fn belady_evicts_less_than_age() {
    let lab = Lab::new();
    let evicted = |policy: &str| {
        let engine = format!("[engine]\nkv_blocks = 96\neviction = \"{policy}\"\n\n[workload]");
        let sample = ("seed = 11", "seed = 11\nblock_sample = 1");
        let trace = lab.play(&with(SMALL, &[sample, ("[workload]", &engine)]), policy);
        let evicted = lab.counted(policy, "g1", "evicted");
        assert_eq!(trace.blocks_of(Tier::G1, BlockEvent::Evict), evicted);
        evicted
    };
    let (lru, belady) = (evicted("lru"), evicted("belady"));
    assert!(belady < lru, "{belady} for {lru}");
}
