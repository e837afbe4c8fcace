//! The events of each context, made by the collector and used by hooks.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use cudarc::driver::sys::{CUcontext, CUctx_st, CUevent, CUevent_st};

use super::untimed::Untimed;
use crate::copies::FreeList;

/// Contexts of a process that have events. A process has one for each device as a rule.
const CONTEXTS: usize = 16;

/// Pairs of events that a context may have, and so copies that may be timed on it at once.
pub(super) const MOST_PAIRS: usize = 1_024;

/// Nobody uses the place.
const EMPTY: u32 = 0;
/// A hook is writing whose place it is.
const CLAIMED: u32 = 1;
/// The collector is to make its events.
const WANTED: u32 = 2;
/// Its events may be used.
const READY: u32 = 3;
/// Its events may be used no more; nobody touches them. The place is free when no hook can know of it.
const DEAD: u32 = 4;

/// The events of one context.
pub(super) struct Context {
    state: AtomicU32,
    handle: AtomicPtr<CUctx_st>,
    /// Told apart from another context that came to the same address, where the driver says so.
    id: AtomicU64,
    starts: [AtomicPtr<CUevent_st>; MOST_PAIRS],
    ends: [AtomicPtr<CUevent_st>; MOST_PAIRS],
    free: FreeList<MOST_PAIRS>,
    in_use: AtomicU32,
    /// A hook found none free.
    is_short: AtomicBool,
}

pub(super) static CONTEXT: [Context; CONTEXTS] = [const { Context::new() }; CONTEXTS];

impl Context {
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(EMPTY),
            handle: AtomicPtr::new(std::ptr::null_mut()),
            id: AtomicU64::new(0),
            starts: [const { AtomicPtr::new(std::ptr::null_mut()) }; MOST_PAIRS],
            ends: [const { AtomicPtr::new(std::ptr::null_mut()) }; MOST_PAIRS],
            free: FreeList::new(0),
            in_use: AtomicU32::new(0),
            is_short: AtomicBool::new(false),
        }
    }

    pub(super) fn handle(&self) -> CUcontext {
        self.handle.load(Ordering::Relaxed)
    }

    pub(super) fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.state.load(Ordering::Acquire) == WANTED
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state.load(Ordering::Acquire) == READY
    }

    /// Its first events are there.
    pub(super) fn set_ready(&self) {
        self.state.store(READY, Ordering::Release);
    }

    /// It is not to be used any more. In one order with the hooks' looks: see [`place_of`].
    pub(super) fn set_dead(&self) {
        self.state.store(DEAD, Ordering::SeqCst);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.load(Ordering::Acquire) == DEAD
    }

    /// Forget a context that no hook can know of any more. The pairs that it had are forgotten with it.
    pub(super) fn clear(&self) {
        while self.free.take().is_some() {}
        for place in 0..self.free.count() {
            self.set_pair(place, std::ptr::null_mut(), std::ptr::null_mut());
        }
        self.in_use.store(0, Ordering::Relaxed);
        self.state.store(EMPTY, Ordering::Release);
    }

    /// Whether a hook found no free pair since the last call.
    pub(super) fn was_short(&self) -> bool {
        self.is_short.swap(false, Ordering::Relaxed)
    }

    /// The two events of a pair.
    pub(super) fn pair(&self, pair: usize) -> (CUevent, CUevent) {
        (self.starts[pair].load(Ordering::Relaxed), self.ends[pair].load(Ordering::Relaxed))
    }

    /// Add a pair that hooks may take; the collector adds them in the order of their numbers.
    pub(super) fn add_pair(&self, pair: usize, start: CUevent, end: CUevent) {
        self.set_pair(pair, start, end);
        if pair < self.free.count() {
            // An earlier context of this place had as many.
            self.free.give(pair);
        } else {
            self.free.grow(pair + 1);
        }
    }

    /// Take a free pair.
    #[inline]
    pub(super) fn take_pair(&self) -> Result<usize, Untimed> {
        match self.free.take() {
            Some(pair) => {
                self.in_use.fetch_add(1, Ordering::Relaxed);
                Ok(pair)
            }
            None => {
                self.is_short.store(true, Ordering::Relaxed);
                Err(Untimed::NoEvent)
            }
        }
    }

    /// Give a pair back.
    #[inline]
    pub(super) fn give_pair(&self, pair: usize) {
        self.in_use.fetch_sub(1, Ordering::Relaxed);
        self.free.give(pair);
    }

    /// Whether any copy is being timed on this context.
    pub(super) fn has_pairs_in_use(&self) -> bool {
        self.in_use.load(Ordering::Relaxed) != 0
    }

    fn set_pair(&self, pair: usize, start: CUevent, end: CUevent) {
        self.starts[pair].store(start, Ordering::Relaxed);
        self.ends[pair].store(end, Ordering::Relaxed);
    }
}

/// The place of a context. One that is not known yet is put down for the collector.
///
/// A hook counts itself before it looks here, as the collector lets a place die before it looks at that count: if
/// the collector sees no hook, hooks that come later see that the place is dead.
pub(super) fn place_of(handle: CUcontext, id: u64) -> Result<usize, Untimed> {
    let mut empty = None;
    for (place, context) in CONTEXT.iter().enumerate() {
        let state = context.state.load(Ordering::SeqCst);
        let is_known = matches!(state, WANTED | READY | DEAD);
        if is_known && context.handle() == handle && context.id() == id {
            return match state {
                READY => Ok(place),
                WANTED => Err(Untimed::WarmingUp),
                _ => Err(Untimed::DriverFailed),
            };
        }
        if state == EMPTY && empty.is_none() {
            empty = Some(context);
        }
    }
    let context = empty.ok_or(Untimed::TooManyContexts)?;
    let claim =
        context.state.compare_exchange(EMPTY, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
    if claim.is_ok() {
        context.handle.store(handle, Ordering::Relaxed);
        context.id.store(id, Ordering::Relaxed);
        context.state.store(WANTED, Ordering::Release);
    }
    Err(Untimed::WarmingUp)
}

/// Whether another place before this one is for the same context: two threads put it down at once.
pub(super) fn is_twice(place: usize) -> bool {
    let this = &CONTEXT[place];
    CONTEXT[..place].iter().any(|other| {
        (other.is_wanted() || other.is_ready())
            && other.handle() == this.handle()
            && other.id() == this.id()
    })
}
