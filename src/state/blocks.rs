//! The lives of KV blocks over all tiers: what an eviction, a reuse or a registration meant.
//!
//! A *domain* is what shares blocks: the pools of one worker and rank, and those of a process whose worker
//! is not known, which all domains reach. Content that no pool within reach holds any more after it was
//! evicted is gone for good; if it is registered again in device memory (G1), it was computed twice. In a lower
//! tier a registration is a copy, also where no pool of device memory was declared: the engine's own, which is
//! not seen there, may have held the content all the time.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

use super::departed::Departed;
use crate::record::{
    Block, BlockEvent, BlockPool, BlockReason, BlockSample, Tier, UNKNOWN_U32, UNKNOWN_U64,
};

type Hasher = BuildHasherDefault<FxHasher>;
type Map<K, V> = HashMap<K, V, Hasher>;

/// What shares blocks, by number.
type Domain = u32;

/// The domain of pools whose worker is not known.
const SHARED: Domain = 0;

/// What is known of the blocks of a session. Memory is bounded: of contents that are gone for good the oldest are
/// forgotten; beyond a number of contents that are present, half of the hashes are, and what is derived from the
/// others counts for both halves.
pub struct BlockLives {
    pools: Map<u32, PoolState>,
    domains: Map<(u64, u32), Domain>,
    residences: Map<(u32, u64), Residence>,
    /// Contents that are present.
    lives: Map<(Domain, u64), Life>,
    /// Contents that nobody holds any more.
    gone: Departed<(Domain, u64), Gone, Hasher>,
    most_lives: usize,
    /// What the recorder sampled: one in so many hashes.
    recorded_sample: u64,
    /// Hashes that are followed: a subset of the recorder's sample.
    followed: BlockSample,
}

/// A pool and how full it is.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    /// What was declared.
    pub pool: BlockPool,
    /// Blocks present: registered less evicted and dropped. Below zero only if events are missing.
    pub present: i64,
    domain: Domain,
    /// Blocks that have become idle so far.
    idled: u64,
}

/// A content in one pool.
#[derive(Debug, Clone, Copy)]
struct Residence {
    registered_ns: u64,
    /// When it became idle, and how many had by then; `None` while it is used.
    idle: Option<(u64, u64)>,
}

/// A content in one domain.
#[derive(Debug, Clone, Copy, Default)]
struct Life {
    /// Pools of each tier that hold it.
    present: [u16; Tier::ALL.len()],
}

/// The eviction that took the last copy of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Key of the request that evicted it, 0 if unknown.
    pub evicted_by: u64,
    /// When.
    pub at_ns: u64,
    /// The pool it was evicted from.
    pub pool: u32,
}

/// What an eviction meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eviction {
    /// The tier it was evicted from.
    pub from: Tier,
    /// The uppermost lower tier that still holds it; `None` if there is none.
    pub to: Option<Tier>,
    /// Since it was registered in that pool.
    pub lifetime_ns: Option<u64>,
    /// Since it became idle there.
    pub idle_ns: Option<u64>,
}

/// What the reuse of an idle block meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Blocks of the pool that became idle after it, before it was used again.
    pub distance: u64,
    /// Since it became idle.
    pub idle_ns: u64,
}

/// An event that cannot be, if all events were recorded in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// A block was evicted, dropped, or used again that was not present.
    NotPresent,
    /// A content was registered in a pool that holds it.
    AlreadyPresent,
    /// A pool holds more blocks than fit.
    OverCapacity,
}

/// What an event meant beyond itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meaning {
    /// Blocks that the derived facts stand for: 1 unless hashes are sampled, 0 if this one is not followed.
    pub weight: u64,
    /// Of an eviction.
    pub eviction: Option<Eviction>,
    /// Of a block that is used again.
    pub reuse: Option<Reuse>,
    /// Of a registration: it was computed before and gone for good since then.
    pub recomputed: Option<Gone>,
    /// What is wrong with it.
    pub contradiction: Option<Contradiction>,
}

impl BlockLives {
    /// Nothing known yet. The recorder sampled one in `recorded_sample` hashes (a power of two); at most
    /// `most_lives` contents are followed while they are present, and as many that are gone.
    #[must_use]
    pub fn new(recorded_sample: u64, most_lives: usize) -> Self {
        Self {
            pools: Map::default(),
            domains: Map::default(),
            residences: Map::default(),
            lives: Map::default(),
            gone: Departed::new(most_lives),
            most_lives,
            recorded_sample,
            followed: BlockSample::one_in(recorded_sample),
        }
    }

