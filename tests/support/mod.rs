//! Recording through the C ABI, and reading back what stands in the file.

// Each test program uses a part of this.
#![allow(dead_code)]

pub(crate) mod fake_cuda;
pub(crate) mod files;

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use nashtrace::abi::{ABI_VERSION, Api, Counters, SessionOptions, Status, nashtrace_get_api};
use nashtrace::record::{
    Anchor, BlockPool, Candidate, Clock, Decision, DecisionFlag, Kind, Loss, Mode, Name, NameSpace,
    Phase, Record, Request, Setting,
};
use nashtrace::trace::{Item, PacketFlags, Reader};
use zerocopy::{FromBytes, FromZeros};

pub(crate) const TIMEOUT_MS: u32 = 20_000;

/// One session runs per process, so tests take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(crate) fn api() -> &'static Api {
    // SAFETY: the table is static.
    unsafe { nashtrace_get_api(ABI_VERSION).as_ref() }.unwrap()
}

pub(crate) fn options(directory: &Path) -> SessionOptions {
    let text = directory.to_str().unwrap();
    SessionOptions {
        struct_size: size_of::<SessionOptions>() as u32,
        max_producers: 0,
        directory: text.as_ptr().cast(),
        directory_length: text.len(),
        ring_bytes: 1 << 16,
        flush_ms: 0,
        poll_ms: 1,
    }
}

pub(crate) fn start(options: &SessionOptions) {
    // SAFETY: the options are whole; their directory outlives the call.
    assert_eq!(unsafe { (api().session_start)(options) }, Status::Ok);
}

pub(crate) fn stop() -> Counters {
    assert_eq!((api().session_stop)(TIMEOUT_MS), Status::Ok);
    counters()
}

/// What is recorded between two sessions is in the ledger of the later one: an empty session takes it, so
/// that the test whose turn is next begins with a clean one.
pub(crate) fn settle_ledger() {
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    stop();
}

pub(crate) fn counters() -> Counters {
    let mut counters = no_counters();
    // SAFETY: the struct is writable.
    assert_eq!(unsafe { (api().session_counters)(&raw mut counters, TIMEOUT_MS) }, Status::Ok);
    counters
}

pub(crate) fn no_counters() -> Counters {
    let struct_size = size_of::<Counters>() as u32;
    Counters { struct_size, reserved: 0, produced: 0, written: 0, lost: [0; 8], panics: 0 }
}

pub(crate) fn name(space: NameSpace, text: &str) -> u32 {
    let mut id = 0;
    // SAFETY: the text is valid for its length.
    let status =
        unsafe { (api().name)(space as u8, text.as_ptr().cast(), text.len(), &raw mut id) };
    assert_eq!(status, Status::Ok);
    id
}

pub(crate) fn request(key: u64) -> Request {
    let mut request = Request::new_zeroed();
    request.head.struct_size = size_of::<Request>() as u32;
    request.request = key;
    request.phase = Phase::Booked as u8;
    request
}

pub(crate) fn record_request(key: u64) -> Status {
    let request = request(key);
    // SAFETY: the struct is whole.
    unsafe { (api().request)(&raw const request) }
}

pub(crate) fn decision(chosen: u32) -> Decision {
    let mut decision = Decision::new_zeroed();
    decision.head.struct_size = size_of::<Decision>() as u32;
    decision.head.clock = Clock::Caller as u8;
    decision.head.time = 1_000;
    decision.flags = DecisionFlag::DefaultPolicy as u16;
    decision.mode = Mode::Tracked as u8;
    decision.block_size = 64;
    decision.chosen = chosen;
    decision
}

pub(crate) fn candidate(worker: u64, cost: f64) -> Candidate {
    let mut candidate = Candidate::new_zeroed();
    candidate.worker = worker;
    candidate.cost = cost;
    candidate.preferred_taint_multiplier = 1.0;
    candidate
}

pub(crate) fn record_decision(decision: &Decision, candidates: &[Candidate]) -> Status {
    let stride = size_of::<Candidate>() as u32;
    // SAFETY: both are whole.
    unsafe { (api().decision)(decision, candidates.as_ptr(), candidates.len() as u32, stride) }
}

