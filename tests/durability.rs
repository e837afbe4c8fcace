//! What a flush promises: it is on the disk. The C library's `fdatasync` is taken the place of.

mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Mutex;

use libc::c_int;
use support::files::{files_in, record_decisions, start_with, wait_until};
use support::{flush, stop};

/// The files that were made durable.
static SYNCED: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// # Safety
///
/// None beyond the C library's: the descriptor is the caller's.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(descriptor: c_int) -> c_int {
    // SAFETY: the struct may have any bytes and is writable.
    let inode = unsafe {
        let mut status = std::mem::zeroed::<libc::stat>();
        assert_eq!(libc::fstat(descriptor, &raw mut status), 0);
        status.st_ino
    };
    SYNCED.lock().unwrap().insert(inode);
    // SAFETY: what the caller asked for.
    unsafe { libc::syscall(libc::SYS_fdatasync, descriptor) as c_int }
}

fn unsynced(folder: &Path) -> usize {
    let synced = SYNCED.lock().unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    files.filter(|file| !synced.contains(&file.ino())).count()
}

#[test]
fn a_flush_makes_the_files_durable_that_were_complete_before_it() {
    let folder = tempfile::tempdir().unwrap();
    start_with(folder.path(), &[("NASHTRACE_FILE_BYTES", "65536")]);
    record_decisions(20_000);
    wait_until(|| files_in(folder.path()) > 3);
    // One that somebody has taken away is not missed.
    let first = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(first).unwrap();
    assert!(unsynced(folder.path()) > 2);
    flush();
    // Another file may have been begun since.
    assert!(
        unsynced(folder.path()) <= 1,
        "{} of {}",
        unsynced(folder.path()),
        files_in(folder.path())
    );
    stop();
    assert_eq!(unsynced(folder.path()), 0);
}
