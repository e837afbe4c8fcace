//! Recording copies of blocks, when they are over or as they happen.

use std::ffi::c_void;

use super::event::{lose, push};
use super::foreign;
use super::guard::guarded;
use super::status::Status;
use super::table::StreamKind;
use crate::copies::{self, Refused};
use crate::cuda::Stream;
use crate::record::{Clock, Kind, Outcome, Transfer};

/// # Safety
///
/// `transfer` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn record(transfer: *const Transfer) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(unsafe { foreign::record(transfer) }?, None))
}

/// # Safety
///
/// `transfer` is NULL or points to `struct_size` readable bytes; `token` is NULL or points to a writable
/// number; `stream` is a stream of the driver's if `stream_kind` says so.
pub(super) unsafe extern "C" fn begin(
    transfer: *const Transfer,
    stream: *mut c_void,
    stream_kind: u32,
    token: *mut u64,
) -> Status {
    guarded(|| {
        // Before anything is done: a call that fails has no effect.
        foreign::check_out(token)?;
        // SAFETY: by the caller's promise.
        let transfer = unsafe { foreign::record(transfer) }?.copy();
        let stream = stream_of(stream, stream_kind)?;
        if transfer.head.clock != Clock::Ticks as u8 {
            return Err(Status::InvalidArgument);
        }
        let begun = copies::begin(transfer, stream);
        let begun = begun.map_err(|reason| lose(reason, Kind::Transfer, 0))?;
        // SAFETY: by the caller's promise.
        unsafe { foreign::write(token, begun) }
    })
}

pub(super) extern "C" fn enqueued(token: u64) -> Status {
    guarded(|| if token == 0 { Ok(()) } else { Ok(copies::enqueued(token)?) })
}

pub(super) extern "C" fn done(token: u64, outcome: u32) -> Status {
    guarded(|| {
        let is_this = |known: &&Outcome| **known as u32 == outcome;
        let outcome = Outcome::ALL.iter().find(is_this).ok_or(Status::InvalidArgument)?;
        if token == 0 { Ok(()) } else { Ok(copies::done(token, *outcome)?) }
    })
}

fn stream_of(stream: *mut c_void, kind: u32) -> Result<Option<Stream>, Status> {
    const NONE: u32 = StreamKind::None as u32;
    const CUDA: u32 = StreamKind::Cuda as u32;
    match kind {
        NONE if stream.is_null() => Ok(None),
        CUDA => Ok(Some(Stream::of(stream))),
        _ => Err(Status::InvalidArgument),
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotRunning => Self::NotRunning,
            Refused::Stale => Self::InvalidArgument,
        }
    }
}
