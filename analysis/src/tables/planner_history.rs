//! Which changes a planner decided, which scalings and loads came of them: what the library's own metrics count,
//! with times.

use nashtrace::record::{
    EffectKind, NameSpace, PlannerDecision, PlannerEffect, PlannerTick, UNKNOWN_U32,
};
use nashtrace::state::{Direction, Joined, Predictions, Scalings};

use crate::load::FileFacts;

/// A change of replicas that a planner decided and did not drop. A target that is repeated is one change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// The first tick that decided it.
    pub tick: u64,
    /// Worker type.
    pub worker_type: String,
    /// Replicas decided on.
    pub to: u32,
    /// Seconds until a tick saw as many; `None` if none did while the target was in force.
    pub effect_s: Option<f64>,
}

/// The outcome of a change: it moves the replicas towards the target for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingRow {
    /// The tick that saw it.
    pub tick: u64,
    /// Worker type.
    pub worker_type: String,
    /// Which way.
    pub direction: Direction,
}

/// Follows what a planner records, in the order in which it does.
#[derive(Debug, Default)]
pub(super) struct History {
    scalings: Scalings,
    predictions: Predictions,
    now_s: f64,
    changes: Vec<Change>,
    seen: Vec<(u64, u32, Direction)>,
    joined: Vec<Joined>,
}

#[derive(Debug)]
struct Change {
    tick: u64,
    decided_s: f64,
    worker_type: u32,
    to: u32,
    effect_s: Option<f64>,
}

impl History {
    pub(super) fn tick(&mut self, tick: &PlannerTick, time_s: f64) {
        self.now_s = time_s;
        self.scalings.tick(tick);
        self.joined.extend(self.predictions.tick(tick));
    }

    pub(super) fn decision(&mut self, decision: &PlannerDecision) {
        let now_s = self.now_s;
        if let Some(open) = self.open_change(decision.worker_type)
            && open.to == decision.ready
        {
            open.effect_s = Some(now_s - open.decided_s);
        }
        self.scalings.decision(decision);
        let target = self.scalings.target(decision.worker_type);
        if let Some((tick, to)) = target
            && tick == decision.tick
            && direction(decision) != 0
        {
            let worker_type = decision.worker_type;
            let change = Change { tick, decided_s: now_s, worker_type, to, effect_s: None };
            self.changes.push(change);
        }
    }

    pub(super) fn effect(&mut self, effect: &PlannerEffect) {
        let worker_type = effect.worker_type;
        if effect.effect == EffectKind::Dropped as u8 {
            let target = self.scalings.target(worker_type);
            if target.is_some_and(|(tick, _)| tick == effect.tick) {
                self.changes.retain(|of| (of.worker_type, of.tick) != (worker_type, effect.tick));
            }
        }
        if let Some(direction) = self.scalings.effect(effect) {
            self.seen.push((effect.tick, worker_type, direction));
        }
    }

    /// The change to the target in force, if no tick has seen it yet.
    fn open_change(&mut self, worker_type: u32) -> Option<&mut Change> {
        let (tick, _) = self.scalings.target(worker_type)?;
        self.changes.iter_mut().rfind(|change| {
            (change.worker_type, change.tick) == (worker_type, tick) && change.effect_s.is_none()
        })
    }

    /// Everything, with the names of the file.
    pub(super) fn finish(
        self,
        facts: &FileFacts,
    ) -> (Vec<ChangeRow>, Vec<ScalingRow>, Vec<Joined>) {
        let name = |worker_type| facts.name(NameSpace::WorkerType, worker_type);
        let changes = self.changes.into_iter().map(|change| ChangeRow {
            tick: change.tick,
            worker_type: name(change.worker_type),
            to: change.to,
            effect_s: change.effect_s,
        });
        let scalings = self.seen.into_iter().map(|(tick, worker_type, direction)| ScalingRow {
            tick,
            worker_type: name(worker_type),
            direction,
        });
        (changes.collect(), scalings.collect(), self.joined)
    }
}

/// Replicas that a decision adds to those that are to serve already, those that are starting included where that
/// is known; 0 if it has no opinion.
pub(super) fn direction(decision: &PlannerDecision) -> i64 {
    let known = |value: u32| (value != UNKNOWN_U32).then_some(value);
    let standing = known(decision.expected).unwrap_or(decision.ready);
    known(decision.decided).map_or(0, |decided| i64::from(decided) - i64::from(standing))
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    /// Plays a planner of one component, five seconds a tick.
    #[derive(Default)]
    struct Planner {
        history: History,
        tick: u64,
        ready: u32,
    }

    impl Planner {
        fn tick(&mut self, ready: u32, decided: Option<u32>) {
            self.tick += 1;
            let mut tick = PlannerTick::new_zeroed();
            tick.tick = self.tick;
            self.history.tick(&tick, self.tick as f64 * 5.0);
            let before = std::mem::replace(&mut self.ready, ready);
            if before != ready && before != 0 {
                self.effect(EffectKind::Observed, before, ready);
            }
            let mut decision = PlannerDecision::new_zeroed();
            (decision.tick, decision.ready, decision.expected) = (self.tick, ready, UNKNOWN_U32);
            decision.decided = decided.unwrap_or(UNKNOWN_U32);
            self.history.decision(&decision);
        }

        fn effect(&mut self, kind: EffectKind, from: u32, to: u32) {
            let mut effect = PlannerEffect::new_zeroed();
            (effect.tick, effect.effect) = (self.tick, kind as u8);
            (effect.from, effect.to) = (from, to);
            self.history.effect(&effect);
        }

        /// Targets, and the seconds until they were seen.
        fn changes(&self) -> Vec<(u32, Option<f64>)> {
            self.history.changes.iter().map(|change| (change.to, change.effect_s)).collect()
        }

        /// The ticks that saw scalings.
        fn scalings(&self) -> Vec<u64> {
            self.history.seen.iter().map(|(tick, ..)| *tick).collect()
        }
    }

    #[test]
    fn a_target_that_is_repeated_while_replicas_start_is_one_change() {
        let mut planner = Planner::default();
        planner.tick(1, Some(3));
        for _ in 0..3 {
            planner.tick(1, Some(3));
            planner.effect(EffectKind::Dropped, 1, 3);
        }
        planner.tick(2, Some(3));
        planner.tick(3, Some(3));
        // A worker dies and comes back by itself.
        planner.tick(2, None);
        planner.tick(3, None);
        assert_eq!(planner.changes(), [(3, Some(25.0))]);
        assert_eq!(planner.scalings(), [5]);
    }

    #[test]
    fn what_was_dropped_or_replaced_was_not_seen_however_often_its_number_comes_up_later() {
        let mut planner = Planner::default();
        planner.tick(3, Some(5));
        planner.effect(EffectKind::Dropped, 3, 5);
        planner.tick(3, Some(4));
        planner.tick(3, Some(2));
        planner.tick(2, Some(2));
        for ready in [4, 5] {
            planner.tick(ready, None);
        }
        assert_eq!(planner.changes(), [(4, None), (2, Some(5.0))]);
        assert_eq!(planner.scalings(), [4]);
    }
}
