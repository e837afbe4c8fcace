//! Who produces: hands out rings to threads and their consuming ends to the collector.

use std::sync::Arc;

use parking_lot::Mutex;

use super::consumer::Consumer;
use super::counts::SharedLosses;
use super::lane::{Gate, Lender, lane};
use super::spsc::{Producer, channel};
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
    lanes: Vec<Gate>,
    /// Events are kept out of the lanes: for now, or because the session is over.
    are_lanes_closed: bool,
    is_over: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("registered", &self.registered)
            .field("alive", &self.alive)
            .field("lanes", &self.lanes.len())
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

    /// A lane for the calling thread, which has a ring. `None` if there is no memory, or another thread is held up
    /// while it gets one. `late` is as for [`lane`].
    pub(super) fn register_lane(&self, late: &'static SharedLosses) -> Option<Lender> {
        let mut state = lock::take(&self.state)?;
        let (lender, consumer) = lane(self.ring_bytes, state.registered + 1, late).ok()?;
        let gate = lender.gate();
        gate.open(!state.are_lanes_closed && !state.is_over);
        state.registered += 1;
        state.lanes.push(gate);
        state.arrivals.push(consumer);
        Some(lender)
    }

    /// Let events into the lanes of this session, those to come included, or keep them out.
    pub(crate) fn open_lanes(&self, open: bool) {
        if let Some(mut state) = lock::take(&self.state) {
            state.are_lanes_closed = !open;
            let open = open && !state.is_over;
            state.lanes.iter().for_each(|lane| lane.open(open));
        }
    }

    /// The session is over: no lane is opened again.
    pub(crate) fn end_lanes(&self) {
        if let Some(mut state) = lock::take(&self.state) {
            state.is_over = true;
            state.lanes.iter().for_each(|lane| lane.open(false));
        }
    }

    /// The rings made since the last call.
    pub(crate) fn take_arrivals(&self) -> Vec<Consumer> {
        std::mem::take(&mut self.state.lock().arrivals)
    }

    /// The collector has drained a retired ring for good: another thread may have one.
    pub(crate) fn forget(&self, ring: &Consumer) {
        let mut state = self.state.lock();
        match state.lanes.iter().position(|lane| lane.is_of(ring)) {
            Some(lane) => drop(state.lanes.swap_remove(lane)),
            None => state.alive -= 1,
        }
    }
}
