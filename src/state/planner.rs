//! What a planner brought about, and how well it predicted.

use std::collections::HashMap;

use crate::record::{
    EffectKind, PlannerDecision, PlannerEffect, PlannerFlag, PlannerTick, UNKNOWN_U32,
};

/// Which way a component was scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// To more replicas.
    Up,
    /// To fewer replicas.
    Down,
}

impl Direction {
    /// The direction from one number of replicas to another, if they differ.
    #[must_use]
    pub const fn between(from: u32, to: u32) -> Option<Self> {
        if from < to {
            Some(Self::Up)
        } else if from > to {
            Some(Self::Down)
        } else {
            None
        }
    }

    /// The name used in labels, reports and JSON keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Worker types that are followed; Dynamo has two.
const MAX_COMPONENTS: usize = 16;

/// Tells which observed changes of replicas are scalings of the planner's.
///
/// A target is one when its first change in its direction is seen: a target that is repeated tick after tick,
/// or reached in steps, is one scaling. A change away from the target, or without one, is not the planner's
/// doing (a worker died, or somebody else scaled). Nothing is, in advisory mode.
#[derive(Debug, Default)]
pub struct Scalings {
    advisory: bool,
    components: HashMap<u32, Targets>,
}

/// The targets of one worker type.
#[derive(Debug, Clone, Copy, Default)]
struct Targets {
    now: Option<Target>,
    /// What `now` has replaced, and is again if that is not submitted after all.
    before: Option<Target>,
}

#[derive(Debug, Clone, Copy)]
struct Target {
    tick: u64,
    replicas: u32,
    is_counted: bool,
}

impl Scalings {
    /// A tick begins.
    pub fn tick(&mut self, tick: &PlannerTick) {
        self.advisory = tick.has(PlannerFlag::Advisory);
    }

    /// The tick has decided for one component.
    pub fn decision(&mut self, decision: &PlannerDecision) {
        if self.advisory || decision.decided == UNKNOWN_U32 {
            return;
        }
        let is_known = self.components.contains_key(&decision.worker_type);
        if !is_known && self.components.len() == MAX_COMPONENTS {
            return;
        }
        let targets = self.components.entry(decision.worker_type).or_default();
        if targets.now.is_none_or(|target| target.replicas != decision.decided) {
            let (tick, replicas) = (decision.tick, decision.decided);
            targets.before = targets.now;
            targets.now = Some(Target { tick, replicas, is_counted: false });
        }
    }

    /// The target of a worker type that is in force, if there is one: the first tick that decided it, and its
    /// replicas.
    #[must_use]
    pub fn target(&self, worker_type: u32) -> Option<(u64, u32)> {
        let target = self.components.get(&worker_type)?.now?;
        Some((target.tick, target.replicas))
    }

    /// Something became of a decision. Gives the direction of the scaling if this is its outcome.
    pub fn effect(&mut self, effect: &PlannerEffect) -> Option<Direction> {
        let targets = self.components.get_mut(&effect.worker_type)?;
        match EffectKind::from_u8(effect.effect) {
            EffectKind::Dropped => {
                if targets.now.is_some_and(|target| target.tick == effect.tick) {
                    targets.now = targets.before;
                }
                None
            }
            EffectKind::Observed => {
                let direction = Direction::between(effect.from, effect.to)?;
                let target = targets.now.as_mut()?;
                if Direction::between(effect.from, target.replicas) != Some(direction) {
                    targets.now = None;
                    return None;
                }
                let is_first = !std::mem::replace(&mut target.is_counted, true);
                is_first.then_some(direction)
            }
            _ => None,
        }
    }
}

/// A load, predicted or observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Requests per second.
    pub request_rate: f64,
    /// Prompt length in tokens.
    pub isl: f64,
    /// Output length in tokens.
    pub osl: f64,
    /// KV hit rate, 0 to 1.
    pub kv_hit_rate: f64,
}

impl Load {
    /// The names of the metrics of a load, in the order of [`Load::values`].
    pub const METRICS: [&'static str; 4] = ["request_rate", "isl", "osl", "kv_hit_rate"];

    /// What the tick observed. Averages over no request are NaN.
    #[must_use]
    pub fn observed(tick: &PlannerTick) -> Self {
        let of_requests = |value| if tick.observed_request_rate > 0.0 { value } else { f64::NAN };
        Self {
            request_rate: tick.observed_request_rate,
            isl: of_requests(tick.observed_isl),
            osl: of_requests(tick.observed_osl),
            kv_hit_rate: of_requests(tick.observed_kv_hit_rate),
        }
    }

    /// What the tick predicted for the interval that follows it.
    #[must_use]
    pub const fn predicted(tick: &PlannerTick) -> Self {
        Self {
            request_rate: tick.predicted_request_rate,
            isl: tick.predicted_isl,
            osl: tick.predicted_osl,
            kv_hit_rate: tick.predicted_kv_hit_rate,
        }
    }

    /// The values in the order of [`Load::METRICS`].
    #[must_use]
    pub const fn values(&self) -> [f64; 4] {
        [self.request_rate, self.isl, self.osl, self.kv_hit_rate]
    }
}

/// A prediction beside what came of it: the load of the same interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joined {
    /// What the tick before had predicted.
    pub predicted: Load,
    /// What was observed.
    pub actual: Load,
}

/// Joins a prediction with the load that the next tick observes that predicts again.
///
/// A tick that predicts is known by its prediction: the flag of the throughput loop may come a tick later,
/// because Dynamo keeps its time apart from that of the predictor.
#[derive(Debug, Default)]
pub struct Predictions {
    pending: Option<Load>,
}

