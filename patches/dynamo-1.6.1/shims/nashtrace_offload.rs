// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in the simulator's lower tiers: host and disk blocks, and the copies between them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::nashtrace as shim;
use crate::nashtrace_blocks::{Event, Named, Pool, Reason, Tier};
use crate::nashtrace_simulator::{Rank, narrow, request as key, serves, serves_nobody};

const STRATEGY_SIMULATED: u8 = 9;
const TIMING_SIMULATED: u8 = 2;
const OUTCOME_DONE: u8 = 1;
const OUTCOME_CANCELLED: u8 = 3;
const MEDIUM_PINNED: u8 = 2;
const MEDIUM_DEVICE: u8 = 3;
const MEDIUM_DISK: u8 = 4;

/// A copy that was handed over.
#[derive(Clone, Copy)]
struct Begun {
    submitted_ms: f64,
    moving_ms: f64,
    request: u64,
}

/// A copy that has ended.
struct Ended<'a> {
    number: u64,
    rank: Rank,
    tiers: (Tier, Tier),
    media: (u8, u8),
    first: Option<u64>,
    blocks: usize,
    begun: Option<&'a Begun>,
    outcome: u8,
}

impl Ended<'_> {
    fn record(&self, bytes_per_block: u64, at_ms: f64) {
        let (Some(api), Some(begun)) = (shim::api(), self.begun) else { return };
        let transfer = shim::Transfer {
            head: shim::Head {
                time: nanoseconds(begun.submitted_ms),
                ..api.head::<shim::Transfer>()
            },
            transfer: self.number,
            bytes: self.blocks as u64 * bytes_per_block,
            worker: self.rank.worker,
            enqueued: nanoseconds(begun.submitted_ms),
            ended: nanoseconds(at_ms),
            device_began: nanoseconds(begun.moving_ms.min(at_ms)),
            device_ns: nanoseconds((at_ms - begun.moving_ms).max(0.0)),
            blocks: narrow(self.blocks),
            device: shim::UNKNOWN_U32,
            from_tier: self.tiers.0 as u8,
            to_tier: self.tiers.1 as u8,
            from_medium: self.media.0,
            to_medium: self.media.1,
            strategy: STRATEGY_SIMULATED,
            timing: TIMING_SIMULATED,
            outcome: self.outcome,
            reserved: 0,
        };
        // SAFETY: the struct is complete and outlives the call.
        unsafe { (api.transfer)(&raw const transfer) };
    }

    /// Say of the pool that was read that its blocks were copied.
    fn moved(&self, event: Event, from: Option<Pool>, request: u64) {
        if let Some(pool) = from {
            let named = Named { hash: self.first.unwrap_or(0), request, ..Named::default() };
            pool.moved(event, Reason::Unknown, named, self.blocks, self.tiers.1);
        }
    }
}

/// The host blocks of a rank, or of all ranks that share them.
pub(crate) struct HostBlocks {
    pool: Pool,
    bytes_per_block: u64,
    ranks: HashMap<u64, Rank>,
    begun: HashMap<u64, Begun>,
}

impl HostBlocks {
    pub(crate) fn new(capacity: usize, bytes_per_block: usize, is_shared: bool) -> Self {
        let rank = Rank::being_built().with_bytes_per_block(bytes_per_block as u64);
        let rank = if is_shared { rank.shared() } else { rank };
        Self {
            pool: rank.pool(Tier::G2, capacity),
            bytes_per_block: bytes_per_block as u64,
            ranks: HashMap::new(),
            begun: HashMap::new(),
        }
    }

    /// The rank that is being built uses these blocks.
    pub(crate) fn joined(&mut self, client: u64) {
        self.ranks.insert(client, Rank::with_host(self.pool));
    }

    fn each(&self, event: Event, reason: Reason, hash: u64) {
        self.pool.block(event, reason, Named { hash, request: key(), ..Named::default() });
    }

    pub(crate) fn evicted(&self, request: Uuid, hash: u64) {
        serves(request);
        self.each(Event::Evict, Reason::Capacity, hash);
    }

