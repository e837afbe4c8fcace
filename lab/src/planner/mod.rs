//! A planner in the simulated loop: the simulator's scaling interface, with the thresholds of the load mode
//! of Dynamo's planner. It is our port of them, not Dynamo's planner.

pub mod load;
mod record;

use std::collections::HashMap;

use aisimulate_core::replay::{
    ReplayScalingDecision, ReplayScalingPolicy, ReplayScalingSnapshot, TrafficStats,
};
use nashtrace::record::EffectKind;

use crate::scenario::{Cluster, Planner, Scenario, Timing};
use load::{Component, Proposal, Role};
use record::{Observed, Recorder};

/// The planner of one simulation.
pub struct LoadPlanner {
    planner: Planner,
    is_disaggregated: bool,
    max_kv_tokens: usize,
    gpus_per_worker: usize,
    /// Workers of each component that served at the tick before.
    ready_before: HashMap<&'static str, usize>,
    last_tick_ms: f64,
    gpu_hours: f64,
}

impl LoadPlanner {
    /// The planner of a scenario, if it has one.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Option<Self> {
        let planner = scenario.planner.clone()?;
        let ready_before = match scenario.cluster {
            Cluster::Aggregated { workers } => vec![(Role::Aggregated.name(), workers)],
            Cluster::Disaggregated { prefill_workers, decode_workers } => {
                vec![(Role::Prefill.name(), prefill_workers), (Role::Decode.name(), decode_workers)]
            }
            Cluster::Links { .. } => return None,
        };
        Some(Self {
            is_disaggregated: matches!(scenario.cluster, Cluster::Disaggregated { .. }),
            max_kv_tokens: scenario.engine.kv_blocks * scenario.engine.block_size,
            gpus_per_worker: planner.gpus_per_worker.unwrap_or(match scenario.timing {
                Timing::Roofline { tensor_parallel, .. } => tensor_parallel,
                Timing::Measured { .. } | Timing::Links => 1,
            }),
            ready_before: ready_before.into_iter().collect(),
            planner,
            last_tick_ms: 0.0,
            gpu_hours: 0.0,
        })
    }

    fn observed(&mut self, snapshot: &ReplayScalingSnapshot) -> Observed {
        let TrafficStats { duration_s, num_req, .. } = snapshot.traffic;
        let traffic = &snapshot.traffic;
        let of = |count: usize, value: f64| if count > 0 { value } else { f64::NAN };
        let workers = [
            &snapshot.active_prefill_ids,
            &snapshot.active_decode_ids,
            &snapshot.starting_prefill_ids,
            &snapshot.starting_decode_ids,
            &snapshot.draining_prefill_ids,
            &snapshot.draining_decode_ids,
        ];
        let gpus =
            (workers.iter().map(|ids| ids.len()).sum::<usize>() * self.gpus_per_worker) as f64;
        // As in Dynamo, the workers of this tick stand for those of the interval that it ends.
        let interval_s = (snapshot.now_ms - self.last_tick_ms) / 1e3;
        self.last_tick_ms = snapshot.now_ms;
        self.gpu_hours += gpus * interval_s / 3600.0;
        Observed {
            interval_s: duration_s,
            request_rate: if duration_s > 0.0 { num_req as f64 / duration_s } else { f64::NAN },
            isl: of(traffic.shape_count, traffic.avg_isl),
            osl: of(traffic.shape_count, traffic.avg_osl),
            ttft_ms: of(traffic.ttft_count, traffic.avg_ttft_ms),
            itl_ms: of(traffic.itl_count, traffic.avg_itl_ms),
            kv_hit_rate: of(traffic.hit_rate_count, traffic.avg_kv_hit_rate),
            gpus,
            gpu_hours: self.gpu_hours,
        }
    }

    fn components<'a>(&self, snapshot: &'a ReplayScalingSnapshot) -> Vec<Component<'a>> {
        let max_kv_tokens = self.max_kv_tokens;
        let decode = Component {
            role: if self.is_disaggregated { Role::Decode } else { Role::Aggregated },
            ready: snapshot.active_decode_ids.len(),
            starting: snapshot.starting_decode_ids.len(),
            passes: &snapshot.decode_fpm,
            max_kv_tokens,
        };
        if !self.is_disaggregated {
            return vec![decode];
        }
        let prefill = Component {
            role: Role::Prefill,
            ready: snapshot.active_prefill_ids.len(),
            starting: snapshot.starting_prefill_ids.len(),
            passes: &snapshot.prefill_fpm,
            max_kv_tokens,
        };
        vec![prefill, decode]
    }
}

impl ReplayScalingPolicy for LoadPlanner {
    fn capture_lifecycle_evidence(&self) -> bool {
        true
    }

    fn initial_tick_ms(&mut self) -> anyhow::Result<f64> {
        Ok(self.planner.interval_seconds * 1e3)
    }

    fn on_tick(
        &mut self,
        snapshot: ReplayScalingSnapshot,
    ) -> anyhow::Result<ReplayScalingDecision> {
        let recorder = Recorder::new(snapshot.tick_ordinal + 1, snapshot.now_ms);
        let observed = self.observed(&snapshot);
        let components = self.components(&snapshot);
        for component in &components {
            let before = self.ready_before.insert(component.role.name(), component.ready);
            if let Some(before) = before.filter(|before| *before != component.ready) {
                recorder.effect(EffectKind::Observed, component, before, component.ready);
            }
        }
        let wanted: Vec<Proposal> =
            components.iter().map(|component| load::propose(&self.planner, component)).collect();
        let mut decided = wanted.clone();
        load::keep_within_budget(&self.planner, self.gpus_per_worker, &components, &mut decided);

        recorder.tick(&observed, action(&components, &decided));
        let mut decision = ReplayScalingDecision {
            next_tick_ms: Some(snapshot.now_ms + self.planner.interval_seconds * 1e3),
            ..ReplayScalingDecision::default()
        };
        for ((component, wanted), decided) in components.iter().zip(&wanted).zip(&decided) {
            recorder.decision(
                component,
                wanted.workers,
                decided,
                self.planner.min_endpoint,
                self.gpus_per_worker,
            );
            let Some(workers) = decided.workers.filter(|workers| *workers != component.expected())
            else {
                continue;
            };
            recorder.effect(EffectKind::Submitted, component, component.expected(), workers);
            // The simulator scales before its clock goes on, or the simulation fails.
            recorder.effect(EffectKind::Applied, component, component.expected(), workers);
            match component.role {
                Role::Prefill => decision.target_prefill = Some(workers),
                Role::Decode | Role::Aggregated => decision.target_decode = Some(workers),
            }
        }
        Ok(decision)
    }
}

/// The reason of the component that has most to say, as Dynamo names it for the whole tick.
fn action(components: &[Component<'_>], decided: &[Proposal]) -> &'static str {
    let changes = |(component, proposal): &(&Component<'_>, &Proposal)| {
        proposal.workers.is_some_and(|workers| workers != component.expected())
    };
    let mut pairs = components.iter().zip(decided);
    pairs
        .clone()
        .find(changes)
        .or_else(|| pairs.find(|(_, proposal)| proposal.reason != "no_change"))
        .map_or("no_change", |(_, proposal)| proposal.reason)
}
