//! One player commits first, the others play an equilibrium of what remains.

mod mixed;
mod noise;
mod pure;

pub use mixed::{
    MixedCommitment, correlated_commitment, mixed_on_grid, mixed_optimistic, mixed_pessimistic,
};
pub use noise::{NoiseError, observed_with_noise};
pub use pure::{Commitment, PureCommitment, pure_commitment};
