//! nashtrace records what NVIDIA Dynamo's control loops decide, with everything that was on the table.
//!
//! As a `cdylib` it is loaded by small patches inside Dynamo and called over a C ABI ([`abi`]). As an
//! `rlib` it gives the analysis tool the schema ([`record`]), the trace reader ([`trace`]) and the
//! published cost formula ([`state`]).
//!
//! The way of an event: hook -> [`abi`] -> ring -> collector -> [`trace`]. Nothing points back.

pub mod abi;
mod clock;
mod collector;
pub mod config;
mod copies;
mod cuda;
mod declarations;
mod lock;
mod metrics;
mod process;
pub mod record;
mod ring;
mod session;
pub mod state;
mod thread;
pub mod trace;
