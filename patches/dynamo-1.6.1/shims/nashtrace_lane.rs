// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in a KV block manager that is in a hurry: events of blocks without a call, through the lane that
//! the library lends each thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::nashtrace::{Api, Block, BlockLane, LaneEvent};
use crate::nashtrace_blocks::{Event, Named, Pool, Reason};

/// Bytes of the room of an event.
const ROOM: u64 = 32;

/// Most events that have one reading of the clock in common. The limit has 32 values for each position that it leaves
/// free, and takes another one each time that the collector finds something new: it does not come back meanwhile.
const MOST_OF_A_TIME: u64 = 31;

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
    events: std::ptr::null_mut(),
    mask: 0,
});

thread_local! {
    static HERE: Here = const {
        Here {
            lane: Cell::new(&raw const NO_LANE.0),
            time: Cell::new(0),
            limit_then: Cell::new(-1),
            until: Cell::new(0),
            shared_at: Cell::new(u64::MAX),
        }
    };
}

/// What a thread knows of its lane.
struct Here {
    lane: Cell<*const BlockLane>,
    /// The clock when it was last read by [`Here::read_clock`], or what [`share`] was told.
    time: Cell<u64>,
    /// The limit at that time: the collector changes it whenever it has come by.
    limit_then: Cell<i64>,
    /// Events up to this position may have that time, as long as the limit is the same.
    until: Cell<u64>,
    /// The event at this position has that time.
    shared_at: Cell<u64>,
}

impl Here {
    /// The time, which may serve for those that follow the one that there is room for.
    #[inline(always)]
    fn read_clock(&self, room: &Room, limit: i64) -> u64 {
        let time = counter();
        self.time.set(time);
        self.limit_then.set(limit);
        self.until.set(room.position + MOST_OF_A_TIME * ROOM);
        time
    }
}

/// Room for an event.
pub(crate) struct Room {
    lane: &'static BlockLane,
    tail: &'static AtomicU64,
    position: u64,
}

/// There is no room for an event.
pub(crate) struct NoRoom {
    /// The event is for the library; otherwise it was lost.
    pub(crate) is_closed: bool,
}

/// Room for the next event in this thread's lane; otherwise the event is counted as lost, or is for the library.
#[inline(always)]
pub(crate) fn room() -> Result<Room, NoRoom> {
    room_and(|_, _, _| ()).map(|(room, ())| room)
}

/// The same, and the time, which may serve for those that follow.
#[inline]
pub(crate) fn room_and_new_time() -> Result<(Room, u64), NoRoom> {
    room_and(|here, room, limit| here.read_clock(room, limit))
}

/// The same, and a time that may be early: a reading of the clock, which takes as long as to put an event, serves for
/// [`MOST_OF_A_TIME`], or until the collector next comes by.
#[inline(always)]
pub(crate) fn room_and_time() -> Result<(Room, u64), NoRoom> {
    room_and(|here, room, limit| {
        if limit == here.limit_then.get() && room.position < here.until.get() {
            here.time.get()
        } else {
            here.read_clock(room, limit)
        }
    })
}

/// The same, and a new time, unless there is one to [`share`], which serves once, with room or without.
#[inline]
pub(crate) fn room_and_shared_time() -> Result<(Room, u64), NoRoom> {
    let shared_at = HERE.with(|here| here.shared_at.replace(u64::MAX));
    room_and(|here, room, limit| {
        if room.position == shared_at { here.time.get() } else { here.read_clock(room, limit) }
    })
}

/// The next event of this thread may have this time, which is that of the one before: see [`room_and_shared_time`].
#[inline]
pub(crate) fn share(time: u64) {
    HERE.with(|here| {
        here.time.set(time);
        here.shared_at.set(next(here).0.position);
    });
}

/// Room, and what `time` makes of it and of the limit; without room it is not called.
#[inline(always)]
fn room_and<T>(time: impl FnOnce(&Here, &Room, i64) -> T) -> Result<(Room, T), NoRoom> {
    HERE.with(|here| {
        let (room, limit) = next(here);
        if (room.position + ROOM) as i64 > limit {
            return Err(room.lose_unless_closed(limit));
        }
        let time = time(here, &room, limit);
        Ok((room, time))
    })
}

/// Where the next event goes, and the limit.
#[inline(always)]
fn next(here: &Here) -> (Room, i64) {
    let (lane, limit) = lane_and_limit(here);
    // SAFETY: what the lane points to lives as long as it.
    let tail = unsafe { AtomicU64::from_ptr(lane.tail) };
    (Room { lane, tail, position: tail.load(Ordering::Relaxed) }, limit)
}

#[inline(always)]
fn lane_and_limit(here: &Here) -> (&'static BlockLane, i64) {
    // SAFETY: the lane is the one above, or one of the library's that lives as long as this thread, whose hooks
    // alone use it; so does what it points to.
    let (lane, limit) = unsafe {
        let lane = &*here.lane.get();
        (lane, AtomicI64::from_ptr(lane.limit.cast_mut()))
    };
    (lane, limit.load(Ordering::Acquire))
}

/// The library's clock.
#[inline(always)]
pub(crate) fn now(api: &Api) -> u64 {
    let (_, limit) = HERE.with(lane_and_limit);
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

impl Room {
    /// There is no room: the event is lost, and this counts it, unless the lane is closed.
    #[inline(always)]
    fn lose_unless_closed(&self, limit: i64) -> NoRoom {
        let is_closed = limit < 0;
        if !is_closed {
            // SAFETY: what the lane points to lives as long as it.
            let lost = unsafe { AtomicU64::from_ptr(self.lane.lost) };
            lost.store(lost.load(Ordering::Relaxed) + 1, Ordering::Release);
        }
        NoRoom { is_closed }
    }

    /// Hand an event over: of the block in a slot of its pool, or of so many blocks, with a lineage (see `LaneEvent`) or
    /// all ones.
    #[inline(always)]
    pub(crate) fn put(
        self,
        pool: Common,
        time: u64,
        event: Event,
        reason: Reason,
        block_or_count: u32,
        lineage: u128,
    ) {
        // SAFETY: below the limit there is room for an event, which only this thread may use until it is handed over.
        unsafe {
            let at = self.lane.events.add((self.position & self.lane.mask) as usize);
            let at = at.cast::<LaneEvent>();
            (&raw mut (*at).time).write(time);
            (&raw mut (*at).lineage).write([lineage as u64, (lineage >> 64) as u64]);
            (&raw mut (*at).block_or_count).write(block_or_count);
            (&raw mut (*at).event_and_tier)
                .cast::<u32>()
                .write(pool.0 | Common::what(event, reason));
        }
        self.tail.store(self.position + ROOM, Ordering::Release);
    }
}

/// What all events of a pool have in common, as it stands in their last four bytes.
#[derive(Clone, Copy)]
pub(crate) struct Common(u32);

impl Common {
    #[inline]
    pub(crate) fn of(pool: &Pool) -> Self {
        let event = pool.event(0, Event::Allocate, Reason::Unknown, Named::default());
        // A pool with a larger id is one that is not declared, of which nothing is told.
        let [low, high] = (event.pool as u16).to_ne_bytes();
        Self(u32::from_ne_bytes([event.tier << 5, 0, low, high]))
    }

    /// What they do not have in common, in the same bytes.
    #[inline(always)]
    const fn what(event: Event, reason: Reason) -> u32 {
        u32::from_ne_bytes([event as u8, reason as u8, 0, 0])
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
        HERE.with(|here| {
            here.lane.set(lane);
            here.until.set(0);
            here.shared_at.set(u64::MAX);
        });
    }
}
