//! An asymmetric barrier: free on the hooks' side, dear on the side of a stopping session.

use std::sync::atomic::{Ordering, compiler_fence, fence};
use std::time::Duration;

const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;

/// Keeps the compiler from moving accesses across. The processor's part is paid by the other side.
#[inline]
pub(super) fn light_barrier() {
    compiler_fence(Ordering::SeqCst);
}

/// A full barrier on this thread, and one on every thread of the process: `membarrier(2)`.
pub(super) fn heavy_barrier() {
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
