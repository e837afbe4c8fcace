//! A ring that its thread fills without a call: the lane of block events.
//!
//! A KV block manager lets go of a block in a few hundred instructions, of which a call that is checked and
//! contained would take a third. So a thread that has recorded a block event is lent a ring for such events
//! alone: [`BlockLane`] says where they go, and the code of the host writes them there, in a quarter of the room of a
//! [`Block`](crate::record::Block), which the consumer makes of them: whatever the host has written, what is read are whole block
//! events. What an event costs the host is above all the memory that it is written to.
//!
//! The host checks one number, the limit. It is where the consumer has freed the ring up to, and negative while
//! nothing is to be recorded this way. It also changes whenever the consumer has come by, which tells the host
//! that some time has passed. What finds the lane full the host counts itself.

mod entry;
mod reading;

use super::consumer::Consumer;
use super::counts::SharedLosses;
use super::memory::OutOfMemory;
use super::spsc::Shared;
use super::sync::{Arc, AtomicI64, AtomicU64, Ordering};
use crate::record::{Kind, LossReason};

pub use self::entry::LaneEntry;
#[cfg(all(test, loom))]
pub(super) use self::entry::Stamp;
pub(super) use self::reading::{LaneRecord, Reading};

/// Where the calling thread may put block events itself, instead of calling `block`.
///
/// For each event load `*limit` with acquire order. If it is negative, the lane is closed, and the event is for
/// `block_lane`. If 256 times `*tail + 32` is above it, the lane is full: the event is lost; add 1 to `*lost`, with release order.
/// Otherwise write a `nashtrace_lane_entry` to `entries`, as many bytes from there as `*tail & mask` says: the event, or its stamp and,
/// as many bytes from `entries` as `(*tail + 16) & mask` says, the event. Then store `*tail + 16` or `*tail + 32` to `*tail`, with
/// release order. Only where `ticks` reads a counter of the processor's (`rdtsc`, or `cntvct_el0` on 64-bit Arm), which the caller may
/// then read as well, is a lane ever open.
///
/// The first event that a caller puts into the lane, and the first one after a call of `block_lane`, has a stamp, and so has one of
/// another pool, and one before which somebody else has moved `*tail`. Others may go by the clock as it was read for an earlier stamp,
/// up to 255 of them, as long as `*limit`, loaded for each of them, is the same as then; or as many as happen under one lock of the
/// caller's. `*limit` changes when the library looks into the lane and finds something new: every `NASHTRACE_POLL_MS`, unless the
/// library is held up.
///
/// The struct belongs to the thread and lives as long: no other thread may use it, and no signal handler.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct BlockLane {
    /// Bytes handed over so far.
    pub tail: *mut u64,
    /// 256 times what `tail` may become at most, and in the lower eight bits a count that stands for no room; negative while
    /// nothing is to be recorded this way.
    pub limit: *const i64,
    /// Events that have found the lane full.
    pub lost: *mut u64,
    /// The memory of the entries, 16 bytes for each; NULL while there is none.
    pub entries: *mut u8,
    /// Bytes of that memory, less one.
    pub mask: u64,
}

const _: () = assert!(size_of::<BlockLane>() == 40);

/// What the limit counts a byte as: what is below counts the visits of the consumer.
///
/// cbindgen:ignore
const BYTE: i64 = 256;

/// The limit of a lane that takes nothing, and what it would count.
static SHUT: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(CLOSED);
static NOTHING: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

impl BlockLane {
    /// One that takes nothing.
    pub(super) const fn closed() -> Self {
        Self {
            tail: NOTHING.as_ptr(),
            limit: SHUT.as_ptr(),
            lost: NOTHING.as_ptr(),
            entries: std::ptr::null_mut(),
            mask: 0,
        }
    }
}

/// What both ends of a lane know beside what both ends of a ring do.
pub(super) struct Ends {
    /// How far the tail may go, times [`BYTE`], with [`CLOSED`] added while nothing is to be recorded; what is below
    /// counts the visits of the consumer.
    limit: AtomicI64,
    /// The tail, and what was lost, when the consumer last counted.
    accounted_tail: AtomicU64,
    accounted_lost: AtomicU64,
    /// Where events are counted that were handed over when nobody counted any more.
    late: &'static SharedLosses,
}

/// Makes any limit negative, and can be taken away again.
///
/// cbindgen:ignore
const CLOSED: i64 = i64::MIN;

impl Ends {
    fn of(shared: &Shared) -> &Self {
        shared.lane.as_deref().expect("the ring is a lane")
    }

    /// The consumer has come by after so many visits, and has found something new. A limit comes back after [`BYTE`]
    /// visits at the earliest, by when the host has put more events than one time serves for.
    fn visit(&self, visits_before: u64) {
        let changes = visits_before ^ (visits_before + 1);
        self.limit.fetch_xor(changes as i64 % BYTE, Ordering::Release);
    }

