// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in a KV block manager: the pools of blocks and what happens to the blocks in them.

use crate::nashtrace as shim;

/// What happened to a block: `nashtrace_block_event`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Allocate = 1,
    Register = 2,
    Duplicate = 3,
    Hit = 4,
    Miss = 5,
    Idle = 6,
    Resurrect = 7,
    Evict = 8,
    Drop = 9,
    Offload = 10,
    Onboard = 11,
    Birth = 12,
    Death = 13,
    AllocationFailed = 14,
    OffloadSkipped = 15,
}

/// Why it happened: `nashtrace_block_reason`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Unknown = 0,
    Capacity = 1,
    Reset = 2,
    Unfilled = 3,
    Unregistered = 4,
    Duplicate = 5,
    ResetOnRelease = 6,
    Filtered = 7,
    SourceGone = 8,
    NoRoom = 9,
    Failed = 10,
    Probe = 12,
    Touch = 13,
    Removed = 14,
}

/// The memory that a block is in: `nashtrace_tier`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    Unknown = 0,
    G1 = 1,
    G2 = 2,
    G3 = 3,
    G4 = 4,
}

/// A block as an event names it. What is not known stays at its default.
#[derive(Clone, Copy)]
pub struct Named {
    pub hash: u64,
    pub request: u64,
    pub block: u32,
    pub position: u32,
}

impl Default for Named {
    fn default() -> Self {
        Self { hash: 0, request: 0, block: shim::UNKNOWN_U32, position: shim::UNKNOWN_U32 }
    }
}

/// The id of a pool that the library does not know, because there is none or another thread was just loading it:
/// half of what happens to its blocks would contradict itself, so nothing is told.
const UNDECLARED: u32 = u32::MAX;

/// A pool of blocks that the library knows; without the library, nothing.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    id: u32,
    tier: Tier,
}

/// What a pool is. What is not known stays at its default.
#[derive(Clone, Copy)]
pub struct Description<'a> {
    pub name: &'a str,
    pub tier: Tier,
    pub capacity_blocks: u64,
    pub bytes_per_block: u64,
    pub block_size: u32,
    pub worker: u64,
    pub rank: u32,
}

impl Default for Description<'_> {
    fn default() -> Self {
        Self {
            name: "",
            tier: Tier::Unknown,
            capacity_blocks: shim::UNKNOWN_U64,
            bytes_per_block: 0,
            block_size: 0,
            worker: shim::UNKNOWN_U64,
            rank: shim::UNKNOWN_U32,
        }
    }
}

impl Pool {
    /// Declare a pool. Loads the library if that was not tried yet: not to be called under a lock that
    /// others wait for.
    pub fn new(description: &Description<'_>) -> Self {
        let id = match declare(0, description) {
            0 => UNDECLARED,
            id => id,
        };
        Self { id, tier: description.tier }
    }

    /// No pool that anybody declared: events of a whole tier, or of all of them.
    pub const fn of_tier(tier: Tier) -> Self {
        Self { id: 0, tier }
    }

    /// Say anew what this pool is.
    pub fn describe(&self, description: &Description<'_>) {
        if self.id != UNDECLARED {
            declare(self.id, description);
        }
    }

    /// Something happened to a block of this pool.
    #[inline]
    pub fn block(&self, event: Event, reason: Reason, named: Named) {
        self.blocks(event, reason, named, 1);
    }

    /// Something happened to `count` blocks of this pool together.
    #[inline]
    pub fn blocks(&self, event: Event, reason: Reason, named: Named, count: usize) {
        if let Some(api) = shim::api() {
            self.record(api, event, reason, named, count, Tier::Unknown);
        }
    }

    /// `count` blocks of this pool were copied to another tier, or were to be.
    #[inline]
    pub fn moved(&self, event: Event, reason: Reason, named: Named, count: usize, to: Tier) {
        if let Some(api) = shim::api() {
            self.record(api, event, reason, named, count, to);
        }
    }

    /// What happened to a block of this pool at a time of the library's clock (`Api::now`).
    #[inline]
    pub fn event(&self, time: u64, event: Event, reason: Reason, named: Named) -> shim::Block {
        let head = shim::Head { time, ..shim::Head::of::<shim::Block>() };
        self.block_of(head, event, reason, named, 1, Tier::Unknown)
    }

    /// Whether the library knows of it, or of its tier: otherwise nothing is told.
    #[inline]
    pub fn is_declared(&self) -> bool {
        self.id != UNDECLARED
    }

    fn record(
        &self,
        api: &shim::Api,
        event: Event,
        reason: Reason,
        named: Named,
        count: usize,
        to: Tier,
    ) {
        if self.is_declared() {
            let head = api.head::<shim::Block>();
            // SAFETY: the struct is whole.
            unsafe { (api.block)(&self.block_of(head, event, reason, named, count, to)) };
        }
    }

    #[inline]
    fn block_of(
        &self,
        head: shim::Head,
        event: Event,
        reason: Reason,
        named: Named,
        count: usize,
        to: Tier,
    ) -> shim::Block {
        shim::Block {
            head,
            hash: named.hash,
            request: named.request,
            block: named.block,
            position: named.position,
            pool: self.id,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            event: event as u8,
            tier: self.tier as u8,
            to_tier: to as u8,
            reason: reason as u8,
            reserved: [0; 4],
        }
    }
}

fn declare(id: u32, description: &Description<'_>) -> u32 {
    let Some(api) = shim::api() else { return 0 };
    let name = match description.name {
        "" => 0,
        name => api.intern(shim::SPACE_BLOCK_POOL, name),
    };
    let pool = shim::BlockPool {
        head: api.head::<shim::BlockPool>(),
        capacity_blocks: description.capacity_blocks,
        bytes_per_block: description.bytes_per_block,
        worker: description.worker,
        id,
        name,
        rank: description.rank,
        block_size: description.block_size,
        tier: description.tier as u8,
        reserved: [0; 7],
    };
    let mut declared = 0;
    // SAFETY: the struct is whole, the id is writable.
    unsafe { (api.block_pool)(&raw const pool, &raw mut declared) };
    declared
}
