//! Designs of experiments: where to measure. Points are in the unit cube.

mod factorial;
mod latin;
mod next;
mod process;
mod sobol;

pub use factorial::factorial;
pub use latin::{latin_hypercube, least_distance, spread_out};
pub use next::{Measured, Suggestion, suggest};
pub use process::Process;
pub use sobol::{MOST_SOBOL_POINTS, sobol};
