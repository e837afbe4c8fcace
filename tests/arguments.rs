//! What the C ABI makes of its arguments.

mod support;

use std::ptr;

use nashtrace::abi::{ABI_VERSION, Api, Counters, SessionOptions, Status, nashtrace_get_api};
use nashtrace::record::{Candidate, Decision, Head, NameSpace, request_key};
use support::*;

#[test]
fn bad_arguments_are_answered_with_a_status_and_have_no_effect() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let api = api();
    let good = decision(0);
    let rows = [candidate(1, 1.0)];
    let one = 96;
    let call = |decision: *const Decision, rows: *const Candidate, count, stride| {
        // SAFETY: pointers are whole, NULL or misaligned; the last two are never dereferenced.
        unsafe { (api.decision)(decision, rows, count, stride) }
    };
    let misaligned = |pointer: *const u8| pointer.wrapping_add(4);
    assert_eq!(call(ptr::null(), rows.as_ptr(), 1, one), Status::NullPointer);
    assert_eq!(call(&raw const good, ptr::null(), 1, one), Status::NullPointer);
    assert_eq!(
        call(misaligned((&raw const good).cast()).cast(), rows.as_ptr(), 1, one),
        Status::Misaligned
    );
    assert_eq!(
        call(&raw const good, misaligned(rows.as_ptr().cast()).cast(), 1, one),
        Status::Misaligned
    );
    assert_eq!(call(&raw const good, rows.as_ptr(), 1, 100), Status::Misaligned);
    assert_eq!(call(&raw const good, rows.as_ptr(), 1, 88), Status::StructTooSmall);
    assert_eq!(call(&raw const good, rows.as_ptr(), 0, one), Status::InvalidArgument);
    let mut bad = decision(1);
    assert_eq!(call(&raw const bad, rows.as_ptr(), 1, one), Status::InvalidArgument);
    bad.chosen = 0;
    bad.head.clock = 9;
    assert_eq!(call(&raw const bad, rows.as_ptr(), 1, one), Status::InvalidArgument);
    bad.head.struct_size = size_of::<Head>() as u32;
    assert_eq!(call(&raw const bad, rows.as_ptr(), 1, one), Status::StructTooSmall);

    // SAFETY: as above.
    unsafe {
        assert_eq!((api.request)(ptr::null()), Status::NullPointer);
        assert_eq!((api.setting)(ptr::null()), Status::NullPointer);
        assert_eq!((api.session_counters)(ptr::null_mut(), 0), Status::NullPointer);
        let mut id = 5;
        let space = NameSpace::Pool as u8;
        assert_eq!((api.name)(space, ptr::null(), 3, &raw mut id), Status::NullPointer);
        assert_eq!((api.name)(space, c"x".as_ptr(), 1, ptr::null_mut()), Status::NullPointer);
        assert_eq!((api.name)(99, c"x".as_ptr(), 1, &raw mut id), Status::InvalidArgument);
        assert_eq!((api.name)(space, c"\xff\xfe".as_ptr(), 2, &raw mut id), Status::NotUtf8);
        assert_eq!((api.name)(space, c"".as_ptr(), 0, &raw mut id), Status::NameRefused);
        assert_eq!(id, 5, "an out-parameter is written on success only");
        assert_eq!((api.request_key)(ptr::null(), 3), 0);
    }
    let counters = stop();
    assert_eq!(counters.lost, [0; 8]);
    assert!(contents(directory.path()).decisions.is_empty());
}

#[test]
fn a_caller_with_larger_structs_is_understood() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    #[repr(C)]
    struct Later {
        decision: Decision,
        added: u64,
    }
    #[repr(C)]
    struct LaterRow {
        candidate: Candidate,
        added: [u64; 2],
    }
    let mut later = Later { decision: decision(1), added: 1 };
    later.decision.head.struct_size = size_of::<Later>() as u32;
    let rows = [1, 2, 3]
        .map(|worker| LaterRow { candidate: candidate(worker, worker as f64), added: [9; 2] });
    let stride = size_of::<LaterRow>() as u32;
    // SAFETY: both are whole and as large as they say.
    let status =
        unsafe { (api().decision)((&raw const later).cast(), rows.as_ptr().cast(), 3, stride) };
    assert_eq!(status, Status::Ok);
    stop();
    let contents = contents(directory.path());
    let (decision, candidates) = &contents.decisions[0];
    assert_eq!(decision.head.struct_size as usize, size_of::<Decision>());
    assert_eq!(candidates.iter().map(|c| c.cost).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
}

#[test]
fn the_table_says_what_it_is() {
    let api = api();
    assert_eq!(api.struct_size as usize, size_of::<Api>());
    assert_eq!(api.abi_version, ABI_VERSION);
    assert!(nashtrace_get_api(ABI_VERSION + 1).is_null());
    assert!(nashtrace_get_api(0).is_null());
    let id = b"a2f1c9de-0000-4000-8000-000000000001";
    // SAFETY: the text is valid for its length.
    assert_eq!(unsafe { (api.request_key)(id.as_ptr().cast(), id.len()) }, request_key(id));
    assert!((api.ticks)() <= (api.ticks)());
}

#[test]
fn options_that_cannot_be_used_are_refused_and_nothing_is_started() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let good = options(directory.path());
    let refused = |options: &SessionOptions| {
        // SAFETY: the options are whole; their directory outlives the call.
        unsafe { (api().session_start)(options) }
    };
    for bad in [
        SessionOptions { ring_bytes: 5_000, ..good },
        SessionOptions { ring_bytes: 1 << 31, ..good },
        SessionOptions { max_producers: 65_537, ..good },
        SessionOptions { flush_ms: 60_001, ..good },
        SessionOptions { poll_ms: 1_001, ..good },
    ] {
        assert_eq!(refused(&bad), Status::InvalidArgument, "{bad:?}");
    }
    assert_eq!(refused(&SessionOptions { struct_size: 32, ..good }), Status::StructTooSmall);
    assert_eq!(refused(&SessionOptions { directory_length: 0, ..good }), Status::Io);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::NotRunning);
}

#[test]
fn counters_of_a_newer_caller_are_filled_as_far_as_they_are_known() {
    #[repr(C)]
    struct Newer {
        counters: Counters,
        added: u64,
    }
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    assert_eq!(record_request(1), Status::Ok);
    let mut newer = Newer { counters: counters(), added: 7 };
    newer.counters.struct_size = size_of::<Newer>() as u32;
    // SAFETY: the struct is writable.
    let status =
        unsafe { (api().session_counters)((&raw mut newer).cast::<Counters>(), TIMEOUT_MS) };
    assert_eq!(status, Status::Ok);
    assert_eq!(newer.counters.struct_size as usize, size_of::<Counters>());
    assert_eq!(newer.added, 7);
    assert!(newer.counters.produced > 0);
    stop();
}
