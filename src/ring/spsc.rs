//! A ring of bytes between one producing thread and the collector, and its producing end.
//!
//! Positions count bytes since the ring was made and never wrap in practice (2^64 bytes); the index
//! into memory is the position modulo the capacity. An entry never straddles the end of the memory:
//! what does not fit is skipped with a padding entry, so that both sides see contiguous bytes. An
//! entry begins with the [`Head`] that its size was reserved by, so the consumer can trust it.

use std::cell::Cell;

use crossbeam_utils::CachePadded;
use zerocopy::IntoBytes;

use super::consumer::Consumer;
use super::counts::Counts;
use super::lane::Ends;
use super::memory::{Memory, OutOfMemory};
use super::sync::{Arc, AtomicBool, AtomicU64, Ordering, light_barrier};
use crate::record::{ALIGNMENT, Head, Kind, LossReason};

/// What both ends of a ring know.
pub(super) struct Shared {
    pub(super) memory: Memory,
    pub(super) counts: CachePadded<Counts>,
    /// Written by the producer only, but for `closed`.
    pub(super) producer: CachePadded<ProducerLine>,
    /// Written by the consumer only.
    pub(super) head: CachePadded<AtomicU64>,
    /// Of a lane, whose producing end is the host's code.
    pub(super) lane: Option<CachePadded<Ends>>,
    pub(super) id: u32,
}

/// What a hook stores and loads beside the counters; one cache line.
pub(super) struct ProducerLine {
    pub(super) tail: AtomicU64,
    /// The producer is between the beginning and the end of a hook.
    pub(super) busy: AtomicBool,
    /// The collector does not wait for this hook any longer: what it commits is lost.
    pub(super) closed: AtomicBool,
    /// The producing thread is gone.
    pub(super) retired: AtomicBool,
}

