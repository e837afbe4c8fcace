//! The real binary on real trace files.

mod anarchy;
mod answers;
mod bad_input;
mod doctor;
mod experiment;
mod players;
mod runs;
mod series;
mod solve;
mod support;