/// The metrics through the C ABI.
pub(crate) fn metrics_text() -> String {
    let mut length = 0;
    // SAFETY: a NULL buffer is allowed, the length is writable.
    let status = unsafe { (api().metrics_text)(std::ptr::null_mut(), 0, &raw mut length) };
    assert_eq!(status, Status::Ok);
    let mut buffer = vec![0_u8; length + 4096];
    // SAFETY: the buffer has its length, which is writable.
    let status =
        unsafe { (api().metrics_text)(buffer.as_mut_ptr().cast(), buffer.len(), &raw mut length) };
    assert_eq!(status, Status::Ok);
    buffer.truncate(length);
    String::from_utf8(buffer).unwrap()
}

/// The samples of a text, by name and labels.
pub(crate) fn metrics_samples(text: &str) -> std::collections::BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(k, v)| (k, v.parse().unwrap())).collect()
}

pub(crate) fn flush() {
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
}

/// A record of zeros that says how long it is.
pub(crate) fn empty<T: Record>() -> T {
    let mut record = T::new_zeroed();
    record.head_mut().struct_size = size_of::<T>() as u32;
    record
}

/// Record one whole event of each kind beside requests and decisions.
pub(crate) fn record_the_others() -> [Status; 6] {
    let api = api();
    // SAFETY: every record is whole.
    unsafe {
        [
            (api.setting)(&empty()),
            (api.block)(&empty()),
            (api.transfer)(&empty()),
            (api.planner_tick)(&empty()),
            (api.planner_decision)(&empty()),
            (api.planner_effect)(&empty()),
        ]
    }
}

/// Declare a pool of blocks.
pub(crate) fn declare(pool: &BlockPool) -> u32 {
    let mut id = 0;
    // SAFETY: both are whole.
    assert_eq!(unsafe { (api().block_pool)(pool, &raw mut id) }, Status::Ok);
    id
}

const OTHERS: [Kind; 5] =
    [Kind::Block, Kind::Transfer, Kind::PlannerTick, Kind::PlannerDecision, Kind::PlannerEffect];

/// Everything that stands in the only trace of a directory.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) decisions: Vec<(Decision, Vec<Candidate>)>,
    pub(crate) requests: Vec<(u32, Request)>,
    pub(crate) settings: Vec<Setting>,
    /// Blocks, transfers and what planners record.
    pub(crate) others: usize,
    pub(crate) names: Vec<(u8, u32, String)>,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) ledgers_read: usize,
    /// The last ledger of each producer and kind.
    pub(crate) ledgers: std::collections::BTreeMap<(u32, u8), Loss>,
    pub(crate) complete: bool,
    pub(crate) started_ticks: u64,
}

pub(crate) fn contents(directory: &Path) -> Contents {
    let files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("one trace, not {files:?}") };
    let mut reader = Reader::open(file).unwrap();
    let started_ticks = reader.header().started_ticks;
    let mut contents = Contents { started_ticks, ..Contents::default() };
    while let Some(item) = reader.next_item().unwrap() {
        let Item::Packet(packet) = item else { panic!("damage") };
        contents.complete = packet.header.has(PacketFlags::FINAL);
        for record in packet.records() {
            if let Some(decision) = record.to::<Decision>() {
                let rows =
                    record.rows().map(|row| Candidate::read_from_bytes(row).unwrap()).collect();
                contents.decisions.push((decision, rows));
            } else if let Some(request) = record.to::<Request>() {
                contents.requests.push((packet.header.producer, request));
            } else if let Some(setting) = record.to::<Setting>() {
                contents.settings.push(setting);
            } else if OTHERS.iter().any(|kind| record.head.kind == *kind as u8) {
                contents.others += 1;
            } else if let Some(name) = record.to::<Name>() {
                let text = String::from_utf8(record.rows[..name.length as usize].to_vec()).unwrap();
                contents.names.push((name.space, name.id, text));
            } else if let Some(anchor) = record.to::<Anchor>() {
                contents.anchors.push(anchor);
            } else if let Some(ledger) = record.to::<Loss>() {
                contents.ledgers_read += 1;
                contents.ledgers.insert((ledger.producer, ledger.of_kind), ledger);
            }
        }
    }
    contents
}
