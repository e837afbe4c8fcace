//! The real binary on real trace files.

mod anarchy;
mod answers;
mod bad_input;
mod campaigns;
mod doctor;
mod experiment;
mod load;
mod players;
mod report;
mod runs;
mod series;
mod solve;
mod support;
mod threads;
