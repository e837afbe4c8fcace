//! Recording what happens to a request.

use std::ffi::c_char;

use super::event::push;
use super::foreign;
use super::guard::{contained, guarded};
use super::status::Status;
use crate::record::Request;

/// # Safety
///
/// `request` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn record(request: *const Request) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(unsafe { foreign::record(request) }?, None))
}

/// # Safety
///
/// `id` is NULL or points to `length` readable bytes.
pub(super) unsafe extern "C" fn key(id: *const c_char, length: usize) -> u64 {
    // SAFETY: by the caller's promise.
    let hash = || Some(crate::record::request_key(unsafe { foreign::bytes(id, length) }.ok()?));
    contained(hash).flatten().unwrap_or(0)
}
