//! Whether the running session records. The host and the file `nashtrace.off` may each turn the recording
//! off; it is on when neither does.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::LOCK_TIMEOUT;
use crate::ring::SWITCHED_OFF;

/// Who turns the recording off and on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause {
    /// The host, through the C ABI.
    Host,
    /// The file in the directory of the traces.
    File,
}

struct Switch {
    session: u64,
    /// Indexed by [`Cause`].
    is_off: [bool; 2],
}

static SWITCH: Mutex<Switch> = Mutex::new(Switch { session: 0, is_off: [false; 2] });

/// A session is being started: nobody has turned it off.
pub(super) fn begin(session: u64) {
    *SWITCH.lock() = Switch { session, is_off: [false; 2] };
}

/// Let the session run; off, if its collector has found the file already.
pub(super) fn run(running: &AtomicU64, session: u64) {
    let switch = SWITCH.lock();
    running.store(switch.state(), Ordering::SeqCst);
    debug_assert_eq!(switch.session, session);
}

/// Turn a session off or on again, as far as this cause is concerned. Whether it is the last one that was
/// begun, and nobody held the switch for long.
pub(super) fn set(running: &AtomicU64, session: u64, cause: Cause, on: bool) -> bool {
    let Some(mut switch) = SWITCH.try_lock_for(LOCK_TIMEOUT) else { return false };
    if switch.session != session {
        return false;
    }
    switch.is_off[cause as usize] = !on;
    // A session that does not run yet, or any more, is not set running by this.
    let change = |now: u64| (now & !SWITCHED_OFF == session).then(|| switch.state());
    let _ = running.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
    true
}

impl Switch {
    fn state(&self) -> u64 {
        if self.is_off.contains(&true) { self.session | SWITCHED_OFF } else { self.session }
    }
}
