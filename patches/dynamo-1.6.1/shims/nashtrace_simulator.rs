// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in the simulator's KV caches: which blocks came, were found, were copied and were evicted, in
//! simulated time.
//!
//! A simulation is one thread. What a hook cannot see where it stands (the time, the request that is being
//! served, the rank that is being built) was told further up that thread's stack.

use std::cell::Cell;

use uuid::Uuid;

use crate::engine::generalized::RankIdentity;
use crate::engine::{EngineConfig, WorkerType};
use crate::nashtrace as shim;
use crate::nashtrace_blocks::{Description, Event, Named, Pool, Reason, Tier};

/// The rank whose caches are being built.
#[derive(Clone, Copy)]
pub(crate) struct Rank {
    role: &'static str,
    pub(crate) worker: u64,
    rank: u32,
    block_size: u32,
    bytes_per_block: u64,
    caches_prefixes: bool,
    pub(crate) device: Option<Pool>,
    pub(crate) host: Option<Pool>,
}

impl Rank {
    pub(crate) const UNKNOWN: Self = Self {
        role: "",
        worker: shim::UNKNOWN_U64,
        rank: shim::UNKNOWN_U32,
        block_size: 0,
        bytes_per_block: 0,
        caches_prefixes: true,
        device: None,
        host: None,
    };

    /// The rank that is being built.
    pub(crate) fn being_built() -> Self {
        RANK.get()
    }

    /// The rank that is being built uses these host blocks.
    pub(crate) fn with_host(host: Pool) -> Self {
        let rank = Self { host: Some(host), ..RANK.get() };
        RANK.set(rank);
        rank
    }

    /// This rank with blocks of that size.
    pub(crate) fn with_bytes_per_block(self, bytes_per_block: u64) -> Self {
        Self { bytes_per_block, ..self }
    }

    /// All ranks together.
    pub(crate) fn shared(self) -> Self {
        Self { role: "shared", worker: shim::UNKNOWN_U64, rank: shim::UNKNOWN_U32, ..self }
    }

    pub(crate) fn pool(&self, tier: Tier, capacity_blocks: usize) -> Pool {
        Pool::new(&Description {
            name: self.role,
            tier,
            capacity_blocks: capacity_blocks as u64,
            bytes_per_block: self.bytes_per_block,
            block_size: self.block_size,
            worker: self.worker,
            rank: self.rank,
        })
    }
}

thread_local! {
    static REQUEST: Cell<(Uuid, u64)> = const { Cell::new((Uuid::nil(), 0)) };
    static RANK: Cell<Rank> = const { Cell::new(Rank::UNKNOWN) };
    static RETIRING: Cell<bool> = const { Cell::new(false) };
}

/// From now on it is this simulated time.
pub(crate) fn at(now_ms: f64) {
    shim::set_simulated(now_ms, "");
}

/// What happens from now on happens because of this request.
pub(crate) fn serves(request: Uuid) {
    let Some(api) = shim::api() else { return };
    if REQUEST.get().0 != request {
        let mut text = Uuid::encode_buffer();
        let key = api.key(request.hyphenated().encode_lower(&mut text));
        REQUEST.set((request, key));
    }
}

/// What happens from now on happens because of no request in particular.
pub(crate) fn serves_nobody() {
    REQUEST.set((Uuid::nil(), 0));
}

/// The key of the request that is being served, 0 if there is none.
pub(crate) fn request() -> u64 {
    REQUEST.get().1
}

/// A rank with vLLM's caches is about to be built.
pub(crate) fn builds(identity: RankIdentity, config: &EngineConfig) {
    let mut rank = Rank {
        role: match config.worker_type {
            WorkerType::Aggregated => "aggregated",
            WorkerType::Prefill => "prefill",
            WorkerType::Decode => "decode",
        },
        worker: identity.worker_id,
        rank: identity.dp_rank,
        block_size: config.block_size as u32,
        bytes_per_block: (config.kv_cache_bytes_per_token.unwrap_or(0) * config.block_size) as u64,
        caches_prefixes: config.enable_prefix_caching,
        ..Rank::UNKNOWN
    };
    rank.device = Some(rank.pool(Tier::G1, config.num_gpu_blocks));
    RANK.set(rank);
}

/// A worker is about to be taken out of the simulation, or has been.
pub(crate) fn retires(begins: bool) {
    RETIRING.set(begins);
}

/// Whether what is dropped now is dropped because its worker goes away.
pub(crate) fn is_retiring() -> bool {
    RETIRING.get()
}

