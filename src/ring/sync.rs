//! The atomics of the rings, and what counts their ends. Loom brings its own, to try every order in which threads may see them.

#[cfg(not(loom))]
pub(super) use std::sync::Arc;
#[cfg(not(loom))]
pub(super) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

#[cfg(loom)]
pub(super) use loom::sync::Arc;
#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

#[cfg(not(loom))]
pub(super) use super::barrier::{heavy_barrier, light_barrier};

/// Loom knows no asymmetric barriers. Accesses around a light and a heavy one are ordered as those
/// around two full fences are, so full fences stand for both.
#[cfg(loom)]
pub(super) fn light_barrier() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// See [`light_barrier`].
#[cfg(loom)]
pub(super) fn heavy_barrier() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}
