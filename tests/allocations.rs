//! A hook allocates on its thread's first event of a session, and never again.

mod counting;
mod support;

use nashtrace::abi::{SessionOptions, Status, StreamKind};
use nashtrace::record::{Candidate, Outcome};
use support::*;

const NO_STREAM: u32 = StreamKind::None as u32;

/// Allocator calls of this thread while it records every kind of event `rounds` times.
fn calls_while_recording(rounds: u64, rows: &[Candidate]) -> u64 {
    let before = counting::calls_of_this_thread();
    for _ in 0..rounds {
        record_decision(&decision(0), rows);
        record_request(1);
        record_the_others();
        let mut lane = std::ptr::null();
        // SAFETY: the record is whole, and the pointer is writable.
        unsafe { (api().block_lane)(&empty(), &raw mut lane) };
        let mut token = 0;
        // SAFETY: the record is whole, there is no stream, and the token is writable.
        unsafe {
            (api().transfer_begin)(&empty(), std::ptr::null_mut(), NO_STREAM, &raw mut token)
        };
        (api().transfer_enqueued)(token);
        (api().transfer_done)(token, Outcome::Done as u32);
    }
    counting::calls_of_this_thread() - before
}

#[test]
fn after_its_first_event_a_thread_never_allocates() {
    let rows: Vec<Candidate> = (0..64).map(|worker| candidate(worker, 1.0)).collect();
    let directory = tempfile::tempdir().unwrap();
    // Small enough that many events are lost as well: a loss must not allocate either.
    start(&SessionOptions { ring_bytes: 1 << 16, ..options(directory.path()) });
    let recording = |rows: Vec<Candidate>| {
        std::thread::spawn(move || {
            let first = calls_while_recording(1, &rows);
            assert!(
                first > 0,
                "the first event makes the ring: this proof does not see allocations"
            );
            calls_while_recording(20_000, &rows)
        })
    };
    let threads = [recording(rows.clone()), recording(rows.clone())];
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 0);
    }
    // Too big for the ring, refused, and lost after the stop.
    let large: Vec<Candidate> = (0..1_000).map(|worker| candidate(worker, 1.0)).collect();
    assert_eq!(record_request(1), Status::Ok);
    let before = counting::calls_of_this_thread();
    assert_eq!(record_decision(&decision(0), &large), Status::Lost);
    assert_eq!(record_decision(&decision(2_000), &large), Status::InvalidArgument);
    assert_eq!(counting::calls_of_this_thread(), before);
    let counters = stop();
    assert!(counters.written > 0 && counters.lost[0] > 0, "{counters:?}");
    let before = counting::calls_of_this_thread();
    assert_eq!(record_request(1), Status::Lost);
    assert_eq!(record_the_others(), [Status::Lost; 6]);
    assert_eq!(counting::calls_of_this_thread(), before);
}
