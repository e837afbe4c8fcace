//! The answers that commands give, computed from the tables: pure, and ready to be shown.

mod blocks;
mod group;
mod joined;
mod planner;
mod regret;
mod series;
mod summary;
mod transfers;

pub use blocks::{BlocksAnswer, Distribution, Payer, PoolLine, Recomputation, TierAnswer};
pub use group::Group;
pub use joined::JoinedAnswer;
pub use planner::{PlannerAnswer, PredictionError};
pub use regret::{PoolAnswer, Realised, RegretAnswer, RegretPart, Window};
pub use series::{PoolSeries, Series};
pub use summary::{Propensity, RegretSummary};
pub use transfers::{Way, WayAnswer, transfers_by_way};
