//! Timing of copies on CUDA streams by pairs of events, through the driver API.
//!
//! The driver is the one that the host has loaded; nothing of it is linked. A hook records an event where
//! a copy begins and another where it ends, on the copy's own stream; the collector makes the events, asks
//! whether they are complete, reads the time between them and puts it on the trace's clock.
//!
//! A hook never makes an event and never loads anything: on a context that the collector has not prepared
//! yet, which takes it one look (`NASHTRACE_POLL_MS`), a copy has the host's clock only. So it has when all
//! events of its context are in use, while its stream is being captured into a graph, and after any call
//! of the driver that failed; each is counted by reason ([`Untimed`]).

mod device;
mod device_clock;
mod driver;
mod events;
mod timed;
mod timer;
mod untimed;

pub(crate) use self::device::{Devices, Measured, Progress};
pub(crate) use self::timed::{AtomicTimed, Stream, Timed};
pub(crate) use self::timer::{give_back, may_call, process_ends, record_end, record_start, switch};
pub(crate) use self::untimed::{Untimed, untimed};
