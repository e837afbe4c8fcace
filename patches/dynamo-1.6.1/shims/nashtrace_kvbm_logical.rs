// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace hooks of kvbm-logical: every change of a slot, what lookups found, births and deaths of hashes.
//!
//! What happens under the store's lock is put into this thread's lane there, which is a few stores; if the lane is
//! closed it is only noted, and told when the lock is released. No two critical sections of a pool have a time in
//! common: sorted by it, the events of a pool are in the order of their locks.

use std::cell::Cell;
use std::sync::Weak;

use crate::nashtrace::{self as shim, Api, Block};
use crate::nashtrace_blocks::{self as blocks, Description, Event, Named, Reason, Tier};
use crate::nashtrace_lane::{self as lane, Common, NoRoom, Room};
use crate::{BlockId, SequenceHash};

/// The pool of one store. Loads the library if that was not tried yet: to be made before there is a lock.
pub(crate) fn pool(label: &str, total_blocks: usize, block_size: usize) -> blocks::Pool {
    let tier = match label {
        "G1" => Tier::G1,
        "G2" => Tier::G2,
        "G3" => Tier::G3,
        "G4" => Tier::G4,
        _ => Tier::Unknown,
    };
    blocks::Pool::new(&Description {
        name: label,
        tier,
        capacity_blocks: total_blocks as u64,
        block_size: u32::try_from(block_size).unwrap_or(0),
        ..Description::default()
    })
}

/// Notes that fit until they have to be told under the lock after all.
const MOST_NOTES: usize = 128;

/// What was noted while a lock is held, and could not be told there without a call.
struct Notes {
    notes: [Cell<Block>; MOST_NOTES],
    count: Cell<usize>,
    /// The candidates that are being dropped were given up for a block that is present.
    rejecting: Cell<bool>,
}

thread_local! {
    static NOTES: Notes = const {
        // SAFETY: a block is numbers alone, all of which may be zero.
        const NONE: Block = unsafe { std::mem::zeroed() };
        Notes {
            notes: [const { Cell::new(NONE) }; MOST_NOTES],
            count: Cell::new(0),
            rejecting: Cell::new(false),
        }
    };
}

/// Keep a note. What does not fit any more is told under the lock after all.
#[cold]
#[inline(never)]
fn keep(note: Block) {
    NOTES.with(|notes| {
        if notes.count.get() == MOST_NOTES {
            tell_notes();
        }
        let count = notes.count.get();
        notes.notes[count].set(note);
        notes.count.set(count + 1);
    });
}

#[inline]
fn has_notes() -> bool {
    NOTES.with(|notes| notes.count.get() > 0)
}

/// Tell what was noted.
#[cold]
#[inline(never)]
fn tell_notes() {
    let Some(api) = shim::api() else { return };
    NOTES.with(|notes| {
        for note in &notes.notes[..notes.count.replace(0)] {
            lane::tell(api, &note.get());
        }
    });
}

/// Lives under the store's lock.
pub(crate) struct Ledger {
    pool: blocks::Pool,
    common: Common,
    /// The latest time of an event of the pool; [`NEVER`] if nothing is told of it.
    latest: u64,
    /// The clock was read in this critical section.
    is_timed: bool,
}

const NEVER: u64 = u64::MAX;

impl Ledger {
    pub(crate) fn new(pool: blocks::Pool) -> Self {
        let latest = if pool.is_declared() { 0 } else { NEVER };
        Self { pool, common: Common::of(&pool), latest, is_timed: false }
    }

    /// The one thing that happens in this critical section: a present block is not used any more. Nothing but its slot
    /// has to do with that, so that its time may be a little early, as long as it is later than what happened to a
    /// slot of the pool before.
    #[inline(always)]
    pub(crate) fn note_idle(&mut self, block: BlockId, hash: SequenceHash) -> Noted {
        self.note_by(lane::room_and_time, Event::Idle, Reason::Unknown, block, Some(hash))
    }

    /// The one thing that happens in this critical section.
    #[inline]
    pub(crate) fn note_alone(
        &mut self,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: Option<SequenceHash>,
    ) -> Noted {
        self.note_by(lane::room_and_new_time, event, reason, block, hash)
    }

    #[inline(always)]
    fn note_by(
        &mut self,
        room: impl FnOnce() -> Result<(Room, u64), NoRoom>,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: Option<SequenceHash>,
    ) -> Noted {
        let Some(next) = self.latest.checked_add(1) else { return Noted { is_kept: false } };
        let is_kept = match room() {
            Ok((room, time)) => {
                self.latest = time.max(next);
                room.put(self.common, self.latest, event, reason, slot(block), lineage(hash));
                false
            }
            Err(no_room) => no_room.is_closed && self.keep(event, reason, block, hash),
        };
        Noted { is_kept }
    }

