//! The real binary on real trace files.

mod answers;
mod bad_input;
mod runs;
mod support;
