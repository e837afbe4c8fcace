// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in a KV block manager that is in a hurry: events of blocks without a call, through the lane that
//! the library lends each thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::nashtrace::{Api, Block, BlockLane, LaneEntry};
use crate::nashtrace_blocks::{Event, Named, Pool, Reason};

/// Bytes of an entry: an event, or a stamp, which says when and in which pool the events behind it happened.
const ENTRY: u64 = 16;

/// What stands in a stamp in place of an event.
const STAMP: u64 = 31;

/// Stands for no slot, and for one or a count that is larger.
const NO_SLOT_OR_COUNT: usize = (1 << 28) - 1;

/// Most entries for which the clock is read once. The limit has 256 values for each position that it leaves free, and
/// takes another one each time that the collector finds something new: it does not come back meanwhile.
const MOST_OF_A_READING: u64 = 255;

/// The limit of a lane that is closed, and what else it points to.
static SHUT: AtomicI64 = AtomicI64::new(-1);
static NOTHING: AtomicU64 = AtomicU64::new(0);

/// The lane of a thread that has not been told of one: a closed one.
struct NoLane(BlockLane);

// SAFETY: nobody writes to it, nor to what it points to.
unsafe impl Sync for NoLane {}

static NO_LANE: NoLane = NoLane(BlockLane {
    tail: NOTHING.as_ptr(),
    limit: SHUT.as_ptr(),
    lost: NOTHING.as_ptr(),
    entries: std::ptr::null_mut(),
    mask: 0,
});

thread_local! {
    static HERE: Here = const {
        Here {
            lane: Cell::new(&raw const NO_LANE.0),
            end: Cell::new(u64::MAX),
            pool: Cell::new(Common(0)),
            next_time: Cell::new(0),
            limit_then: Cell::new(-1),
            until: Cell::new(0),
            is_shared: Cell::new(false),
        }
    };
}

/// What this thread knows of its lane.
#[inline(always)]
fn here() -> &'static Here {
    let here = HERE.with(std::ptr::from_ref);
    // SAFETY: it has nothing to drop, and so is there as long as this thread, which alone can refer to it.
    unsafe { &*here }
}

/// What a thread knows of its lane.
struct Here {
    lane: Cell<*const BlockLane>,
    /// Where the lane ended when this code last put something there.
    end: Cell<u64>,
    /// The pool of the last stamp.
    pool: Cell<Common>,
    /// When an event happened that follows there without a stamp.
    next_time: Cell<u64>,
    /// The limit when the clock was last read for several events: the collector changes it whenever it has come by.
    limit_then: Cell<i64>,
    /// Events up to this position may go by that reading, as long as the limit is the same.
    until: Cell<u64>,
    /// The next event may follow the one before: see [`share`].
    is_shared: Cell<bool>,
}

/// There is no room for an event.
pub(crate) struct NoRoom {
    /// The event is for the library; otherwise it was lost.
    pub(crate) is_closed: bool,
}

/// What happened, and to which block.
pub(crate) struct Happening {
    pub(crate) event: Event,
    pub(crate) reason: Reason,
    /// The block's slot in its pool; of a lookup, how many blocks.
    pub(crate) slot_or_count: usize,
    /// The block's lineage (see `LaneEntry`) or all ones.
    pub(crate) lineage: u128,
}

/// Put an event into this thread's lane that happens now, or at a time if that is later. When it happened; otherwise it was
/// counted as lost, or is for the library.
#[inline(always)]
pub(crate) fn put_now(pool: Common, not_before: u64, what: Happening) -> Result<u64, NoRoom> {
    Ok(here().room()?.put_stamped(pool, counter().max(not_before), what))
}

/// The same, of an event whose time may be early: a reading of the clock, which takes longer than all the rest, serves for
/// [`MOST_OF_A_READING`], or until the collector next comes by.
#[inline(always)]
pub(crate) fn put_early(pool: Common, not_before: u64, what: Happening) -> Result<u64, NoRoom> {
    let here = here();
    let room = here.room()?;
    let is_fresh = room.limit == here.limit_then.get() && room.tail < here.until.get();
    if is_fresh && room.can_follow(pool, not_before) {
        return Ok(room.put_next(what));
    }
    here.limit_then.set(room.limit);
    here.until.set(room.tail + MOST_OF_A_READING * ENTRY);
    Ok(room.put_stamped(pool, counter().max(not_before), what))
}

/// The same, of an event that happens right after the one before, if that is of the same pool and not too early for it; otherwise
/// at a time.
#[inline(always)]
pub(crate) fn put_next(pool: Common, not_before: u64, what: Happening) -> Result<u64, NoRoom> {
    let room = here().room()?;
    let can_follow = room.can_follow(pool, not_before);
    Ok(if can_follow { room.put_next(what) } else { room.put_stamped(pool, not_before, what) })
}

/// The same, of an event that happens now, unless the one before is to [`share`] its time.
#[inline(always)]
pub(crate) fn put_shared(pool: Common, what: Happening) -> Result<u64, NoRoom> {
    let is_shared = here().is_shared.replace(false);
    let room = here().room()?;
    let can_follow = is_shared && room.can_follow(pool, 0);
    Ok(if can_follow { room.put_next(what) } else { room.put_stamped(pool, counter(), what) })
}

