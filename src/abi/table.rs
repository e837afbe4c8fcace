//! The entry symbol and the function table.

use std::ffi::{c_char, c_void};

use super::session::{Counters, SessionOptions};
use super::status::Status;
use super::{block, decision, metrics, name, planner, request, session, setting, transfer};
use crate::record::{
    Block, BlockPool, Candidate, Decision, PlannerDecision, PlannerEffect, PlannerTick, Request,
    Setting, Transfer,
};
use crate::ring::BlockLane;

/// The version of the ABI. It changes only if an old caller could no longer work; growth is told by
/// `struct_size` and `features`.
pub const ABI_VERSION: u32 = 1;

/// Bits of the table's features.
#[repr(u64)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `decision` records routing decisions.
    Decisions = 1 << 0,
    /// `request` records request events.
    Requests = 1 << 1,
    /// `setting` records strategies coming into force.
    Settings = 1 << 2,
    /// `metrics_text` renders Prometheus metrics.
    Metrics = 1 << 3,
    /// `session_switch` turns the recording off and on.
    Switch = 1 << 4,
    /// `session_dump` writes what a flight recorder remembers.
    Dump = 1 << 5,
    /// `block_pool` and `block` record the life of KV blocks.
    Blocks = 1 << 6,
    /// `transfer` records copies.
    Transfers = 1 << 7,
    /// `planner_tick`, `planner_decision` and `planner_effect` record a planner.
    Planner = 1 << 8,
    /// `transfer_begin`, `transfer_enqueued` and `transfer_done` record copies as they happen, and time
    /// those on CUDA streams by events.
    CudaTiming = 1 << 9,
    /// `block_lane` lends lanes for block events.
    BlockLanes = 1 << 10,
}

/// The features of this library.
///
/// cbindgen:ignore
pub const FEATURES: u64 = Feature::Decisions as u64
    | Feature::Requests as u64
    | Feature::Settings as u64
    | Feature::Metrics as u64
    | Feature::Switch as u64
    | Feature::Dump as u64
    | Feature::Blocks as u64
    | Feature::Transfers as u64
    | Feature::Planner as u64
    | Feature::CudaTiming as u64
    | Feature::BlockLanes as u64;

/// What the stream of a copy is.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// The copy is on no stream.
    None = 0,
    /// A `CUstream` or `cudaStream_t`; NULL is the legacy default stream.
    Cuda = 1,
}

