//! The panic boundary.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::status::Status;

/// Run the body of an exported function. A panic becomes a status and goes no further.
#[inline]
pub(super) fn guarded(body: impl FnOnce() -> Result<(), Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(_) => Status::Panicked,
    }
}
