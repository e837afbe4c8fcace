//! What a decision cost, what a sequence of decisions does to the workers, and the games behind them: pure
//! functions.

pub mod anarchy;
pub mod congestion;
mod correlated;
mod deadline;
mod dominance;
mod equilibria;
mod game_error;
mod herding;
mod linear_program;
mod logit;
mod normal_form;
mod player;
pub mod potential;
mod pure;
mod regret;
pub mod shapley;
pub mod stackelberg;

pub use correlated::{
    CorrelatedEquilibrium, CorrelatedError, CorrelatedKind, extreme_correlated, violation,
};
pub use deadline::Deadline;
pub use dominance::{
    Dominance, DominanceKind, Dominated, iterated_dominance, iterated_dominance_until,
};
pub use equilibria::{
    Certificate, Completeness, Component, Equilibria, Equilibrium, Search, Work, equilibria,
    exact_max_regret,
};
pub use game_error::GameError;
pub use herding::{Herding, gini};
pub use linear_program::LinearProgramError;
pub use logit::{LogitPath, LogitPoint, logit_path};
pub use nashtrace::state::{overlap_regret, predicted_regret};
pub use normal_form::{Game, Outcome, Replicate};
pub use player::{Marks, Player};
pub use pure::pure_equilibria;
pub use regret::MixedProfile;
