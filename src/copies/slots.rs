//! The table of copies under way.
//!
//! All of it is atomics: a caller who uses one token on two threads at once gets a wrong record at worst.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::transmute;

use super::FreeList;
use crate::cuda::{AtomicTimed, Timed};
use crate::record::{Outcome, Transfer, UNKNOWN_U64};

/// Copies that may be under way in a process at a time.
pub(super) const SLOTS: usize = 4_096;

const WORDS: usize = size_of::<Transfer>() / 8;

/// The place is taken.
const IN_USE: u64 = 1;
/// A hook is at work on it.
const BUSY: u64 = 1 << 1;
/// All of the copy was handed over.
const ENQUEUED: u64 = 1 << 2;
/// The host saw that it had ended.
const DONE: u64 = 1 << 3;
/// The collector is taking it away.
const TAKEN: u64 = 1 << 4;
/// It was begun with a stream.
const ON_STREAM: u64 = 1 << 5;

/// How often the place was used before; in the upper half of the state and of the token.
const GENERATION: u64 = !0 << 32;

/// A copy under way.
pub(super) struct Slot {
    state: AtomicU64,
    session: AtomicU64,
    /// The record as it was when the copy began.
    record: [AtomicU64; WORDS],
    enqueued: AtomicU64,
    ended: AtomicU64,
    outcome: AtomicU32,
    /// The events that time it, and their stream.
    pub(super) timed: AtomicTimed,
}

/// What can be seen of a slot at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    state: u64,
    pub(super) session: u64,
}

impl Seen {
    /// Another copy's place has another number.
    pub(super) fn generation(self) -> u64 {
        self.state & GENERATION
    }

    pub(super) fn is_busy(self) -> bool {
        self.state & BUSY != 0
    }

    pub(super) fn is_enqueued(self) -> bool {
        self.state & ENQUEUED != 0
    }

    pub(super) fn is_done(self) -> bool {
        self.state & DONE != 0
    }

    pub(super) fn is_on_stream(self) -> bool {
        self.state & ON_STREAM != 0
    }
}

/// The slots and which of them are free.
pub(super) struct Table {
    slots: [Slot; SLOTS],
    free: FreeList<SLOTS>,
}

/// The token belongs to no copy that is under way, or the copy is further on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stale;

impl Slot {
    const fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            session: AtomicU64::new(0),
            record: [const { AtomicU64::new(0) }; WORDS],
            enqueued: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            outcome: AtomicU32::new(0),
            timed: AtomicTimed::none(),
        }
    }

    fn fill(&self, session: u64, transfer: &Transfer, timed: Option<Timed>) {
        let words: [u64; WORDS] = transmute!(*transfer);
        for (word, value) in self.record.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        self.session.store(session, Ordering::Relaxed);
        self.enqueued.store(UNKNOWN_U64, Ordering::Relaxed);
        self.timed.store(timed);
    }

    /// When all of the copy was handed over.
    pub(super) fn enqueued(&self) -> u64 {
        self.enqueued.load(Ordering::Relaxed)
    }

    /// The record with what was told since; `otherwise` is how the copy ended if the host did not say.
    pub(super) fn record(&self, seen: Seen, otherwise: Outcome) -> Transfer {
        let words: [u64; WORDS] =
            std::array::from_fn(|word| self.record[word].load(Ordering::Relaxed));
        let mut transfer: Transfer = transmute!(words);
        transfer.enqueued = self.enqueued();
        transfer.outcome = otherwise as u8;
        if seen.is_done() {
            transfer.ended = self.ended.load(Ordering::Relaxed);
            transfer.outcome = self.outcome.load(Ordering::Relaxed) as u8;
        }
        transfer
    }
}

impl Table {
    pub(super) const fn new() -> Self {
        Self { slots: [const { Slot::new() }; SLOTS], free: FreeList::new(SLOTS as u32) }
    }

    /// Take a free slot; nobody sees it until it is [published](Table::publish).
    #[inline]
    pub(super) fn take(&self) -> Option<usize> {
        self.free.take()
    }

    /// A copy has begun in a slot that was taken. Gives its token, which is not 0.
    #[inline]
    pub(super) fn publish(
        &self,
        index: usize,
        session: u64,
        transfer: &Transfer,
        is_on_stream: bool,
        timed: Option<Timed>,
    ) -> u64 {
        let slot = &self.slots[index];
        slot.fill(session, transfer, timed);
        let generation = slot.state.load(Ordering::Relaxed) & GENERATION;
        let on_stream = if is_on_stream { ON_STREAM } else { 0 };
        slot.state.store(generation | IN_USE | on_stream, Ordering::SeqCst);
        generation | (index as u64 + 1)
    }

