//! Starting, flushing and stopping a session.

use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::foreign;
use super::guard::{contained, guarded};
use super::status::Status;
use crate::clock;
use crate::config::{Config, ConfigError, Overrides};
use crate::record::LossReason;
use crate::session;

/// How a session is started. Fields at zero leave the decision to the `NASHTRACE_*` variables.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// `sizeof` this struct.
    pub struct_size: u32,
    /// Threads that may have a ring (`NASHTRACE_MAX_PRODUCERS`).
    pub max_producers: u32,
    /// Directory of the trace file (`NASHTRACE_DIR`): bytes, not terminated; NULL for the variable.
    pub directory: *const c_char,
    /// Bytes of `directory`.
    pub directory_length: usize,
    /// Bytes of each ring, a power of two (`NASHTRACE_RING_BYTES`).
    pub ring_bytes: u64,
    /// Longest time that a record stays in a ring (`NASHTRACE_FLUSH_MS`).
    pub flush_ms: u32,
    /// How often the collector looks into the rings (`NASHTRACE_POLL_MS`).
    pub poll_ms: u32,
}

/// What was produced, written and lost by all producers together; rows count as events.
/// `produced` = `written` + the sum of `lost` once the session has stopped; until then the rest is in the rings.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// `sizeof` this struct, set by the caller.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Events begun.
    pub produced: u64,
    /// Events in the files; of a flight recorder, in its memory or, when asked for, in files. What newer
    /// events have overwritten there and what was deleted to make room counts as written. When the session
    /// stops and the memory cannot be saved, what it holds is lost by I/O.
    pub written: u64,
    /// Events lost, indexed by `nashtrace_loss_reason`; what has no reason is zero.
    pub lost: [u64; 8],
    /// Panics of the library since it was loaded. None of them reached the host; one in a function that
    /// was called switched the recording off, one on the library's own thread ended the session.
    pub panics: u64,
}

const _: () = assert!(size_of::<SessionOptions>() == 40 && size_of::<Counters>() == 96);
const _: () = assert!(LossReason::SLOTS == 8);

const OPTIONS_V1_SIZE: usize = 40;
const COUNTERS_V1_SIZE: usize = 88;

/// # Safety
///
/// `options` is NULL or points to `struct_size` readable bytes; its `directory` is NULL or points to
/// `directory_length` readable bytes.
pub(super) unsafe extern "C" fn start(options: *const SessionOptions) -> Status {
    guarded(|| {
        session::not_forked()?;
        let overrides = if options.is_null() {
            Overrides::default()
        } else {
            // SAFETY: by the caller's promise.
            unsafe { read_overrides(options) }?
        };
        let read = Config::read(&overrides, std::env::vars_os());
        let (config, warnings) = read.map_err(|error| match error {
            ConfigError::NoDirectory => Status::Io,
            ConfigError::OutOfRange(..) => Status::InvalidArgument,
        })?;
        Ok(session::start(config, warnings)?)
    })
}

pub(super) extern "C" fn flush(timeout_ms: u32) -> Status {
    guarded(|| Ok(session::flush(milliseconds(timeout_ms))?))
}

pub(super) extern "C" fn dump(timeout_ms: u32) -> Status {
    guarded(|| Ok(session::dump(milliseconds(timeout_ms))?))
}

pub(super) extern "C" fn stop(timeout_ms: u32) -> Status {
    guarded(|| Ok(session::stop(milliseconds(timeout_ms))?))
}

/// # Safety
///
/// `counters` is NULL or points to a writable struct whose first field is its size.
pub(super) unsafe extern "C" fn counters(counters: *mut Counters, timeout_ms: u32) -> Status {
    guarded(|| {
        session::not_forked()?;
        let value = |struct_size| {
            let totals = session::totals(milliseconds(timeout_ms))?;
            Ok(Counters {
                struct_size,
                reserved: 0,
                produced: totals.all_produced(),
                written: totals.all_written(),
                lost: totals.all_lost(),
                panics: session::panics(),
            })
        };
        // SAFETY: by the caller's promise.
        unsafe { foreign::write_sized(counters, COUNTERS_V1_SIZE, value) }
    })
}

pub(super) extern "C" fn switch(on: u32) -> Status {
    guarded(|| match on {
        0 => Ok(session::switch(false)?),
        1 => Ok(session::switch(true)?),
        _ => Err(Status::InvalidArgument),
    })
}

pub(super) extern "C" fn ticks() -> u64 {
    contained(clock::ticks).unwrap_or(0)
}

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count.into())
}

/// # Safety
///
/// As for [`start`].
unsafe fn read_overrides(options: *const SessionOptions) -> Result<Overrides, Status> {
    let unset = SessionOptions {
        struct_size: 0,
        max_producers: 0,
        directory: std::ptr::null(),
        directory_length: 0,
        ring_bytes: 0,
        flush_ms: 0,
        poll_ms: 0,
    };
    // SAFETY: by the caller's promise; numbers and pointers may have any bytes.
    let options = unsafe { foreign::options(options, OPTIONS_V1_SIZE, unset) }?;
    let directory = if options.directory.is_null() {
        None
    } else {
        if options.directory_length > libc::PATH_MAX as usize {
            return Err(Status::InvalidArgument);
        }
        // SAFETY: by the caller's promise.
        let bytes = unsafe { foreign::bytes(options.directory, options.directory_length) }?;
        Some(OsStr::from_bytes(bytes).into())
    };
    Ok(Overrides {
        directory,
        ring_bytes: options.ring_bytes,
        max_producers: options.max_producers.into(),
        flush_ms: options.flush_ms.into(),
        poll_ms: options.poll_ms.into(),
    })
}
