// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in `block_manager`: every change that a pool's own thread makes to its blocks.

use std::any::TypeId;
use std::sync::atomic::{AtomicU64, Ordering};

use super::block::locality::LocalityProvider;
use super::block::{Block, BlockMetadata, BlockState, ImmutableBlock};
use super::kv_consolidator::StorageTier;
use super::storage::{DeviceStorage, DiskStorage, PinnedStorage, Storage};
use crate::nashtrace_blocks::{Description, Event, Named, Pool, Reason, Tier};
use crate::tokens::SequenceHash;

/// Bytes of a block over all workers, once they have told the leader; 0 until then.
static BYTES_PER_BLOCK: AtomicU64 = AtomicU64::new(0);

/// The workers have told how large a block is. Pools are made after that.
pub(crate) fn bytes_per_block(bytes: usize) {
    BYTES_PER_BLOCK.store(bytes as u64, Ordering::Relaxed);
}

/// A pool as the library knows it; nothing until its tier is told.
#[derive(Default)]
pub(crate) struct ObservedPool {
    pool: Option<(Pool, Tier)>,
    blocks: u64,
    block_size: u32,
    /// So many of the next slots that are given away are part of emptying the pool.
    to_reset: u64,
}

impl ObservedPool {
    /// The pool is of this tier and will receive its blocks next.
    pub(crate) fn begin(&mut self, tier: StorageTier) {
        let tier = match tier {
            StorageTier::Device => Tier::G1,
            StorageTier::HostPinned => Tier::G2,
            StorageTier::Disk => Tier::G3,
        };
        self.pool = Some((Pool::new(&self.description(tier)), tier));
    }

    /// The pool has received so many blocks.
    pub(crate) fn grew(&mut self, blocks: usize) {
        self.blocks += blocks as u64;
        self.describe();
    }

    fn description(&self, tier: Tier) -> Description<'static> {
        let name = match tier {
            Tier::G1 => "device",
            Tier::G2 => "host",
            _ => "disk",
        };
        Description {
            name,
            tier,
            capacity_blocks: self.blocks,
            bytes_per_block: BYTES_PER_BLOCK.load(Ordering::Relaxed),
            block_size: self.block_size,
            ..Description::default()
        }
    }

    fn describe(&self) {
        if let Some((pool, tier)) = self.pool {
            pool.describe(&self.description(tier));
        }
    }

    fn tell(&self, event: Event, reason: Reason, named: Named, count: usize) {
        if let Some((pool, _)) = self.pool {
            pool.blocks(event, reason, named, count);
        }
    }

    /// A free slot is given away.
    pub(crate) fn allocated<S: Storage, L: LocalityProvider, M: BlockMetadata>(
        &mut self,
        block: &Block<S, L, M>,
    ) {
        self.to_reset = self.to_reset.saturating_sub(1);
        self.tell(Event::Allocate, Reason::Unknown, named(block), 1);
    }

    /// A present block is about to be reset, and its slot given away.
    pub(crate) fn evicted<S: Storage, L: LocalityProvider, M: BlockMetadata>(
        &self,
        block: &Block<S, L, M>,
    ) {
        let reason = if self.to_reset > 0 { Reason::Reset } else { Reason::Capacity };
        self.tell(Event::Evict, reason, named(block), 1);
    }

    /// Nobody uses the block any more.
    pub(crate) fn returned<S: Storage, L: LocalityProvider, M: BlockMetadata>(
        &self,
        block: &Block<S, L, M>,
    ) {
        let (event, reason) = match block.state() {
            BlockState::Registered(..) => (Event::Idle, Reason::Unknown),
            BlockState::Complete(_) => (Event::Drop, Reason::Unregistered),
            BlockState::Reset | BlockState::Partial(_) => (Event::Drop, Reason::Unfilled),
        };
        self.tell(event, reason, named(block), 1);
    }

    /// The returned block is a copy of one that is there already.
    pub(crate) fn returned_twice<S: Storage, L: LocalityProvider, M: BlockMetadata>(
        &self,
        block: &Block<S, L, M>,
    ) {
        self.tell(Event::Drop, Reason::Duplicate, named(block), 1);
    }

    /// Somebody asks for a present block to be reset.
    pub(crate) fn removed<S: Storage, L: LocalityProvider, M: BlockMetadata>(
        &self,
        block: &Block<S, L, M>,
    ) {
        self.tell(Event::Drop, Reason::Removed, named(block), 1);
    }

    /// All so many blocks of the pool are about to be taken out and put back empty.
    pub(crate) fn will_reset(&mut self, blocks: u64) {
        self.to_reset = blocks;
    }

    /// More slots were asked for than there are.
    pub(crate) fn has_no_room(&self, asked_for: usize) {
        self.tell(Event::AllocationFailed, Reason::Unknown, Named::default(), asked_for);
    }

    /// The block's content is present in the pool from now on. Only now it tells how many tokens it has.
    pub(crate) fn registered<S: Storage, L: LocalityProvider, M: BlockMetadata>(
        &mut self,
        block: &Block<S, L, M>,
    ) {
        let BlockState::Registered(handle, _) = block.state() else { return };
        if self.block_size == 0 {
            self.block_size = u32::try_from(handle.block_size()).unwrap_or(0);
            self.describe();
        }
        self.tell(Event::Register, Reason::Unknown, named(block), 1);
    }

    /// A content was to be registered that is present.
    pub(crate) fn duplicated(&self, hash: SequenceHash) {
        self.tell(Event::Duplicate, Reason::Unknown, content(hash), 1);
    }

    /// An idle block is used again.
    pub(crate) fn resurrected(&self, hash: SequenceHash) {
        self.tell(Event::Resurrect, Reason::Unknown, content(hash), 1);
    }

    /// An idle block is taken out and put back, so that it is evicted later.
    pub(crate) fn touched(&self, hash: SequenceHash) {
        self.tell(Event::Resurrect, Reason::Touch, content(hash), 1);
    }

    /// A lookup found the first so many of these. One of a single hash is the offload manager's own.
    pub(crate) fn looked_up(&self, hashes: &[SequenceHash], found: usize) {
        let reason = if hashes.len() == 1 { Reason::Probe } else { Reason::Unknown };
        if found > 0 {
            self.tell(Event::Hit, reason, at(hashes, found - 1), found);
        }
        if found < hashes.len() {
            self.tell(Event::Miss, reason, at(hashes, found), hashes.len() - found);
        }
    }
}

