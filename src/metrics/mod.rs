//! Prometheus metrics, computed by the collector from what it takes out of the rings.
//!
//! Hooks know nothing of them. They count what the collector has seen, so that they are as old as the
//! records in the rings may become (`NASHTRACE_FLUSH_MS`), and they count events whose packet could not be
//! written. Every session starts from zero, as Prometheus expects of a counter's owner that restarts.

mod blocks;
mod families;
mod health;
mod listener;
mod planner;
mod router;
mod transfer;

use prometheus::{IntCounterVec, Registry, TextEncoder};

pub(crate) use self::blocks::BlockMetrics;
pub(crate) use self::health::HealthMetrics;
pub(crate) use self::listener::Listener;
pub(crate) use self::planner::PlannerMetrics;
pub(crate) use self::router::RouterMetrics;
pub(crate) use self::transfer::{CudaMetrics, TransferMetrics};
use crate::config::Config;

/// The collector's side of the metrics.
pub(crate) struct Metrics {
    /// What routers decided.
    pub(crate) router: RouterMetrics,
    /// What happened to KV blocks.
    pub(crate) blocks: BlockMetrics,
    /// What a planner brought about.
    pub(crate) planner: PlannerMetrics,
    /// Copies between tiers.
    pub(crate) transfers: TransferMetrics,
    /// How the timing of copies fares.
    pub(crate) cuda: CudaMetrics,
    /// How the capture itself fares.
    pub(crate) health: HealthMetrics,
}

impl Metrics {
    /// Metrics at zero, registered for [`text`]; as many workers as configured have series of their own.
    ///
    /// # Panics
    ///
    /// If the registry has metrics of the same names already.
    #[must_use]
    pub(crate) fn new(registry: &Registry, config: &Config) -> Self {
        Self {
            router: RouterMetrics::new(registry, config.metrics_workers),
            blocks: BlockMetrics::new(registry, config.block_sample.max(1)),
            planner: PlannerMetrics::new(registry),
            transfers: TransferMetrics::new(registry),
            cuda: CudaMetrics::new(registry),
            health: HealthMetrics::new(registry),
        }
    }
}

/// The text that Prometheus reads (exposition format 0.0.4).
#[must_use]
pub(crate) fn text(registry: &Registry) -> String {
    // Families of ours are valid, so that encoding cannot fail.
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap_or_default()
}

/// Bring a counter to a total that is kept elsewhere. An event that is found to have been written after
/// all leaves the lost ones, but a counter never goes back.
fn advance(counters: &IntCounterVec, labels: &[&str], total: u64) {
    let counter = counters.with_label_values(labels);
    counter.inc_by(total.saturating_sub(counter.get()));
}