impl Predictions {
    /// A tick. Gives the last prediction and what came of it, if this tick observed the interval that it was
    /// made for.
    pub fn tick(&mut self, tick: &PlannerTick) -> Option<Joined> {
        let predicted = Load::predicted(tick);
        if predicted.values().iter().all(|value| value.is_nan()) {
            return None;
        }
        let before = self.pending.replace(predicted);
        let actual = Load::observed(tick);
        before
            .filter(|_| tick.has(PlannerFlag::FreshTraffic))
            .map(|predicted| Joined { predicted, actual })
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    const DECODE: u32 = 7;

    fn decided(scalings: &mut Scalings, tick: u64, replicas: u32) {
        let mut decision = PlannerDecision::new_zeroed();
        (decision.tick, decision.worker_type, decision.decided) = (tick, DECODE, replicas);
        scalings.decision(&decision);
    }

    fn became(
        scalings: &mut Scalings,
        effect: EffectKind,
        tick: u64,
        (from, to): (u32, u32),
    ) -> Option<Direction> {
        let mut record = PlannerEffect::new_zeroed();
        (record.tick, record.worker_type, record.effect) = (tick, DECODE, effect as u8);
        (record.from, record.to) = (from, to);
        scalings.effect(&record)
    }

    fn observed(scalings: &mut Scalings, from: u32, to: u32) -> Option<Direction> {
        became(scalings, EffectKind::Observed, 0, (from, to))
    }

    #[test]
    fn a_target_is_one_scaling_however_often_it_is_repeated_and_in_however_many_steps() {
        let mut scalings = Scalings::default();
        decided(&mut scalings, 1, 3);
        decided(&mut scalings, 2, 3);
        assert_eq!(observed(&mut scalings, 1, 2), Some(Direction::Up));
        decided(&mut scalings, 3, 3);
        assert_eq!(observed(&mut scalings, 2, 3), None);
        decided(&mut scalings, 4, 1);
        assert_eq!(observed(&mut scalings, 3, 1), Some(Direction::Down));
    }

    #[test]
    fn what_the_planner_did_not_decide_is_no_scaling_of_its() {
        let mut scalings = Scalings::default();
        assert_eq!(observed(&mut scalings, 1, 2), None);
        decided(&mut scalings, 1, 3);
        assert_eq!(observed(&mut scalings, 2, 3), Some(Direction::Up));
        // A worker dies and comes back on its own; then the planner replaces one.
        assert_eq!(observed(&mut scalings, 3, 2), None);
        assert_eq!(observed(&mut scalings, 2, 3), None);
        assert_eq!(observed(&mut scalings, 3, 2), None);
        decided(&mut scalings, 2, 3);
        assert_eq!(observed(&mut scalings, 2, 3), Some(Direction::Up));
    }

    #[test]
    fn a_dropped_decision_leaves_the_one_before_in_force() {
        let mut scalings = Scalings::default();
        decided(&mut scalings, 1, 4);
        decided(&mut scalings, 2, 2);
        assert_eq!(became(&mut scalings, EffectKind::Dropped, 2, (3, 2)), None);
        assert_eq!(observed(&mut scalings, 3, 4), Some(Direction::Up));
        decided(&mut scalings, 3, 5);
        assert_eq!(became(&mut scalings, EffectKind::Applied, 3, (4, 5)), None);
        assert_eq!(observed(&mut scalings, 4, 5), Some(Direction::Up));
    }

    #[test]
    fn nothing_is_a_scaling_in_advisory_mode() {
        let mut scalings = Scalings::default();
        let mut tick = PlannerTick::new_zeroed();
        tick.flags = PlannerFlag::Advisory as u32;
        scalings.tick(&tick);
        decided(&mut scalings, 1, 3);
        assert_eq!(observed(&mut scalings, 1, 3), None);
    }

    fn predicting(observed_rate: f64, predicted_rate: f64, is_fresh: bool) -> PlannerTick {
        let mut tick = PlannerTick::new_zeroed();
        tick.flags = if is_fresh { PlannerFlag::FreshTraffic as u32 } else { 0 };
        (tick.observed_request_rate, tick.observed_isl) = (observed_rate, 10.0 * observed_rate);
        (tick.predicted_request_rate, tick.predicted_isl) = (predicted_rate, 8.0);
        tick
    }

    #[test]
    fn a_prediction_meets_the_load_of_the_next_tick_that_predicts() {
        let mut predictions = Predictions::default();
        assert_eq!(predictions.tick(&predicting(1.0, 2.0, true)), None);
        let mut load_tick = predicting(9.0, f64::NAN, true);
        load_tick.flags |= PlannerFlag::ThroughputScaling as u32;
        (load_tick.predicted_isl, load_tick.predicted_osl) = (f64::NAN, f64::NAN);
        load_tick.predicted_kv_hit_rate = f64::NAN;
        assert_eq!(predictions.tick(&load_tick), None);
        let joined = predictions.tick(&predicting(3.0, 4.0, true)).unwrap();
        assert_eq!((joined.predicted.request_rate, joined.actual.request_rate), (2.0, 3.0));
        assert_eq!((joined.predicted.isl, joined.actual.isl), (8.0, 30.0));
        // Nobody saw the interval that 4 was predicted for; the tick that missed it predicted 5.
        assert_eq!(predictions.tick(&predicting(f64::NAN, 5.0, false)), None);
        let joined = predictions.tick(&predicting(0.0, 6.0, true)).unwrap();
        assert_eq!((joined.predicted.request_rate, joined.actual.request_rate), (5.0, 0.0));
        assert!(joined.actual.isl.is_nan());
    }
}
