//! This thread's ring.
//!
//! The fast path reads two thread-local cells without a destructor. The ring itself is owned by a
//! second thread-local whose destructor hands it back when the thread ends.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};

use super::quiesce::enter_and_look;
use super::registry::Registry;
use super::spsc::{Hook, Producer};
use crate::record::LossReason;

struct Current {
    /// Null if this thread has no ring.
    producer: Cell<*const Producer>,
    /// The session that the ring belongs to, [`NO_SESSION`] if there is none: one comparison tells
    /// whether there is a ring for the session that runs.
    session: Cell<u64>,
    /// The last session that this thread asked for a ring. It asks once.
    asked: Cell<u64>,
    /// The thread is inside [`with_producer`]: an event now comes from a signal handler. It gets no
    /// ring, because to give it one could take away the one that the interrupted event is about to use.
    inside: Cell<bool>,
}

/// The number of no session that runs or is switched off.
const NO_SESSION: u64 = u64::MAX;

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

impl Current {
    fn forget_ring(&self) {
        self.session.set(NO_SESSION);
        self.producer.set(std::ptr::null());
    }
}

struct Owned(RefCell<Option<Box<Producer>>>);

impl Drop for Owned {
    fn drop(&mut self) {
        CURRENT.with(Current::forget_ring);
    }
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            producer: Cell::new(std::ptr::null()),
            session: Cell::new(NO_SESSION),
            asked: Cell::new(NO_SESSION),
            inside: Cell::new(false),
        }
    };
    static OWNED: Owned = const { Owned(RefCell::new(None)) };
}

/// Set in the number of the running session, which is even, while its recording is switched off.
///
/// cbindgen:ignore
pub(crate) const SWITCHED_OFF: u64 = 1;

/// Run `record` with this thread's ring.
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
#[inline]
pub(crate) fn with_producer<R>(
    running: &AtomicU64,
    registry: impl FnOnce() -> Option<Arc<Registry>>,
    record: impl FnOnce(Hook<'_>) -> R,
    refuse: impl FnOnce(Hook<'_>) -> R,
) -> Result<R, LossReason> {
    CURRENT.with(|current| {
        let _inside = Inside::enter(&current.inside).ok_or(LossReason::NoRing)?;
        let session = running.load(Ordering::Relaxed);
        if session != current.session.get() && session != current.session.get() | SWITCHED_OFF {
            register(current, session, registry)?;
        }
        // SAFETY: the pointer was set by `register` on this thread, together with the session that was
        // just found, and points into the box that `OWNED` holds; `OWNED` forgets it before the box goes
        // away, and no signal handler gets as far as `register` while this thread is inside.
        let producer = unsafe { &*current.producer.get() };
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
    if session == 0 {
        return Err(LossReason::AfterShutdown);
    }
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
        let mut owned = owned.0.borrow_mut();
        *owned = producer;
        owned.as_deref().map(std::ptr::from_ref)
    });
    let producer = registered.ok().flatten().ok_or(LossReason::NoRing)?;
    current.producer.set(producer);
    current.session.set(session);
    Ok(())
}
