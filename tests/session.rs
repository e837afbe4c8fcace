//! Capture sessions through the C ABI: what threads record stands in the file.

mod support;

use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

use nashtrace::abi::{SessionOptions, Status};
use nashtrace::record::{Clock, NameSpace, Reason, Setting};
use support::*;
use zerocopy::FromZeros;

#[test]
fn a_session_writes_what_was_recorded_with_names_clock_and_ledgers() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let pool = name(NameSpace::Pool, "session-test-pool");
    assert_eq!(name(NameSpace::Pool, "session-test-pool"), pool);

    let mut first = decision(2);
    first.pool = pool;
    first.request = 77;
    // Out of worker order, and the chosen one ties with another.
    let rows = [candidate(9, 4.0), candidate(3, 7.0), candidate(5, 4.0)];
    assert_eq!(record_decision(&first, &rows), Status::Ok);
    assert_eq!(record_request(77), Status::Ok);
    let mut setting = Setting::new_zeroed();
    setting.head.struct_size = size_of::<Setting>() as u32;
    setting.new_value = 0.5;
    // SAFETY: the struct is whole.
    assert_eq!(unsafe { (api().setting)(&raw const setting) }, Status::Ok);
    let counters = stop();

    let contents = contents(directory.path());
    assert!(contents.complete);
    let (decision, candidates) = &contents.decisions[0];
    assert_eq!(candidates.iter().map(|c| c.worker).collect::<Vec<_>>(), [3, 5, 9]);
    assert_eq!((decision.chosen, decision.pool, decision.request), (1, pool, 77));
    assert_eq!((decision.reason, decision.propensity), (Reason::Tie as u8, 0.5));
    assert_eq!((decision.head.clock, decision.head.time), (Clock::Caller as u8, 1_000));
    let (_, request) = contents.requests[0];
    assert_eq!((request.request, request.head.clock), (77, Clock::Ticks as u8));
    assert!(contents.started_ticks <= request.head.time);
    assert!(request.head.time <= contents.anchors.last().unwrap().head.time);
    assert!(contents.anchors.len() >= 2, "an anchor at the start and one at the end");
    assert_eq!(contents.settings[0].new_value, 0.5);
    assert!(contents.names.contains(&(NameSpace::Pool as u8, pool, "session-test-pool".into())));
    for ledger in contents.ledgers.values() {
        assert!(ledger.is_conserved(), "{ledger:?}");
    }
    assert_eq!(counters.produced, counters.written);
}

#[test]
fn a_flush_makes_records_readable_while_the_session_runs() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&SessionOptions { flush_ms: 60_000, ..options(directory.path()) });
    assert_eq!(record_request(1), Status::Ok);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    let contents = contents(directory.path());
    assert_eq!(contents.requests.len(), 1);
    assert!(!contents.complete);
    stop();
}

#[test]
fn two_sessions_at_once_are_refused_and_so_is_a_directory_that_cannot_be_made() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    // SAFETY: the options are whole.
    let second = unsafe { (api().session_start)(&options(directory.path())) };
    assert_eq!(second, Status::AlreadyRunning);
    stop();
    let options = options(Path::new("/proc/nashtrace-cannot-be-made"));
    // SAFETY: the options are whole.
    assert_eq!(unsafe { (api().session_start)(&raw const options) }, Status::Io);
    assert_eq!(record_request(1), Status::Lost);
}

#[test]
fn names_that_fill_more_than_a_packet_are_all_written() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let texts: Vec<String> = (0..3_000).map(|n| format!("{n:0>256}")).collect();
    let ids: Vec<u32> = texts.iter().map(|text| name(NameSpace::Parameter, text)).collect();
    stop();
    let contents = contents(directory.path());
    let space = NameSpace::Parameter as u8;
    for (text, id) in texts.into_iter().zip(ids) {
        assert!(contents.names.contains(&(space, id, text)));
    }
}

#[test]
fn a_host_that_asks_for_counters_all_the_time_does_not_keep_records_in_their_rings() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&SessionOptions { flush_ms: 1, poll_ms: 20, ..options(directory.path()) });
    let written_before = counters().written;
    assert_eq!(record_request(1), Status::Ok);
    let began = Instant::now();
    while counters().written == written_before {
        assert!(began.elapsed() < Duration::from_secs(20), "the ring was never emptied");
    }
    stop();
}

#[test]
fn a_forked_child_is_told_that_the_session_is_not_its_own() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    assert_eq!(record_request(1), Status::Ok);
    let mut counted = no_counters();
    // SAFETY: the child calls only functions that take no lock in a forked child, and `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let mut id = 0;
        // SAFETY: all pointers are whole.
        let statuses = unsafe {
            [
                (api().session_start)(ptr::null()),
                (api().session_flush)(0),
                (api().session_stop)(0),
                (api().session_counters)(&raw mut counted, 0),
                (api().name)(NameSpace::Pool as u8, c"x".as_ptr(), 1, &raw mut id),
            ]
        };
        let is_told = statuses.iter().all(|status| *status == Status::Forked);
        let is_quiet = record_request(2) == Status::NotRunning;
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(if is_told && is_quiet { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: the status is writable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child was told something else");
    assert_eq!(record_request(3), Status::Ok);
    stop();
    let keys: Vec<u64> =
        contents(directory.path()).requests.iter().map(|(_, request)| request.request).collect();
    assert_eq!(keys, [1, 3]);
}
