//! The panic boundary.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::status::Status;
use crate::session;

/// Run the body of an exported function. A panic becomes a status and goes no further.
#[inline]
pub(super) fn guarded(body: impl FnOnce() -> Result<(), Status>) -> Status {
    match contained(body) {
        Some(Ok(())) => Status::Ok,
        Some(Err(status)) => status,
        None => Status::Panicked,
    }
}

/// Run the body of an exported function that has no status. `None` if it panics, which goes no further: it is
/// counted, and the recording is switched off.
#[inline]
pub(super) fn contained<R>(body: impl FnOnce() -> R) -> Option<R> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        fault::strike();
        body()
    }));
    outcome.map_err(|_| session::has_panicked()).ok()
}

/// A panic that a test asks for.
#[cfg(test)]
pub(crate) mod fault {
    use std::cell::Cell;

    thread_local! {
        static IS_ASKED_FOR: Cell<bool> = const { Cell::new(false) };
    }

    /// The next exported function that this thread calls panics.
    pub(crate) fn ask() {
        IS_ASKED_FOR.set(true);
    }

    pub(super) fn strike() {
        assert!(!IS_ASKED_FOR.take(), "asked to");
    }
}
