//! The consuming end of a ring or a lane.

use super::counts::Snapshot;
use super::entries::{Entries, Place};
use super::lane::Reading;
use super::spsc::Shared;
use super::sync::{Arc, Ordering};

/// A ring is populated while so many bytes wait: a thread that records less may never come to its end.
///
/// cbindgen:ignore
const WORTH_POPULATING: usize = 64 << 10;

/// So many times what waits is populated ahead of the producer, within a bound that takes milliseconds.
///
/// cbindgen:ignore
const TIMES_AHEAD: usize = 64;

/// See [`TIMES_AHEAD`].
///
/// cbindgen:ignore
const MOST_AHEAD: usize = 16 << 20;

/// Where the range that is populated begins is a multiple of it.
///
/// cbindgen:ignore
const PAGE: usize = 64 << 10;

/// The consuming end. It belongs to the collector.
pub(crate) struct Consumer {
    pub(super) shared: Arc<Shared>,
    head: u64,
    /// The tail that the last look found.
    tail: u64,
    /// Up to here the memory was populated.
    populated: usize,
    /// Of a lane.
    reading: Option<Reading>,
}

impl Consumer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let reading = shared.lane.is_some().then(Reading::default);
        Self { shared, head: 0, tail: 0, populated: 0, reading }
    }

    /// Whether it is the consuming end of this ring.
    pub(super) fn is_end_of(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }

    /// The producer's number in the file.
    #[must_use]
    pub(crate) fn id(&self) -> u32 {
        self.shared.id
    }

    /// What the producer began and lost so far; of a lane, what it handed over by the last look.
    #[must_use]
    pub(crate) fn counts(&self) -> Snapshot {
        match &self.reading {
            None => self.shared.counts.snapshot(),
            Some(reading) => reading.counts(&self.shared),
        }
    }

    /// Whether the producing thread is gone. Events may still be in the ring.
    #[must_use]
    pub(crate) fn is_retired(&self) -> bool {
        self.shared.producer.retired.load(Ordering::Acquire)
    }

    /// Whether the producer is inside a hook.
    #[must_use]
    pub(crate) fn is_busy(&self) -> bool {
        self.shared.producer.busy.load(Ordering::Acquire)
    }

    /// From now on a hook that is still under way does not publish anything that it says was recorded.
    /// The caller orders this before its last look at the ring by
    /// [`order_hooks_before_stop`](super::order_hooks_before_stop).
    pub(crate) fn close(&self) {
        self.shared.producer.closed.store(true, Ordering::SeqCst);
        if let Some(lane) = &self.shared.lane {
            lane.open(false);
        }
    }

    /// Look how far the producer is: bytes that wait to be read by now, padding included. It takes what it looks at away
    /// from the producer for a moment, and so is not done for every entry.
    pub(crate) fn look(&mut self) -> usize {
        let tail = self.shared.producer.tail.load(Ordering::Acquire);
        if let Some(reading) = &mut self.reading {
            reading.look(&self.shared, tail);
        }
        self.tail = tail;
        self.waiting()
    }

    /// Bytes that waited to be read at the last look.
    fn waiting(&self) -> usize {
        (self.tail - self.head) as usize
    }

    /// Spare the producer the faults of its first way round, if it is on it. A page fault takes as long as a hundred
    /// events.
    pub(crate) fn populate_ahead(&mut self) {
        let capacity = self.shared.memory.length();
        let (tail, waiting) = (self.tail as usize, self.waiting());
        let ahead = (waiting * TIMES_AHEAD).min(MOST_AHEAD);
        let is_due = self.populated < capacity && self.populated < tail + ahead / 2;
        if is_due && waiting >= WORTH_POPULATING.min(capacity / 16) {
            let start = self.populated.max(tail / PAGE * PAGE);
            self.populated = tail + ahead;
            self.shared.memory.populate(start..self.populated);
        }
    }

    /// The entries that waited at the last look, up to `limit` bytes from the head and without those in the first
    /// `passed`, behind which an entry or padding ends; oldest first, and of a lane not all at once. The iterator does
    /// not free what it passes: call [`Consumer::release`] when the bytes are safe elsewhere.
    #[must_use]
    pub(crate) fn read(&mut self, passed: usize, limit: usize) -> Entries<'_> {
        let begin = self.head + passed as u64;
        let end = self.head + self.waiting().min(limit) as u64;
        let place = match &mut self.reading {
            None => Place::Ring { memory: &self.shared.memory, position: begin, end },
            Some(reading) => {
                let (records, end) = reading.read(&self.shared, begin..end);
                Place::Lane { records: records.iter(), begin, end }
            }
        };
        Entries::new(place)
    }

    /// Free bytes from the head, as counted by [`Entries::consumed`].
    pub(crate) fn release(&mut self, bytes: usize) {
        assert!(bytes <= self.waiting(), "more bytes than were read");
        // The last moment at which the caller may have looked at them.
        self.shared
            .memory
            .access()
            .read(self.head as usize & (self.shared.memory.length() - 1), bytes);
        self.head += bytes as u64;
        if let Some(reading) = &mut self.reading {
            reading.release(&self.shared, self.head);
        }
        self.shared.head.store(self.head, Ordering::Release);
        if let Some(lane) = &self.shared.lane {
            lane.free(bytes);
        }
    }
}
