//! Prometheus metrics, computed by the collector from what it takes out of the rings.
//!
//! Hooks know nothing of them. They count what the collector has seen, so that they are as old as the
//! records in the rings may become (`NASHTRACE_FLUSH_MS`), and they count events whose packet could not be
//! written. Every session starts from zero, as Prometheus expects of a counter's owner that restarts.

mod families;
mod health;
mod listener;
mod router;
mod transfer;

use prometheus::{Registry, TextEncoder};

pub(crate) use self::health::HealthMetrics;
pub(crate) use self::listener::Listener;
pub(crate) use self::router::RouterMetrics;
pub(crate) use self::transfer::{CudaMetrics, TransferMetrics};

/// The collector's side of the metrics.
pub(crate) struct Metrics {
    /// What routers decided.
    pub(crate) router: RouterMetrics,
    /// Copies between tiers.
    pub(crate) transfers: TransferMetrics,
    /// How the timing of copies fares.
    pub(crate) cuda: CudaMetrics,
    /// How the capture itself fares.
    pub(crate) health: HealthMetrics,
}

impl Metrics {
    /// Metrics at zero, registered for [`text`]; `workers` of them have series of their own.
    ///
    /// # Panics
    ///
    /// If the registry has metrics of the same names already.
    #[must_use]
    pub(crate) fn new(registry: &Registry, workers: usize) -> Self {
        Self {
            router: RouterMetrics::new(registry, workers),
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