    /// The consumer has freed so many bytes.
    pub(super) fn free(&self, bytes: usize) {
        self.limit.fetch_add(bytes as i64 * BYTE, Ordering::Release);
    }

    /// The consumer has counted what was handed over up to a tail, and so much that was lost.
    fn account(&self, tail: u64, lost: u64) {
        self.accounted_tail.store(tail, Ordering::Relaxed);
        self.accounted_lost.store(lost, Ordering::Relaxed);
    }

    /// Let events in, or keep them out from now on.
    pub(super) fn open(&self, open: bool) {
        if open {
            self.limit.fetch_and(!CLOSED, Ordering::SeqCst);
        } else {
            self.limit.fetch_or(CLOSED, Ordering::SeqCst);
        }
    }

    /// The lane is gone: what its last count has missed was lost.
    pub(super) fn end(&self, shared: &Shared) {
        let tail = shared.producer.tail.load(Ordering::Acquire);
        let accounted = self.accounted_tail.load(Ordering::Relaxed)..tail;
        let lost =
            lost(shared).load(Ordering::Acquire) - self.accounted_lost.load(Ordering::Relaxed);
        let missed = reading::events_between(shared, accounted) + lost;
        if missed > 0 {
            self.late.lose(LossReason::AfterShutdown, Kind::Block, missed);
        }
    }
}

/// Make a lane. `capacity` and `id` are as for [`channel`](super::spsc::channel); `late` counts what is handed over
/// when the consumer is gone.
///
/// # Errors
///
/// [`OutOfMemory`] if the operating system gives none.
pub(super) fn lane(
    capacity: usize,
    id: u32,
    late: &'static SharedLosses,
) -> Result<(Lender, Consumer), OutOfMemory> {
    let ends = Ends {
        limit: AtomicI64::new(capacity as i64 * BYTE),
        accounted_tail: AtomicU64::new(0),
        accounted_lost: AtomicU64::new(0),
        late,
    };
    let shared = Arc::new(Shared::new(capacity, id, Some(ends))?);
    Ok((Lender { shared: Arc::clone(&shared) }, Consumer::new(shared)))
}

/// The producing end, which is lent to the host's code on one thread.
pub(super) struct Lender {
    shared: Arc<Shared>,
}

impl Lender {
    /// What the host is told.
    pub(super) fn terms(&self) -> BlockLane {
        BlockLane {
            tail: (&raw const self.shared.producer.tail).cast_mut().cast(),
            limit: (&raw const Ends::of(&self.shared).limit).cast(),
            lost: std::ptr::from_ref(lost(&self.shared)).cast_mut().cast(),
            entries: self.shared.memory.start().as_ptr(),
            mask: self.shared.memory.length() as u64 - 1,
        }
    }

    /// What opens and closes it.
    pub(super) fn gate(&self) -> Gate {
        Gate(Arc::clone(&self.shared))
    }

    /// Hand an event over as the host's code does, alone or behind its stamp.
    #[cfg(test)]
    pub(super) fn put(&self, entries: &[LaneEntry]) -> Put {
        let limit = Ends::of(&self.shared).limit.load(Ordering::Acquire);
        let mut tail = self.shared.producer.tail.load(Ordering::Relaxed);
        if limit < 0 {
            return Put::Closed;
        }
        if (tail + 2 * reading::ENTRY) as i64 * BYTE > limit {
            let lost = lost(&self.shared);
            lost.store(lost.load(Ordering::Relaxed) + 1, Ordering::Release);
            return Put::Lost;
        }
        for entry in entries {
            let index = tail as usize & (self.shared.memory.length() - 1);
            self.shared.memory.access().write(index, reading::ENTRY as usize);
            // SAFETY: two entries are free below the limit, and none straddles the end of the memory.
            unsafe {
                let at = self.shared.memory.start().as_ptr().add(index);
                at.cast::<LaneEntry>().write(*entry);
            }
            tail += reading::ENTRY;
        }
        self.shared.producer.tail.store(tail, Ordering::Release);
        Put::HandedOver
    }
}

/// What becomes of an event that a host hands over.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    HandedOver,
    Lost,
    Closed,
}

impl Drop for Lender {
    fn drop(&mut self) {
        self.shared.producer.retired.store(true, Ordering::Release);
    }
}

/// Opens and closes a lane.
pub(super) struct Gate(Arc<Shared>);

impl Gate {
    pub(super) fn open(&self, open: bool) {
        Ends::of(&self.0).open(open);
    }

    /// Whether it is the gate of this consumer's lane.
    pub(super) fn is_of(&self, consumer: &Consumer) -> bool {
        consumer.is_end_of(&self.0)
    }
}

/// Where the host counts what finds the lane full.
pub(super) fn lost(shared: &Shared) -> &AtomicU64 {
    shared.counts.lost(LossReason::Full, Kind::Block)
}

#[cfg(test)]
mod tests;
