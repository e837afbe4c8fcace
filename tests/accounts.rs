//! What does not stand in the file is counted as lost, to the unit, whatever happens.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nashtrace::abi::{SessionOptions, Status};
use nashtrace::record::{Candidate, Kind, Loss, LossReason};
use support::*;

#[test]
fn without_room_for_another_ring_events_are_lost_and_counted() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&SessionOptions { max_producers: 1, ..options(directory.path()) });
    assert_eq!(record_request(1), Status::Ok);
    std::thread::spawn(|| {
        assert_eq!(record_request(2), Status::Lost);
        assert_eq!(record_request(3), Status::Lost);
    })
    .join()
    .unwrap();
    let counters = stop();
    assert_eq!(counters.lost[LossReason::NoRing as usize], 2);
    let contents = contents(directory.path());
    let ledger = contents.ledgers[&(0, Kind::Request as u8)];
    assert_eq!((ledger.lost[LossReason::NoRing as usize], ledger.written), (2, 0));
    assert!(ledger.is_conserved());
}

#[test]
fn counters_know_a_thread_that_has_only_just_begun() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    // The collector looks into the rings long after the question.
    start(&SessionOptions { poll_ms: 1000, ..options(directory.path()) });
    let before = counters().produced;
    for key in 1..=3 {
        assert_eq!(record_request(key), Status::Ok);
    }
    assert_eq!(counters().produced, before + 3);
    stop();
}

#[test]
fn full_rings_and_oversized_events_are_counted_to_the_unit() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    // The collector looks rarely and the ring is tiny.
    start(&SessionOptions { ring_bytes: 4096, poll_ms: 500, ..options(directory.path()) });
    let rows: Vec<Candidate> = (0..40).map(|worker| candidate(worker, 1.0)).collect();
    let mut outcome = [0_u64; 2];
    for _ in 0..200 {
        let status = record_request(5);
        outcome[usize::from(status != Status::Ok)] += 1;
    }
    assert!(outcome[1] > 0, "the ring never filled");
    assert_eq!(record_decision(&decision(0), &rows), Status::Lost);
    // More rows than any ring could hold are refused before they are looked at.
    let absurd = decision(0);
    // SAFETY: the rows are never read.
    let status = unsafe { (api().decision)(&raw const absurd, rows.as_ptr(), u32::MAX, 96) };
    assert_eq!(status, Status::Lost);
    let counters = stop();
    let too_big = 2 + rows.len() as u64 + u64::from(u32::MAX);
    assert_eq!(counters.lost[LossReason::Full as usize], outcome[1]);
    assert_eq!(counters.lost[LossReason::TooBig as usize], too_big);
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
    let contents = contents(directory.path());
    assert_eq!(contents.requests.len() as u64, outcome[0]);
    for ledger in contents.ledgers.values() {
        assert!(ledger.is_conserved(), "{ledger:?}");
    }
    // The gap in the numbering is as long as the loss.
    let last = contents.requests.last().unwrap().1.head.sequence;
    assert!(u64::from(last) < outcome[0] + outcome[1]);
}

#[test]
fn events_after_the_stop_are_lost_and_a_new_session_starts_afresh() {
    let _turn = turn();
    let first = tempfile::tempdir().unwrap();
    start(&options(first.path()));
    assert_eq!(record_request(1), Status::Ok);
    stop();
    assert_eq!(record_request(2), Status::Lost);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::NotRunning);
    assert_eq!((api().session_stop)(TIMEOUT_MS), Status::NotRunning);
    let second = tempfile::tempdir().unwrap();
    start(&options(second.path()));
    assert_eq!(record_request(3), Status::Ok);
    let stopped = stop();
    assert_eq!(stopped.lost[LossReason::AfterShutdown as usize], 1);
    assert_eq!(contents(first.path()).requests.len(), 1);
    let second = contents(second.path());
    assert_eq!(second.requests[0].1.request, 3);
    // What was lost between the sessions is in the later one's account.
    let ledger = second.ledgers[&(0, Kind::Request as u8)];
    assert_eq!((ledger.produced, ledger.lost[LossReason::AfterShutdown as usize]), (1, 1));
    // The counters of a stopped session go on counting.
    assert_eq!(record_request(4), Status::Lost);
    assert_eq!(counters().lost[LossReason::AfterShutdown as usize], 2);
    assert_eq!(counters().produced, stopped.produced + 1);
    settle_ledger();
}

