//! Copies that are under way: begun by one call, handed over by another, seen to have ended by a third or
//! by a pair of CUDA events.
//!
//! A hook fills a place of a fixed table and gives its number away as a token; the collector looks at the
//! table each time it looks into the rings, and writes the record of what has ended. Nothing here is
//! locked or allocated by a hook.

mod free_list;
mod hooks;
mod slots;
mod watch;

pub(crate) use self::free_list::FreeList;
pub(crate) use self::hooks::{Refused, begin, done, enqueued};
pub(crate) use self::watch::Watch;
