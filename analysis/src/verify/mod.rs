//! The checks of `nashtrace verify`: pure functions over what was read.

mod conservation;
mod records;

pub use conservation::{Conservation, conservation};
pub use records::Checks;