impl Shared {
    /// A ring with nothing in it. `capacity` and `id` are as for [`channel`].
    pub(super) fn new(capacity: usize, id: u32, lane: Option<Ends>) -> Result<Self, OutOfMemory> {
        assert!(capacity.is_power_of_two() && capacity >= 64, "ring of {capacity} bytes");
        Ok(Self {
            memory: Memory::new(capacity)?,
            counts: CachePadded::new(Counts::default()),
            producer: CachePadded::new(ProducerLine {
                tail: AtomicU64::new(0),
                busy: AtomicBool::new(false),
                closed: AtomicBool::new(false),
                retired: AtomicBool::new(false),
            }),
            head: CachePadded::new(AtomicU64::new(0)),
            lane: lane.map(CachePadded::new),
            id,
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(lane) = &self.lane {
            lane.end(self);
        }
    }
}

/// Make a ring. `capacity` is a power of two and at least 64; `id` names the producer in the file.
///
/// # Errors
///
/// [`OutOfMemory`] if the operating system gives none.
///
/// # Panics
///
/// If `capacity` is not a power of two or below 64.
pub(crate) fn channel(capacity: usize, id: u32) -> Result<(Producer, Consumer), OutOfMemory> {
    let shared = Arc::new(Shared::new(capacity, id, None)?);
    let producer = Producer {
        capacity: capacity as u64,
        tail: Cell::new(0),
        head_seen: Cell::new(0),
        sequence: Cell::new(0),
        shared: Arc::clone(&shared),
    };
    Ok((producer, Consumer::new(shared)))
}

/// The producing end. It belongs to one thread.
pub(crate) struct Producer {
    shared: Arc<Shared>,
    /// As the memory has it; here it is beside what it is compared with.
    capacity: u64,
    tail: Cell<u64>,
    /// The consumer's position when it was last looked at: rereading it costs a cache miss.
    head_seen: Cell<u64>,
    sequence: Cell<u32>,
}

impl Producer {
    /// Enter a hook. `None` if this thread is inside one already (a signal handler interrupted it).
    #[inline]
    pub(crate) fn enter(&self) -> Option<Hook<'_>> {
        let line = &self.shared.producer;
        if line.busy.load(Ordering::Relaxed) {
            return None;
        }
        line.busy.store(true, Ordering::Relaxed);
        Some(Hook { producer: self })
    }

    fn next_sequence(&self) -> u32 {
        let sequence = self.sequence.get();
        self.sequence.set(sequence.wrapping_add(1));
        sequence
    }

    /// Where `bytes` bytes can be written, at most half a ring, and the position behind them. `None` if the
    /// ring is full.
    #[inline]
    fn find_room(&self, bytes: usize) -> Option<(*mut u8, u64)> {
        let (bytes, tail) = (bytes as u64, self.tail.get());
        let index = tail & (self.capacity - 1);
        let to_end = self.capacity - index;
        let padding = if bytes <= to_end { 0 } else { to_end };
        let new_tail = tail + padding + bytes;
        self.expect_free(new_tail)?;
        let start = if padding == 0 {
            index as usize
        } else {
            self.write_padding(index as usize, padding);
            0
        };
        // SAFETY: `start + bytes` is at most the capacity, so the pointer stays in the mapping.
        Some((unsafe { self.shared.memory.start().as_ptr().add(start) }, new_tail))
    }

    /// Whether the consumer has freed everything up to a capacity before `position`.
    #[inline]
    fn expect_free(&self, position: u64) -> Option<()> {
        if position - self.head_seen.get() > self.capacity {
            let head = self.shared.head.load(Ordering::Acquire);
            if position - head > self.capacity {
                return None;
            }
            self.head_seen.set(head);
        }
        Some(())
    }

    fn write_padding(&self, index: usize, bytes: u64) {
        let marker = (bytes as u32).to_le_bytes();
        self.shared.memory.access().write(index, 8);
        // SAFETY: `index` is a multiple of eight below the capacity, so eight bytes fit, and the bytes
        // from the tail to the end of the memory were just found to be free for this producer.
        unsafe {
            let at = self.shared.memory.start().as_ptr().add(index);
            at.copy_from_nonoverlapping(marker.as_ptr(), marker.len());
            at.add(4).cast::<u32>().write(Kind::Padding as u32);
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.shared.producer.retired.store(true, Ordering::Release);
    }
}

/// Proof that this thread is inside a hook; the collector waits for its end before it closes a file.
/// There is at most one per producer, and it gives out at most one [`Grant`].
pub(crate) struct Hook<'a> {
    producer: &'a Producer,
}

impl<'a> Hook<'a> {
    /// Reserve room for a whole event, record and rows, count it as produced, and write its head with
    /// the event's sequence number. `counted_rows` is the kind that its rows are counted as.
    ///
    /// # Errors
    ///
    /// The reason why there is no room; the loss is counted.
    #[cfg(test)]
    pub(crate) fn reserve(
        self,
        head: Head,
        counted_rows: Option<Kind>,
    ) -> Result<Grant<'a>, LossReason> {
        self.reserve_at(|| head.time, head, counted_rows)
    }

