//! How threads of ours are started in a process that is not ours.

/// A new thread inherits the signal mask: the host's handlers never run on ours, and a file that
/// reaches the process's size limit gives an error instead of SIGXFSZ.
pub(crate) fn with_all_signals_blocked<R>(spawn: impl FnOnce() -> R) -> R {
    // SAFETY: both sets are written before they are read; `pthread_sigmask` changes only the calling
    // thread's mask, which is restored below.
    let before = unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let result = spawn();
    // SAFETY: `before` is the mask that this thread had.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    result
}
