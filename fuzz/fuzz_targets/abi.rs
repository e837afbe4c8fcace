//! Any bytes as calls of the event functions: structs, sizes, strides and counts. The caller keeps the one
//! promise that cannot be checked, that as much memory is there as he says; every buffer is exactly as
//! large as the library may read, so that the address sanitizer sees a byte too many.

#![no_main]

mod input;

use std::cell::RefCell;

use input::{Input, exact_buffer};
use libfuzzer_sys::fuzz_target;
use nashtrace::abi::{ABI_VERSION, Api, Counters, SessionOptions, Status, nashtrace_get_api};
use nashtrace::record::{Candidate, Decision, Kind, Request, Setting};
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
        let mut told = Counters { struct_size, reserved: 0, produced: 0, written: 0, lost: [0; 8] };
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
                    Some(Kind::Request | Kind::Setting) => found += 1,
                    _ => {}
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

    fn call(&mut self, input: &mut Input<'_>) {
        match input.byte() % 4 {
            0 => {
                let request = input.record(size_of::<Request>());
                // SAFETY: the buffer is as large as the struct says or we know.
                let status = unsafe { (api().request)(request.as_ptr().cast()) };
                self.note(status, 1);
            }
            1 => {
                let setting = input.record(size_of::<Setting>());
                // SAFETY: as above.
                let status = unsafe { (api().setting)(setting.as_ptr().cast()) };
                self.note(status, 1);
            }
            _ => {
                let decision = input.record(size_of::<Decision>());
                let (count, stride) = (input.number(), input.stride(size_of::<Candidate>() as u32));
                let bytes = u64::from(count) * u64::from(stride);
                let is_read = bytes <= MAX_EVENT_BYTES;
                let rows = exact_buffer(if is_read { bytes as usize } else { 0 }, input.filling());
                // SAFETY: both buffers are as large as they say, or as large as is read of them.
                let status = unsafe {
                    (api().decision)(decision.as_ptr().cast(), rows.as_ptr().cast(), count, stride)
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
