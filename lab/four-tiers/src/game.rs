//! A game: blocks are computed in G1, go down by the engine's pipelines, and come up by the leader's sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kvbm_engine::leader::{
    FindMatchesOptions, FindMatchesResult, InstanceLeader, Leader, StagingMode,
};
use kvbm_engine::offload::{
    ObjectPipelineBuilder, OffloadEngine, PassAllPolicy, PipelineBuilder, PresenceFilter,
    SourceBlocks, TransferHandle, TransferResult,
};
use kvbm_engine::testing::{
    TestManagerBuilder, TestRegistryBuilder, create_messenger_tcp, create_token_sequence,
    generate_sequence_hashes,
};
use kvbm_engine::{G1, G2, G3, SequenceHash};
use kvbm_logical::blocks::{BlockMetadata, BlockRegistry, ImmutableBlock, MutableBlock};
use kvbm_logical::manager::BlockManager;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::tally::Tally;
use crate::worker::ArenaWorker;

/// Blocks of G1, G2 and G3.
const BLOCKS: [usize; 3] = [64, 32, 48];

/// Tokens of a block.
const BLOCK_SIZE: usize = 4;

/// Blocks of a prompt.
const PROMPT: usize = 6;

/// Longer than any transfer takes: what is slower hangs.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Play so many rounds. Gives what the worker copied and what the engine's handles say of the rest.
///
/// # Errors
///
/// If the engine refuses a call, hangs, or brings up a block with a wrong content.
pub async fn play(seed: u64, rounds: u32) -> Result<Tally> {
    let mut game = Game::new(seed).await?;
    for _ in 0..rounds {
        let prompt = game.choose_prompt();
        let blocks = game.compute(prompt)?;
        let handle = game.engine.enqueue_g1_to_g2(SourceBlocks::Strong(blocks))?;
        game.finish(handle, "g1 to g2").await?;
        match game.random.random_range(0..6) {
            0 => game.offload_further(prompt).await?,
            1 => game.offload_without_room().await?,
            2 => game.offload_what_is_gone().await?,
            _ => game.onboard().await?,
        }
    }
    let mut tally = game.tally;
    for (name, count) in game.worker.tally().iter() {
        tally.add(name.to_owned(), count as usize);
    }
    Ok(tally)
}

struct Game {
    random: ChaCha8Rng,
    worker: Arc<ArenaWorker>,
    g1: Arc<BlockManager<G1>>,
    g2: Arc<BlockManager<G2>>,
    leader: Arc<InstanceLeader>,
    engine: OffloadEngine,
    /// Prompts so far: a prompt is known by its number.
    prompts: u32,
    /// Those that went further down than G2, with repetitions.
    further: Vec<u32>,
    tally: Tally,
}

fn manager<T: BlockMetadata>(blocks: usize, registry: &BlockRegistry) -> Arc<BlockManager<T>> {
    let builder = TestManagerBuilder::<T>::new().block_count(blocks).block_size(BLOCK_SIZE);
    Arc::new(builder.registry(registry.clone()).build())
}

impl Game {
    async fn new(seed: u64) -> Result<Self> {
        let worker = Arc::new(ArenaWorker::new(BLOCKS, seed));
        let registry = TestRegistryBuilder::new().build();
        let g1 = manager::<G1>(BLOCKS[0], &registry);
        let g2 = manager::<G2>(BLOCKS[1], &registry);
        let g3 = manager::<G3>(BLOCKS[2], &registry);
        let leader = InstanceLeader::builder()
            .messenger(create_messenger_tcp().await?)
            .registry(registry.clone())
            .g2_manager(g2.clone())
            .g3_manager(g3.clone())
            .worker(worker.clone())
            .object_client(worker.clone())
            .build()?;
        let leader = Arc::new(leader);
        let registry = Arc::new(registry);
        let down = PipelineBuilder::<G1, G2>::new()
            .policy(Arc::new(PresenceFilter::<G1, G2>::new(registry.clone())));
        let further = PipelineBuilder::<G2, G3>::new()
            .policy(Arc::new(PresenceFilter::<G2, G3>::new(registry.clone())));
        let out = ObjectPipelineBuilder::<G2>::new().policy(Arc::new(PassAllPolicy::new()));
        let engine = OffloadEngine::builder(leader.clone())
            .with_runtime(tokio::runtime::Handle::current())
            .with_registry(registry)
            .with_g1_manager(g1.clone())
            .with_g2_manager(g2.clone())
            .with_g3_manager(g3)
            .with_object_ops(worker.clone())
            .with_g1_to_g2_pipeline(down.build())
            .with_g2_to_g3_pipeline(further.build())
            .with_g2_to_g4_pipeline(out.build())
            .build()?;
        let random = ChaCha8Rng::seed_from_u64(seed);
        Ok(Self {
            random,
            worker,
            g1,
            g2,
            leader,
            engine,
            prompts: 0,
            further: Vec::new(),
            tally: Tally::default(),
        })
    }

    /// A new prompt, or one of the last that there were.
    fn choose_prompt(&mut self) -> u32 {
        if self.prompts > 0 && self.random.random_ratio(1, 3) {
            return self.random.random_range(self.prompts.saturating_sub(20)..self.prompts);
        }
        self.new_prompt()
    }

    fn new_prompt(&mut self) -> u32 {
        self.prompts += 1;
        self.prompts - 1
    }