    /// Room was made for blocks that are on their way.
    pub(crate) fn reserved(&self, request: Uuid, hashes: impl Iterator<Item = u64>) {
        serves(request);
        hashes.for_each(|hash| self.each(Event::Allocate, Reason::Unknown, hash));
    }

    /// Blocks that were on their way will not come.
    pub(crate) fn given_up(&self, hashes: impl Iterator<Item = u64>) {
        serves_nobody();
        hashes.for_each(|hash| self.each(Event::Drop, Reason::Unfilled, hash));
    }

    /// Blocks have arrived; nobody reads them if they `are_idle`.
    pub(crate) fn registered(&self, hashes: impl Iterator<Item = u64>, are_idle: bool) {
        for hash in hashes {
            self.each(Event::Register, Reason::Unknown, hash);
            if are_idle {
                self.each(Event::Idle, Reason::Unknown, hash);
            }
        }
    }

    /// A copy that was asked for now starts to move bytes then.
    pub(crate) fn begun(&mut self, number: u64, request: Uuid, submitted_ms: f64, moving_ms: f64) {
        if shim::api().is_some() {
            serves(request);
            self.begun.insert(number, Begun { submitted_ms, moving_ms, request: key() });
        }
    }

    /// A request waits for these blocks, which are read from now on.
    pub(crate) fn loads(&self, request: Uuid, count: usize, last: Option<u64>) {
        serves(request);
        let named = Named { hash: last.unwrap_or(0), request: key(), ..Named::default() };
        self.pool.blocks(Event::Hit, Reason::Unknown, named, count);
    }

    pub(crate) fn resurrected(&self, request: Uuid, hash: u64) {
        serves(request);
        self.each(Event::Resurrect, Reason::Unknown, hash);
    }

    pub(crate) fn idle(&self, hashes: impl Iterator<Item = u64>) {
        hashes.for_each(|hash| self.each(Event::Idle, Reason::Unknown, hash));
    }

    /// An admitted request looked these blocks up and no tier had them.
    pub(crate) fn missed(&self, request: Uuid, hashes: impl Iterator<Item = u64>) {
        if shim::api().is_none() {
            return;
        }
        serves(request);
        let mut hashes = hashes.peekable();
        if let Some(hash) = hashes.peek().copied() {
            let named = Named { hash, request: key(), ..Named::default() };
            self.pool.blocks(Event::Miss, Reason::Unknown, named, hashes.count());
        }
    }

    /// A copy to the host, or from it, has ended or was called off.
    pub(crate) fn copied(
        &mut self,
        is_store: bool,
        number: u64,
        client: u64,
        hashes: &[u64],
        at_ms: f64,
        is_done: bool,
    ) {
        let begun = self.begun.remove(&number);
        let (here, there) = ((Tier::G2, MEDIUM_PINNED), (Tier::G1, MEDIUM_DEVICE));
        let (from, to) = if is_store { (there, here) } else { (here, there) };
        let ended = Ended {
            number,
            rank: self.ranks.get(&client).copied().unwrap_or(Rank::UNKNOWN),
            tiers: (from.0, to.0),
            media: (from.1, to.1),
            first: hashes.first().copied(),
            blocks: hashes.len(),
            begun: begun.as_ref(),
            outcome: if is_done { OUTCOME_DONE } else { OUTCOME_CANCELLED },
        };
        ended.record(self.bytes_per_block, at_ms);
        if is_done {
            let (event, pool) = if is_store {
                (Event::Offload, ended.rank.device)
            } else {
                (Event::Onboard, Some(self.pool))
            };
            ended.moved(event, pool, key());
        }
    }

    /// The blocks went away with their worker.
    pub(crate) fn emptied(&self, hashes: impl Iterator<Item = u64>) {
        serves_nobody();
        hashes.for_each(|hash| self.each(Event::Drop, Reason::Reset, hash));
    }
}

