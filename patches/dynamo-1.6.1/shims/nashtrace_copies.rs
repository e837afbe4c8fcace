// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in a KV block manager: copies of blocks, as they happen.

use std::ffi::c_void;

use crate::nashtrace as shim;
pub use crate::nashtrace_transfers::{Medium, Outcome, Strategy};

/// The tier that Dynamo keeps in a memory: `nashtrace_tier`.
fn tier(medium: Medium) -> u8 {
    match medium {
        Medium::Unknown => 0,
        Medium::Device => 1,
        Medium::System | Medium::Pinned => 2,
        Medium::Disk => 3,
        Medium::Object => 4,
    }
}

/// What is copied.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    pub from: Medium,
    pub to: Medium,
    pub strategy: Strategy,
    pub blocks: usize,
    /// 0 if unknown.
    pub bytes: usize,
}

/// A copy under way. Dropped before it was [done](Copy::done), it has failed, unless its stream tells.
#[derive(Debug)]
pub struct Copy {
    /// 0 if it is not recorded.
    token: u64,
    is_on_stream: bool,
}

impl Copy {
    /// A copy begins that is on no stream.
    #[inline]
    pub fn begin(description: impl FnOnce() -> Description) -> Self {
        Self::begin_on(None, description)
    }

    /// A copy begins on a CUDA stream; NULL is the legacy default stream.
    #[inline]
    pub fn begin_on_stream(stream: *mut c_void, description: impl FnOnce() -> Description) -> Self {
        Self::begin_on(Some(stream), description)
    }

    #[inline]
    fn begin_on(stream: Option<*mut c_void>, description: impl FnOnce() -> Description) -> Self {
        let token = match shim::api() {
            Some(api) => begin(api, stream, description()),
            None => 0,
        };
        Self { token, is_on_stream: stream.is_some() }
    }

    /// All of it was handed to its stream or agent. A copy on a stream needs nothing more.
    #[inline]
    pub fn enqueued(&mut self) {
        if let (Some(api), true) = (shim::api(), self.token != 0) {
            // SAFETY: any number may be passed.
            unsafe { (api.transfer_enqueued)(self.token) };
            if self.is_on_stream {
                self.token = 0;
            }
        }
    }

    /// It was seen to have ended.
    #[inline]
    pub fn done(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    #[inline]
    fn end(&mut self, outcome: Outcome) {
        let token = std::mem::take(&mut self.token);
        if let (Some(api), true) = (shim::api(), token != 0) {
            // SAFETY: any numbers may be passed.
            unsafe { (api.transfer_done)(token, outcome as u32) };
        }
    }
}

impl Drop for Copy {
    #[inline]
    fn drop(&mut self) {
        self.end(Outcome::Failed);
    }
}

fn begin(api: &shim::Api, stream: Option<*mut c_void>, description: Description) -> u64 {
    let transfer = shim::Transfer {
        head: shim::Head { struct_size: size_of::<shim::Transfer>() as u32, ..Default::default() },
        bytes: description.bytes as u64,
        worker: shim::UNKNOWN_U64,
        blocks: u32::try_from(description.blocks).unwrap_or(u32::MAX),
        device: shim::UNKNOWN_U32,
        from_tier: tier(description.from),
        to_tier: tier(description.to),
        from_medium: description.from as u8,
        to_medium: description.to as u8,
        strategy: description.strategy as u8,
        ..Default::default()
    };
    let mut token = 0;
    let (stream, kind) = stream.map_or((std::ptr::null_mut(), 0), |stream| (stream, 1));
    // SAFETY: the record is whole, the token is writable, the stream is the caller's.
    unsafe { (api.transfer_begin)(&raw const transfer, stream, kind, &raw mut token) };
    token
}
