//! Showing results: tables for people, JSON for machines.

pub mod html;
mod number;
mod table;
mod text;

pub use number::{count, number, percent, probability, seconds};
pub use table::Table;
pub use text::{heading, sentence, warning};