    /// The same for an event whose time is asked for once there is room for it.
    ///
    /// # Errors
    ///
    /// As for [`Hook::reserve`].
    #[inline]
    pub(crate) fn reserve_at(
        self,
        time: impl FnOnce() -> u64,
        mut head: Head,
        counted_rows: Option<Kind>,
    ) -> Result<Grant<'a>, LossReason> {
        let producer = self.producer;
        let bytes = head.record_size().unwrap_or(usize::MAX);
        debug_assert!(bytes.is_multiple_of(ALIGNMENT) || bytes == usize::MAX);
        // Looked for before anything is stored, so that what was loaded for it need not be loaded again.
        let room = if self.is_too_big(&head) {
            Err(LossReason::TooBig)
        } else {
            producer.find_room(bytes).ok_or(LossReason::Full)
        };
        let counts = &producer.shared.counts;
        let kind = Kind::from_u8(head.kind).unwrap_or(Kind::Padding);
        head.sequence = producer.next_sequence();
        counts.produce(kind, 1);
        if let Some(rows) = counted_rows {
            counts.produce(rows, u64::from(head.rows));
        }
        match room {
            Ok((cursor, new_tail)) => {
                head.time = time();
                let mut grant = Grant { hook: self, cursor, bytes, remaining: bytes, new_tail };
                grant.append(head.as_bytes());
                Ok(grant)
            }
            Err(reason) => {
                counts.lose(reason, kind, 1);
                if let Some(rows) = counted_rows {
                    counts.lose(reason, rows, u64::from(head.rows));
                }
                Err(reason)
            }
        }
    }

    /// Whether a record with its rows is larger than half a ring: it might find no room in an empty one,
    /// because of the padding.
    #[inline]
    pub(crate) fn is_too_big(&self, head: &Head) -> bool {
        head.record_size().is_none_or(|bytes| bytes as u64 > self.producer.capacity / 2)
    }

    /// Count an event that is not to be recorded.
    #[inline]
    pub(crate) fn lose(self, head: Head, counted_rows: Option<Kind>, reason: LossReason) {
        let counts = &self.producer.shared.counts;
        let kind = Kind::from_u8(head.kind).unwrap_or(Kind::Padding);
        counts.produce(kind, 1);
        counts.lose(reason, kind, 1);
        if let Some(rows) = counted_rows {
            counts.produce(rows, u64::from(head.rows));
            counts.lose(reason, rows, u64::from(head.rows));
        }
    }
}

impl Drop for Hook<'_> {
    #[inline]
    fn drop(&mut self) {
        self.producer.shared.producer.busy.store(false, Ordering::Release);
    }
}

/// Room for one event. Nothing is published unless all of it was filled and committed.
pub(crate) struct Grant<'a> {
    hook: Hook<'a>,
    cursor: *mut u8,
    bytes: usize,
    remaining: usize,
    new_tail: u64,
}

impl Grant<'_> {
    /// Append bytes.
    ///
    /// # Panics
    ///
    /// If more bytes are appended than were reserved.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.remaining, "more bytes than reserved");
        self.note_write(bytes.len());
        // SAFETY: `remaining` bytes from `cursor` belong to this grant, `bytes` is a Rust slice and
        // cannot overlap memory that only this producer may touch.
        unsafe {
            self.cursor.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.cursor = self.cursor.add(bytes.len());
        }
        self.remaining -= bytes.len();
    }

    /// Append zeros.
    ///
    /// # Panics
    ///
    /// If more bytes are appended than were reserved.
    #[inline]
    pub(crate) fn append_zeros(&mut self, count: usize) {
        assert!(count <= self.remaining, "more bytes than reserved");
        self.note_write(count);
        // SAFETY: `remaining` bytes from `cursor` belong to this grant.
        unsafe {
            self.cursor.write_bytes(0, count);
            self.cursor = self.cursor.add(count);
        }
        self.remaining -= count;
    }

    #[inline]
    fn note_write(&self, bytes: usize) {
        let memory = &self.hook.producer.shared.memory;
        memory.access().write(self.cursor.addr() - memory.start().addr().get(), bytes);
    }

    /// Hand the event to the collector.
    ///
    /// # Errors
    ///
    /// [`LossReason::AfterShutdown`] if the collector has given up waiting for this hook; it has
    /// accounted for the event, or will never hear of it.
    ///
    /// # Panics
    ///
    /// If not all reserved bytes were filled.
    #[inline]
    pub(crate) fn commit(self) -> Result<(), LossReason> {
        assert!(self.remaining == 0, "reserved bytes left unfilled");
        let producer = self.hook.producer;
        let line = &producer.shared.producer;
        producer.tail.set(self.new_tail);
        line.tail.store(self.new_tail, Ordering::Release);
        // Paired with the barrier in `Consumer::close`: the tail is stored before `closed` is read.
        light_barrier();
        producer.shared.memory.prepare_for_writing(self.new_tail, self.bytes as u64);
        if line.closed.load(Ordering::Relaxed) {
            return Err(LossReason::AfterShutdown);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
