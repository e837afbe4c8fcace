//! A disk that is really full: a small one of memory, in a name space of the test's own. Where the system
//! grants none, the test says so; `full_disk.rs` has the same with a limit on the size of a file.

mod support;

use std::path::Path;
use std::process::Command;

use nashtrace::abi::Status;
use nashtrace::record::LossReason;
use support::files::{files, record_decisions, start_with};
use support::{TIMEOUT_MS, api, record_request, stop};

/// Where the small disk is, in the process that has one.
const DISK: &str = "TEST_SMALL_DISK";

/// What the shell says when there can be no disk.
const NO_DISK: i32 = 77;

#[test]
fn a_full_disk_costs_events_that_are_counted_and_nothing_else() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill(Path::new(&disk));
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=64k small \"${DISK}\" || exit {NO_DISK}; exec \"$0\" --nocapture"
    );
    let test = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script]).arg(test).env(DISK, folder.path());
    match command.status().map(|status| status.code()) {
        Ok(Some(0)) => {}
        // The test's own failure, or a signal.
        Ok(Some(101) | None) => panic!("on the small disk"),
        other => println!("skipped: the system grants no small disk ({other:?})"),
    }
}

fn fill(disk: &Path) {
    let filler = disk.join("filler");
    std::fs::write(&filler, vec![1; 32 << 10]).unwrap();
    let trace = disk.join("trace");
    start_with(&trace, &[]);
    record_decisions(1);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    record_decisions(2_000);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Io);
    std::fs::remove_file(filler).unwrap();
    assert_eq!(record_request(7), Status::Ok);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    let counters = stop();
    let lost = counters.lost[LossReason::Io as usize];
    assert!(lost > 0, "{counters:?}");
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
    // Its ledgers are held against what it holds.
    let files = files(&trace);
    assert!(files.len() == 1 && files[0].is_complete);
    assert_eq!(files[0].requests, [7], "it goes on when there is room");
}
