//! Callers that break every promise that can be checked, before, during and after a session: they are
//! answered with a status, nothing is written through their pointers, and nothing reaches the file.

mod support;

use std::ptr;

use nashtrace::abi::{
    ABI_VERSION, Counters, SessionOptions, Status, StreamKind, nashtrace_get_api,
};
use nashtrace::record::{
    Block, BlockPool, Candidate, Decision, NameSpace, Outcome, Record, Setting, Transfer,
};
use support::*;
use zerocopy::FromZeros;

const STRIDE: u32 = size_of::<Candidate>() as u32;
const POOL: u8 = NameSpace::Pool as u8;

/// `pointer` moved by a number of bytes.
fn moved<T>(pointer: *const T, bytes: usize) -> *const T {
    pointer.wrapping_byte_add(bytes)
}

fn setting() -> Setting {
    let mut setting = Setting::new_zeroed();
    setting.head.struct_size = size_of::<Setting>() as u32;
    setting
}

/// Calls that are wrong at any time. Their answers do not depend on whether a session runs.
fn break_every_promise() {
    let api = api();
    let (decision, request, setting) = (decision(0), request(1), setting());
    let rows = [candidate(1, 1.0), candidate(2, 1.0)];
    let mut counters = no_counters();
    let before = counters;
    let mut ids = [77_u32; 4];
    let long_text = [b'x'; 300];
    // SAFETY: pointers are whole, NULL, misaligned, or come with a size that is refused before they are
    // followed.
    unsafe {
        assert_eq!((api.decision)(ptr::null(), ptr::null(), 0, 0), Status::NullPointer);
        assert_eq!((api.decision)(ptr::null(), rows.as_ptr(), 1, STRIDE), Status::NullPointer);
        assert_eq!((api.decision)(&decision, ptr::null(), 1, STRIDE), Status::NullPointer);
        assert_eq!((api.request)(ptr::null()), Status::NullPointer);
        assert_eq!((api.setting)(ptr::null()), Status::NullPointer);
        assert_eq!((api.session_counters)(ptr::null_mut(), u32::MAX), Status::NullPointer);
        assert_eq!((api.name)(POOL, ptr::null(), 0, &raw mut ids[0]), Status::NullPointer);
        assert_eq!((api.name)(POOL, ptr::null(), usize::MAX, &raw mut ids[0]), Status::NullPointer);
        assert_eq!((api.name)(POOL, c"x".as_ptr(), 1, ptr::null_mut()), Status::NullPointer);
        assert_eq!((api.request_key)(ptr::null(), usize::MAX), 0);
        assert_eq!((api.request_key)(c"x".as_ptr(), usize::MAX), 0);

        for on in [2, 3, u32::MAX] {
            assert_eq!((api.session_switch)(on), Status::InvalidArgument);
        }
        let mut length = [7_usize; 2];
        let text = (api.metrics_text)(ptr::null_mut(), usize::MAX, ptr::null_mut());
        assert_eq!(text, Status::NullPointer);
        let mut buffer = [0x55_u8; 8];
        for capacity in [0, 8, usize::MAX] {
            let buffer = buffer.as_mut_ptr().cast();
            let text = (api.metrics_text)(buffer, capacity, ptr::null_mut());
            assert_eq!(text, Status::NullPointer);
            for by in 1..8 {
                let length = moved(&raw const length[0], by).cast_mut();
                assert_eq!((api.metrics_text)(buffer, capacity, length), Status::Misaligned);
            }
        }
        // Too small if there is a text, too early if there is none.
        let text = (api.metrics_text)(buffer.as_mut_ptr().cast(), 8, &raw mut length[1]);
        assert!(matches!(text, Status::BufferTooSmall | Status::NotRunning), "{text:?}");
        assert_eq!((buffer, length[0]), ([0x55; 8], 7));

        for by in 1..8 {
            assert_eq!((api.request)(moved(&request, by)), Status::Misaligned);
            assert_eq!((api.setting)(moved(&setting, by)), Status::Misaligned);
            let status = (api.decision)(moved(&decision, by), rows.as_ptr(), 1, STRIDE);
            assert_eq!(status, Status::Misaligned);
            let status = (api.decision)(&decision, moved(rows.as_ptr(), by), 1, STRIDE);
            assert_eq!(status, Status::Misaligned);
            assert_eq!(
                (api.decision)(&decision, rows.as_ptr(), 1, STRIDE + by as u32),
                Status::Misaligned
            );
            let status = (api.session_counters)(moved(&raw const counters, by).cast_mut(), 0);
            assert_eq!(status, Status::Misaligned);
            let options = options(std::path::Path::new("/nowhere"));
            assert_eq!((api.session_start)(moved(&options, by)), Status::Misaligned);
        }
        for by in 1..4 {
            let id = moved(&raw const ids[1], by).cast_mut();
            assert_eq!((api.name)(POOL, c"never-interned".as_ptr(), 14, id), Status::Misaligned);
        }

        for struct_size in [0, 1, 8, 23, 24] {
            let mut small = (decision, request, setting, no_counters());
            small.0.head.struct_size = struct_size;
            small.1.head.struct_size = struct_size;
            small.2.head.struct_size = struct_size;
            small.3.struct_size = struct_size;
            let status = (api.decision)(&small.0, rows.as_ptr(), 1, STRIDE);
            assert_eq!(status, Status::StructTooSmall);
            assert_eq!((api.request)(&small.1), Status::StructTooSmall);
            assert_eq!((api.setting)(&small.2), Status::StructTooSmall);
            assert_eq!((api.session_counters)(&raw mut small.3, 0), Status::StructTooSmall);
            let options =
                SessionOptions { struct_size, ..options(std::path::Path::new("/nowhere")) };
            assert_eq!((api.session_start)(&options), Status::StructTooSmall);
        }
        for stride in [0, 1, 8, 88, 95] {
            let status = (api.decision)(&decision, rows.as_ptr(), 2, stride);
            assert_eq!(status, Status::StructTooSmall);
        }
        assert_eq!((api.decision)(&decision, rows.as_ptr(), 0, STRIDE), Status::InvalidArgument);
        for chosen in [2, 3, u32::MAX] {
            let bad = Decision { chosen, ..decision };
            assert_eq!((api.decision)(&bad, rows.as_ptr(), 2, STRIDE), Status::InvalidArgument);
        }
        for clock in [2, 3, 200, 255] {
            let mut bad = (decision, request, setting);
            (bad.0.head.clock, bad.1.head.clock, bad.2.head.clock) = (clock, clock, clock);
            assert_eq!((api.decision)(&bad.0, rows.as_ptr(), 1, STRIDE), Status::InvalidArgument);
            assert_eq!((api.request)(&bad.1), Status::InvalidArgument);
            assert_eq!((api.setting)(&bad.2), Status::InvalidArgument);
        }

        for space in [0, 7, 99, 255] {
            let status = (api.name)(space, c"x".as_ptr(), 1, &raw mut ids[0]);
            assert_eq!(status, Status::InvalidArgument);
        }
        for text in [&b"\xff"[..], b"\xc3", b"ok\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"] {
            let status = (api.name)(POOL, text.as_ptr().cast(), text.len(), &raw mut ids[0]);
            assert_eq!(status, Status::NotUtf8);
        }
        assert_eq!((api.name)(POOL, c"".as_ptr(), 0, &raw mut ids[0]), Status::NameRefused);
        // Lengths that no text has: they are refused before the text is looked at.
        for length in [257, 300, 1 << 20, 1 << 40, isize::MAX as usize, usize::MAX] {
            let status = (api.name)(POOL, long_text.as_ptr().cast(), length, &raw mut ids[0]);
            assert_eq!(status, Status::NameRefused);
            let bad = SessionOptions {
                directory_length: length.max(5_000),
                ..options(std::path::Path::new("/nowhere"))
            };
            assert_eq!((api.session_start)(&bad), Status::InvalidArgument);
        }
    }
    break_promises_with(api.block);
    break_promises_with(block_by_lane);
    break_promises_with(api.transfer);
    break_promises_with(api.planner_tick);
    break_promises_with(api.planner_decision);
    break_promises_with(api.planner_effect);
    break_promises_of_pools_and_copies();
    counters.struct_size = before.struct_size;
    assert_eq!(counters, before, "an out-parameter is written on success only");
    assert_eq!(ids, [77; 4], "an out-parameter is written on success only");
    assert!(nashtrace_get_api(ABI_VERSION - 1).is_null());
    assert!(nashtrace_get_api(u32::MAX).is_null());
}

