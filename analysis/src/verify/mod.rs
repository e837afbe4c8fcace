//! The checks of `nashtrace verify`: pure functions over what was read.

mod blocks;
mod conservation;
mod records;

pub use blocks::{BlockLaws, block_laws};
pub use conservation::{Conservation, conservation};
pub use records::Checks;
