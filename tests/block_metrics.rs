//! The metrics of KV blocks against a model that keeps nothing but sets.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use nashtrace::abi::Status;
use nashtrace::record::{Block, BlockEvent, BlockPool, Clock, Tier, UNKNOWN_U32, UNKNOWN_U64};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{
    api, declare, empty, flush, metrics_samples, metrics_text, options, start, stop, turn,
};

const TIERS: [Tier; 3] = [Tier::G1, Tier::G2, Tier::G3];
const CAPACITY: usize = 24;
const BYTES: u64 = 4096;
const TOKENS: u32 = 16;

/// Three tiers as sets of hashes, and what should be counted.
#[derive(Default)]
struct Model {
    present: [BTreeSet<u64>; 3],
    gone: BTreeSet<u64>,
    expected: BTreeMap<String, f64>,
}

impl Model {
    fn count(&mut self, sample: String) {
        *self.expected.entry(sample).or_default() += 1.0;
    }

    fn register(&mut self, tier: usize, hash: u64) {
        let is_elsewhere = self.present.iter().any(|tier| tier.contains(&hash));
        self.present[tier].insert(hash);
        if tier == 0 && self.gone.remove(&hash) && !is_elsewhere {
            self.count("dynamo_kvbm_recomputed_blocks_total{tier=\"g1\"}".to_owned());
        }
    }

    fn evict(&mut self, tier: usize, hash: u64) {
        self.present[tier].remove(&hash);
        let lower = (tier + 1..3).find(|lower| self.present[*lower].contains(&hash));
        let to = lower.map_or("evict", |lower| TIERS[lower].name());
        let from = TIERS[tier].name();
        let labels = format!("from_tier=\"{from}\",to_tier=\"{to}\"");
        self.count(format!("dynamo_kvbm_evictions_total{{{labels}}}"));
        if self.present.iter().all(|tier| !tier.contains(&hash)) {
            self.gone.insert(hash);
        }
    }
}

#[test]
fn evictions_occupancy_and_recomputations_are_those_of_a_model() {
    const SEED: u64 = 20_261_121;
    println!("seed {SEED}");
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let pools = TIERS.map(|tier| {
        declare(&BlockPool {
            capacity_blocks: CAPACITY as u64,
            bytes_per_block: BYTES,
            block_size: TOKENS,
            worker: UNKNOWN_U64,
            rank: UNKNOWN_U32,
            tier: tier as u8,
            ..empty()
        })
    });
    let mut model = Model::default();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    for step in 0..20_000 {
        let (tier, hash) = (rng.random_range(0..3), rng.random_range(1..=60));
        let mut events = Vec::new();
        if !model.present[tier].contains(&hash) {
            if model.present[tier].len() == CAPACITY {
                let victim = *model.present[tier].iter().next().unwrap();
                model.evict(tier, victim);
                events.push((BlockEvent::Evict, victim));
            }
            model.register(tier, hash);
            events.push((BlockEvent::Register, hash));
        }
        for (event, hash) in events {
            let (pool, event, tier) = (pools[tier], event as u8, TIERS[tier] as u8);
            let mut block = Block { hash, pool, event, tier, count: 1, ..empty() };
            (block.head.clock, block.head.time) = (Clock::Caller as u8, step);
            // SAFETY: the struct is whole.
            assert_eq!(unsafe { (api().block)(&block) }, Status::Ok);
        }
        if step % 200 == 0 {
            flush();
        }
    }
    flush();
    for (tier, present) in TIERS.iter().zip(&model.present) {
        let sample = format!("dynamo_kvbm_tier_occupancy_bytes{{tier=\"{}\"}}", tier.name());
        model.expected.insert(sample, present.len() as f64 * BYTES as f64);
    }
    let recomputed = model.expected["dynamo_kvbm_recomputed_blocks_total{tier=\"g1\"}"];
    let tokens = "dynamo_kvbm_recomputed_tokens_total{tier=\"g1\"}".to_owned();
    model.expected.insert(tokens, recomputed * f64::from(TOKENS));
    let text = metrics_text();
    let samples = metrics_samples(&text);
    let measured =
        ["evictions", "recomputed", "tier_occupancy"].map(|n| format!("dynamo_kvbm_{n}"));
    let of_interest = |name: &&str| measured.iter().any(|prefix| name.starts_with(prefix));
    let found: BTreeMap<String, f64> = samples
        .iter()
        .filter(|(name, _)| of_interest(name))
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect();
    assert_eq!(found, model.expected);
    assert!(recomputed > 100.0 && found.len() >= 9, "{found:?}");
    stop();
}

/// One thread registers blocks and falls silent; another one evicts them and goes on, so that its ring is
/// written long before the first one's.
#[test]
fn what_threads_do_is_counted_in_the_order_in_which_they_did_it() {
    const BLOCKS: u64 = 100;
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let [g1, g2] = [Tier::G1, Tier::G2].map(|tier| {
        let unknown = (UNKNOWN_U64, UNKNOWN_U32);
        let pool = BlockPool { tier: tier as u8, capacity_blocks: unknown.0, ..empty() };
        (declare(&BlockPool { worker: unknown.0, rank: unknown.1, ..pool }), tier)
    });
    let happens = |(pool, tier): (u32, Tier), event: BlockEvent, hash: u64| {
        let (event, tier) = (event as u8, tier as u8);
        let block = Block { hash, pool, event, tier, count: 1, ..empty() };
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (api().block)(&block) }, Status::Ok);
    };
    let (registered, all_registered) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for hash in 1..=BLOCKS {
                happens(g1, BlockEvent::Register, hash);
                // Every other one is in the lower tier too.
                if hash % 2 == 0 {
                    happens(g2, BlockEvent::Register, hash);
                }
            }
            registered.send(()).unwrap();
            let _ = ended.recv();
        });
        scope.spawn(move || {
            all_registered.recv().unwrap();
            for hash in 1..=BLOCKS {
                happens(g1, BlockEvent::Evict, hash);
            }
            // More than a quarter of the ring, which is written at once.
            (0..300).for_each(|_| happens(g1, BlockEvent::Allocate, 0));
            std::thread::sleep(Duration::from_millis(200));
            drop(end);
        });
    });
    flush();
    let text = metrics_text();
    let samples = metrics_samples(&text);
    let half = BLOCKS as f64 / 2.0;
    for (name, count) in [
        ("dynamo_kvbm_evictions_total{from_tier=\"g1\",to_tier=\"g2\"}", Some(half)),
        ("dynamo_kvbm_evictions_total{from_tier=\"g1\",to_tier=\"evict\"}", Some(half)),
        ("dynamo_kvbm_block_lifetime_seconds_count{tier=\"g1\"}", Some(BLOCKS as f64)),
        ("dynamo_kvbm_recomputed_blocks_total{tier=\"g1\"}", None),
    ] {
        assert_eq!(samples.get(name).copied(), count, "{name}");
    }
    stop();
}
