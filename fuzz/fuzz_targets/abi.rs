//! Any bytes as calls of every function that records or declares: structs, sizes, strides and counts. The caller keeps the one
//! promise that cannot be checked, that as much memory is there as he says; every buffer is exactly as
//! large as the library may read, so that the address sanitizer sees a byte too many.

#![no_main]

mod input;

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use input::{Input, exact_buffer};
use libfuzzer_sys::fuzz_target;
use nashtrace::abi::{
    ABI_VERSION, Api, Counters, LaneEntry, SessionOptions, Status, StreamKind, nashtrace_get_api,
};
use nashtrace::record::{Block, BlockPool, Candidate, Decision, Kind, Outcome, Transfer};
use nashtrace::trace::{Item, Reader};

const TIMEOUT_MS: u32 = 20_000;
/// Larger events are refused before their rows are looked at.
const MAX_EVENT_BYTES: u64 = 4 << 20;
/// Inputs that one session takes; then its file is checked against the answers that were given.
const INPUTS_PER_SESSION: u32 = 200;

/// A session, and what it said became of the events.
struct Session {
    directory: tempfile::TempDir,
    inputs: u32,
    recorded: u64,
    lost: u64,
}

fn api() -> &'static Api {
    // SAFETY: the table is static.
    unsafe { nashtrace_get_api(ABI_VERSION).as_ref() }.expect("the version is spoken")
}

