//! What each member of a coalition brings: Shapley values, interactions, the core.

mod answer;
mod coalition;
mod core;
mod exact;
mod intervals;
mod of_game;
mod sampled;

pub use answer::{Basis, Method, ShapleyAnswer, Share};
pub use coalition::{Coalition, CoalitionError, CoalitionValues, MOST_PLAYERS};
pub use core::{CoreCheck, core_check, is_convex};
pub use exact::{MOST_EXACT, interaction_index, shapley};
pub use intervals::{ShapleyInterval, bootstrap_interval, paired_interval, unpaired_interval};
pub use of_game::coalitions_of_game;
pub use sampled::{SampledShapley, sampled_shapley};