    /// A pool was declared, or declared anew.
    pub fn declare(&mut self, pool: &BlockPool) {
        let owner = (pool.worker, pool.rank);
        let next = self.domains.len() as Domain + 1;
        let domain = match pool.worker {
            UNKNOWN_U64 => SHARED,
            _ => *self.domains.entry(owner).or_insert(next),
        };
        let known = self.pools.entry(pool.id);
        let state = known.or_insert(PoolState { pool: *pool, present: 0, domain, idled: 0 });
        state.pool = *pool;
        state.domain = domain;
    }

    /// The pools, in no order.
    pub fn pools(&self) -> impl Iterator<Item = &PoolState> {
        self.pools.values()
    }

    /// A pool, if it was declared.
    #[must_use]
    pub fn pool(&self, id: u32) -> Option<&PoolState> {
        self.pools.get(&id)
    }

    /// One in so many hashes is recorded.
    #[must_use]
    pub fn recorded_sample(&self) -> u64 {
        self.recorded_sample
    }

    /// How many blocks a recorded event stands for, for each of those that it counts.
    #[must_use]
    pub fn stands_for(&self, block: &Block) -> u64 {
        if block.hash == 0 { 1 } else { self.recorded_sample }
    }

    /// One in so many hashes is followed.
    #[must_use]
    pub fn followed_sample(&self) -> u64 {
        self.followed.hashes()
    }

    /// Take in an event, in the order of time, and tell what it meant.
    pub fn event(&mut self, block: &Block, time_ns: u64) -> Meaning {
        let is_followed = block.hash != 0 && self.followed.takes(block.hash);
        let weight = if is_followed { self.followed.hashes() } else { 0 };
        let mut meaning = Meaning { weight, ..Meaning::default() };
        match BlockEvent::from_u8(block.event) {
            BlockEvent::Register => self.register(block, time_ns, is_followed, &mut meaning),
            BlockEvent::Idle => self.idle(block, time_ns, is_followed, &mut meaning),
            BlockEvent::Resurrect => self.resurrect(block, time_ns, is_followed, &mut meaning),
            BlockEvent::Evict => self.evict(block, time_ns, is_followed, &mut meaning),
            BlockEvent::Drop if was_present(block) => {
                self.leave(block, is_followed, &mut meaning);
            }
            _ => {}
        }
        meaning
    }

    fn register(&mut self, block: &Block, now: u64, is_followed: bool, meaning: &mut Meaning) {
        let pool = self.state(block);
        pool.present += 1;
        let capacity = pool.pool.capacity_blocks;
        if capacity != UNKNOWN_U64 && u64::try_from(pool.present).is_ok_and(|n| n > capacity) {
            meaning.contradiction = Some(Contradiction::OverCapacity);
        }
        if !is_followed {
            return;
        }
        let (domain, tier) = (pool.domain, Tier::from_u8(pool.pool.tier));
        let residence = Residence { registered_ns: now, idle: None };
        if self.residences.insert((block.pool, block.hash), residence).is_some() {
            meaning.contradiction = Some(Contradiction::AlreadyPresent);
            return;
        }
        let is_elsewhere = self.holders(domain, block.hash).next().is_some();
        if tier == Tier::G1 {
            let mut gone_from = |domain| self.gone.take(&(domain, block.hash));
            let last = [gone_from(domain), gone_from(SHARED)].into_iter().flatten();
            meaning.recomputed = last.max_by_key(|gone| gone.at_ns).filter(|_| !is_elsewhere);
        }
        let life = self.lives.entry((domain, block.hash)).or_default();
        life.present[tier as usize] += 1;
        self.forget_some();
    }

    fn idle(&mut self, block: &Block, now: u64, is_followed: bool, meaning: &mut Meaning) {
        let pool = self.state(block);
        pool.idled += 1;
        let idled = pool.idled;
        if !is_followed {
            return;
        }
        match self.residences.get_mut(&(block.pool, block.hash)) {
            Some(residence) => residence.idle = Some((now, idled)),
            None => meaning.contradiction = Some(Contradiction::NotPresent),
        }
    }

