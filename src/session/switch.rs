//! Whether the running session records. The host and the file `nashtrace.off` may each turn the recording
//! off; it is on when neither does.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::lock;
use crate::ring::{Registry, SWITCHED_OFF};

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

/// A session is being started: nobody has turned it off. `None` if somebody holds the switch.
pub(super) fn begin(session: u64) -> Option<()> {
    *lock::take(&SWITCH)? = Switch { session, is_off: [false; 2] };
    Some(())
}

/// Let the session run; off, if its collector has found the file already. `None` if somebody holds the switch.
pub(super) fn run(running: &AtomicU64, session: u64) -> Option<()> {
    let switch = lock::take(&SWITCH)?;
    running.store(switch.state(), Ordering::SeqCst);
    debug_assert_eq!(switch.session, session);
    Some(())
}

/// Turn a session off or on again, as far as this cause is concerned. Whether it is the last one that was
/// begun, and nobody held the switch for long. `rings` are the session's.
pub(super) fn set(
    running: &AtomicU64,
    session: u64,
    cause: Cause,
    on: bool,
    rings: &Registry,
) -> bool {
    let Some(mut switch) = lock::take(&SWITCH) else { return false };
    if switch.session != session {
        return false;
    }
    switch.is_off[cause as usize] = !on;
    // A session that does not run yet, or any more, is not set running by this.
    let change = |now: u64| (now & !SWITCHED_OFF == session).then(|| switch.state());
    let _ = running.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
    rings.open_lanes(!switch.is_off.contains(&true));
    true
}

impl Switch {
    fn state(&self) -> u64 {
        if self.is_off.contains(&true) { self.session | SWITCHED_OFF } else { self.session }
    }
}
