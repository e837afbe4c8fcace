//! How well a planner predicted, how fast it took effect, and whether it went back and forth.

use std::collections::BTreeMap;

use nashtrace::record::PlannerFlag;
use nashtrace::state::{Direction, Joined};

use super::Distribution;
use crate::tables::{PlannerTable, TickRow};

/// Everything about one planner.
#[derive(Debug, Clone, Default)]
pub struct PlannerAnswer {
    /// Ticks.
    pub ticks: u64,
    /// Ticks in advisory mode: nothing is applied.
    pub advisory_ticks: u64,
    /// Targets that were to change a component's replicas and were not dropped, each once.
    pub changes_decided: u64,
    /// Scalings that came of them, by worker type: up, down. Other changes of replicas (a worker died, or somebody
    /// else scaled) are not the planner's.
    pub scaling_events: BTreeMap<String, (u64, u64)>,
    /// Error of each predicted quantity.
    pub prediction: Vec<PredictionError>,
    /// Seconds between the first decision to change and the tick that saw as many replicas.
    pub effect_s: Distribution,
    /// Changes that no tick saw come true while their target was in force.
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

/// The quantities that planners predict, in the order of [`Load::values`](nashtrace::state::Load::values).
const QUANTITIES: [&str; 4] =
    ["requests per second", "input tokens", "output tokens", "KV hit rate"];

impl PlannerAnswer {
    /// Answer for one planner. A scaling event is a *ping-pong* if the component's event before it went
    /// the other way and was seen at most `intervals` ticks earlier (our definition).
    #[must_use]
    pub fn of(table: &PlannerTable, intervals: u64) -> Self {
        let ticks = &table.ticks;
        let is_advisory = |row: &&TickRow| row.tick.has(PlannerFlag::Advisory);
        let errors = QUANTITIES.into_iter().enumerate();
        let errors = errors.filter_map(|(of, name)| prediction_error(&table.predictions, of, name));
        let delays: Vec<f64> = table.changes.iter().filter_map(|change| change.effect_s).collect();
        let mut answer = Self {
            ticks: ticks.len() as u64,
            advisory_ticks: ticks.iter().filter(is_advisory).count() as u64,
            changes_decided: table.changes.len() as u64,
            without_effect: (table.changes.len() - delays.len()) as u64,
            effect_s: Distribution::of(delays),
            prediction: errors.collect(),
            ..Self::default()
        };
        answer.scaling(table, intervals);
        answer
    }

    fn scaling(&mut self, table: &PlannerTable, intervals: u64) {
        let mut last: BTreeMap<&str, (Direction, u64)> = BTreeMap::new();
        for scaling in &table.scalings {
            let events = self.scaling_events.entry(scaling.worker_type.clone()).or_default();
            match scaling.direction {
                Direction::Up => events.0 += 1,
                Direction::Down => events.1 += 1,
            }
            let before = last.insert(&scaling.worker_type, (scaling.direction, scaling.tick));
            let went_back = before.is_some_and(|(direction, tick)| {
                direction != scaling.direction && scaling.tick.saturating_sub(tick) <= intervals
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

/// The error of a quantity where it was both predicted and observed.
fn prediction_error(
    predictions: &[Joined],
    quantity: usize,
    name: &'static str,
) -> Option<PredictionError> {
    let pairs = predictions
        .iter()
        .map(|joined| (joined.predicted.values()[quantity], joined.actual.values()[quantity]));
    let is_known = |(predicted, actual): &(f64, f64)| predicted.is_finite() && actual.is_finite();
    let pairs: Vec<(f64, f64)> = pairs.filter(is_known).collect();
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
    use nashtrace::state::Load;

    use super::*;
    use crate::tables::{ChangeRow, ScalingRow};

    fn joined(predicted: [f64; 2], actual: [f64; 2]) -> Joined {
        let load = |[request_rate, isl]: [f64; 2]| Load {
            request_rate,
            isl,
            osl: f64::NAN,
            kv_hit_rate: f64::NAN,
        };
        Joined { predicted: load(predicted), actual: load(actual) }
    }

    fn change(tick: u64, effect_s: Option<f64>) -> ChangeRow {
        ChangeRow { tick, worker_type: "decode".to_owned(), to: 2, effect_s }
    }

    fn scaling(tick: u64, direction: Direction) -> ScalingRow {
        ScalingRow { tick, worker_type: "decode".to_owned(), direction }
    }

    #[test]
    fn errors_effects_and_ping_pongs_are_those_of_the_table() {
        let table = PlannerTable {
            // No request, no mean length.
            predictions: vec![
                joined([10.0, 100.0], [8.0, 80.0]),
                joined([6.0, 90.0], [6.0, f64::NAN]),
            ],
            changes: vec![change(1, Some(10.0)), change(3, None)],
            scalings: vec![
                scaling(3, Direction::Up),
                scaling(5, Direction::Down),
                scaling(20, Direction::Up),
            ],
            ..PlannerTable::default()
        };
        let answer = PlannerAnswer::of(&table, 3);
        let [rate, isl] = &answer.prediction[..] else { panic!("{:?}", answer.prediction) };
        assert_eq!((rate.count, rate.bias, rate.mean_absolute), (2, 1.0, 1.0));
        assert_eq!(rate.mean_relative, 0.125);
        assert_eq!((isl.quantity, isl.count, isl.bias), ("input tokens", 1, 20.0));
        assert_eq!((answer.changes_decided, answer.without_effect), (2, 1));
        assert_eq!((answer.effect_s.count, answer.effect_s.p50), (1, 10.0));
        assert_eq!(answer.scaling_events["decode"], (2, 1));
        assert_eq!(answer.ping_pongs, 1, "the last one came too late to be one");
    }
}
