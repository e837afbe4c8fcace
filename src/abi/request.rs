//! Recording what happens to a request.

use std::ffi::c_char;

use super::event::push;
use super::foreign;
use super::guard::guarded;
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
    // SAFETY: by the caller's promise. Hashing cannot panic, so no guard is needed.
    match unsafe { foreign::bytes(id, length) } {
        Ok(bytes) => crate::record::request_key(bytes),
        Err(_) => 0,
    }
}
