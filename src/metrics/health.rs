//! How the capture itself fares: nothing is lost silently, on a dashboard either.

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Registry};

use super::{advance, families};
use crate::record::{Kind, LossReason};
use crate::state::Totals;

/// See the module documentation.
pub(crate) struct HealthMetrics {
    produced: IntCounterVec,
    written: IntCounterVec,
    lost: IntCounterVec,
    files_deleted: IntCounter,
    producers: IntGauge,
    ring_size: IntGauge,
    ring_high_water: IntGauge,
    collector_lag: Gauge,
    collector_up: IntGauge,
}

impl HealthMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let int_gauge =
            |family: families::Family| family.int_gauges(registry).with_label_values::<&str>(&[]);
        Self {
            produced: families::EVENTS_PRODUCED.counters(registry),
            written: families::EVENTS_WRITTEN.counters(registry),
            lost: families::EVENTS_LOST.counters(registry),
            files_deleted: families::FILES_DELETED
                .counters(registry)
                .with_label_values::<&str>(&[]),
            producers: int_gauge(families::PRODUCERS),
            ring_size: int_gauge(families::RING_SIZE),
            ring_high_water: int_gauge(families::RING_HIGH_WATER),
            collector_up: int_gauge(families::COLLECTOR_UP),
            collector_lag: families::COLLECTOR_LAG.gauges(registry).with_label_values::<&str>(&[]),
        }
    }

    /// Show the accounts of all producers, and how many have a ring.
    pub(crate) fn show(&self, totals: &Totals, producers: usize) {
        for kind in Kind::ALL {
            let index = kind as usize;
            if totals.produced[index] == 0 {
                continue;
            }
            advance(&self.produced, &[kind.name()], totals.produced[index]);
            advance(&self.written, &[kind.name()], totals.written[index]);
            for reason in LossReason::ALL {
                let lost = totals.lost[index][reason as usize];
                advance(&self.lost, &[kind.name(), reason.name()], lost);
            }
        }
        self.producers.set(producers as i64);
    }

    /// Whether the collector is at work. It is not after a stop, or if it has failed.
    pub(crate) fn collector_runs(&self, runs: bool) {
        self.collector_up.set(runs.into());
    }

    /// So many files were deleted so far.
    pub(crate) fn files_deleted(&self, total: u64) {
        self.files_deleted.inc_by(total - self.files_deleted.get());
    }

    /// Every ring has this size.
    pub(crate) fn ring_size(&self, bytes: usize) {
        self.ring_size.set(bytes as i64);
    }

    /// So many bytes were found waiting in one ring.
    pub(crate) fn found_waiting(&self, bytes: usize) {
        if bytes as i64 > self.ring_high_water.get() {
            self.ring_high_water.set(bytes as i64);
        }
    }

    /// The collector looked into the rings so much later than planned.
    pub(crate) fn lag(&self, lag: std::time::Duration) {
        self.collector_lag.set(lag.as_secs_f64());
    }
}
