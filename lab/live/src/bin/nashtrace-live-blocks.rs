//! Plays with pools of Dynamo's `block_manager`, patched, without a GPU: random allocations, registrations and
//! lookups in a host and a disk pool. Prints as JSON what it was told about them; a trace must say the same.

use std::collections::VecDeque;

use anyhow::Context;
use dynamo_llm::block_manager::block::locality::Local;
use dynamo_llm::block_manager::block::{BasicMetadata, Blocks};
use dynamo_llm::block_manager::kv_consolidator::StorageTier;
use dynamo_llm::block_manager::layout::{FullyContiguous, LayoutConfig};
use dynamo_llm::block_manager::pool::{
    BlockPool, BlockPoolController, ImmutableBlock, ManagedBlockPool,
};
use dynamo_llm::block_manager::storage::{SystemAllocator, SystemStorage};
use dynamo_llm::tokens::{TokenBlockSequence, Tokens};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const BLOCKS: usize = 24;
const TOKENS: usize = 4;
const STEPS: usize = 2_000;
const SEED: u64 = 20_261_121;

type Pool = ManagedBlockPool<SystemStorage, Local, BasicMetadata>;
type Held = ImmutableBlock<SystemStorage, Local, BasicMetadata>;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let seed = std::env::args().nth(1).map_or(Ok(SEED), |seed| seed.parse())?;
    let pools = [("host", StorageTier::HostPinned), ("disk", StorageTier::Disk)];
    let mut told = serde_json::Map::new();
    for (index, (name, tier)) in pools.into_iter().enumerate() {
        let pool = pool(tier, &runtime)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed + index as u64);
        told.insert(name.to_owned(), play(&pool, &mut rng)?);
    }
    println!("{}", json!({ "seed": seed, "pools": told }));
    Ok(())
}

fn pool(tier: StorageTier, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Pool> {
    let config = LayoutConfig::builder()
        .num_blocks(BLOCKS)
        .num_layers(1)
        .outer_dim(1)
        .page_size(TOKENS)
        .inner_dim(1)
        .build()?;
    let layout = FullyContiguous::allocate(config, &SystemAllocator)?;
    let blocks = Blocks::<_, BasicMetadata>::new(layout, 0, 0)?.into_blocks()?;
    Pool::builder()
        .blocks(blocks)
        .storage_tier(tier)
        .async_runtime(runtime.handle().clone())
        .build()
}

/// Requests come, look up their prompts, compute the rest, hold their blocks for a while and let go.
fn play(pool: &Pool, rng: &mut ChaCha8Rng) -> anyhow::Result<Value> {
    let mut running: VecDeque<Vec<Held>> = VecDeque::new();
    let (mut hits, mut misses, mut refused, mut registered) = (0, 0, 0, 0);
    for _ in 0..STEPS {
        while running.len() >= rng.random_range(1..=6) {
            running.pop_front();
        }
        let prompt = prompt(rng);
        let hashes: Vec<u64> = prompt.blocks().iter().map(|block| block.sequence_hash()).collect();
        let mut held = pool.match_sequence_hashes_blocking(&hashes)?;
        let found = held.len();
        (hits, misses) = (hits + found, misses + hashes.len() - found);
        let rest = &prompt.blocks()[found..];
        if rest.is_empty() {
            running.push_back(held);
            continue;
        }
        let Ok(mut empty) = pool.allocate_blocks_blocking(rest.len()) else {
            refused += rest.len();
            continue;
        };
        for (slot, block) in empty.iter_mut().zip(rest) {
            slot.apply_token_block(block.clone())?;
        }
        if rng.random_ratio(1, 20) {
            continue; // Cancelled before it was computed.
        }
        registered += empty.len();
        held.extend(pool.register_blocks_blocking(empty)?);
        running.push_back(held);
    }
    running.clear();
    // The pool's thread takes back what was dropped when it is asked next.
    let present = loop {
        let status = pool.status_blocking().context("status")?;
        if status.active_blocks == 0 {
            break status.inactive_blocks;
        }
    };
    Ok(json!({
        "hits": hits,
        "misses": misses,
        "refused": refused,
        "registered": registered,
        "present": present,
    }))
}

/// One of a few common prefixes, and a tail that may be new.
fn prompt(rng: &mut ChaCha8Rng) -> TokenBlockSequence {
    let prefix: u32 = rng.random_range(0..6);
    let mut tokens: Vec<u32> = (0..8).map(|token| prefix * 1_000 + token).collect();
    let tail: u32 = rng.random_range(0..200);
    let blocks = rng.random_range(1..=4);
    tokens.extend((0..blocks * TOKENS as u32).map(|token| 100_000 + tail * 100 + token));
    TokenBlockSequence::new(Tokens::from(tokens), TOKENS as u32, None)
}
