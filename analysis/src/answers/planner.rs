//! How well a planner predicted, how fast it took effect, and whether it went back and forth.

use std::collections::BTreeMap;

use nashtrace::record::PlannerFlag;

use super::Distribution;
use crate::tables::{PlannerTable, TickRow};

/// Everything about one planner.
#[derive(Debug, Clone, Default)]
pub struct PlannerAnswer {
    /// Ticks.
    pub ticks: u64,
    /// Ticks in advisory mode: nothing is applied.
    pub advisory_ticks: u64,
    /// Decisions to change a component's replicas.
    pub changes_decided: u64,
    /// Changes of replicas that were seen, by worker type: up, down.
    pub scaling_events: BTreeMap<String, (u64, u64)>,
    /// Error of each predicted quantity.
    pub prediction: Vec<PredictionError>,
    /// Seconds between a decision to change and the tick that saw as many replicas.
    pub effect_s: Distribution,
    /// Decisions to change that no later tick saw come true before the next change was decided.
    pub without_effect: u64,
    /// Of all scaling events, those that took back the one before them soon: see
    /// [`PlannerAnswer::of`].
    pub ping_pongs: u64,
}

/// How far predictions were from what came.
#[derive(Debug, Clone)]
pub struct PredictionError {
    /// What was predicted.
    pub quantity: &'static str,
    /// Predictions whose interval was observed.
    pub count: u64,
    /// Mean of predicted less actual: above zero means too high.
    pub bias: f64,
    /// Mean of the absolute error.
    pub mean_absolute: f64,
    /// Mean of the absolute error relative to the actual value, over those that are not zero.
    pub mean_relative: f64,
}

