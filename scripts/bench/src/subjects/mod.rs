//! Everything whose calls are timed, one file each.

pub mod fastrace;
pub mod hook;
pub mod lttng;
pub mod nashtrace;
pub mod prometheus;
pub mod tracing_json;
