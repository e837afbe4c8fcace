//! What a planner brought about, and what it had predicted.

use prometheus::{GaugeVec, IntCounterVec, Registry};
use zerocopy::FromBytes;

use super::families;
use crate::declarations;
use crate::record::{Kind, NameSpace, PlannerDecision, PlannerEffect, PlannerTick};
use crate::state::{Load, Predictions, Scalings};

/// See the module documentation.
pub(crate) struct PlannerMetrics {
    scaling_events: IntCounterVec,
    predicted_load: GaugeVec,
    actual_load: GaugeVec,
    scalings: Scalings,
    predictions: Predictions,
}

impl PlannerMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            scaling_events: families::SCALING_EVENTS.counters(registry),
            predicted_load: families::PREDICTED_LOAD.gauges(registry),
            actual_load: families::ACTUAL_LOAD.gauges(registry),
            scalings: Scalings::default(),
            predictions: Predictions::default(),
        }
    }

    /// Observe a record of this kind as it is written; those that are not a planner's are let pass.
    pub(crate) fn record(&mut self, kind: u8, entry: &[u8]) {
        if kind == Kind::PlannerTick as u8 {
            self.tick(&read(entry));
        } else if kind == Kind::PlannerDecision as u8 {
            self.scalings.decision(&read::<PlannerDecision>(entry));
        } else if kind == Kind::PlannerEffect as u8 {
            self.effect(&read(entry));
        }
    }

    fn tick(&mut self, tick: &PlannerTick) {
        self.scalings.tick(tick);
        let Some(joined) = self.predictions.tick(tick) else { return };
        let pairs = joined.predicted.values().into_iter().zip(joined.actual.values());
        for (metric, (predicted, actual)) in Load::METRICS.into_iter().zip(pairs) {
            // Only beside each other do they mean anything.
            if predicted.is_finite() && actual.is_finite() {
                self.predicted_load.with_label_values(&[metric]).set(predicted);
                self.actual_load.with_label_values(&[metric]).set(actual);
            }
        }
    }

    fn effect(&mut self, effect: &PlannerEffect) {
        if let Some(direction) = self.scalings.effect(effect) {
            let worker_type = declarations::text(NameSpace::WorkerType, effect.worker_type);
            let worker_type = worker_type.as_deref().unwrap_or("unknown");
            self.scaling_events.with_label_values(&[direction.name(), worker_type]).inc();
        }
    }
}

fn read<T: FromBytes>(entry: &[u8]) -> T {
    T::read_from_prefix(entry).expect("rings hold whole records").0
}