impl Session {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let text = directory.path().to_str().expect("a path of ours");
        let options = SessionOptions {
            struct_size: size_of::<SessionOptions>() as u32,
            max_producers: 0,
            directory: text.as_ptr().cast(),
            directory_length: text.len(),
            ring_bytes: 1 << 16,
            flush_ms: 0,
            poll_ms: 1,
        };
        // SAFETY: the options are whole.
        assert_eq!(unsafe { (api().session_start)(&raw const options) }, Status::Ok);
        Self { directory, inputs: 0, recorded: 0, lost: 0 }
    }

    /// Stop, and compare the file and the counters with the answers.
    fn check(self) {
        assert_eq!((api().session_stop)(TIMEOUT_MS), Status::Ok);
        let struct_size = size_of::<Counters>() as u32;
        let mut told =
            Counters { struct_size, reserved: 0, produced: 0, written: 0, lost: [0; 8], panics: 0 };
        // SAFETY: the struct is writable.
        assert_eq!(unsafe { (api().session_counters)(&raw mut told, TIMEOUT_MS) }, Status::Ok);
        let lost: u64 = told.lost.iter().sum();
        assert_eq!((lost, told.produced), (self.lost, told.written + lost));
        let entry = std::fs::read_dir(self.directory.path()).expect("a directory").next();
        let path = entry.expect("a trace").expect("an entry").path();
        let mut reader = Reader::open(&path).expect("a trace");
        let mut found = 0;
        while let Some(item) = reader.next_item().expect("a file that can be read") {
            let Item::Packet(packet) = item else { panic!("the collector wrote damage") };
            for record in packet.records() {
                match Kind::from_u8(record.head.kind) {
                    Some(Kind::Decision) => found += 1 + u64::from(record.head.rows),
                    None | Some(Kind::Anchor | Kind::Loss | Kind::Name | Kind::BlockPool) => {}
                    Some(_) => found += 1,
                }
            }
        }
        assert_eq!(found, self.recorded);
    }

    fn note(&mut self, status: Status, units: u64) {
        match status {
            Status::Ok => self.recorded += units,
            Status::Lost => self.lost += units,
            Status::Misaligned
            | Status::StructTooSmall
            | Status::InvalidArgument
            | Status::NullPointer => {}
            other => panic!("{other:?} is no answer to an event"),
        }
    }

    /// Record what has no rows.
    fn record<T>(
        &mut self,
        function: unsafe extern "C" fn(*const T) -> Status,
        input: &mut Input<'_>,
    ) {
        let record = input.record(size_of::<T>());
        // SAFETY: the buffer is as large as the struct says or we know.
        let status = unsafe { function(record.as_ptr().cast()) };
        self.note(status, 1);
    }

    /// Declare a pool or a name. A process may do so only so often, so being refused is an answer.
    fn declare(&mut self, input: &mut Input<'_>) {
        let mut id = 0;
        let status = if input.byte().is_multiple_of(2) {
            let pool = input.record(size_of::<BlockPool>());
            // SAFETY: the buffer is as large as the struct says or we know, and the id is writable.
            unsafe { (api().block_pool)(pool.as_ptr().cast(), &raw mut id) }
        } else {
            let (space, text) = (input.byte(), input.filling());
            // SAFETY: the text has that many bytes, and the id is writable.
            unsafe { (api().name)(space, text.as_ptr().cast(), text.len(), &raw mut id) }
        };
        assert_eq!(id != 0, status == Status::Ok, "{status:?} {id}");
        if !matches!(status, Status::Ok | Status::NotUtf8 | Status::NameRefused) {
            self.note(status, 0);
        }
    }

    /// Follow a copy without a stream, with tokens that are its own or anything.
    fn copy(&mut self, input: &mut Input<'_>) {
        let transfer = input.record(size_of::<Transfer>());
        let mut token = 0;
        let none = std::ptr::null_mut();
        let kind = StreamKind::None as u32;
        // SAFETY: the buffer is as large as the struct says or we know, and the token is writable.
        let begun =
            unsafe { (api().transfer_begin)(transfer.as_ptr().cast(), none, kind, &raw mut token) };
        self.note(begun, 1);
        let other = u64::from(input.number()) << (input.byte() % 33);
        for token in [other, token] {
            let enqueued = (api().transfer_enqueued)(token);
            let done = (api().transfer_done)(token, u32::from(input.byte() % 8));
            for status in [enqueued, done] {
                assert!(matches!(status, Status::Ok | Status::InvalidArgument), "{status:?}");
            }
        }
        // The collector gives up what is still under way when the session stops, and records that.
        let lost = Outcome::Lost as u32;
        (api().transfer_done)(token, lost);
    }

    /// Record a block event, and hand over another one without a call.
    fn block_by_lane(&mut self, input: &mut Input<'_>) {
        let block = input.record(size_of::<Block>());
        let mut lane = std::ptr::null();
        // SAFETY: the buffer is as large as the struct says or we know, and the pointer is writable.
        let status = unsafe { (api().block_lane)(block.as_ptr().cast(), &raw mut lane) };
        self.note(status, 1);
        // SAFETY: a lane belongs to this thread, and what is below its limit is free for an event of any bytes.
        unsafe {
            let Some(lane) = lane.as_ref() else { return };
            let (tail, limit) = (lane.tail.read(), AtomicI64::from_ptr(lane.limit.cast_mut()));
            let limit = limit.load(Ordering::Acquire);
            if limit < 0 {
                return;
            }
            if (tail as i64 + 32) * 256 > limit {
                AtomicU64::from_ptr(lane.lost).store(lane.lost.read() + 1, Ordering::Release);
                return self.note(Status::Lost, 1);
            }
            // An event, alone or behind its stamp; otherwise of any bits.
            let buffer = exact_buffer(2 * size_of::<LaneEntry>(), input.filling());
            let mut entries = buffer.as_ptr().cast::<[LaneEntry; 2]>().read();
            entries[0].what |= 31;
            entries[1].what &= !1;
            let mut end = tail;
            for entry in &entries[usize::from(input.byte() % 2)..] {
                let at = lane.entries.add((end & lane.mask) as usize);
                at.cast::<LaneEntry>().write(*entry);
                end += 16;
            }
            AtomicU64::from_ptr(lane.tail).store(end, Ordering::Release);
            self.note(Status::Ok, 1);
        }
    }

    fn call(&mut self, input: &mut Input<'_>) {
        let api = api();
        match input.byte() % 16 {
            0 | 1 => self.record(api.request, input),
            2 => self.record(api.setting, input),
            3 => self.record(api.block, input),
            4 => self.record(api.transfer, input),
            5 => self.record(api.planner_tick, input),
            6 => self.record(api.planner_decision, input),
            7 => self.record(api.planner_effect, input),
            8 => self.declare(input),
            9 => self.copy(input),
            10 => self.block_by_lane(input),
            _ => {
                let decision = input.record(size_of::<Decision>());
                let (count, stride) = (input.number(), input.stride(size_of::<Candidate>() as u32));
                let bytes = u64::from(count) * u64::from(stride);
                let is_read = bytes <= MAX_EVENT_BYTES;
                let rows = exact_buffer(if is_read { bytes as usize } else { 0 }, input.filling());
                // SAFETY: both buffers are as large as they say, or as large as is read of them.
                let status = unsafe {
                    (api.decision)(decision.as_ptr().cast(), rows.as_ptr().cast(), count, stride)
                };
                self.note(status, 1 + u64::from(count));
            }
        }
    }
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

fuzz_target!(|bytes: &[u8]| {
    SESSION.with_borrow_mut(|slot| {
        let session = slot.get_or_insert_with(Session::start);
        let mut input = Input::new(bytes);
        for _ in 0..64 {
            if input.is_empty() {
                break;
            }
            session.call(&mut input);
        }
        // The collector works on its own thread: let it do so before the next input.
        assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
        session.inputs += 1;
        if session.inputs == INPUTS_PER_SESSION {
            slot.take().expect("a session").check();
        }
    });
});
