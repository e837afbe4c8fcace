//! Interning names.

use std::ffi::c_char;

use super::foreign;
use super::guard::guarded;
use super::status::Status;
use crate::declarations;
use crate::record::{Name, NameSpace};
use crate::session;

/// # Safety
///
/// `text` is NULL or points to `length` readable bytes; `id` is NULL or points to a writable number.
pub(super) unsafe extern "C" fn intern(
    space: u8,
    text: *const c_char,
    length: usize,
    id: *mut u32,
) -> Status {
    guarded(|| {
        session::not_forked()?;
        let space = NameSpace::from_u8(space).ok_or(Status::InvalidArgument)?;
        // Before anything is done: a call that fails has no effect.
        foreign::check_out(id)?;
        // SAFETY: by the caller's promise.
        let text = unsafe { foreign::text(text, length, Name::MAX_LENGTH) }?;
        let interned = declarations::intern(space, text)?;
        // SAFETY: by the caller's promise.
        unsafe { foreign::write(id, interned) }
    })
}
