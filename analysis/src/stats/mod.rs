//! Statistics over slices: no I/O, the same result on any machine.

mod block_length;
mod bootstrap;
mod normal;
mod quantile;
mod rank;
mod student;

pub use block_length::block_length;
pub use bootstrap::{Estimate, Interval, mean_interval};
pub use normal::Normal;
pub use quantile::{mean, quantile_interval, quantile_sorted};
pub use rank::{Correlation, spearman};
pub use student::{standard_error, student_interval, student_quantile};