    /// The blocks of a prompt in G1, computed where they are not there.
    fn compute(&self, prompt: u32) -> Result<Vec<ImmutableBlock<G1>>> {
        let tokens = create_token_sequence(PROMPT, BLOCK_SIZE, first_token(prompt));
        let mut blocks = self.g1.match_blocks(&hashes(prompt));
        let missing = &tokens.blocks()[blocks.len()..];
        let slots = self.g1.allocate_blocks(missing.len()).context("G1 is full")?;
        let mut complete = Vec::new();
        for (slot, tokens) in slots.into_iter().zip(missing) {
            let block = slot.complete(tokens).map_err(|error| anyhow::anyhow!("{error:?}"))?;
            self.worker.compute(block.block_id(), block.sequence_hash());
            complete.push(block);
        }
        blocks.extend(self.g1.register_blocks(complete));
        Ok(blocks)
    }

    /// Offload what of a prompt is in G2 to G3 and to G4.
    async fn offload_further(&mut self, prompt: u32) -> Result<()> {
        let blocks = self.g2.match_blocks(&hashes(prompt));
        if blocks.is_empty() {
            return Ok(());
        }
        self.further.push(prompt);
        let handle = self.engine.enqueue_g2_to_g3(SourceBlocks::Strong(blocks.clone()))?;
        self.finish(handle, "g2 to g3").await?;
        let handle = self.engine.enqueue_g2_to_g4(SourceBlocks::Strong(blocks))?;
        self.finish(handle, "g2 to g4").await?;
        Ok(())
    }

    /// Take every slot of G2. What the engine has just moved is still in its hands for a moment.
    async fn take_all_of_g2(&self) -> Result<Vec<MutableBlock<G2>>> {
        let mut taken = Vec::new();
        let deadline = Instant::now() + TIMEOUT;
        while taken.len() < BLOCKS[1] {
            ensure!(Instant::now() < deadline, "somebody keeps blocks of G2");
            match self.g2.allocate_blocks(1) {
                Some(slots) => taken.extend(slots),
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
        Ok(taken)
    }

    /// Offload to a G2 that somebody else fills.
    async fn offload_without_room(&mut self) -> Result<()> {
        let _taken = self.take_all_of_g2().await?;
        let prompt = self.new_prompt();
        let blocks = self.compute(prompt)?;
        let handle = self.engine.enqueue_g1_to_g2(SourceBlocks::Strong(blocks))?;
        let result = self.finish(handle, "g1 to g2").await?;
        ensure!(result.failed_blocks.len() == PROMPT, "{PROMPT} blocks had no room: {result:?}");
        self.tally.add("offload_skipped no_room g1 to g2".to_owned(), PROMPT);
        Ok(())
    }

    /// Offload blocks that are evicted before their turn, and others behind them.
    async fn offload_what_is_gone(&mut self) -> Result<()> {
        let prompt = self.new_prompt();
        let blocks = self.compute(prompt)?;
        let handle = self.engine.enqueue_g1_to_g2(SourceBlocks::Strong(blocks))?;
        self.finish(handle, "g1 to g2").await?;
        let blocks = self.g2.match_blocks(&hashes(prompt));
        let weak: Vec<_> = blocks.iter().map(ImmutableBlock::downgrade).collect();
        drop(blocks);
        drop(self.take_all_of_g2().await?);
        ensure!(weak.iter().all(|block| block.upgrade().is_none()), "a block was not evicted");
        self.tally.add("offload_skipped source_gone g2 to g3".to_owned(), weak.len());
        // No handle tells when these are through; the pipeline takes what comes behind them later.
        let _never_settles = self.engine.enqueue_g2_to_g3(SourceBlocks::Weak(weak))?;
        let prompt = self.new_prompt();
        let blocks = self.compute(prompt)?;
        let handle = self.engine.enqueue_g1_to_g2(SourceBlocks::Strong(blocks))?;
        self.finish(handle, "g1 to g2").await?;
        let blocks = self.g2.match_blocks(&hashes(prompt));
        if !blocks.is_empty() {
            let handle = self.engine.enqueue_g2_to_g3(SourceBlocks::Strong(blocks))?;
            self.finish(handle, "g2 to g3").await?;
        }
        Ok(())
    }

    /// Bring up to G2 what is left of a prompt that went further down.
    async fn onboard(&mut self) -> Result<()> {
        // G3 forgets what is older.
        let recent = self.further.len().saturating_sub(10);
        let from = if self.random.random() { recent } else { 0 };
        let Some(&prompt) = self.further[from..].choose(&mut self.random) else { return Ok(()) };
        let options = FindMatchesOptions { search_remote: true, staging_mode: StagingMode::Full };
        let mut found = self.leader.find_matches_with_options(&hashes(prompt), options)?;
        if let FindMatchesResult::AsyncSession(session) = &found {
            let completion = session.wait_for_completion();
            tokio::time::timeout(TIMEOUT, completion).await.context("a session hangs")??;
        }
        for block in found.take_g2_blocks().unwrap_or_default() {
            let (slot, hash) = (block.block_id(), block.sequence_hash());
            ensure!(self.worker.holds(slot, hash), "slot {slot} does not hold {hash:?}");
        }
        if let Some(session) = found.session_id() {
            self.leader.release_session(session);
        }
        Ok(())
    }

    /// Wait for a transfer, and count what its policies kept back.
    async fn finish(&mut self, mut handle: TransferHandle, route: &str) -> Result<TransferResult> {
        let result = tokio::time::timeout(TIMEOUT, handle.wait()).await;
        let result = result.with_context(|| format!("a transfer {route} hangs"))??;
        let filtered = result.filtered_blocks.len();
        self.tally.add(format!("offload_skipped filtered {route}"), filtered);
        Ok(result)
    }
}

fn first_token(prompt: u32) -> u32 {
    prompt * (PROMPT * BLOCK_SIZE) as u32
}

fn hashes(prompt: u32) -> Vec<SequenceHash> {
    generate_sequence_hashes(&create_token_sequence(PROMPT, BLOCK_SIZE, first_token(prompt)))
}
