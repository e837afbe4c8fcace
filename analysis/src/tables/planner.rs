//! The table of what planners saw, decided and brought about.

use nashtrace::record::{
    Clock, EffectKind, NameSpace, PlannerDecision, PlannerEffect, PlannerTick, UNKNOWN_U32,
};
use nashtrace::state::Joined;
use nashtrace::trace::{PacketHeader, RawRecord};

use super::planner_history::{ChangeRow, History, ScalingRow, direction};
use crate::load::{FileFacts, Visitor};

/// What a planner's process recorded, as it comes.
#[derive(Debug, Clone, Default)]
pub struct FilePlanner {
    told: Vec<Told>,
}

#[derive(Debug, Clone, Copy)]
enum Told {
    Tick(PlannerTick),
    Decision(PlannerDecision),
    Effect(PlannerEffect),
}

impl Visitor for FilePlanner {
    fn record(&mut self, _: &PacketHeader, record: &RawRecord<'_>) {
        if let Some(tick) = record.to::<PlannerTick>() {
            self.told.push(Told::Tick(tick));
        } else if let Some(decision) = record.to::<PlannerDecision>() {
            self.told.push(Told::Decision(decision));
        } else if let Some(effect) = record.to::<PlannerEffect>() {
            self.told.push(Told::Effect(effect));
        }
    }
}

/// One tick of a planner.
#[derive(Debug, Clone)]
pub struct TickRow {
    /// Seconds on the caller's clock, or since the process's first tick.
    pub time_s: f64,
    /// The record.
    pub tick: PlannerTick,
    /// What it ended with; empty if unknown.
    pub action: String,
    /// One for each component.
    pub components: Vec<ComponentRow>,
}

/// What a tick decided for one component, and what became of it.
#[derive(Debug, Clone)]
pub struct ComponentRow {
    /// Worker type.
    pub worker_type: String,
    /// The record.
    pub decision: PlannerDecision,
    /// The load loop's reason; empty if it gave none.
    pub load_reason: String,
    /// The throughput loop's reason; empty if it gave none.
    pub throughput_reason: String,
    /// Submitted, dropped, applied or failed, in order, each with its reason.
    pub effects: Vec<(EffectKind, String)>,
}

impl ComponentRow {
    /// Replicas decided on, if the tick has an opinion.
    #[must_use]
    pub fn decided(&self) -> Option<u32> {
        known(self.decision.decided)
    }

    /// Up is above zero, down below, no change zero.
    #[must_use]
    pub fn direction(&self) -> i64 {
        direction(&self.decision)
    }
}

/// A change of replicas that was seen.
#[derive(Debug, Clone)]
pub struct OutcomeRow {
    /// Seconds, as in [`TickRow::time_s`].
    pub time_s: f64,
    /// The tick that saw it.
    pub tick: u64,
    /// Worker type.
    pub worker_type: String,
    /// Replicas before.
    pub from: u32,
    /// Replicas seen.
    pub to: u32,
}

/// What one planner did, in the order of ticks.
#[derive(Debug, Clone, Default)]
pub struct PlannerTable {
    /// Every tick.
    pub ticks: Vec<TickRow>,
    /// Every change of replicas that was seen, whoever brought it about.
    pub outcomes: Vec<OutcomeRow>,
    /// Every change that was decided and not dropped.
    pub changes: Vec<ChangeRow>,
    /// Every scaling that came of one.
    pub scalings: Vec<ScalingRow>,
    /// Predictions beside the load of the intervals that they were made for.
    pub predictions: Vec<Joined>,
}

impl FilePlanner {
    /// The table of a file.
    #[must_use]
    pub fn table(&self, facts: &FileFacts) -> PlannerTable {
        let first = self.ticks().next().map_or(0.0, |tick| seconds(tick.head.time, 0, facts));
        let time_s = |time: u64, clock: u8| match clock == Clock::Caller as u8 {
            true => time as f64 / 1e9,
            false => seconds(time, clock, facts) - first,
        };
        let mut ticks: Vec<TickRow> = self
            .ticks()
            .map(|tick| TickRow {
                time_s: time_s(tick.head.time, tick.head.clock),
                tick: *tick,
                action: word(tick.action, facts),
                components: self.components(tick.tick, facts),
            })
            .collect();
        ticks.sort_by_key(|row| row.tick.tick);
        let observed = |effect: &&PlannerEffect| effect.effect == EffectKind::Observed as u8;
        let outcomes = self.effects().filter(observed).map(|effect| OutcomeRow {
            time_s: time_s(effect.head.time, effect.head.clock),
            tick: effect.tick,
            worker_type: facts.name(NameSpace::WorkerType, effect.worker_type),
            from: effect.from,
            to: effect.to,
        });
        let mut history = History::default();
        for told in &self.told {
            match told {
                Told::Tick(tick) => history.tick(tick, time_s(tick.head.time, tick.head.clock)),
                Told::Decision(decision) => history.decision(decision),
                Told::Effect(effect) => history.effect(effect),
            }
        }
        let (changes, scalings, predictions) = history.finish(facts);
        PlannerTable { ticks, outcomes: outcomes.collect(), changes, scalings, predictions }
    }

    fn ticks(&self) -> impl Iterator<Item = &PlannerTick> {
        self.told.iter().filter_map(|told| match told {
            Told::Tick(tick) => Some(tick),
            _ => None,
        })
    }

    fn decisions(&self) -> impl Iterator<Item = &PlannerDecision> {
        self.told.iter().filter_map(|told| match told {
            Told::Decision(decision) => Some(decision),
            _ => None,
        })
    }

    fn effects(&self) -> impl Iterator<Item = &PlannerEffect> {
        self.told.iter().filter_map(|told| match told {
            Told::Effect(effect) => Some(effect),
            _ => None,
        })
    }

    fn components(&self, tick: u64, facts: &FileFacts) -> Vec<ComponentRow> {
        let of_tick = self.decisions().filter(|decision| decision.tick == tick);
        let component = |decision: &PlannerDecision| ComponentRow {
            worker_type: facts.name(NameSpace::WorkerType, decision.worker_type),
            decision: *decision,
            load_reason: word(decision.load_reason, facts),
            throughput_reason: word(decision.throughput_reason, facts),
            effects: self.effects_of(decision, facts),
        };
        of_tick.map(component).collect()
    }

    fn effects_of(
        &self,
        decision: &PlannerDecision,
        facts: &FileFacts,
    ) -> Vec<(EffectKind, String)> {
        let same = self.effects().filter(|effect| {
            (effect.tick, effect.worker_type) == (decision.tick, decision.worker_type)
                && effect.effect != EffectKind::Observed as u8
        });
        same.map(|effect| (EffectKind::from_u8(effect.effect), word(effect.reason, facts)))
            .collect()
    }
}

fn known(value: u32) -> Option<u32> {
    (value != UNKNOWN_U32).then_some(value)
}

fn word(id: u32, facts: &FileFacts) -> String {
    if id == 0 { String::new() } else { facts.name(NameSpace::Planner, id) }
}

fn seconds(time: u64, clock: u8, facts: &FileFacts) -> f64 {
    if clock == Clock::Caller as u8 {
        time as f64 / 1e9
    } else {
        facts.timeline.wall_ns(time) as f64 / 1e9
    }
}
