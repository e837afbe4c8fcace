//! The answers that commands give, computed from the tables: pure, and ready to be shown.

mod group;
mod regret;
mod series;
mod summary;

pub use group::Group;
pub use regret::{PoolAnswer, Realised, RegretAnswer, RegretPart, Window};
pub use series::{PoolSeries, Series};
pub use summary::{Propensity, RegretSummary};
