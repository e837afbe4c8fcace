//! Fronts of several objectives, the volume that they dominate, and designs of experiments: pure functions.
//!
//! Everywhere a point is a row of values that are all to be made small: [`Direction::towards_small`] turns those
//! that are to be made large.

mod attainment;
mod contribution;
pub mod design;
mod dominance;
mod hypervolume;
mod membership;
mod monte_carlo;
mod objective;
mod pile;

pub use attainment::{AttainmentBand, attainment_band};
pub use contribution::contributions;
pub use dominance::{dominates, epsilon_front, front, ranks};
pub use hypervolume::{MOST_OBJECTIVES, hypervolume, hypervolume_while};
pub use membership::{Configuration, Membership, SURE, membership, membership_of_blocks};
pub use monte_carlo::{Sampled, sampled_hypervolume};
pub use objective::Direction;
