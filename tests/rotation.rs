//! A session in several files, each whole in itself, and no more of them than there is room for.

mod support;

use support::files::{files, files_in, record_decisions, start_with, wait_until};
use support::{TIMEOUT_MS, api, record_request, stop, turn};

use nashtrace::abi::Status;

#[test]
fn a_full_file_is_followed_by_another_one() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start_with(folder.path(), &[("NASHTRACE_FILE_BYTES", "65536")]);
    record_decisions(20_000);
    // A thread that comes and goes belongs to some file too.
    std::thread::spawn(|| record_request(7)).join().unwrap();
    let counters = stop();
    let files = files(folder.path());
    assert!(files.len() > 5, "{} files", files.len());
    assert!(files.iter().all(|file| file.is_complete && file.nameless == 0));
    let written: u64 = files.iter().map(|file| file.decisions.len() as u64).sum();
    assert_eq!(written, 20_000);
    assert_eq!(files.iter().flat_map(|file| &file.requests).collect::<Vec<_>>(), [&7]);
    let lost: u64 = counters.lost.iter().sum();
    assert_eq!(counters.produced, counters.written + lost, "of all files together");
    assert!(counters.written > 9 * 20_000);
}

#[test]
fn the_oldest_files_make_room() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let limits = [("NASHTRACE_TOTAL_BYTES", "524288"), ("NASHTRACE_FILE_BYTES", "65536")];
    start_with(folder.path(), &limits);
    record_decisions(30_000);
    stop();
    let sizes =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len());
    let total: u64 = sizes.sum();
    // The last one may have grown by what was waiting when it was full.
    assert!(total < 524_288 + 262_144, "{total} bytes");
    let files = files(folder.path());
    let last = &files[files.len() - 1].settings;
    let deleted: usize = last["files_deleted"].parse().unwrap();
    assert!(deleted > 0);
    assert_eq!(last["file_number"].parse::<usize>().unwrap() + 1, files.len() + deleted);
}

#[test]
fn an_old_file_and_one_that_was_removed_are_followed_by_another_one() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    start_with(&trace, &[("NASHTRACE_FILE_SECONDS", "1")]);
    record_request(1);
    wait_until(|| files_in(&trace) == 2);
    std::fs::remove_dir_all(&trace).unwrap();
    wait_until(|| trace.exists() && files_in(&trace) == 1);
    record_request(2);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    stop();
    let files = files(&trace);
    assert!(files.iter().flat_map(|file| &file.requests).eq(&[2]));
}

#[test]
fn complete_files_are_not_held_open() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start_with(folder.path(), &[("NASHTRACE_FILE_BYTES", "65536")]);
    record_decisions(1);
    let before = descriptors();
    record_decisions(40_000);
    wait_until(|| files_in(folder.path()) > 10);
    let after = descriptors();
    stop();
    assert!(after <= before + 1, "{before} descriptors, and {after} after many files");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
