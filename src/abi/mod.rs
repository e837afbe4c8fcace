//! The C ABI: one entry symbol, one function table, one file per C object.
//!
//! Rules that hold for every function: it never panics, blocks on a hook path, allocates or logs; a
//! pointer that is NULL or misaligned is answered with a status; out-parameters are written on success
//! only, unless they say more; structs begin with their size and grow at the end.

mod block;
mod decision;
mod event;
mod foreign;
mod guard;
mod metrics;
mod name;
mod planner;
mod request;
mod session;
mod setting;
mod status;
mod table;
mod transfer;

#[cfg(test)]
pub(crate) use guard::fault;

pub use crate::ring::{BlockLane, LaneEntry};
pub use session::{Counters, SessionOptions};
pub use status::Status;
pub use table::{ABI_VERSION, Api, FEATURES, Feature, StreamKind, nashtrace_get_api};