#[test]
fn threads_get_rings_of_their_own_and_hand_them_back() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&SessionOptions { max_producers: 4, ..options(directory.path()) });
    // Far more threads than rings, one after the other: each must find a ring again.
    for thread in 0..40_u64 {
        let recorded = std::thread::spawn(move || {
            (0..10).filter(|event| record_request(thread * 10 + event) == Status::Ok).count()
        });
        assert_eq!(recorded.join().unwrap(), 10);
        assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    }
    let counters = stop();
    let contents = contents(directory.path());
    let mut keys: Vec<u64> = contents.requests.iter().map(|(_, request)| request.request).collect();
    keys.sort_unstable();
    assert_eq!(keys, (0..400).collect::<Vec<_>>());
    assert_eq!(counters.lost, [0; 8]);
    let producers: std::collections::BTreeSet<u32> =
        contents.requests.iter().map(|(producer, _)| *producer).collect();
    assert_eq!(producers.len(), 40);
}

/// Threads that record while the session stops: each event that was acknowledged is in the file, every
/// other one is counted.
#[test]
fn a_stop_under_load_loses_nothing_that_it_does_not_count() {
    let _turn = turn();
    for round in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        start(&SessionOptions { ring_bytes: 1 << 18, ..options(directory.path()) });
        let before = counters();
        let stopped = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..6)
            .map(|_| {
                let stopped = Arc::clone(&stopped);
                std::thread::spawn(move || {
                    let rows = [candidate(1, 1.0), candidate(2, 2.0)];
                    let mut outcome = [0_u64; 2];
                    while !stopped.load(Ordering::Relaxed) {
                        let is_lost = record_decision(&decision(0), &rows) == Status::Lost;
                        outcome[usize::from(is_lost)] += 1;
                    }
                    outcome
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(5 + round));
        assert_eq!((api().session_stop)(TIMEOUT_MS), Status::Ok);
        stopped.store(true, Ordering::Relaxed);
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        let [recorded, lost] = outcomes.fold([0, 0], |sum, n| [sum[0] + n[0], sum[1] + n[1]]);
        let contents = contents(directory.path());
        assert_eq!(contents.decisions.len() as u64, recorded);
        assert!(contents.complete);
        assert!(contents.ledgers.values().all(Loss::is_conserved), "{:?}", contents.ledgers);
        let after = counters();
        let lost_before: u64 = before.lost.iter().sum();
        assert_eq!(after.lost.iter().sum::<u64>() - lost_before, 3 * lost);
        assert_eq!(after.produced, after.written + after.lost.iter().sum::<u64>());
    }
}

/// A hook that a signal handler holds up for longer than the stop waits for.
#[test]
fn a_stop_does_not_wait_for_a_hook_that_is_held_up() {
    static HELD: AtomicBool = AtomicBool::new(false);
    static RECORDED_BY_HANDLER: AtomicUsize = AtomicUsize::new(0);
    /// An event inside a hook is refused, which tells the handler where it interrupted the thread.
    extern "C" fn hold_hook(_: libc::c_int) {
        if record_request(1) == Status::Ok {
            RECORDED_BY_HANDLER.fetch_add(1, Ordering::SeqCst);
        } else if !HELD.swap(true, Ordering::SeqCst) {
            let time = libc::timespec { tv_sec: 0, tv_nsec: 500_000_000 };
            // SAFETY: the time is whole; `nanosleep` may be called in a signal handler.
            unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
        }
    }
    let _turn = turn();
    let handler: extern "C" fn(libc::c_int) = hold_hook;
    // SAFETY: the handler calls nothing but what a signal handler may call.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    for _ in 0..5 {
        HELD.store(false, Ordering::SeqCst);
        RECORDED_BY_HANDLER.store(0, Ordering::SeqCst);
        let directory = tempfile::tempdir().unwrap();
        start(&SessionOptions { ring_bytes: 1 << 24, ..options(directory.path()) });
        let stopped = Arc::new(AtomicBool::new(false));
        let (tell, thread_id) = std::sync::mpsc::channel();
        let recording = std::thread::spawn({
            let stopped = Arc::clone(&stopped);
            move || {
                // SAFETY: a thread may always ask for its own id.
                tell.send(unsafe { libc::pthread_self() }).unwrap();
                // So many rows that copying them is most of a hook.
                let rows: Vec<Candidate> = (0..20_000).map(|n| candidate(n, 1.0)).collect();
                let mut recorded = 0;
                while !stopped.load(Ordering::Relaxed) {
                    recorded += usize::from(record_decision(&decision(0), &rows) == Status::Ok);
                    std::thread::sleep(Duration::from_millis(1));
                }
                recorded
            }
        });
        let thread_id = thread_id.recv().unwrap();
        while !HELD.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_micros(300));
            // SAFETY: the thread runs until `stopped` is set.
            assert_eq!(unsafe { libc::pthread_kill(thread_id, libc::SIGUSR1) }, 0);
        }
        stop();
        stopped.store(true, Ordering::Relaxed);
        let recorded = recording.join().unwrap();
        let contents = contents(directory.path());
        assert_eq!(contents.decisions.len(), recorded);
        assert_eq!(contents.requests.len(), RECORDED_BY_HANDLER.load(Ordering::SeqCst));
        assert!(contents.complete);
        assert!(contents.ledgers.values().all(Loss::is_conserved), "{:?}", contents.ledgers);
    }
}

