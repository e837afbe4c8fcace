//! A flight recorder: in memory until somebody asks.

mod support;

use nashtrace::abi::Status;
use nashtrace::record::LossReason;
use support::files::{files, files_in, record_decisions, start_with, wait_until};
use support::{TIMEOUT_MS, api, counters, record_request, stop, turn};

#[test]
fn nothing_is_on_disk_until_it_is_asked_for() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start_with(folder.path(), &[("NASHTRACE_MODE", "flight")]);
    record_request(1);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    assert_eq!(files_in(folder.path()), 0);
    assert_eq!((api().session_dump)(TIMEOUT_MS), Status::Ok);
    assert_eq!(files(folder.path())[0].requests, [1]);
    record_request(2);
    // A file that appears asks too, and is gone when it has been obeyed.
    std::fs::write(folder.path().join("nashtrace.dump"), "").unwrap();
    wait_until(|| !folder.path().join("nashtrace.dump").exists() && files_in(folder.path()) == 2);
    record_request(3);
    let counters = stop();
    let files = files(folder.path());
    let requests: Vec<&[u64]> = files.iter().map(|file| &file.requests[..]).collect();
    assert_eq!(requests, [&[1_u64][..], &[2], &[3]], "each is told once");
    assert!(files.iter().all(|file| file.is_complete));
    assert_eq!((counters.lost, counters.produced), ([0; 8], counters.written));
}

#[test]
fn the_newest_is_remembered() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let variables = [("NASHTRACE_MODE", "flight"), ("NASHTRACE_TOTAL_BYTES", "1048576")];
    start_with(folder.path(), &variables);
    record_decisions(30_000);
    stop();
    let sizes = std::fs::read_dir(folder.path()).unwrap();
    let total: u64 = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    // The last one may have grown by what was waiting when it was full.
    assert!((524_288..1_048_576 + 262_144).contains(&total), "{total} bytes");
    let files = files(folder.path());
    assert!(files.iter().all(|file| file.is_complete && file.nameless == 0));
    let remembered: Vec<u64> = files.iter().flat_map(|file| file.decisions.clone()).collect();
    let first = remembered[0];
    assert!(first > 10_000, "{first}");
    assert!(remembered.into_iter().eq(first..30_000), "without a gap, to the end");
    let last = &files[files.len() - 1].settings;
    assert_ne!(last["files_deleted"], "0");
}

#[test]
fn a_stream_that_is_asked_to_dump_flushes() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start_with(folder.path(), &[]);
    record_request(1);
    assert_eq!((api().session_dump)(TIMEOUT_MS), Status::Ok);
    assert_eq!(files(folder.path())[0].requests, [1]);
    stop();
    assert_eq!((api().session_dump)(TIMEOUT_MS), Status::NotRunning);
}

#[test]
fn what_cannot_be_saved_is_lost_and_counted() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    start_with(&trace, &[("NASHTRACE_MODE", "flight")]);
    record_request(1);
    assert_eq!((api().session_dump)(TIMEOUT_MS), Status::Ok);
    let saved = counters().written;
    std::fs::remove_dir_all(&trace).unwrap();
    std::fs::write(&trace, "in the way").unwrap();
    (2..10).for_each(|key| assert_eq!(record_request(key), Status::Ok));
    assert_eq!((api().session_dump)(TIMEOUT_MS), Status::Io);
    assert_eq!((api().session_stop)(TIMEOUT_MS), Status::Io);
    let counters = counters();
    let lost = counters.lost[LossReason::Io as usize];
    assert!(lost >= 8, "{counters:?}");
    assert!(counters.written <= saved + 2, "{counters:?}");
    assert_eq!(counters.lost.iter().sum::<u64>(), lost);
    assert_eq!(counters.produced, counters.written + lost);
}

#[test]
fn memory_stays_bounded_when_the_directory_is_gone() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    start_with(&trace, &[("NASHTRACE_MODE", "flight"), ("NASHTRACE_TOTAL_BYTES", "1048576")]);
    std::fs::remove_dir(&trace).unwrap();
    std::fs::write(&trace, "in the way").unwrap();
    record_decisions(30_000);
    std::fs::remove_file(&trace).unwrap();
    let counters = stop();
    let sizes = std::fs::read_dir(&trace).unwrap();
    let total: u64 = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!((524_288..1_048_576 + 262_144).contains(&total), "{total} bytes were remembered");
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
    let files = files(&trace);
    assert!(files.iter().all(|file| file.is_complete));
    assert_eq!(files.last().unwrap().decisions.last(), Some(&29_999), "the newest");
}