/// # Safety
///
/// As for the `block` of the table.
unsafe extern "C" fn block_by_lane(block: *const Block) -> Status {
    let mut lane = ptr::null();
    // SAFETY: by the caller's promise; the pointer is writable.
    let status = unsafe { (api().block_lane)(block, &raw mut lane) };
    assert!(lane.is_null(), "an out-parameter is written on success only");
    let by = moved(&raw const lane, 4).cast_mut();
    // SAFETY: as above, but for a pointer that is refused before anything is done.
    let statuses =
        unsafe { [(api().block_lane)(block, ptr::null_mut()), (api().block_lane)(block, by)] };
    assert_eq!(statuses, [Status::NullPointer, Status::Misaligned]);
    status
}

/// Calls with a record that are wrong at any time.
fn break_promises_with<T: Record>(function: unsafe extern "C" fn(*const T) -> Status) {
    let whole: T = empty();
    // SAFETY: the pointer is NULL or misaligned, or the record is whole but for what it says of its size.
    let call = |record: *const T| unsafe { function(record) };
    assert_eq!(call(ptr::null()), Status::NullPointer);
    for by in 1..8 {
        assert_eq!(call(moved(&raw const whole, by)), Status::Misaligned);
    }
    for struct_size in [0, 1, 8, 23, 24, T::V1_SIZE as u32 - 1] {
        let mut small = whole;
        small.head_mut().struct_size = struct_size;
        assert_eq!(call(&raw const small), Status::StructTooSmall);
    }
    for clock in [2, 3, 200, 255] {
        let mut bad = whole;
        bad.head_mut().clock = clock;
        assert_eq!(call(&raw const bad), Status::InvalidArgument);
    }
}

