//! A directory on a file system that hangs. The C library's `mkdir` is taken the place of.

mod support;

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libc::{c_char, c_int, mode_t};
use nashtrace::abi::Status;
use support::files::{files_in, wait_until};
use support::{api, options, record_request, start, stop};

static HANGS: AtomicBool = AtomicBool::new(false);
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// # Safety
///
/// The path is a C string.
#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: by the caller's promise.
    let hangs = unsafe { CStr::from_ptr(path) }.to_bytes().ends_with(b"hanging");
    while hangs && HANGS.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
    // SAFETY: what the caller asked for.
    let status = unsafe { libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode) as c_int };
    IS_OVER.store(hangs, Ordering::Relaxed);
    status
}

#[test]
fn a_session_that_cannot_begin_in_time_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hanging = folder.path().join("hanging");
    HANGS.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let options_of_hanging = options(&hanging);
    // SAFETY: the options are whole; their directory outlives the call.
    assert_eq!(unsafe { (api().session_start)(&raw const options_of_hanging) }, Status::Timeout);
    assert!((4..15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(record_request(1), Status::NotRunning);
    // Another one can begin while the first still hangs, and is not disturbed when that comes back.
    let good = folder.path().join("good");
    start(&options(&good));
    HANGS.store(false, Ordering::Relaxed);
    wait_until(|| IS_OVER.load(Ordering::Relaxed));
    wait_until(|| hanging.exists() && files_in(&hanging) == 0);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(files_in(&hanging), 0);
    assert_eq!(record_request(1), Status::Ok);
    assert_eq!(stop().lost, [0; 8]);
}