/// The functions of the library. A function may be called only if `struct_size` reaches it.
///
/// All functions may be called from any thread. Those that record (`decision`, `request`, `setting`,
/// `block`, `transfer` and the planner's) take well under a microsecond, never wait, and allocate only on a thread's first event. A signal
/// handler may call these, `request_key` and `ticks`, if its thread has recorded in this session before;
/// the others take locks. `transfer_begin` and `transfer_enqueued` call the driver for a copy on a CUDA
/// stream: not from a signal handler.
#[repr(C)]
pub struct Api {
    /// Bytes of this table.
    pub struct_size: u32,
    /// `NASHTRACE_ABI_VERSION` of the library.
    pub abi_version: u32,
    /// Bits of `nashtrace_feature`.
    pub features: u64,
    /// Start a session: create the trace file and the collector thread. `options` may be NULL: then
    /// the `NASHTRACE_*` variables decide. Waits at most a few seconds, for a directory on a file system
    /// that hangs: then the session is refused as a timeout.
    pub session_start: unsafe extern "C" fn(options: *const SessionOptions) -> Status,
    /// Write everything recorded so far and make it durable. Waits at most `timeout_ms`.
    pub session_flush: extern "C" fn(timeout_ms: u32) -> Status,
    /// Stop the session and complete its file. Waits at most `timeout_ms`; later events are lost.
    pub session_stop: extern "C" fn(timeout_ms: u32) -> Status,
    /// Tell what was produced, written and lost in the running session, or in the last one, which may have
    /// ended because the collector failed.
    pub session_counters: unsafe extern "C" fn(counters: *mut Counters, timeout_ms: u32) -> Status,
    /// The id of a name (`space` is a `nashtrace_name_space`): UTF-8, 1 to 256 bytes, not terminated.
    /// Takes a lock: keep the id.
    pub name:
        unsafe extern "C" fn(space: u8, text: *const c_char, length: usize, id: *mut u32) -> Status,
    /// The key of a request id: XXH3-64 (seed 0) of its bytes, 1 if that is 0. NULL gives 0.
    pub request_key: unsafe extern "C" fn(id: *const c_char, length: usize) -> u64,
    /// The library's clock, in ticks.
    pub ticks: extern "C" fn() -> u64,
    /// Record a decision with its `count` candidates, `stride` bytes apart.
    pub decision: unsafe extern "C" fn(
        decision: *const Decision,
        candidates: *const Candidate,
        count: u32,
        stride: u32,
    ) -> Status,
    /// Record that something happened to a request.
    pub request: unsafe extern "C" fn(request: *const Request) -> Status,
    /// Record that a strategy came into force.
    pub setting: unsafe extern "C" fn(setting: *const Setting) -> Status,
    /// The metrics of the running session, or of the last one, in Prometheus' text format (0.0.4,
    /// UTF-8, not terminated). A NULL `buffer` asks for the length alone; the text may grow until the
    /// next call, so give room to spare. Allocates: not for a hook.
    pub metrics_text:
        unsafe extern "C" fn(buffer: *mut c_char, capacity: usize, length: *mut usize) -> Status,
    /// Turn the recording of the running session off (0) or on again (1). What happens meanwhile is
    /// lost, and counted as switched off. A file `nashtrace.off` in the directory of the traces does
    /// the same for as long as it is there, whatever is asked for here.
    pub session_switch: extern "C" fn(on: u32) -> Status,
    /// Write what a flight recorder (`NASHTRACE_MODE=flight`) remembers to the directory of the traces,
    /// and begin to remember anew; of a session that streams, flush. Waits at most `timeout_ms`. A file
    /// `nashtrace.dump` that appears in that directory asks for the same.
    pub session_dump: extern "C" fn(timeout_ms: u32) -> Status,
    /// Declare a pool of blocks, whose `id` is 0, or say anew what the pool with that id is. The id is
    /// what events of the pool carry. Takes a lock: keep the id.
    pub block_pool: unsafe extern "C" fn(pool: *const BlockPool, id: *mut u32) -> Status,
    /// Record an event of a block. With `NASHTRACE_BLOCK_SAMPLE=N` one in N hashes has its events
    /// recorded; the others are counted as sampled out, and the status is `OK`. With 0 nothing is
    /// recorded or counted.
    pub block: unsafe extern "C" fn(block: *const Block) -> Status,
    /// Record a copy of blocks that has ended, or whose end nobody will see.
    pub transfer: unsafe extern "C" fn(transfer: *const Transfer) -> Status,
    /// Record the inputs of a planning tick.
    pub planner_tick: unsafe extern "C" fn(tick: *const PlannerTick) -> Status,
    /// Record what a tick decided for one component.
    pub planner_decision: unsafe extern "C" fn(decision: *const PlannerDecision) -> Status,
    /// Record what became of it.
    pub planner_effect: unsafe extern "C" fn(effect: *const PlannerEffect) -> Status,
    /// A copy begins: call it before the first byte is handed over. Of `transfer` the library sets the
    /// times, `timing` and `outcome`; its clock is `TICKS`. `stream_kind` is a `nashtrace_stream_kind`; on a
    /// CUDA stream an event is recorded, which takes the driver a microsecond or two; `stream` is NULL if
    /// there is none. The thread's current context is left as it was. The `token` is for the two calls that
    /// follow and is never 0; they take 0 for a copy that is not recorded, and do nothing.
    pub transfer_begin: unsafe extern "C" fn(
        transfer: *const Transfer,
        stream: *mut c_void,
        stream_kind: u32,
        token: *mut u64,
    ) -> Status,
    /// All of the copy was handed to its stream or agent: on a CUDA stream a second event is recorded. Of
    /// the per-thread default stream this is for the thread that began. A token of a copy that is further
    /// on or has been written is refused as an invalid argument.
    pub transfer_enqueued: extern "C" fn(token: u64) -> Status,
    /// The host saw that the copy has ended; `outcome` is a `nashtrace_outcome`. It may be left out for a
    /// copy on a CUDA stream, whose events tell that; the others are given up as `LOST` without it after
    /// `NASHTRACE_TRANSFER_TIMEOUT_MS`.
    pub transfer_done: extern "C" fn(token: u64, outcome: u32) -> Status,
    /// Record an event of a block as `block` does, and tell where this thread may put those that follow itself: `lane`,
    /// also when the event is lost or no session runs, and the same for as long as the thread lives. A thread gets
    /// its lane by its first call in a session, if all events of blocks are wanted, and that call allocates. The lane is
    /// closed before, after the session's end, and while the recording is switched off. Not for a signal handler.
    pub block_lane:
        unsafe extern "C" fn(block: *const Block, lane: *mut *const BlockLane) -> Status,
}

static API: Api = Api {
    struct_size: size_of::<Api>() as u32,
    abi_version: ABI_VERSION,
    features: FEATURES,
    session_start: session::start,
    session_flush: session::flush,
    session_stop: session::stop,
    session_counters: session::counters,
    name: name::intern,
    request_key: request::key,
    ticks: session::ticks,
    decision: decision::record,
    request: request::record,
    setting: setting::record,
    metrics_text: metrics::text,
    session_switch: session::switch,
    session_dump: session::dump,
    block_pool: block::declare_pool,
    block: block::record,
    transfer: transfer::record,
    planner_tick: planner::tick,
    planner_decision: planner::decision,
    planner_effect: planner::effect,
    transfer_begin: transfer::begin,
    transfer_enqueued: transfer::enqueued,
    transfer_done: transfer::done,
    block_lane: block::lane,
};

/// The function table, or NULL if the library does not speak this version of the ABI.
#[unsafe(no_mangle)]
pub extern "C" fn nashtrace_get_api(abi_version: u32) -> *const Api {
    if abi_version == ABI_VERSION { &raw const API } else { std::ptr::null() }
}
