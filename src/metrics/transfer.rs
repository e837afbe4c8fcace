//! Copies of KV blocks between tiers, and how their timing fares.

use std::collections::HashMap;

use prometheus::{GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, Registry};

use super::families;
use crate::clock::TickRate;
use crate::cuda::{Untimed, untimed};
use crate::record::{Clock, Outcome, Strategy, Tier, Timing, Transfer, UNKNOWN_U64};

/// From tier, to tier and strategy: what tells kinds of copies apart.
type Route = (u8, u8, u8);

/// See the module documentation.
pub(crate) struct TransferMetrics {
    seconds: HistogramVec,
    bytes: IntCounterVec,
    transfers: IntCounterVec,
    routes: HashMap<Route, Series>,
}

struct Series {
    seconds: [Option<Histogram>; Timing::ALL.len()],
    bytes: IntCounter,
    transfers: [Option<IntCounter>; Outcome::ALL.len()],
}

impl TransferMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            seconds: families::TRANSFER_SECONDS.histograms(registry),
            bytes: families::TRANSFER_BYTES.counters(registry),
            transfers: families::TRANSFERS.counters(registry),
            routes: HashMap::new(),
        }
    }

    /// Count a copy.
    pub(crate) fn transfer(&mut self, transfer: &Transfer, rate: &TickRate) {
        // Numbers of a later version fall together, so that there are only so many routes.
        let from = Tier::from_u8(transfer.from_tier);
        let to = Tier::from_u8(transfer.to_tier);
        let strategy = Strategy::from_u8(transfer.strategy);
        let labels = [from.name(), to.name(), strategy.name()];
        let series =
            self.routes.entry((from as u8, to as u8, strategy as u8)).or_insert_with(|| Series {
                seconds: Default::default(),
                bytes: self.bytes.with_label_values(&labels),
                transfers: Default::default(),
            });
        let outcome = Outcome::from_u8(transfer.outcome);
        let with = |label: &'static str| [labels[0], labels[1], labels[2], label];
        series.transfers[outcome as usize]
            .get_or_insert_with(|| self.transfers.with_label_values(&with(outcome.name())))
            .inc();
        if matches!(outcome, Outcome::Done | Outcome::Unknown) {
            series.bytes.inc_by(transfer.bytes);
            if let Some(seconds) = seconds(transfer, rate) {
                let timing = Timing::from_u8(transfer.timing);
                series.seconds[timing as usize]
                    .get_or_insert_with(|| self.seconds.with_label_values(&with(timing.name())))
                    .observe(seconds);
            }
        }
    }
}

/// How long a copy took, where that is known.
fn seconds(transfer: &Transfer, rate: &TickRate) -> Option<f64> {
    if transfer.timing == Timing::CudaEvents as u8 {
        return (transfer.device_ns != UNKNOWN_U64).then(|| transfer.device_ns as f64 / 1e9);
    }
    if transfer.ended == UNKNOWN_U64 {
        return None;
    }
    let took = transfer.ended.checked_sub(transfer.head.time)? as f64;
    let is_ticks = transfer.head.clock == Clock::Ticks as u8;
    let ns = if is_ticks { took / rate.ticks_per_ns() } else { took };
    ns.is_finite().then_some(ns / 1e9)
}

/// How the timing by CUDA events fares.
pub(crate) struct CudaMetrics {
    untimed: IntCounterVec,
    uncertainty: GaugeVec,
    /// What earlier sessions of the process had counted.
    before: [u64; Untimed::ALL.len()],
}

impl CudaMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            untimed: families::CUDA_UNTIMED.counters(registry),
            uncertainty: families::CUDA_UNCERTAINTY.gauges(registry),
            before: untimed(),
        }
    }

    /// Show why copies were not timed, and how well each device's clock is known, in ticks.
    pub(crate) fn show(&self, uncertainties: impl Iterator<Item = (u32, u64)>, rate: &TickRate) {
        for (index, (reason, total)) in Untimed::ALL.iter().zip(untimed()).enumerate() {
            let count = total - self.before[index];
            if count > 0 {
                let counter = self.untimed.with_label_values(&[reason.name()]);
                counter.inc_by(count - counter.get());
            }
        }
        for (device, ticks) in uncertainties {
            let seconds = ticks as f64 / rate.ticks_per_ns() / 1e9;
            self.uncertainty.with_label_values(&[&device.to_string()]).set(seconds);
        }
    }
}
