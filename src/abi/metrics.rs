//! The metrics as text, for a host that serves them among its own.

use std::ffi::c_char;

use super::guard::guarded;
use super::status::Status;
use crate::session;

/// # Safety
///
/// `buffer` is NULL or points to `capacity` writable bytes; `length` is NULL or points to a writable
/// number.
pub(super) unsafe extern "C" fn text(
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> Status {
    guarded(|| {
        if length.is_null() {
            return Err(Status::NullPointer);
        }
        if !length.is_aligned() {
            return Err(Status::Misaligned);
        }
        let text = session::metrics_text()?;
        if !buffer.is_null() {
            if text.len() > capacity {
                return Err(Status::BufferTooSmall);
            }
            // SAFETY: the buffer has room for `capacity` bytes by the caller's promise, and a text that
            // was just made does not overlap it.
            unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast(), text.len()) };
        }
        // SAFETY: by the caller's promise.
        unsafe { length.write(text.len()) };
        Ok(())
    })
}
