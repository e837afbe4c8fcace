//! What a hook does on a copy's stream: one event where the copy begins, one where it ends.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::driver::{CAPTURE_IMPLICIT, Code, Driver, driver, want};
use super::events::{CONTEXT, place_of};
use super::timed::{Stream, Timed};
use super::untimed::Untimed;
use cudarc::driver::sys::CUcontext;

/// Whether copies are to be timed by events at all.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// The session whose collector looks after the events, 0 for none.
static OWNER: AtomicU64 = AtomicU64::new(0);

/// The process is ending: the driver may be gone.
static PROCESS_ENDS: AtomicBool = AtomicBool::new(false);

/// The driver did not take its own context back: it is not called again.
static IS_BROKEN: AtomicBool = AtomicBool::new(false);

/// Time copies by events, or do not.
pub(crate) fn switch(on: bool) {
    IS_ON.store(on, Ordering::Relaxed);
}

/// No call of the driver from now on.
pub(crate) fn process_ends() {
    PROCESS_ENDS.store(true, Ordering::Relaxed);
}

/// The collector of a session looks after the events from now on, if no other one does.
pub(super) fn own(session: u64) -> bool {
    OWNER.compare_exchange(0, session, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// It does so no more.
pub(super) fn disown(session: u64) {
    let _ = OWNER.compare_exchange(session, 0, Ordering::AcqRel, Ordering::Relaxed);
}

/// Whether the driver may be called.
pub(crate) fn may_call() -> bool {
    !PROCESS_ENDS.load(Ordering::Relaxed) && !IS_BROKEN.load(Ordering::Relaxed)
}

/// Record where a copy begins on a stream, if that can be done without disturbing anything; why it cannot
/// is counted.
pub(crate) fn record_start(stream: Stream, session: u64) -> Option<Timed> {
    if !IS_ON.load(Ordering::Relaxed) {
        return None;
    }
    let timed = try_record_start(stream, session);
    timed.map_err(Untimed::count).ok()
}

fn try_record_start(stream: Stream, session: u64) -> Result<Timed, Untimed> {
    let driver = callable()?;
    if OWNER.load(Ordering::Acquire) != session {
        return Err(Untimed::WarmingUp);
    }
    refuse_captured(driver, stream)?;
    let handle = driver.context_of(stream.0)?;
    let place = place_of(handle, driver.id(handle)?)?;
    let context = &CONTEXT[place];
    let pair = context.take_pair()?;
    let recorded = in_context(driver, handle, || driver.record(context.pair(pair).0, stream.0));
    if let Err(code) = recorded {
        context.give_pair(pair);
        return Err(code.into());
    }
    Ok(Timed { context: place as u8, pair: pair as u16, stream, failed: false })
}

/// Record where a copy that is being timed ends on its stream. Whether that could be done; why not is
/// counted.
pub(crate) fn record_end(timed: Timed) -> bool {
    let recorded = try_record_end(timed);
    recorded.map_err(Untimed::count).is_ok()
}

fn try_record_end(timed: Timed) -> Result<(), Untimed> {
    let driver = callable()?;
    refuse_captured(driver, timed.stream)?;
    let context = &CONTEXT[usize::from(timed.context)];
    if !context.is_ready() {
        return Err(Untimed::DriverFailed);
    }
    let end = context.pair(timed.pair.into()).1;
    Ok(in_context(driver, context.handle(), || driver.record(end, timed.stream.0))?)
}

/// The events of a copy are needed no more.
pub(crate) fn give_back(timed: Option<Timed>) {
    if let Some(timed) = timed {
        CONTEXT[usize::from(timed.context)].give_pair(timed.pair.into());
    }
}

fn callable() -> Result<&'static Driver, Untimed> {
    if !may_call() {
        return Err(Untimed::DriverFailed);
    }
    match driver() {
        Some(found) => found.ok_or(Untimed::NoDriver),
        None => {
            want();
            Err(Untimed::WarmingUp)
        }
    }
}

/// An event that is recorded while a graph is being captured becomes a part of it.
fn refuse_captured(driver: &Driver, stream: Stream) -> Result<(), Untimed> {
    match driver.is_capturing(stream.0) {
        Ok(false) => Ok(()),
        Ok(true) | Err(CAPTURE_IMPLICIT) => Err(Untimed::Capturing),
        Err(code) => Err(code.into()),
    }
}

/// Run something with a context current, and leave the thread's contexts as they were.
pub(super) fn in_context<T>(
    driver: &Driver,
    context: CUcontext,
    run: impl FnOnce() -> Result<T, Code>,
) -> Result<T, Code> {
    let before = driver.current()?;
    if before == context {
        return run();
    }
    driver.push(context)?;
    let result = run();
    if driver.pop().is_err() {
        // The least that is owed: the host's own context is the current one again.
        IS_BROKEN.store(true, Ordering::Relaxed);
        let _ = driver.set_current(before);
    }
    result
}

impl From<Code> for Untimed {
    fn from(_: Code) -> Self {
        Self::DriverFailed
    }
}
