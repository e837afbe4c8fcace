//! Congestion games: players that share resources whose latency grows with their load.

mod atomic;
mod caching;
mod fit;
mod latency;
mod line_search;
mod nonatomic;
mod parallel;
mod queues;
mod replay;
mod two_pool;

pub use atomic::{AtomicCongestion, AtomicPlayer, Settled};
pub use caching::SelfishCaching;
pub use fit::{Family, FitError, FittedLatency, Observation, Parameter, fit_latency};
pub use latency::{Latency, LatencyError};
pub use nonatomic::{Commodity, Flow, NonAtomicCongestion};
pub use parallel::{ParallelAtomic, ParallelError, ParallelLinks, ParallelOutcome};
pub use queues::{FittedQueues, QueueError, QueueModel, RoutedRequest, RoutingCosts, fit_queues};
pub use replay::{Replayed, replay};
pub use two_pool::{Pool, TwoPools};

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::atomic::tests::{
        braess, random as random_congestion, singletons, tight_five_halves,
    };
}