/// A quantity that planners predict: its name, the prediction, and the observation.
type Quantity = (&'static str, fn(&TickRow) -> f64, fn(&TickRow) -> f64);

const QUANTITIES: [Quantity; 4] = [
    ("requests per second", |t| t.tick.predicted_request_rate, |t| t.tick.observed_request_rate),
    ("input tokens", |t| t.tick.predicted_isl, |t| t.tick.observed_isl),
    ("output tokens", |t| t.tick.predicted_osl, |t| t.tick.observed_osl),
    ("KV hit rate", |t| t.tick.predicted_kv_hit_rate, |t| t.tick.observed_kv_hit_rate),
];

impl PlannerAnswer {
    /// Answer for one planner. A scaling event is a *ping-pong* if the component's event before it went
    /// the other way and was seen at most `intervals` ticks earlier (our definition).
    #[must_use]
    pub fn of(table: &PlannerTable, intervals: u64) -> Self {
        let ticks = &table.ticks;
        let is_advisory = |row: &&TickRow| row.tick.has(PlannerFlag::Advisory);
        let mut answer = Self {
            ticks: ticks.len() as u64,
            advisory_ticks: ticks.iter().filter(is_advisory).count() as u64,
            prediction: QUANTITIES.iter().filter_map(|q| prediction_error(ticks, q)).collect(),
            ..Self::default()
        };
        answer.effects(table);
        answer.scaling(table, intervals);
        answer
    }

    fn effects(&mut self, table: &PlannerTable) {
        let mut delays = Vec::new();
        for (index, row) in table.ticks.iter().enumerate() {
            if row.tick.has(PlannerFlag::Advisory) {
                continue;
            }
            for component in row.components.iter().filter(|component| component.direction() != 0) {
                self.changes_decided += 1;
                let wanted = component.decided().unwrap_or_default();
                let later = table.ticks[index + 1..].iter().find_map(|later| {
                    let same = later.components.iter();
                    let same = same.filter(|other| other.worker_type == component.worker_type);
                    let mut same = same.filter(|other| other.decision.ready == wanted);
                    same.next().map(|_| later.time_s - row.time_s)
                });
                match later {
                    Some(delay) => delays.push(delay),
                    None => self.without_effect += 1,
                }
            }
        }
        self.effect_s = Distribution::of(delays);
    }

    fn scaling(&mut self, table: &PlannerTable, intervals: u64) {
        let mut last: BTreeMap<&str, (bool, u64)> = BTreeMap::new();
        for outcome in table.outcomes.iter().filter(|outcome| outcome.from != outcome.to) {
            let is_up = outcome.to > outcome.from;
            let events = self.scaling_events.entry(outcome.worker_type.clone()).or_default();
            *(if is_up { &mut events.0 } else { &mut events.1 }) += 1;
            let before = last.insert(&outcome.worker_type, (is_up, outcome.tick));
            let went_back = before.is_some_and(|(was_up, tick)| {
                was_up != is_up && outcome.tick.saturating_sub(tick) <= intervals
            });
            self.ping_pongs += u64::from(went_back);
        }
    }

    /// Scaling events that were seen.
    #[must_use]
    pub fn scaling_total(&self) -> u64 {
        self.scaling_events.values().map(|(up, down)| up + down).sum()
    }

    /// Share of the scaling events that are ping-pongs; NaN without events.
    #[must_use]
    pub fn ping_pong_index(&self) -> f64 {
        self.ping_pongs as f64 / self.scaling_total() as f64
    }
}

/// Join every prediction with the next fresh observation behind it.
fn prediction_error(ticks: &[TickRow], quantity: &Quantity) -> Option<PredictionError> {
    let (name, predicted, observed) = quantity;
    let mut pending: Option<f64> = None;
    let mut pairs = Vec::new();
    for row in ticks {
        if row.tick.has(PlannerFlag::FreshTraffic) && observed(row).is_finite() {
            pairs.extend(pending.take().map(|prediction| (prediction, observed(row))));
        }
        if predicted(row).is_finite() {
            pending = Some(predicted(row));
        }
    }
    if pairs.is_empty() {
        return None;
    }
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = values.collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let nonzero = pairs.iter().filter(|(_, actual)| *actual != 0.0);
    Some(PredictionError {
        quantity: name,
        count: pairs.len() as u64,
        bias: mean(&mut pairs.iter().map(|(p, a)| p - a)),
        mean_absolute: mean(&mut pairs.iter().map(|(p, a)| (p - a).abs())),
        mean_relative: mean(&mut nonzero.map(|(p, a)| ((p - a) / a).abs())),
    })
}

#[cfg(test)]
mod tests {
    use nashtrace::record::{PlannerDecision, PlannerTick, UNKNOWN_U32};
    use zerocopy::FromZeros;

    use super::*;
    use crate::tables::{ComponentRow, OutcomeRow};

    fn tick(number: u64, ready: u32, decided: u32, predicted: f64, observed: f64) -> TickRow {
        let mut tick = PlannerTick::new_zeroed();
        tick.tick = number;
        tick.flags = PlannerFlag::FreshTraffic as u32;
        (tick.predicted_request_rate, tick.observed_request_rate) = (predicted, observed);
        (tick.predicted_isl, tick.predicted_osl) = (f64::NAN, f64::NAN);
        tick.predicted_kv_hit_rate = f64::NAN;
        let mut decision = PlannerDecision::new_zeroed();
        (decision.ready, decision.expected, decision.decided) = (ready, UNKNOWN_U32, decided);
        let component = ComponentRow {
            worker_type: "decode".to_owned(),
            decision,
            load_reason: String::new(),
            throughput_reason: String::new(),
            effects: Vec::new(),
        };
        let time_s = number as f64 * 5.0;
        TickRow { time_s, tick, action: String::new(), components: vec![component] }
    }

    fn outcome(tick: u64, from: u32, to: u32) -> OutcomeRow {
        OutcomeRow { time_s: tick as f64 * 5.0, tick, worker_type: "decode".to_owned(), from, to }
    }

    #[test]
    fn predictions_are_joined_one_interval_later_and_effects_with_their_decisions() {
        let table = PlannerTable {
            ticks: vec![
                tick(1, 1, 2, 10.0, 4.0),
                tick(2, 1, UNKNOWN_U32, 6.0, 8.0),
                tick(3, 2, 3, f64::NAN, 6.0),
            ],
            outcomes: vec![outcome(3, 1, 2), outcome(5, 2, 1), outcome(20, 1, 2)],
        };
        let answer = PlannerAnswer::of(&table, 3);
        let [error] = &answer.prediction[..] else { panic!("{:?}", answer.prediction) };
        // 10 against 8, and 6 against 6.
        assert_eq!((error.count, error.bias, error.mean_absolute), (2, 1.0, 1.0));
        assert_eq!(error.mean_relative, 0.125);
        assert_eq!((answer.changes_decided, answer.without_effect), (2, 1));
        assert_eq!((answer.effect_s.count, answer.effect_s.p50), (1, 10.0));
        assert_eq!(answer.scaling_events["decode"], (2, 1));
        assert_eq!(answer.ping_pongs, 1, "the last one came too late to be one");
    }
}
