//! Making sure that no hook is missed when a session stops.
//!
//! A hook stores `busy` and then loads the session's state; a stop stores the state and then loads
//! every `busy`. Each side must see the other's store, which needs a full barrier on both: a light one
//! in the hook, and a heavy one in the stopping thread that pays for both.

use super::spsc::{Hook, Producer};
use super::sync::{heavy_barrier, light_barrier};

/// Enter a hook, and then look at the session's state. `None` if the thread is inside a hook already.
#[inline]
pub(super) fn enter_and_look<S>(
    producer: &Producer,
    look: impl FnOnce() -> S,
) -> Option<(Hook<'_>, S)> {
    let hook = producer.enter()?;
    // Paired with `order_hooks_before_stop`: `busy` is stored before the state is read.
    light_barrier();
    Some((hook, look()))
}

/// After this call, every hook that found the session running has made its `busy` visible.
pub(crate) fn order_hooks_before_stop() {
    heavy_barrier();
}