/// Blocks were copied into another pool and registered there.
pub(crate) fn copied<Source, Target, L, M>(sources: &[ImmutableBlock<Source, L, M>])
where
    Source: Storage + 'static,
    Target: Storage + 'static,
    L: LocalityProvider,
    M: BlockMetadata,
{
    let Some(first) = sources.first() else { return };
    let (from, to) = (tier_of::<Source>(), tier_of::<Target>());
    let event = if to as u8 > from as u8 { Event::Offload } else { Event::Onboard };
    let named = content(first.sequence_hash());
    Pool::of_tier(from).moved(event, Reason::Unknown, named, sources.len(), to);
}

/// A block was to be copied into a lower pool and is not.
pub(crate) fn not_offloaded<Source, Target>(hash: SequenceHash, reason: Reason)
where
    Source: Storage + 'static,
    Target: Storage + 'static,
{
    let (from, to) = (tier_of::<Source>(), tier_of::<Target>());
    Pool::of_tier(from).moved(Event::OffloadSkipped, reason, content(hash), 1, to);
}

fn tier_of<S: Storage + 'static>() -> Tier {
    let storage = TypeId::of::<S>();
    if storage == TypeId::of::<DeviceStorage>() {
        Tier::G1
    } else if storage == TypeId::of::<PinnedStorage>() {
        Tier::G2
    } else if storage == TypeId::of::<DiskStorage>() {
        Tier::G3
    } else {
        Tier::Unknown
    }
}

fn named<S: Storage, L: LocalityProvider, M: BlockMetadata>(block: &Block<S, L, M>) -> Named {
    let hash = match block.state() {
        BlockState::Registered(handle, _) => handle.sequence_hash(),
        _ => 0,
    };
    slot(hash, block.block_id())
}

fn slot(hash: SequenceHash, block: usize) -> Named {
    let block = u32::try_from(block).unwrap_or(u32::MAX);
    Named { hash, block, ..Named::default() }
}

fn content(hash: SequenceHash) -> Named {
    Named { hash, ..Named::default() }
}

fn at(hashes: &[SequenceHash], position: usize) -> Named {
    let hash = hashes[position];
    Named { hash, position: u32::try_from(position).unwrap_or(u32::MAX), ..Named::default() }
}
