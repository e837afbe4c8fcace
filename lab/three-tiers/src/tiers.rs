//! Three block managers that share one registry, as a worker with device, host and disk memory has them.

use anyhow::Context;
use kvbm_logical::blocks::BlockDuplicationPolicy;
use kvbm_logical::manager::FrequencyTrackingCapacity;
use kvbm_logical::{BlockManager, BlockRegistry, SequenceHash};

use crate::arena::Arena;

/// Device memory. kvbm-logical names a pool after the type of its blocks.
#[derive(Clone)]
pub struct G1;

/// Host memory.
#[derive(Clone)]
pub struct G2;

/// Disk.
#[derive(Clone)]
pub struct G3;

/// Tokens of a block.
const BLOCK_SIZE: usize = 16;

/// Blocks of each tier: too few for what the players ask for.
pub const BLOCKS: [usize; 3] = [192, 384, 768];

/// One tier: a manager and the memory that it manages.
pub struct TierOf<T: Clone + Send + Sync + 'static> {
    pub manager: BlockManager<T>,
    pub arena: Arena,
}

/// All tiers.
pub struct Tiers {
    pub registry: BlockRegistry,
    pub g1: TierOf<G1>,
    pub g2: TierOf<G2>,
    pub g3: TierOf<G3>,
    /// Prompts as hashes of their blocks. Many share a beginning.
    pub prompts: Vec<Vec<SequenceHash>>,
}

impl Tiers {
    /// Empty tiers: another order of eviction in each, and both policies for duplicates.
    ///
    /// # Errors
    ///
    /// If kvbm-logical refuses the configuration, or there is no room for the file.
    pub fn new() -> anyhow::Result<Self> {
        let tracker = FrequencyTrackingCapacity::Small.create_tracker();
        let registry = BlockRegistry::builder().frequency_tracker(tracker).build();
        let g1 = BlockManager::<G1>::builder()
            .block_count(BLOCKS[0])
            .block_size(BLOCK_SIZE)
            .registry(registry.clone())
            .with_lineage_backend()
            .duplication_policy(BlockDuplicationPolicy::Allow)
            .build()
            .context("G1")?;
        let g2 = BlockManager::<G2>::builder()
            .block_count(BLOCKS[1])
            .block_size(BLOCK_SIZE)
            .registry(registry.clone())
            .with_multi_lru_backend()
            .duplication_policy(BlockDuplicationPolicy::Reject)
            .build()
            .context("G2")?;
        let g3 = BlockManager::<G3>::builder()
            .block_count(BLOCKS[2])
            .block_size(BLOCK_SIZE)
            .registry(registry.clone())
            .with_lru_backend()
            .duplication_policy(BlockDuplicationPolicy::Allow)
            .build()
            .context("G3")?;
        Ok(Self {
            registry,
            g1: TierOf { manager: g1, arena: Arena::memory(BLOCKS[0]) },
            g2: TierOf { manager: g2, arena: Arena::memory(BLOCKS[1]) },
            g3: TierOf { manager: g3, arena: Arena::disk(BLOCKS[2])? },
            prompts: prompts(),
        })
    }
}

/// 64 prompts of 48 blocks in 8 families; a family shares 16 blocks.
fn prompts() -> Vec<Vec<SequenceHash>> {
    const PROMPTS: u32 = 64;
    const FAMILIES: u32 = 8;
    const BLOCKS_OF_A_PROMPT: u32 = 48;
    const SHARED_BLOCKS: u32 = 16;
    let token = |prompt: u32, at: u32| {
        let shared = at / (BLOCK_SIZE as u32) < SHARED_BLOCKS;
        let owner = if shared { prompt % FAMILIES } else { FAMILIES + prompt };
        owner * BLOCKS_OF_A_PROMPT * BLOCK_SIZE as u32 + at
    };
    (0..PROMPTS)
        .map(|prompt| {
            let tokens: Vec<u32> =
                (0..BLOCKS_OF_A_PROMPT * BLOCK_SIZE as u32).map(|at| token(prompt, at)).collect();
            let blocks =
                dynamo_tokens::TokenBlockSequence::from_slice(&tokens, BLOCK_SIZE as u32, None);
            blocks.blocks().iter().map(dynamo_tokens::TokenBlock::positional_lineage_hash).collect()
        })
        .collect()
}