/// Wrong calls that declare pools and follow copies.
fn break_promises_of_pools_and_copies() {
    const NO_STREAM: u32 = StreamKind::None as u32;
    let api = api();
    let (pool, transfer): (BlockPool, Transfer) = (empty(), empty());
    let mut id = [77_u32; 4];
    let mut token = [77_u64; 4];
    let none = ptr::null_mut();
    // SAFETY: as for the others; what looks like a stream is refused before it is used.
    unsafe {
        let id = &raw mut id[1];
        assert_eq!((api.block_pool)(ptr::null(), id), Status::NullPointer);
        assert_eq!((api.block_pool)(&pool, ptr::null_mut()), Status::NullPointer);
        for by in 1..8 {
            assert_eq!((api.block_pool)(moved(&raw const pool, by), id), Status::Misaligned);
        }
        for by in 1..4 {
            assert_eq!((api.block_pool)(&pool, moved(id, by).cast_mut()), Status::Misaligned);
        }
        let mut bad = pool;
        bad.head.struct_size = BlockPool::V1_SIZE as u32 - 1;
        assert_eq!((api.block_pool)(&bad, id), Status::StructTooSmall);
        for unknown in [1 << 20, u32::MAX] {
            let bad = BlockPool { id: unknown, ..pool };
            assert_eq!((api.block_pool)(&bad, id), Status::InvalidArgument);
        }

        let token = &raw mut token[1];
        let begin =
            |transfer, stream, kind, token| (api.transfer_begin)(transfer, stream, kind, token);
        assert_eq!(begin(ptr::null(), none, NO_STREAM, token), Status::NullPointer);
        assert_eq!(
            begin(&raw const transfer, none, NO_STREAM, ptr::null_mut()),
            Status::NullPointer
        );
        for by in 1..8 {
            let bad = moved(&raw const transfer, by);
            assert_eq!(begin(bad, none, NO_STREAM, token), Status::Misaligned);
            let bad = moved(token, by).cast_mut();
            assert_eq!(begin(&raw const transfer, none, NO_STREAM, bad), Status::Misaligned);
        }
        for kind in [2, 3, u32::MAX] {
            assert_eq!(begin(&raw const transfer, none, kind, token), Status::InvalidArgument);
        }
        let stream = ptr::without_provenance_mut(8);
        assert_eq!(begin(&raw const transfer, stream, NO_STREAM, token), Status::InvalidArgument);
        for clock in [1, 2, 255] {
            let mut bad = transfer;
            bad.head.clock = clock;
            assert_eq!(begin(&raw const bad, none, NO_STREAM, token), Status::InvalidArgument);
        }
    }
    assert_eq!((id, token), ([77; 4], [77; 4]), "an out-parameter is written on success only");
    for token in [1, 77, 1 << 32, u64::MAX] {
        let refused = [Status::InvalidArgument, Status::NotRunning];
        assert!(refused.contains(&(api.transfer_enqueued)(token)));
        assert!(refused.contains(&(api.transfer_done)(token, Outcome::Done as u32)));
        for outcome in [99, u32::MAX] {
            assert_eq!((api.transfer_done)(token, outcome), Status::InvalidArgument);
        }
    }
    assert_eq!((api.transfer_enqueued)(0), Status::Ok);
}

