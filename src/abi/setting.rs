//! Recording strategies that come into force.

use super::event::push;
use super::foreign;
use super::guard::guarded;
use super::status::Status;
use crate::record::Setting;

/// # Safety
///
/// `setting` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn record(setting: *const Setting) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(unsafe { foreign::record(setting) }?, None))
}
