//! Recording copies of blocks.

use super::event::push;
use super::foreign;
use super::guard::guarded;
use super::status::Status;
use crate::record::Transfer;

/// # Safety
///
/// `transfer` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn record(transfer: *const Transfer) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(&unsafe { foreign::record(transfer) }?, None))
}
