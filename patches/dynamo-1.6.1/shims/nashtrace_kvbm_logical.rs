// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace hooks of kvbm-logical: every change of a slot, what lookups found, births and deaths of hashes.
//!
//! What happens under the store's lock is only noted there, and told to the library when the lock is released.
//! A critical section has one time, and no two of a pool have the same: sorted by it, the events of a pool are
//! in the order of their locks.
//!
//! What is only done if there is a library stands out of line, so that the rest stays as it was.

use std::cell::Cell;
use std::sync::Weak;

use crate::nashtrace::{self as shim, Api, Block};
use crate::nashtrace_blocks::{self as blocks, Description, Event, Named, Reason, Tier};
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

/// What was noted while a lock is held.
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
#[inline]
fn keep(note: Block, section: impl FnOnce() -> Section) {
    NOTES.with(|notes| {
        if notes.count.get() == MOST_NOTES {
            section().tell();
        }
        let count = notes.count.get();
        notes.notes[count].set(note);
        notes.count.set(count + 1);
    });
}

/// Lives under the store's lock.
pub(crate) struct Ledger {
    pool: blocks::Pool,
    /// Time of the latest critical section.
    latest: u64,
}

impl Ledger {
    pub(crate) fn new(pool: blocks::Pool) -> Self {
        Self { pool, latest: 0 }
    }

    /// Something happened to a block. The [`Section`] that this critical section ends with tells it.
    #[inline]
    pub(crate) fn note(
        &mut self,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: SequenceHash,
    ) {
        if let Some(api) = shim::api() {
            self.note_now(api, event, reason, block, hash);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_now(
        &mut self,
        api: &'static Api,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: SequenceHash,
    ) {
        let note = self.pool.event(event, reason, named(block, Some(hash)));
        keep(note, || self.section(api));
    }

    /// The end of a critical section in which something happened.
    #[inline]
    pub(crate) fn close(&mut self) -> Section {
        match shim::api() {
            Some(api) => self.section(api),
            None => Section { pool: self.pool, time: 0, api: None },
        }
    }

    /// The end of a critical section in which something may have been noted.
    #[inline]
    pub(crate) fn close_if_noted(&mut self) -> Section {
        match shim::api() {
            Some(api) if NOTES.with(|notes| notes.count.get() > 0) => self.section(api),
            _ => Section { pool: self.pool, time: 0, api: None },
        }
    }

    #[cold]
    #[inline(never)]
    fn section(&mut self, api: &'static Api) -> Section {
        self.latest = api.now().max(self.latest + 1);
        Section { pool: self.pool, time: self.latest, api: Some(api) }
    }
}

/// A critical section that is over. Its methods are called when the lock is released.
#[must_use]
pub(crate) struct Section {
    pool: blocks::Pool,
    time: u64,
    /// `None` if there is nothing to tell, or nobody to tell it to.
    api: Option<&'static Api>,
}

impl Section {
    /// Tell what was noted.
    #[inline]
    pub(crate) fn tell(self) {
        if let Some(api) = self.api {
            self.tell_notes(api);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_notes(&self, api: &Api) {
        NOTES.with(|notes| {
            for note in &notes.notes[..notes.count.replace(0)] {
                // SAFETY: the notes are this thread's, and nobody holds a reference to one.
                let note = unsafe { &mut *note.as_ptr() };
                note.head.time = self.time;
                blocks::tell(api, note);
            }
        });
    }

    /// Tell what happened to one block.
    #[inline]
    pub(crate) fn tell_one(
        self,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: Option<SequenceHash>,
    ) {
        if let Some(api) = self.api {
            self.tell_one_now(api, event, reason, block, hash);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_one_now(
        &self,
        api: &Api,
        event: Event,
        reason: Reason,
        block: BlockId,
        hash: Option<SequenceHash>,
    ) {
        self.put(api, self.pool.event(event, reason, named(block, hash)));
    }

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
            self.put(api, self.pool.event(event, reason, named(block, hash)));
        }
    }

    #[inline]
    fn put(&self, api: &Api, mut block: Block) {
        block.head.time = self.time;
        blocks::tell(api, &block);
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
    if shim::api().is_none() {
        return;
    }
    if found > 0 {
        pool.blocks(Event::Hit, Reason::Unknown, named(NO_BLOCK, last_found()), found);
    }
    if asked > found {
        pool.blocks(Event::Miss, Reason::Unknown, named(NO_BLOCK, first_missed()), asked - found);
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
        let birth = EVERYWHERE.event(Event::Birth, Reason::Unknown, named(NO_BLOCK, Some(hash)));
        keep(birth, || births(api));
    }
}

/// Tell what was born. The caller still holds the new handles: nothing of it can have died.
#[inline]
pub(crate) fn tell_births() {
    if let Some(api) = shim::api() {
        births(api).tell();
    }
}

fn births(api: &'static Api) -> Section {
    Section { pool: EVERYWHERE, time: api.now(), api: Some(api) }
}

/// When a hash died; under the lock that a later birth of it takes.
#[inline]
pub(crate) fn died() -> Option<(&'static Api, u64)> {
    shim::api().map(|api| (api, api.now()))
}

/// The last handle of a hash is gone.
#[inline]
pub(crate) fn tell_death(died: Option<(&'static Api, u64)>, hash: SequenceHash) {
    if let Some((api, time)) = died {
        let death = EVERYWHERE.event(Event::Death, Reason::Unknown, named(NO_BLOCK, Some(hash)));
        Section { pool: EVERYWHERE, time, api: Some(api) }.put(api, death);
    }
}

/// The registry serves all pools.
const EVERYWHERE: blocks::Pool = blocks::Pool::of_tier(Tier::Unknown);

/// Stands for no slot: no pool has so many.
const NO_BLOCK: BlockId = BlockId::MAX;

#[inline]
fn named(block: BlockId, hash: Option<SequenceHash>) -> Named {
    let block = u32::try_from(block).unwrap_or(shim::UNKNOWN_U32);
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
