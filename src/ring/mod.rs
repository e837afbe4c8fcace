//! Lock-free per-thread rings, their registry and the loss counters.
//!
//! Every thread that records owns the producing end of one ring, and fills a second one without a call if it records
//! block events; the collector owns all consuming ends. A record and its rows are reserved together or not at all; a ring without room drops the
//! newest record and counts it. All `unsafe` memory handling of the capture side lives here.

mod access;
#[cfg(not(loom))]
mod barrier;
mod consumer;
mod counts;
mod current;
mod entries;
mod lane;
mod local;
#[cfg(all(loom, test))]
mod loom_models;
mod memory;
mod quiesce;
mod registry;
mod spsc;
mod sync;

pub(crate) use consumer::Consumer;
pub(crate) use counts::{SessionLosses, SharedLosses, Snapshot};
pub use lane::{BlockLane, LaneEntry};
pub(crate) use local::{SWITCHED_OFF, forget_lane, lend_lane, with_producer, with_ring};
pub(crate) use quiesce::order_hooks_before_stop;
pub(crate) use registry::{NO_PRODUCER, Registry};
pub(crate) use spsc::Hook;