/// Numbers of candidates that no router has. The rows are never looked at.
fn absurd_counts() -> [Status; 4] {
    let decision = decision(0);
    let rows = [candidate(1, 1.0)];
    [(u32::MAX, STRIDE), (u32::MAX, u32::MAX - 7), (1, u32::MAX - 7), (1 << 26, 1 << 7)].map(
        // SAFETY: the rows are larger than any event and never read.
        |(count, stride)| unsafe { (api().decision)(&decision, rows.as_ptr(), count, stride) },
    )
}

fn told(counters: &mut Counters) -> Status {
    // SAFETY: the struct is writable.
    unsafe { (api().session_counters)(counters, TIMEOUT_MS) }
}

/// Pools that nobody has: the collector adds them up for its metrics, and lives.
fn declare_pools_of_absurd_sizes() {
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    for (capacity_blocks, bytes_per_block) in
        [(u64::MAX - 1, 1), (i64::MAX as u64, 1), (7, 1 << 60)]
    {
        declare(&BlockPool { capacity_blocks, bytes_per_block, tier: 1, ..empty() });
    }
    assert_eq!(record_the_others(), [Status::Ok; 6]);
    flush();
    assert_eq!(stop().panics, 0);
}

/// One test, because it begins in a process that has never had a session.
#[test]
fn whatever_a_caller_does_wrong_he_is_told_and_nothing_happens() {
    let mut counted = no_counters();
    break_every_promise();
    assert_eq!(absurd_counts(), [Status::NotRunning; 4]);
    assert_eq!(record_request(1), Status::NotRunning);
    assert_eq!(record_the_others(), [Status::NotRunning; 6]);
    assert_eq!(record_decision(&decision(0), &[candidate(1, 1.0)]), Status::NotRunning);
    assert_eq!((api().session_flush)(u32::MAX), Status::NotRunning);
    assert_eq!((api().session_stop)(u32::MAX), Status::NotRunning);
    assert_eq!((api().session_dump)(u32::MAX), Status::NotRunning);
    assert_eq!((api().session_switch)(0), Status::NotRunning);
    assert_eq!(told(&mut counted), Status::NotRunning);
    assert_eq!(counted, no_counters());

    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let clean = counters();
    break_every_promise();
    let after = counters();
    assert_eq!((after.produced, after.lost), (clean.produced, clean.lost));
    // These were events, and are lost as such: a record and its rows each.
    assert_eq!(absurd_counts(), [Status::Lost; 4]);
    let lost: u64 = counters().lost.iter().sum();
    assert_eq!(lost, 4 + 2 * u64::from(u32::MAX) + 1 + (1 << 26));
    // A struct that claims to be huge is one of a later version: only our part is read.
    let mut huge = request(42);
    huge.head.struct_size = u32::MAX;
    // SAFETY: as much as is read is there.
    assert_eq!(unsafe { (api().request)(&raw const huge) }, Status::Ok);
    // No time to wait at all: an answer, and nothing else.
    assert!(matches!((api().session_flush)(0), Status::Ok | Status::Timeout));
    stop();
    let contents = contents(directory.path());
    assert_eq!((contents.requests.len(), contents.requests[0].1.request), (1, 42));
    assert!(contents.decisions.is_empty() && contents.settings.is_empty());
    assert_eq!(contents.others, 0);
    assert!(contents.names.is_empty(), "a refused name was interned: {:?}", contents.names);

    break_every_promise();
    assert_eq!(absurd_counts(), [Status::Lost; 4]);
    assert_eq!(record_the_others(), [Status::Lost; 6]);
    assert_eq!((api().session_flush)(0), Status::NotRunning);
    assert_eq!((api().session_stop)(0), Status::NotRunning);
    // A stop that does not wait stops nevertheless.
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    assert!(matches!((api().session_stop)(0), Status::Ok | Status::Timeout));
    assert_eq!(record_request(1), Status::Lost);
    assert_eq!((api().session_stop)(0), Status::NotRunning);
    declare_pools_of_absurd_sizes();
}