    /// All of a copy is about to be handed over, by this thread.
    pub(super) fn start_enqueueing(&self, token: u64, session: u64) -> Result<&Slot, Stale> {
        let slot = self.slot(token, session)?;
        let start = |state| {
            let is_ready = is_of(state, token) && state & (BUSY | ENQUEUED | DONE | TAKEN) == 0;
            is_ready.then_some(state | BUSY)
        };
        let started = slot.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, start);
        started.map(|_| slot).map_err(|_| Stale)
    }

    /// It was handed over at a time.
    pub(super) fn finish_enqueueing(&self, slot: &Slot, time: u64) {
        slot.enqueued.store(time, Ordering::Relaxed);
        let finish = |state| Some((state & !BUSY) | ENQUEUED);
        let finished = slot.state.fetch_update(Ordering::SeqCst, Ordering::Relaxed, finish);
        debug_assert!(finished.is_ok_and(|state| state & BUSY != 0));
    }

    /// The host saw at a time that a copy had ended.
    pub(super) fn end(
        &self,
        token: u64,
        session: u64,
        time: u64,
        outcome: Outcome,
    ) -> Result<(), Stale> {
        let slot = self.slot(token, session)?;
        let is_under_way = |state| is_of(state, token) && state & (DONE | TAKEN) == 0;
        if !is_under_way(slot.state.load(Ordering::Acquire)) {
            return Err(Stale);
        }
        slot.ended.store(time, Ordering::Relaxed);
        slot.outcome.store(outcome as u32, Ordering::Relaxed);
        let end = |state| is_under_way(state).then_some(state | DONE);
        let ended = slot.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, end);
        ended.map(drop).map_err(|_| Stale)
    }

    /// Slots that are in use, lowest number first.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (usize, &Slot, Seen)> {
        let slots = &self.slots[..self.free.high_water().min(SLOTS)];
        slots.iter().enumerate().filter_map(|(index, slot)| {
            let state = slot.state.load(Ordering::SeqCst);
            let session = slot.session.load(Ordering::Relaxed);
            (state & IN_USE != 0).then_some((index, slot, Seen { state, session }))
        })
    }

    /// A slot by its number.
    pub(super) fn at(&self, index: usize) -> &Slot {
        &self.slots[index]
    }

    /// Take a copy away that is still as it was seen, unless a hook is at work on it; its slot is given to no
    /// other copy until it is [released](Table::release).
    pub(super) fn take_away(&self, index: usize, seen: Seen) -> bool {
        if seen.is_busy() {
            return false;
        }
        let (state, taken) = (seen.state, seen.state | TAKEN);
        let exchange = self.slots[index].state.compare_exchange(
            state,
            taken,
            Ordering::SeqCst,
            Ordering::Relaxed,
        );
        exchange.is_ok()
    }

    /// A copy that was taken away is written: the slot is free for another one.
    pub(super) fn release(&self, index: usize) {
        let generation = self.slots[index].state.load(Ordering::Relaxed) & GENERATION;
        let next = generation.wrapping_add(1 << 32);
        self.slots[index].state.store(next, Ordering::Release);
        self.free.give(index);
    }

    /// What is seen of the copy with this token, if it is under way.
    pub(super) fn look(&self, token: u64) -> Option<(usize, Seen)> {
        let index = index_of(token)?;
        let slot = &self.slots[index];
        let state = slot.state.load(Ordering::SeqCst);
        let session = slot.session.load(Ordering::Relaxed);
        is_of(state, token).then_some((index, Seen { state, session }))
    }

    fn slot(&self, token: u64, session: u64) -> Result<&Slot, Stale> {
        let slot = &self.slots[index_of(token).ok_or(Stale)?];
        if slot.session.load(Ordering::Relaxed) == session { Ok(slot) } else { Err(Stale) }
    }
}

fn index_of(token: u64) -> Option<usize> {
    let index = (token as u32).checked_sub(1)? as usize;
    (index < SLOTS).then_some(index)
}

fn is_of(state: u64, token: u64) -> bool {
    state & IN_USE != 0 && state & GENERATION == token & GENERATION
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn a_copy_that_a_hook_is_at_work_on_is_left_to_it() {
        const SESSION: u64 = 7;
        static TABLE: Table = Table::new();
        let index = TABLE.take().unwrap();
        let token = TABLE.publish(index, SESSION, &Transfer::new_zeroed(), false, None);
        let slot = TABLE.start_enqueueing(token, SESSION).ok().unwrap();
        let (_, seen) = TABLE.look(token).unwrap();
        assert!(seen.is_busy() && !TABLE.take_away(index, seen));
        TABLE.finish_enqueueing(slot, 1);
        assert_eq!(TABLE.end(token, SESSION, 2, Outcome::Done), Ok(()));
        let (_, seen) = TABLE.look(token).unwrap();
        assert!(seen.is_done() && TABLE.take_away(index, seen));
        assert!(!TABLE.take_away(index, seen), "it is taken already");
    }
}
