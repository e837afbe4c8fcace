//! Who produces: hands out rings to threads and their consuming ends to the collector.

use std::sync::Arc;

use parking_lot::Mutex;

use super::spsc::{Consumer, Producer, channel};
use crate::lock;

/// The producer number of everything that did not come out of a ring.
///
/// cbindgen:ignore
pub(crate) const NO_PRODUCER: u32 = 0;

/// The rings of one session.
#[derive(Debug)]
pub(crate) struct Registry {
    ring_bytes: usize,
    max_producers: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    registered: u32,
    alive: usize,
    arrivals: Vec<Consumer>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("registered", &self.registered)
            .field("alive", &self.alive)
            .finish()
    }
}

impl Registry {
    /// A registry without rings.
    #[must_use]
    pub(crate) fn new(ring_bytes: usize, max_producers: usize) -> Arc<Self> {
        Arc::new(Self { ring_bytes, max_producers, state: Mutex::default() })
    }

    /// A ring for the calling thread. `None` if there are too many threads, no memory, or another thread is held
    /// up while it gets one.
    pub(crate) fn register(&self) -> Option<Producer> {
        let mut state = lock::take(&self.state)?;
        if state.alive >= self.max_producers {
            return None;
        }
        let (producer, consumer) = channel(self.ring_bytes, state.registered + 1).ok()?;
        state.registered += 1;
        state.alive += 1;
        state.arrivals.push(consumer);
        Some(producer)
    }

    /// The rings made since the last call.
    pub(crate) fn take_arrivals(&self) -> Vec<Consumer> {
        std::mem::take(&mut self.state.lock().arrivals)
    }

    /// The collector has drained a retired ring for good: another thread may have one.
    pub(crate) fn forget_one(&self) {
        self.state.lock().alive -= 1;
    }
}