#[test]
fn thousands_of_short_lived_threads_leave_one_account_each_and_no_more() {
    const THREADS: u64 = 3_000;
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&SessionOptions { ring_bytes: 1 << 12, ..options(directory.path()) });
    let mut recorded = 0;
    for key in 0..THREADS {
        let status = std::thread::spawn(move || record_request(key)).join().unwrap();
        recorded += usize::from(status == Status::Ok);
    }
    let counters = stop();
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
    let contents = contents(directory.path());
    assert_eq!(contents.requests.len(), recorded);
    let found: u64 = contents.ledgers.values().map(|ledger| ledger.written).sum();
    assert_eq!(found, counters.written);
    assert!(contents.ledgers.values().all(Loss::is_conserved));
    // An account is told once when its thread is gone, not over and over again.
    assert!(contents.ledgers_read < 2 * recorded + 100, "{} ledgers", contents.ledgers_read);
}

#[test]
fn at_no_moment_is_more_written_and_lost_than_was_begun() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    // Its rings are full most of the time.
    start(&SessionOptions { ring_bytes: 4096, poll_ms: 1, ..options(directory.path()) });
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    record_request(1);
                }
            });
        }
        let mut excess = 0;
        for round in 0..300 {
            if round % 20 == 0 {
                assert_eq!((api().session_switch)(u32::from(round % 40 == 0)), Status::Ok);
            }
            let now = counters();
            let accounted = now.written + now.lost.iter().sum::<u64>();
            excess = excess.max(accounted.saturating_sub(now.produced));
        }
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(excess, 0, "events that were accounted for before they were begun");
    });
    let counters = stop();
    assert!(counters.lost[LossReason::Full as usize] > 0);
    assert!(counters.lost[LossReason::SwitchedOff as usize] > 0);
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
}
