//! What a decision cost, what a sequence of decisions does to the workers, and the games behind them: pure
//! functions.

mod equilibria;
mod herding;
mod normal_form;
mod regret;

pub use herding::{Herding, gini};
pub use nashtrace::state::{overlap_regret, predicted_regret};
pub use normal_form::{Game, GameError, Outcome, Player, Replicate};
pub use regret::MixedProfile;