/// The next event of this thread may happen right after the one before, with room or without: see [`put_shared`].
#[inline]
pub(crate) fn share() {
    here().is_shared.set(true);
}

/// Room for an event and its stamp.
struct Room {
    here: &'static Here,
    lane: &'static BlockLane,
    tail: u64,
    limit: i64,
}

impl Here {
    /// Room in this thread's lane; otherwise the event is counted as lost, or is for the library.
    #[inline(always)]
    fn room(&'static self) -> Result<Room, NoRoom> {
        let (lane, limit) = self.lane_and_limit();
        // SAFETY: what the lane points to lives as long as it.
        let tail = unsafe { AtomicU64::from_ptr(lane.tail) }.load(Ordering::Relaxed);
        if (tail + 2 * ENTRY) as i64 * 256 > limit {
            let is_closed = limit < 0;
            if !is_closed {
                // SAFETY: as above.
                let lost = unsafe { AtomicU64::from_ptr(lane.lost) };
                lost.store(lost.load(Ordering::Relaxed) + 1, Ordering::Release);
            }
            return Err(NoRoom { is_closed });
        }
        Ok(Room { here: self, lane, tail, limit })
    }

    #[inline(always)]
    fn lane_and_limit(&self) -> (&'static BlockLane, i64) {
        // SAFETY: the lane is the one above, or one of the library's that lives as long as this thread, whose hooks
        // alone use it; so does what it points to.
        let (lane, limit) = unsafe {
            let lane = &*self.lane.get();
            (lane, AtomicI64::from_ptr(lane.limit.cast_mut()))
        };
        (lane, limit.load(Ordering::Acquire))
    }
}

impl Room {
    /// An event of a pool needs no stamp of its own, and without one does not happen before a time.
    #[inline(always)]
    fn can_follow(&self, pool: Common, not_before: u64) -> bool {
        let is_behind = self.tail == self.here.end.get() && pool == self.here.pool.get();
        is_behind && not_before <= self.here.next_time.get()
    }

    #[inline(always)]
    fn put_next(self, what: Happening) -> u64 {
        self.write(self.tail, what.entry());
        let time = self.here.next_time.get();
        self.hand_over(self.tail + ENTRY, time)
    }

    #[inline(always)]
    fn put_stamped(self, pool: Common, time: u64, what: Happening) -> u64 {
        self.here.pool.set(pool);
        self.write(self.tail, LaneEntry { what: pool.0, lineage_or_time: time });
        self.write(self.tail + ENTRY, what.entry());
        self.hand_over(self.tail + 2 * ENTRY, time)
    }

    #[inline(always)]
    fn write(&self, position: u64, entry: LaneEntry) {
        // SAFETY: below the limit there is room for an event and its stamp, which only this thread may use until they
        // are handed over.
        unsafe {
            let at = self.lane.entries.add((position & self.lane.mask) as usize);
            at.cast::<LaneEntry>().write(entry);
        }
    }

    #[inline(always)]
    fn hand_over(&self, end: u64, time: u64) -> u64 {
        // SAFETY: what the lane points to lives as long as it.
        unsafe { AtomicU64::from_ptr(self.lane.tail) }.store(end, Ordering::Release);
        self.here.end.set(end);
        self.here.next_time.set(time.wrapping_add(1));
        time
    }
}

impl Happening {
    #[inline(always)]
    fn entry(&self) -> LaneEntry {
        let slot_or_count = self.slot_or_count.min(NO_SLOT_OR_COUNT) as u64;
        let below = slot_or_count << 10 | (self.reason as u64) << 5 | self.event as u64;
        let what = self.lineage as u64 & !(u64::MAX >> 26) | below;
        LaneEntry { what, lineage_or_time: (self.lineage >> 64) as u64 }
    }
}

/// The library's clock.
#[inline(always)]
pub(crate) fn now(api: &Api) -> u64 {
    let (_, limit) = here().lane_and_limit();
    if limit < 0 { api.now() } else { counter() }
}

/// The library's clock where a lane is open.
#[inline(always)]
fn counter() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 processor has it.
        unsafe { std::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let ticks: u64;
        // SAFETY: Linux lets user space read the virtual counter; no memory is touched.
        unsafe { std::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
        ticks
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    unreachable!("no lane is ever open here")
}

/// What all events of a pool have in common, as it stands in their stamp.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Common(u64);

impl Common {
    #[inline]
    pub(crate) fn of(pool: &Pool) -> Self {
        let event = pool.event(0, Event::Allocate, Reason::Unknown, Named::default());
        // A pool with a larger id is one that is not declared, of which nothing is told.
        Self(u64::from(event.pool as u16) << 16 | u64::from(event.tier) << 5 | STAMP)
    }
}

/// Tell of an event for which the lane was closed, and where those that follow may have room.
#[cold]
#[inline(never)]
pub(crate) fn tell(api: &Api, block: &Block) {
    let mut lane = std::ptr::null();
    // SAFETY: the struct is whole, the pointer is writable.
    unsafe { (api.block_lane)(block, &raw mut lane) };
    if !lane.is_null() {
        here().lane.set(lane);
        here().end.set(u64::MAX);
    }
}
