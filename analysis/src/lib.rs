//! From traces to answers: `load` reads them into `tables`, `game` and `stats` compute, `report` shows.
//!
//! `stats`, `game` and `pareto` are pure functions over slices and know neither files nor the command line.

pub mod answers;
pub mod campaign;
pub mod cli;
pub mod experiment;
pub mod game;
pub mod load;
pub mod pareto;
pub mod report;
pub mod selftest;
pub mod stats;
pub mod tables;
pub mod verify;