    /// One of the things that happen in this critical section, which [`Ledger::close`] ends. The clock is read once:
    /// what follows is a tick later.
    #[inline]
    pub(crate) fn note(
        &mut self,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: SequenceHash,
    ) {
        let Some(next) = self.latest.checked_add(1) else { return };
        let room = if self.is_timed {
            lane::room().map(|room| (room, next))
        } else {
            lane::room_and_new_time()
        };
        match room {
            Ok((room, time)) => {
                self.latest = time.max(next);
                self.is_timed = true;
                room.put(self.common, self.latest, event, reason, slot(block), lineage(Some(hash)));
            }
            Err(no_room) if no_room.is_closed => {
                self.keep(event, reason, block, Some(hash));
            }
            Err(_) => {}
        }
    }

    /// Keep an event for which the lane is closed. Whether there is anybody to tell it to.
    #[cold]
    #[inline(never)]
    fn keep(
        &mut self,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: Option<SequenceHash>,
    ) -> bool {
        let Some(api) = shim::api() else { return false };
        self.latest = api.now().max(self.latest + 1);
        keep(self.pool.event(self.latest, event, reason, named(block, hash)));
        true
    }

    /// The end of a critical section in which something may have been noted.
    #[inline]
    pub(crate) fn close(&mut self) -> Noted {
        self.is_timed = false;
        Noted { is_kept: has_notes() }
    }

    /// The same, of a lookup, of which [`looked_up`] tells next on this thread: what was found there was found when
    /// the last block was resurrected, if any was.
    #[inline]
    pub(crate) fn close_lookup(&mut self) -> Noted {
        if self.is_timed {
            lane::share(self.latest);
        }
        self.close()
    }

    /// The end of a critical section in which something happened that is told when the lock is released.
    pub(crate) fn close_to_tell(&mut self) -> Section {
        let next = self.latest.checked_add(1);
        let (api, time) = match (shim::api(), next) {
            (Some(api), Some(next)) => (Some(api), lane::now(api).max(next)),
            _ => (None, self.latest),
        };
        self.latest = time;
        Section { pool: self.pool, common: self.common, time, api }
    }
}

/// What was noted in a critical section that is over. Told when the lock is released.
#[must_use]
pub(crate) struct Noted {
    /// Something has found the lane closed.
    is_kept: bool,
}

impl Noted {
    #[inline]
    pub(crate) fn tell(self) {
        if self.is_kept {
            tell_notes();
        }
    }
}

/// A critical section that is over. Its method is called when the lock is released.
#[must_use]
pub(crate) struct Section {
    pool: blocks::Pool,
    common: Common,
    time: u64,
    /// `None` if there is nobody to tell it to.
    api: Option<&'static Api>,
}

impl Section {
    /// Tell that the same happened to several blocks.
    #[inline]
    pub(crate) fn tell_all(
        &self,
        event: Event,
        reason: Reason,
        blocks: impl Iterator<Item = (BlockId, Option<SequenceHash>)>,
    ) {
        let Some(api) = self.api else { return };
        for (block, hash) in blocks {
            match lane::room() {
                Ok(room) => {
                    room.put(self.common, self.time, event, reason, slot(block), lineage(hash))
                }
                Err(no_room) if no_room.is_closed => {
                    let named = named(block, hash);
                    lane::tell(api, &self.pool.event(self.time, event, reason, named));
                }
                Err(_) => {}
            }
        }
    }
}

/// Staged slots that are dropped while this lives were given up for a block that is present.
pub(crate) struct Rejecting;

impl Rejecting {
    #[inline]
    pub(crate) fn begin() -> Option<Self> {
        shim::api()?;
        NOTES.with(|notes| notes.rejecting.set(true));
        Some(Self)
    }
}

impl Drop for Rejecting {
    fn drop(&mut self) {
        NOTES.with(|notes| notes.rejecting.set(false));
    }
}

/// Why a staged slot is dropped.
#[inline]
pub(crate) fn why_staged_is_dropped() -> Reason {
    let rejecting = NOTES.with(|notes| notes.rejecting.get());
    if rejecting { Reason::Duplicate } else { Reason::Unregistered }
}

/// A lookup of `asked` hashes found `found` blocks. `last_found` and `first_missed` are only asked for if
/// there are such.
#[inline]
pub(crate) fn looked_up(
    pool: &blocks::Pool,
    asked: usize,
    found: usize,
    last_found: impl FnOnce() -> Option<SequenceHash>,
    first_missed: impl FnOnce() -> Option<SequenceHash>,
) {
    let Some(api) = shim::api().filter(|_| pool.is_declared()) else { return };
    if found > 0 {
        tell_lookup(api, pool, lane::room_and_shared_time(), Event::Hit, last_found(), found);
    }
    if asked > found {
        let room = lane::room_and_new_time();
        tell_lookup(api, pool, room, Event::Miss, first_missed(), asked - found);
    }
}