/// The disk blocks of every worker, or those that all workers share.
pub(crate) struct DiskBlocks {
    capacity: usize,
    bytes_per_block: u64,
    is_shared: bool,
    /// By the pool's number in the tier.
    pools: HashMap<usize, Pool>,
    ranks: HashMap<usize, Rank>,
    begun: HashMap<u64, Begun>,
}

impl DiskBlocks {
    pub(crate) fn new(capacity: usize, bytes_per_block: usize, is_shared: bool) -> Self {
        Self {
            capacity,
            bytes_per_block: bytes_per_block as u64,
            is_shared,
            pools: HashMap::new(),
            ranks: HashMap::new(),
            begun: HashMap::new(),
        }
    }

    /// The worker that was built last uses the pool with this number.
    pub(crate) fn joined(&mut self, worker: usize, pool: usize) {
        let rank = Rank::being_built();
        self.ranks.insert(worker, rank);
        let rank = rank.with_bytes_per_block(self.bytes_per_block);
        let rank = if self.is_shared { rank.shared() } else { rank };
        let capacity = self.capacity;
        self.pools.entry(pool).or_insert_with(|| rank.pool(Tier::G3, capacity));
    }

    fn each(&self, pool: usize, event: Event, reason: Reason, request: u64, hash: u64) {
        if let Some(pool) = self.pools.get(&pool) {
            pool.block(event, reason, Named { hash, request, ..Named::default() });
        }
    }

    pub(crate) fn evicted(&self, pool: usize, hash: u64) {
        self.each(pool, Event::Evict, Reason::Capacity, key(), hash);
    }

    /// Room was made for a block that is on its way.
    pub(crate) fn reserved(&self, pool: usize, hash: u64) {
        self.each(pool, Event::Allocate, Reason::Unknown, key(), hash);
    }

    /// A copy was asked for; reading it is a hit.
    pub(crate) fn begun(
        &mut self,
        pool: usize,
        number: u64,
        read: Option<&[u64]>,
        submitted_ms: f64,
        moving_ms: f64,
    ) {
        if shim::api().is_none() {
            return;
        }
        let request = key();
        self.begun.insert(number, Begun { submitted_ms, moving_ms, request });
        if let (Some(hashes), Some(pool)) = (read, self.pools.get(&pool)) {
            let hash = hashes.last().copied().unwrap_or(0);
            let named = Named { hash, request, ..Named::default() };
            pool.blocks(Event::Hit, Reason::Unknown, named, hashes.len());
        }
    }

    /// A copy to the disk, or from it, has ended.
    pub(crate) fn copied(
        &mut self,
        is_write: bool,
        number: u64,
        worker: usize,
        pool: usize,
        hashes: &[u64],
        at_ms: f64,
    ) {
        let begun = self.begun.remove(&number);
        let request = begun.map_or(0, |begun| begun.request);
        let (here, there) = ((Tier::G3, MEDIUM_DISK), (Tier::G2, MEDIUM_PINNED));
        let (from, to) = if is_write { (there, here) } else { (here, there) };
        let ended = Ended {
            number,
            rank: self.ranks.get(&worker).copied().unwrap_or(Rank::UNKNOWN),
            tiers: (from.0, to.0),
            media: (from.1, to.1),
            first: hashes.first().copied(),
            blocks: hashes.len(),
            begun: begun.as_ref(),
            outcome: OUTCOME_DONE,
        };
        ended.record(self.bytes_per_block, at_ms);
        if is_write {
            ended.moved(Event::Offload, ended.rank.host, request);
            for hash in hashes {
                self.each(pool, Event::Register, Reason::Unknown, request, *hash);
            }
        } else {
            ended.moved(Event::Onboard, self.pools.get(&pool).copied(), request);
        }
    }

    /// The blocks of a pool went away with their worker.
    pub(crate) fn emptied(&mut self, pool: usize, hashes: impl Iterator<Item = u64>) {
        hashes.for_each(|hash| self.each(pool, Event::Drop, Reason::Reset, 0, hash));
        self.pools.remove(&pool);
    }
}

fn nanoseconds(milliseconds: f64) -> u64 {
    (milliseconds.max(0.0) * 1e6).round() as u64
}
