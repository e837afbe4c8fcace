//! How far a game is from one in which all players pull on one potential, and where they go instead.

mod best_response;
mod decomposition;
mod noise_floor;
mod ordinal;
mod test;

pub use best_response::{BestResponseGraph, Component};
pub use decomposition::{Decomposition, Shares, decompose};
pub use noise_floor::{HarmonicNoise, harmonic_noise};
pub use ordinal::has_ordinal_potential;
pub use test::{ExactPotential, exact_potential, exact_potential_until};

#[cfg(test)]
pub(super) mod tests {
    pub(in crate::game) use super::test::tests::{game, random_game};
}