    fn resurrect(&mut self, block: &Block, now: u64, is_followed: bool, meaning: &mut Meaning) {
        let idled = self.state(block).idled;
        if !is_followed {
            return;
        }
        let Some(residence) = self.residences.get_mut(&(block.pool, block.hash)) else {
            meaning.contradiction = Some(Contradiction::NotPresent);
            return;
        };
        let was_idle = residence.idle.take();
        if block.reason != BlockReason::Touch as u8 {
            meaning.reuse = was_idle.map(|(since, rank)| Reuse {
                distance: idled.saturating_sub(rank),
                idle_ns: now.saturating_sub(since),
            });
        }
    }

    fn evict(&mut self, block: &Block, now: u64, is_followed: bool, meaning: &mut Meaning) {
        let left = self.leave(block, is_followed, meaning);
        let Some(pool) = self.pools.get(&block.pool).filter(|_| is_followed) else { return };
        let (domain, from) = (pool.domain, Tier::from_u8(pool.pool.tier));
        let lower = self.holders(domain, block.hash).filter(|tier| *tier > from).min();
        meaning.eviction = Some(Eviction {
            from,
            to: lower,
            lifetime_ns: left.map(|residence| now.saturating_sub(residence.registered_ns)),
            idle_ns: left
                .and_then(|residence| residence.idle)
                .map(|(since, _)| now.saturating_sub(since)),
        });
        let is_gone = self.holders(domain, block.hash).next().is_none();
        if is_gone && block.reason != BlockReason::Reset as u8 {
            let gone = Gone { evicted_by: block.request, at_ns: now, pool: block.pool };
            self.gone.insert((domain, block.hash), gone);
        }
    }

    /// The content is no longer in the pool.
    fn leave(
        &mut self,
        block: &Block,
        is_followed: bool,
        meaning: &mut Meaning,
    ) -> Option<Residence> {
        let pool = self.state(block);
        pool.present -= 1;
        let (domain, tier) = (pool.domain, Tier::from_u8(pool.pool.tier));
        if pool.present < 0 {
            meaning.contradiction = Some(Contradiction::NotPresent);
        }
        if !is_followed {
            return None;
        }
        let Some(residence) = self.residences.remove(&(block.pool, block.hash)) else {
            meaning.contradiction = Some(Contradiction::NotPresent);
            return None;
        };
        if let Some(life) = self.lives.get_mut(&(domain, block.hash)) {
            life.present[tier as usize] = life.present[tier as usize].saturating_sub(1);
            if life.present == [0; Tier::ALL.len()] {
                self.lives.remove(&(domain, block.hash));
            }
        }
        Some(residence)
    }

    /// The tiers that hold a content within reach of a domain.
    fn holders(&self, domain: Domain, hash: u64) -> impl Iterator<Item = Tier> + '_ {
        let shared = (domain != SHARED).then_some(SHARED);
        let lives = [Some(domain), shared].into_iter().flatten();
        let lives = lives.filter_map(move |domain| self.lives.get(&(domain, hash)));
        lives.flat_map(|life| {
            let tiers = Tier::ALL.into_iter().zip(life.present);
            tiers.filter(|(_, pools)| *pools > 0).map(|(tier, _)| tier)
        })
    }

    /// The state of an event's pool; one that was never declared is made up from the event.
    fn state(&mut self, block: &Block) -> &mut PoolState {
        self.pools.entry(block.pool).or_insert_with(|| PoolState {
            pool: undeclared(block),
            present: 0,
            domain: SHARED,
            idled: 0,
        })
    }

    /// Keep to the bound by following half as many hashes.
    fn forget_some(&mut self) {
        while self.lives.len() > self.most_lives {
            let followed = self.followed.half();
            self.followed = followed;
            self.lives.retain(|(_, hash), _| followed.takes(*hash));
            self.residences.retain(|(_, hash), _| followed.takes(*hash));
            self.gone.retain(|(_, hash)| followed.takes(*hash));
        }
    }
}

/// Whether a dropped block was present.
fn was_present(block: &Block) -> bool {
    matches!(
        BlockReason::from_u8(block.reason),
        BlockReason::Reset | BlockReason::ResetOnRelease | BlockReason::Removed
    )
}

fn undeclared(block: &Block) -> BlockPool {
    BlockPool {
        head: block.head,
        capacity_blocks: UNKNOWN_U64,
        bytes_per_block: 0,
        worker: UNKNOWN_U64,
        id: block.pool,
        name: 0,
        rank: UNKNOWN_U32,
        block_size: 0,
        tier: block.tier,
        reserved: [0; 7],
    }
}

#[cfg(test)]
mod tests;
