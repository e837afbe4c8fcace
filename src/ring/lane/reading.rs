//! The records in a lane, which are made of its entries.
//!
//! What an entry means depends on those before it: when and where an event happened stands in a stamp, and its number is how many
//! events there were. So a reader remembers that where it goes on, and finds it in between by going through the entries.

use super::entry::{LaneEntry, Stamp};
use super::{Ends, lost};
use crate::record::{Block, Kind};
use crate::ring::counts::Snapshot;
use crate::ring::spsc::Shared;
use crate::ring::sync::Ordering;

/// Bytes of an entry.
///
/// cbindgen:ignore
pub(super) const ENTRY: u64 = size_of::<LaneEntry>() as u64;

/// Most records that are made at a time: they take 18 KiB, which stay in the nearest cache.
///
/// cbindgen:ignore
pub(super) const AT_A_TIME: usize = 256;

/// What the consumer remembers of a lane.
#[derive(Default)]
pub(in crate::ring) struct Reading {
    head: Cursor,
    /// Where the read began that began latest.
    latest: Cursor,
    /// The tail when it was last looked at, and how much was lost by then.
    tail: Cursor,
    lost: u64,
    /// Looks that found something new.
    visits: u64,
    records: Vec<LaneRecord>,
}

/// A record, and the position behind its entry.
pub(in crate::ring) struct LaneRecord {
    pub(in crate::ring) block: Block,
    pub(in crate::ring) end: u64,
}

impl Reading {
    /// The host has come to the tail.
    pub(in crate::ring) fn look(&mut self, shared: &Shared, tail: u64) {
        self.lost = lost(shared).load(Ordering::Acquire);
        if tail != self.tail.position {
            Ends::of(shared).visit(self.visits);
            self.visits += 1;
            self.tail.pass_until(shared, tail);
        }
    }

    /// Make records of the first entries in a range that begins at the head or behind it. Their numbers leave out as many as were lost
    /// by the last look. The records, and up to where all are made.
    pub(in crate::ring) fn read(
        &mut self,
        shared: &Shared,
        positions: std::ops::Range<u64>,
    ) -> (&[LaneRecord], u64) {
        let is_latest = self.latest.position <= positions.start;
        let mut cursor = if is_latest { self.latest } else { self.head };
        cursor.pass_until(shared, positions.start);
        if is_latest {
            self.latest = cursor;
        }
        self.records.clear();
        while cursor.position < positions.end && self.records.len() < AT_A_TIME {
            let number = cursor.events + self.lost;
            if let Some((event, stamp)) = cursor.pass(shared) {
                let block = event.to_block(stamp, number as u32);
                self.records.push(LaneRecord { block, end: cursor.position });
            }
        }
        (&self.records, cursor.position)
    }

    /// What is before a position is not read again.
    pub(in crate::ring) fn release(&mut self, shared: &Shared, head: u64) {
        self.head.pass_until(shared, head);
        if self.latest.position < head {
            self.latest = self.head;
        }
    }

    /// What was handed over by the last look, and what was lost so far.
    pub(in crate::ring) fn counts(&self, shared: &Shared) -> Snapshot {
        let mut counts = shared.counts.snapshot();
        let lost = counts.lost_of(Kind::Block);
        counts.produced[Kind::Block as usize] = self.tail.events + lost;
        Ends::of(shared).account(self.tail.position, lost);
        counts
    }
}

/// Events between two positions, the first of which is not behind the other one.
pub(super) fn events_between(shared: &Shared, positions: std::ops::Range<u64>) -> u64 {
    let mut cursor = Cursor { position: positions.start, ..Cursor::default() };
    cursor.pass_until(shared, positions.end);
    cursor.events
}

/// A place between two entries, and what has to be known of those before it.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    position: u64,
    /// Events before it.
    events: u64,
    /// When and where the next event happened, if it has no stamp of its own.
    next: Stamp,
}

impl Cursor {
    /// Pass an entry. If it is an event, this and its stamp.
    fn pass(&mut self, shared: &Shared) -> Option<(LaneEntry, Stamp)> {
        let entry = self.entry(shared);
        self.position += ENTRY;
        if let Some(stamp) = entry.stamp() {
            self.next = stamp;
            return None;
        }
        let stamp = self.next;
        self.next.time = stamp.time.wrapping_add(1);
        self.events += 1;
        Some((entry, stamp))
    }

    fn pass_until(&mut self, shared: &Shared, position: u64) {
        while self.position < position {
            self.pass(shared);
        }
    }

    fn entry(&self, shared: &Shared) -> LaneEntry {
        let index = self.position as usize & (shared.memory.length() - 1);
        shared.memory.access().read(index, ENTRY as usize);
        // SAFETY: the entries between head and tail are the consumer's until it releases them. As the host keeps to its
        // terms, positions are multiples of an entry: one fits into each and is aligned. Any bytes are one.
        unsafe { shared.memory.start().as_ptr().add(index).cast::<LaneEntry>().read() }
    }
}
