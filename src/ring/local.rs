//! This thread's ring.
//!
//! The fast path looks at [`Current`], which has no destructor. The ring itself is owned by a second
//! thread-local whose destructor hands it back when the thread ends.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};

use super::counts::SharedLosses;
use super::current::{Current, NO_SESSION, with_current};
use super::lane::{BlockLane, Lender};
use super::quiesce::enter_and_look;
use super::registry::Registry;
use super::spsc::{Hook, Producer};
use crate::record::LossReason;

/// Marks the thread as inside, to the handlers that interrupt it.
struct Inside<'a>(&'a Cell<bool>);

impl<'a> Inside<'a> {
    #[inline]
    fn enter(inside: &'a Cell<bool>) -> Option<Self> {
        if inside.get() {
            return None;
        }
        inside.set(true);
        // A handler runs on this thread: only the compiler could reorder what it sees.
        compiler_fence(Ordering::SeqCst);
        Some(Self(inside))
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        self.0.set(false);
    }
}

struct Owned {
    ring: RefCell<Option<Box<Producer>>>,
    lane: RefCell<Option<Lender>>,
}

impl Drop for Owned {
    fn drop(&mut self) {
        with_current(Current::forget_ring);
    }
}

thread_local! {
    static OWNED: Owned = const { Owned { ring: RefCell::new(None), lane: RefCell::new(None) } };
}

/// Set in the number of the running session, which is even, while its recording is switched off.
///
/// cbindgen:ignore
pub(crate) const SWITCHED_OFF: u64 = 1;

/// Run `record` with the ring that this thread has for the session that runs, or `refuse` if that is switched
/// off. `None`, and nothing has happened, if the thread has no such ring or is inside a hook already;
/// [`with_producer`] then sees to the rest.
///
/// `running` is as for [`with_producer`].
#[inline]
pub(crate) fn with_ring<R>(
    running: &AtomicU64,
    record: impl FnOnce(Hook<'_>) -> R,
    refuse: impl FnOnce(Hook<'_>) -> R,
) -> Option<R> {
    with_current(|current| {
        let _inside = Inside::enter(&current.inside)?;
        // SAFETY: null or set by `register` on this thread, and then it points into the box that `OWNED`
        // holds; `OWNED` forgets it before the box goes away, and no signal handler gets as far as
        // `register` while this thread is inside.
        let producer = unsafe { current.producer.get().as_ref() }?;
        let (hook, session) = enter_and_look(producer, || running.load(Ordering::Relaxed))?;
        if session == current.session.get() {
            Some(record(hook))
        } else if session == current.session.get() | SWITCHED_OFF {
            Some(refuse(hook))
        } else {
            None
        }
    })
}

/// Run `record` with this thread's ring, which it is given if it has none.
///
/// `running` holds the number of the running session, 0 if none runs, with [`SWITCHED_OFF`] if nothing
/// is to be recorded: then `refuse` is run, if the thread has a ring. `registry` finds the rings of
/// the session; it is asked once per thread and session.
///
/// # Errors
///
/// [`LossReason::AfterShutdown`] if no session runs, [`LossReason::SwitchedOff`] if it is switched off
/// and the thread has no ring, [`LossReason::NoRing`] if the thread cannot have a ring or is inside a
/// hook already. Nothing is counted here.
pub(crate) fn with_producer<R>(
    running: &AtomicU64,
    registry: impl FnOnce() -> Option<Arc<Registry>>,
    record: impl FnOnce(Hook<'_>) -> R,
    refuse: impl FnOnce(Hook<'_>) -> R,
) -> Result<R, LossReason> {
    with_current(|current| {
        let _inside = Inside::enter(&current.inside).ok_or(LossReason::NoRing)?;
        let session = running.load(Ordering::Relaxed);
        if session == NO_SESSION {
            return Err(LossReason::AfterShutdown);
        }
        if session & !SWITCHED_OFF != current.session.get() {
            register(current, session, registry)?;
        }
        // SAFETY: as in `with_ring`.
        let producer = unsafe { current.producer.get().as_ref() }.ok_or(LossReason::NoRing)?;
        let look = || running.load(Ordering::Relaxed);
        let (hook, session) = enter_and_look(producer, look).ok_or(LossReason::NoRing)?;
        if session == current.session.get() {
            Ok(record(hook))
        } else if session == current.session.get() | SWITCHED_OFF {
            Ok(refuse(hook))
        } else {
            Err(LossReason::AfterShutdown)
        }
    })
}

/// Get a ring for this thread in the running session. While that is switched off a thread that has no
/// ring gets none.
#[cold]
#[inline(never)]
fn register(
    current: &Current,
    session: u64,
    registry: impl FnOnce() -> Option<Arc<Registry>>,
) -> Result<(), LossReason> {
    if session & SWITCHED_OFF != 0 {
        return Err(LossReason::SwitchedOff);
    }
    if session == current.asked.get() {
        return Err(LossReason::NoRing);
    }
    current.asked.set(session);
    current.forget_ring();
    let producer = registry().and_then(|registry| registry.register()).map(Box::new);
    // While the thread's locals are being destroyed there is no place to keep a ring.
    let registered = OWNED.try_with(|owned| {
        *owned.lane.borrow_mut() = None;
        let mut ring = owned.ring.borrow_mut();
        *ring = producer;
        ring.as_deref().map(std::ptr::from_ref)
    });
    let producer = registered.ok().flatten().ok_or(LossReason::NoRing)?;
    current.producer.set(producer);
    current.session.set(session);
    Ok(())
}

/// Lend this thread a lane, once in a session of which it has a ring, and tell what it is lent. The address stays
/// the same as long as the thread lives.
///
/// `running` is as for [`with_producer`]. `registry` finds the rings of the session, if lanes are to be lent in it;
/// `late` counts what is handed over after its end.
pub(crate) fn lend_lane(
    running: &AtomicU64,
    registry: impl FnOnce() -> Option<Arc<Registry>>,
    late: &'static SharedLosses,
) -> *const BlockLane {
    with_current(|current| {
        if current.lane.get().tail.is_null() {
            current.close_lane();
        }
        let session = running.load(Ordering::Relaxed);
        if let Some(_inside) = Inside::enter(&current.inside)
            && session != NO_SESSION
            && session == current.session.get()
            && session != current.lane_asked.replace(session)
        {
            let lender = registry().and_then(|registry| registry.register_lane(late));
            let _ = OWNED.try_with(|owned| {
                let mut lane = owned.lane.borrow_mut();
                *lane = lender;
                if let Some(lender) = &*lane {
                    current.lane.set(lender.terms());
                }
            });
        }
        current.lane.as_ptr().cast_const()
    })
}

/// This thread fills no lane any more.
pub(crate) fn forget_lane() {
    with_current(Current::close_lane);
}
