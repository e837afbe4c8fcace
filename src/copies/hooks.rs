//! What a host's threads call.

use std::sync::atomic::{AtomicU32, Ordering};

use super::slots::{Seen, Stale, Table};
use crate::clock;
use crate::cuda::{self, Stream};
use crate::record::{Head, Kind, LossReason, Outcome, Timing, Transfer, UNKNOWN_U64};
use crate::session;

/// The copies of this process.
pub(super) static TABLE: Table = Table::new();

/// Hooks under way. A stopping session waits for them.
static INSIDE: AtomicU32 = AtomicU32::new(0);

/// Counts a hook while it is under way. Ordered before its look at the session, as a stop orders the
/// session's end before its look at the count: one of them sees the other.
struct Inside;

impl Inside {
    fn enter() -> Self {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::Release);
    }
}

/// Whether a hook is under way.
pub(super) fn any_inside() -> bool {
    INSIDE.load(Ordering::SeqCst) != 0
}

/// Why a later call of a copy has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No session runs.
    NotRunning,
    /// The token belongs to no copy that is under way, or the copy is further on.
    Stale,
}

impl From<Stale> for Refused {
    fn from(_: Stale) -> Self {
        Self::Stale
    }
}

/// A copy begins, on a stream or on none. Gives its token.
///
/// # Errors
///
/// Why it is not recorded. Nothing is counted here.
pub(crate) fn begin(mut transfer: Transfer, stream: Option<Stream>) -> Result<u64, LossReason> {
    let _inside = Inside::enter();
    let session = session::recording()?;
    let time = match transfer.head.time {
        0 => clock::ticks(),
        told => told,
    };
    transfer.head = Head { time, ..Head::new(Kind::Transfer, size_of::<Transfer>()) };
    for unknown in [
        &mut transfer.enqueued,
        &mut transfer.ended,
        &mut transfer.device_began,
        &mut transfer.device_ns,
    ] {
        *unknown = UNKNOWN_U64;
    }
    transfer.timing = Timing::HostClock as u8;
    let index = TABLE.take().ok_or(LossReason::Full)?;
    let timed = stream.and_then(|stream| cuda::record_start(stream, session));
    let token = TABLE.publish(index, session, &transfer, stream.is_some(), timed);
    // A session that stopped meanwhile has taken the copy over, or it is counted as lost: either way its
    // token is good for nothing.
    is_forgotten(token, session);
    Ok(token)
}

/// All of a copy was handed to its stream or agent.
///
/// # Errors
///
/// Why this has no effect.
pub(crate) fn enqueued(token: u64) -> Result<(), Refused> {
    let _inside = Inside::enter();
    let session = session::running().ok_or(Refused::NotRunning)?;
    let slot = TABLE.start_enqueueing(token, session)?;
    if let Some(timed) = slot.timed.load()
        && !cuda::record_end(timed)
    {
        slot.timed.has_failed();
    }
    TABLE.finish_enqueueing(slot, clock::ticks());
    if is_forgotten(token, session) { Err(Refused::NotRunning) } else { Ok(()) }
}

/// The host saw that a copy has ended.
///
/// # Errors
///
/// Why this has no effect.
pub(crate) fn done(token: u64, outcome: Outcome) -> Result<(), Refused> {
    let _inside = Inside::enter();
    let session = session::running().ok_or(Refused::NotRunning)?;
    Ok(TABLE.end(token, session, clock::ticks(), outcome)?)
}

/// Whether the session has stopped meanwhile and did not wait for this hook. The copy is then taken away
/// here and counted, unless the collector has it.
fn is_forgotten(token: u64, session: u64) -> bool {
    if session::running() == Some(session) {
        return false;
    }
    if let Some((index, seen)) = TABLE.look(token) {
        abandon(index, seen);
    }
    true
}

/// Count a copy as lost whose session has stopped without it, if it is still as it was seen.
pub(super) fn abandon(index: usize, seen: Seen) {
    if TABLE.take_away(index, seen) {
        session::count_without_ring(|losses| {
            losses.lose(LossReason::AfterShutdown, Kind::Transfer, 1);
        });
        cuda::give_back(TABLE.at(index).timed.take());
        TABLE.release(index);
    }
}
