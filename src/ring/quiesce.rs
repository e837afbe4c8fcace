//! Making sure that no hook is missed when a session stops.
//!
//! A hook stores `busy` and then loads the session's state; a stop stores the state and then loads
//! every `busy`. Each side must see the other's store, which needs a full barrier on both. The hook's
//! barrier is paid by the stopping thread: `membarrier(2)` runs one on every thread of the process.

use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;

/// After this call, every hook that found the session running has made its `busy` visible.
pub(crate) fn order_hooks_before_stop() {
    fence(Ordering::SeqCst);
    if !(membarrier(REGISTER_PRIVATE_EXPEDITED) && membarrier(PRIVATE_EXPEDITED)) {
        // The kernel or a sandbox refuses. Store buffers drain in nanoseconds; wait far longer.
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn membarrier(command: libc::c_int) -> bool {
    const NO_FLAGS: libc::c_uint = 0;
    const ANY_CPU: libc::c_int = 0;
    // SAFETY: the system call takes three integers and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, NO_FLAGS, ANY_CPU) == 0 }
}