#[inline]
fn tell_lookup(
    api: &Api,
    pool: &blocks::Pool,
    room: Result<(Room, u64), NoRoom>,
    event: Event,
    hash: Option<SequenceHash>,
    count: usize,
) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    match room {
        Ok((room, time)) => {
            room.put(Common::of(pool), time, event, Reason::Unknown, count, lineage(hash));
        }
        Err(no_room) if no_room.is_closed => {
            let named = named(NO_BLOCK, hash);
            let block = Block { count, ..pool.event(api.now(), event, Reason::Unknown, named) };
            lane::tell(api, &block);
        }
        Err(_) => {}
    }
}

/// A lookup of all `hashes`, each for itself, found `found` of them.
#[inline]
#[allow(clippy::ptr_arg, reason = "the type of the vector is inferred from this")]
pub(crate) fn looked_up_scattered<B>(
    pool: &blocks::Pool,
    hashes: &[SequenceHash],
    found: usize,
    blocks: &Vec<Option<B>>,
) {
    looked_up(
        pool,
        hashes.len(),
        found,
        || hashes.get(blocks.iter().rposition(Option::is_some)?).copied(),
        || hashes.get(blocks.iter().position(Option::is_none)?).copied(),
    );
}

/// A hash is about to be registered in the registry's place for it. A place that is taken is one whose
/// handle is being dropped meanwhile: it hands the place over and neither dies nor is born again.
#[inline]
pub(crate) fn note_birth<T>(hash: SequenceHash, place: &Weak<T>) {
    if let Some(api) = shim::api()
        && place.ptr_eq(&Weak::new())
    {
        let time = lane::now(api);
        match lane::room() {
            Ok(room) => put_everywhere(room, time, Event::Birth, hash),
            Err(no_room) if no_room.is_closed => keep(of_no_pool(time, Event::Birth, hash)),
            Err(_) => {}
        }
    }
}

/// Tell what was born. The caller still holds the new handles: nothing of it can have died.
#[inline]
pub(crate) fn tell_births() {
    Noted { is_kept: has_notes() }.tell();
}

/// When a hash died; under the lock that a later birth of it takes.
#[inline]
pub(crate) fn died() -> Option<(&'static Api, u64)> {
    shim::api().map(|api| (api, lane::now(api)))
}

/// The last handle of a hash is gone.
#[inline]
pub(crate) fn tell_death(died: Option<(&'static Api, u64)>, hash: SequenceHash) {
    if let Some((api, time)) = died {
        match lane::room() {
            Ok(room) => put_everywhere(room, time, Event::Death, hash),
            Err(no_room) if no_room.is_closed => {
                lane::tell(api, &of_no_pool(time, Event::Death, hash))
            }
            Err(_) => {}
        }
    }
}

/// The registry serves all pools.
const EVERYWHERE: blocks::Pool = blocks::Pool::of_tier(Tier::Unknown);

#[inline]
fn put_everywhere(room: Room, time: u64, event: Event, hash: SequenceHash) {
    let pool = Common::of(&EVERYWHERE);
    room.put(pool, time, event, Reason::Unknown, slot(NO_BLOCK), lineage(Some(hash)));
}

#[inline]
fn of_no_pool(time: u64, event: Event, hash: SequenceHash) -> Block {
    EVERYWHERE.event(time, event, Reason::Unknown, named(NO_BLOCK, Some(hash)))
}

/// Stands for no slot: no pool has so many.
const NO_BLOCK: BlockId = BlockId::MAX;

#[inline]
fn named(block: BlockId, hash: Option<SequenceHash>) -> Named {
    let block = slot(block);
    match hash {
        Some(hash) => Named {
            hash: hash.current_sequence_hash(),
            request: 0,
            block,
            position: u32::try_from(hash.position()).unwrap_or(shim::UNKNOWN_U32),
        },
        None => Named { block, ..Named::default() },
    }
}

/// No pool has more blocks than that, and [`NO_BLOCK`] becomes `UNKNOWN_U32`.
#[inline(always)]
fn slot(block: BlockId) -> u32 {
    block as u32
}

/// The library takes hash and position out of it, which would cost more here than all the rest.
#[inline(always)]
fn lineage(hash: Option<SequenceHash>) -> u128 {
    hash.map_or(u128::MAX, |hash| hash.as_u128())
}
