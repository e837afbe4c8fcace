//! What one player holds of one tier, and the random calls it makes on that tier alone.

use anyhow::ensure;
use kvbm_logical::{CompleteBlock, ImmutableBlock, MutableBlock, SequenceHash, WeakBlock};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha12Rng;

use crate::arena::content_of;
use crate::tiers::TierOf;

/// Blocks that a call asks for at most.
pub const BATCH: usize = 8;

/// Guards of a tier's slots.
pub struct Hand<T: Clone + Send + Sync + 'static> {
    mutable: Vec<MutableBlock<T>>,
    staged: Vec<CompleteBlock<T>>,
    pub held: Vec<ImmutableBlock<T>>,
    weak: Vec<WeakBlock<T>>,
    /// Allocations that the manager refused.
    pub refused: u64,
}

impl<T: Clone + Send + Sync + 'static> Default for Hand<T> {
    fn default() -> Self {
        Self {
            mutable: Vec::new(),
            staged: Vec::new(),
            held: Vec::new(),
            weak: Vec::new(),
            refused: 0,
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Hand<T> {
    /// More would leave the other players nothing.
    const MOST_HELD: usize = 48;
    const MOST_UNREGISTERED: usize = 16;
    const MOST_WEAK: usize = 32;

    /// One random call.
    ///
    /// # Errors
    ///
    /// If a slot does not hold what its hash says.
    pub fn play(
        &mut self,
        tier: &TierOf<T>,
        prompts: &[Vec<SequenceHash>],
        rng: &mut ChaCha12Rng,
    ) -> anyhow::Result<()> {
        match rng.random_range(0..1000) {
            0..150 => self.allocate(tier, rng),
            150..350 => self.stage(tier, prompts, rng)?,
            350..450 => self.register_one(tier),
            450..500 => self.register_all(tier),
            500..520 => drop(self.mutable.pop()),
            520..540 => drop(self.staged.pop()),
            540..550 => self.mutable.extend(self.staged.pop().map(CompleteBlock::reset)),
            550..700 => self.release(rng),
            700..820 => {
                let prompt = part(prompts, rng);
                self.take(tier, tier.manager.match_blocks(prompt))?;
            }
            820..860 => {
                let hashes = scattered(prompts, rng);
                let found = tier.manager.match_blocks_scattered(&hashes);
                self.take(tier, found.into_iter().flatten().collect())?;
            }
            860..900 => {
                let hashes = scattered(prompts, rng);
                let found = tier.manager.scan_matches(&hashes, rng.random());
                self.take(tier, found.into_values().collect())?;
            }
            900..940 => self.weaken(rng),
            940..980 => {
                let upgraded = self.weak.pop().and_then(|weak| weak.upgrade());
                self.take(tier, upgraded.into_iter().collect())?;
            }
            980..990 => self.allocate_too_much(tier),
            990..999 => {
                if let Some(block) = self.held.choose(rng) {
                    block.set_evict_on_reset(rng.random_bool(0.5));
                }
            }
            // It gives the slots back, and complains if others are in use.
            _ => drop(tier.manager.reset_inactive_pool()),
        }
        Ok(())
    }

    fn allocate(&mut self, tier: &TierOf<T>, rng: &mut ChaCha12Rng) {
        let count = rng.random_range(1..=BATCH);
        if self.mutable.len() + self.staged.len() + count <= Self::MOST_UNREGISTERED {
            match tier.manager.allocate_blocks(count) {
                Some(blocks) => self.mutable.extend(blocks),
                None => self.refused += 1,
            }
        }
    }

    /// More than there is, so that it cannot be given.
    fn allocate_too_much(&mut self, tier: &TierOf<T>) {
        let given = tier.manager.allocate_blocks(tier.manager.total_blocks() + 1);
        self.refused += u64::from(given.is_none());
    }

    fn stage(
        &mut self,
        tier: &TierOf<T>,
        prompts: &[Vec<SequenceHash>],
        rng: &mut ChaCha12Rng,
    ) -> anyhow::Result<()> {
        if let Some(block) = self.mutable.pop() {
            let hash = *part(prompts, rng).last().expect("a part is never empty");
            self.staged.push(fill(tier, block, hash)?);
        }
        Ok(())
    }

    fn register_one(&mut self, tier: &TierOf<T>) {
        let registered = self.staged.pop().map(|block| tier.manager.register_block(block));
        self.hold(registered);
    }

    fn register_all(&mut self, tier: &TierOf<T>) {
        let registered = tier.manager.register_blocks(std::mem::take(&mut self.staged));
        self.hold(registered);
    }

    fn release(&mut self, rng: &mut ChaCha12Rng) {
        if !self.held.is_empty() {
            let at = rng.random_range(0..self.held.len());
            self.held.swap_remove(at);
        }
    }

    fn weaken(&mut self, rng: &mut ChaCha12Rng) {
        if self.weak.len() < Self::MOST_WEAK {
            self.weak.extend(self.held.choose(rng).map(ImmutableBlock::downgrade));
        }
    }

    /// Look at what was found, and hold it.
    ///
    /// # Errors
    ///
    /// If a slot does not hold what its hash says.
    pub fn take(&mut self, tier: &TierOf<T>, found: Vec<ImmutableBlock<T>>) -> anyhow::Result<()> {
        for block in &found {
            let hash = block.sequence_hash();
            ensure!(
                tier.arena.read(block.block_id())? == content_of(hash),
                "slot {} does not hold {hash:?}",
                block.block_id()
            );
        }
        self.hold(found);
        Ok(())
    }

    fn hold(&mut self, blocks: impl IntoIterator<Item = ImmutableBlock<T>>) {
        self.held.extend(blocks);
        let too_many = self.held.len().saturating_sub(Self::MOST_HELD);
        drop(self.held.drain(..too_many));
    }
}

/// Write a block as if it had been computed.
fn fill<T: Clone + Send + Sync + 'static>(
    tier: &TierOf<T>,
    block: MutableBlock<T>,
    hash: SequenceHash,
) -> anyhow::Result<CompleteBlock<T>> {
    tier.arena.write(block.block_id(), &content_of(hash))?;
    let block_size = tier.manager.block_size();
    block.stage(hash, block_size).map_err(|error| anyhow::anyhow!("{error}"))
}

/// A few blocks of a prompt, from its beginning or from the middle.
pub fn part<'a>(prompts: &'a [Vec<SequenceHash>], rng: &mut ChaCha12Rng) -> &'a [SequenceHash] {
    let prompt = prompts.choose(rng).expect("there are prompts");
    let begin = rng.random_range(0..prompt.len());
    &prompt[begin..prompt.len().min(begin + rng.random_range(1..=BATCH))]
}

/// Blocks of several prompts, some of them twice.
fn scattered(prompts: &[Vec<SequenceHash>], rng: &mut ChaCha12Rng) -> Vec<SequenceHash> {
    let count = rng.random_range(1..=BATCH);
    (0..count).map(|_| part(prompts, rng)[0]).collect()
}
