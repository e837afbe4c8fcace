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
use crate::nashtrace_lane::{self as lane, Common, Happening, NoRoom};
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
        self.note_by(lane::put_early, Event::Idle, Reason::Unknown, block, Some(hash))
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
        self.note_by(lane::put_now, event, reason, block, hash)
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
        let noted = if self.is_timed {
            self.note_by(lane::put_next, event, reason, block, Some(hash))
        } else {
            self.note_by(lane::put_now, event, reason, block, Some(hash))
        };
        self.is_timed |= noted.is_put;
    }

    #[inline(always)]
    fn note_by(
        &mut self,
        put: impl FnOnce(Common, u64, Happening) -> Result<u64, NoRoom>,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: Option<SequenceHash>,
    ) -> Noted {
        let Some(next) = self.latest.checked_add(1) else { return Noted::NOTHING };
        match put(self.common, next, happening(event, reason, block, hash)) {
            Ok(time) => {
                self.latest = time;
                Noted { is_put: true, is_kept: false }
            }
            Err(no_room) => {
                let is_kept = no_room.is_closed && self.keep(event, reason, block, hash);
                Noted { is_put: false, is_kept }
            }
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
        Noted { is_kept: has_notes(), ..Noted::NOTHING }
    }

    /// The same, of a lookup, of which [`looked_up`] tells next on this thread: what was found there was found when
    /// the last block was resurrected, if any was.
    #[inline]
    pub(crate) fn close_lookup(&mut self) -> Noted {
        if self.is_timed {
            lane::share();
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
    /// The event is in the lane.
    is_put: bool,
    /// Something has found the lane closed.
    is_kept: bool,
}

impl Noted {
    const NOTHING: Self = Self { is_put: false, is_kept: false };

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
            let put = lane::put_next(self.common, self.time, happening(event, reason, block, hash));
            if is_closed(put) {
                let named = named(block, hash);
                lane::tell(api, &self.pool.event(self.time, event, reason, named));
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
        tell_lookup(api, pool, lane::put_shared, Event::Hit, last_found(), found);
    }
    if asked > found {
        let put = |pool, what| lane::put_now(pool, 0, what);
        tell_lookup(api, pool, put, Event::Miss, first_missed(), asked - found);
    }
}

#[inline]
fn tell_lookup(
    api: &Api,
    pool: &blocks::Pool,
    put: impl FnOnce(Common, Happening) -> Result<u64, NoRoom>,
    event: Event,
    hash: Option<SequenceHash>,
    count: usize,
) {
    let what = happening(event, Reason::Unknown, count, hash);
    if is_closed(put(Common::of(pool), what)) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let named = named(NO_BLOCK, hash);
        let block = Block { count, ..pool.event(api.now(), event, Reason::Unknown, named) };
        lane::tell(api, &block);
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
        if is_closed(put_everywhere(time, Event::Birth, hash)) {
            keep(of_no_pool(time, Event::Birth, hash));
        }
    }
}

/// Tell what was born. The caller still holds the new handles: nothing of it can have died.
#[inline]
pub(crate) fn tell_births() {
    Noted { is_kept: has_notes(), ..Noted::NOTHING }.tell();
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
        if is_closed(put_everywhere(time, Event::Death, hash)) {
            lane::tell(api, &of_no_pool(time, Event::Death, hash));
        }
    }
}

/// The registry serves all pools.
const EVERYWHERE: blocks::Pool = blocks::Pool::of_tier(Tier::Unknown);

#[inline]
fn put_everywhere(time: u64, event: Event, hash: SequenceHash) -> Result<u64, NoRoom> {
    let what = happening(event, Reason::Unknown, NO_BLOCK, Some(hash));
    lane::put_next(Common::of(&EVERYWHERE), time, what)
}

#[inline]
fn of_no_pool(time: u64, event: Event, hash: SequenceHash) -> Block {
    EVERYWHERE.event(time, event, Reason::Unknown, named(NO_BLOCK, Some(hash)))
}

/// Stands for no slot: no pool has so many.
const NO_BLOCK: BlockId = BlockId::MAX;

#[inline]
fn named(block: BlockId, hash: Option<SequenceHash>) -> Named {
    // No pool has more blocks than that, and `NO_BLOCK` becomes `UNKNOWN_U32`.
    let block = block as u32;
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

/// The library takes hash and position out of the lineage, which would cost more here than all the rest.
#[inline(always)]
fn happening(
    event: Event,
    reason: Reason,
    slot_or_count: usize,
    hash: Option<SequenceHash>,
) -> Happening {
    let lineage = hash.map_or(u128::MAX, |hash| hash.as_u128());
    Happening { event, reason, slot_or_count, lineage }
}

/// The event is for the library.
#[inline(always)]
fn is_closed(put: Result<u64, NoRoom>) -> bool {
    put.is_err_and(|no_room| no_room.is_closed)
}