/// The device blocks of a rank.
pub(crate) struct DeviceBlocks {
    pool: Pool,
    position: u32,
    given_up: Reason,
}

impl DeviceBlocks {
    pub(crate) fn new(capacity: usize) -> Self {
        let rank = RANK.get();
        Self {
            pool: rank.device.unwrap_or_else(|| rank.pool(Tier::G1, capacity)),
            position: shim::UNKNOWN_U32,
            // Without prefix caching, blocks that are full are given up as well.
            given_up: if rank.caches_prefixes { Reason::Unfilled } else { Reason::Unregistered },
        }
    }

    /// The blocks that are allocated and registered from now on are of this request.
    pub(crate) fn serves(&mut self, request: Uuid) {
        self.position = shim::UNKNOWN_U32;
        serves(request);
    }

    /// The block that is allocated or registered next has this place in its sequence.
    pub(crate) fn positioned(&mut self, position: usize) {
        self.position = narrow(position);
    }

    fn slot(&self, event: Event, reason: Reason, slot: u64, hash: u64, position: u32) {
        // The slots of the pool's map count from 1 in the lower half of a key.
        let block = (slot as u32).wrapping_sub(1);
        self.pool.block(event, reason, Named { hash, request: request(), block, position });
    }

    pub(crate) fn allocated(&self, slot: u64) {
        self.slot(Event::Allocate, Reason::Unknown, slot, 0, self.position);
    }

    pub(crate) fn registered(&self, slot: u64, hash: u64, is_first: bool) {
        let event = if is_first { Event::Register } else { Event::Duplicate };
        self.slot(event, Reason::Unknown, slot, hash, self.position);
    }

    pub(crate) fn idle(&self, slot: u64, hash: u64) {
        self.slot(Event::Idle, Reason::Unknown, slot, hash, shim::UNKNOWN_U32);
    }

    pub(crate) fn resurrected(&self, slot: u64, hash: u64) {
        self.slot(Event::Resurrect, Reason::Unknown, slot, hash, shim::UNKNOWN_U32);
    }

    /// A block was taken away; its content stays present if that was not the last copy.
    pub(crate) fn evicted(&self, slot: u64, hash: u64, is_last: bool) {
        let (event, reason) = if is_last {
            (Event::Evict, Reason::Capacity)
        } else {
            (Event::Drop, Reason::Duplicate)
        };
        self.slot(event, reason, slot, hash, shim::UNKNOWN_U32);
    }

    /// A block that was never registered was given up.
    pub(crate) fn given_up(&self, slot: u64) {
        self.slot(Event::Drop, self.given_up, slot, 0, shim::UNKNOWN_U32);
    }

    /// A block went away with its worker. Only the last copy of a content makes it absent.
    pub(crate) fn emptied(&self, slot: u64, hash: Option<u64>, is_last: bool) {
        let reason = if is_last { Reason::Reset } else { Reason::Duplicate };
        match hash {
            Some(hash) => self.slot(Event::Drop, reason, slot, hash, shim::UNKNOWN_U32),
            None => self.given_up(slot),
        }
    }

    /// An admitted request looked its full blocks up and found the first `found` of them.
    pub(crate) fn looked_up(
        &self,
        hashes: impl Iterator<Item = u64>,
        found: usize,
        is_present: impl FnOnce(u64) -> bool,
    ) {
        if shim::api().is_none() {
            return;
        }
        let (mut last_found, mut first_missed, mut count) = (0, None, 0);
        for (position, hash) in hashes.enumerate() {
            if position < found {
                last_found = hash;
            } else if position == found {
                first_missed = Some(hash);
            }
            count = position + 1;
        }
        if found > 0 {
            self.together(Event::Hit, last_found, found - 1, found);
        }
        // A last block that is present and yet computed again, for its logits, was not asked for.
        if let Some(hash) = first_missed.filter(|hash| !is_present(*hash)) {
            self.together(Event::Miss, hash, found, count - found);
        }
    }

    /// Blocks were asked for and not given.
    pub(crate) fn exhausted(&self, count: usize) {
        let named = Named { request: request(), ..Named::default() };
        self.pool.blocks(Event::AllocationFailed, Reason::NoRoom, named, count);
    }

    fn together(&self, event: Event, hash: u64, position: usize, count: usize) {
        let named =
            Named { hash, request: request(), position: narrow(position), ..Named::default() };
        self.pool.blocks(event, Reason::Unknown, named, count);
    }
}

/// Counts of blocks fit 32 bits; one that does not is recorded as unknown.
pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(shim::UNKNOWN_U32)
}
