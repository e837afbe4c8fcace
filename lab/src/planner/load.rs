//! The load mode of Dynamo's planner: our port of its thresholds, one worker more or less at a time.
//!
//! Dynamo 1.6.1 decides in `planner/core/load_scaling.py` (the targets other than `sla`). A component grows
//! if any of its workers is above the upper threshold, and shrinks if all are below the lower one and the
//! load of the one that goes would not lift the others above the upper one. Nothing is decided while
//! workers are starting or the observations are not of all workers. A component does not grow beyond the
//! GPU budget; of a pair of components that would, neither does, while Dynamo tries to fit the pair.

use dynamo_mocker::common::protocols::ForwardPassSnapshot;

use crate::scenario::{Planner, Target};

/// Part of the workers that is scaled by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Workers that prefill and decode.
    Aggregated,
    /// Workers that prefill.
    Prefill,
    /// Workers that decode.
    Decode,
}

impl Role {
    /// The worker type, as the router calls the component's pool.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aggregated => "aggregated",
            Self::Prefill => "prefill",
            Self::Decode => "decode",
        }
    }
}

/// What is known of a component at a tick.
#[derive(Debug, Clone, Copy)]
pub struct Component<'a> {
    /// Which one it is.
    pub role: Role,
    /// Workers that serve.
    pub ready: usize,
    /// Workers that are starting.
    pub starting: usize,
    /// The latest pass of each worker and rank.
    pub passes: &'a [(usize, ForwardPassSnapshot)],
    /// Tokens that fit into the KV cache of one rank.
    pub max_kv_tokens: usize,
}

impl Component<'_> {
    /// Workers that serve or are about to.
    #[must_use]
    pub fn expected(&self) -> usize {
        self.ready + self.starting
    }
}

/// What a tick wants of a component, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// Workers, if the tick has an opinion.
    pub workers: Option<usize>,
    /// The reason, in Dynamo's words.
    pub reason: &'static str,
}

impl Proposal {
    const fn none(reason: &'static str) -> Self {
        Self { workers: None, reason }
    }
}

/// From where on a component grows, and up to where it shrinks.
#[derive(Debug, Clone, Copy)]
struct Thresholds {
    up: f64,
    down: f64,
    /// Whether a load at the upper threshold is above it.
    up_included: bool,
    /// Whether a load at the lower threshold is below it.
    down_included: bool,
}

/// What the load mode wants of a component, before the GPU budget.
#[must_use]
pub fn propose(planner: &Planner, component: &Component<'_>) -> Proposal {
    if component.passes.is_empty() {
        return Proposal::none("no_fpm_data");
    }
    if component.starting > 0 {
        return Proposal::none("scaling_in_progress");
    }
    if component.passes.len() != component.ready {
        return Proposal::none("worker_count_mismatch");
    }
    let Some(thresholds) = thresholds(planner, component.role) else {
        return Proposal::none("insufficient_data");
    };
    let loads: Vec<f64> =
        component.passes.iter().map(|(_, pass)| load(planner, component, pass)).collect();
    let is_above = |load: f64| {
        if thresholds.up_included { load >= thresholds.up } else { load > thresholds.up }
    };
    let is_below = |load: f64| {
        if thresholds.down_included { load <= thresholds.down } else { load < thresholds.down }
    };
    if loads.iter().copied().any(is_above) {
        return Proposal { workers: Some(component.ready + 1), reason: "scale_up" };
    }
    if component.ready > 1 && loads.iter().copied().all(is_below) {
        let fewer = (component.ready - 1).max(planner.min_endpoint);
        let highest = loads.iter().copied().fold(0.0, f64::max);
        let after = highest * component.ready as f64 / fewer as f64;
        if fewer < component.ready && after < thresholds.up {
            return Proposal { workers: Some(fewer), reason: "scale_down" };
        }
        return Proposal { workers: Some(component.ready), reason: "no_change" };
    }
    Proposal::none("no_change")
}

fn thresholds(planner: &Planner, role: Role) -> Option<Thresholds> {
    let (is_prefill, percent) = (role == Role::Prefill, 100.0);
    Some(match (planner.target, is_prefill) {
        (Target::Throughput, true) => {
            Thresholds { up: 1.0, down: 0.1, up_included: true, down_included: false }
        }
        (Target::Latency, true) => {
            Thresholds { up: 0.1, down: 0.0, up_included: true, down_included: true }
        }
        (Target::Throughput, false) => {
            Thresholds { up: 1.0, down: 0.6, up_included: false, down_included: false }
        }
        (Target::Latency, false) => {
            Thresholds { up: 0.4, down: 0.1, up_included: false, down_included: false }
        }
        (Target::Load, true) => Thresholds {
            up: planner.prefill_scale_up_queue_tokens? as f64,
            down: planner.prefill_scale_down_queue_tokens? as f64,
            up_included: true,
            down_included: true,
        },
        (Target::Load, false) => Thresholds {
            up: planner.decode_scale_up_kv_rate? / percent,
            down: planner.decode_scale_down_kv_rate? / percent,
            up_included: true,
            down_included: true,
        },
    })
}

/// The queue of a prefill worker in contexts (in tokens with the target `load`), the use of the KV cache of
/// any other, the prompts that wait for it included where it prefills.
fn load(planner: &Planner, component: &Component<'_>, pass: &ForwardPassSnapshot) -> f64 {
    let queued_prefill = pass.sum_queued_prefill_tokens as f64;
    let decoding = (pass.sum_decode_kv_tokens + pass.sum_queued_decode_kv_tokens) as f64;
    let max_kv_tokens = component.max_kv_tokens as f64;
    match component.role {
        Role::Prefill if planner.target == Target::Load => queued_prefill,
        Role::Prefill => queued_prefill / planner.context_length as f64,
        Role::Decode => decoding / max_kv_tokens,
        Role::Aggregated => (decoding + queued_prefill) / max_kv_tokens,
    }
}

/// Hold back what would take more GPUs than there are.
pub fn keep_within_budget(
    planner: &Planner,
    gpus_per_worker: usize,
    components: &[Component<'_>],
    proposals: &mut [Proposal],
) {
    let wanted = |(component, proposal): (&Component<'_>, &Proposal)| {
        proposal.workers.unwrap_or(component.expected())
    };
    let workers: usize = components.iter().zip(proposals.iter()).map(wanted).sum();
    if workers * gpus_per_worker <= planner.max_gpu_budget {
        return;
    }
    for (component, proposal) in components.iter().zip(proposals) {
        if proposal.workers.is_some_and(|workers| workers > component.ready) {
            *proposal =
                Proposal { workers: Some(component.ready), reason: "gpu_budget_guard_hold" };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(queued_prefill: u64, decoding: u64) -> ForwardPassSnapshot {
        ForwardPassSnapshot {
            sum_queued_prefill_tokens: queued_prefill,
            sum_decode_kv_tokens: decoding,
            ..ForwardPassSnapshot::default()
        }
    }

    fn propose_for(planner: &Planner, role: Role, passes: &[ForwardPassSnapshot]) -> Proposal {
        let passes: Vec<_> = passes.iter().cloned().enumerate().collect();
        let component = Component {
            role,
            ready: passes.len(),
            starting: 0,
            passes: &passes,
            max_kv_tokens: 1000,
        };
        propose(planner, &component)
    }

    fn planner(target: Target) -> Planner {
        Planner { target, context_length: 1000, ..Planner::default() }
    }

    #[test]
    fn any_worker_above_the_threshold_adds_one() {
        let latency = planner(Target::Latency);
        let quiet = pass(0, 0);
        let up = Proposal { workers: Some(3), reason: "scale_up" };
        for (role, busy) in [
            (Role::Aggregated, pass(201, 200)),
            (Role::Decode, pass(0, 401)),
            (Role::Prefill, pass(100, 0)),
        ] {
            assert_eq!(propose_for(&latency, role, &[quiet.clone(), busy]), up, "{role:?}");
        }
        // A decode worker has no prompts, and exactly four tenths are not above four tenths.
        let full = pass(5000, 400);
        assert_eq!(propose_for(&latency, Role::Decode, &[quiet, full]).workers, None);
    }

    #[test]
    fn all_workers_below_the_threshold_take_one_away_unless_the_rest_would_be_overloaded() {
        let throughput = planner(Target::Throughput);
        let workers = |passes: &[_]| propose_for(&throughput, Role::Decode, passes).workers;
        assert_eq!(workers(&[pass(0, 599), pass(0, 0), pass(0, 0)]), Some(2));
        // 599 of one of two would be 1198 of the one that is left.
        assert_eq!(workers(&[pass(0, 599), pass(0, 0)]), Some(2));
        assert_eq!(workers(&[pass(0, 499), pass(0, 0)]), Some(1));
        assert_eq!(workers(&[pass(0, 0)]), None, "the last one stays");
    }

    #[test]
    fn nothing_is_decided_on_half_the_picture() {
        let latency = planner(Target::Latency);
        let passes = [(0, pass(5000, 5000))];
        let seen = Component {
            role: Role::Aggregated,
            ready: 1,
            starting: 0,
            passes: &passes,
            max_kv_tokens: 1000,
        };
        for (component, reason) in [
            (Component { starting: 1, ..seen }, "scaling_in_progress"),
            (Component { ready: 2, ..seen }, "worker_count_mismatch"),
            (Component { passes: &[], ..seen }, "no_fpm_data"),
        ] {
            assert_eq!(propose(&latency, &component), Proposal::none(reason));
        }
        assert_eq!(propose(&planner(Target::Load), &seen), Proposal::none("insufficient_data"));
    }

    #[test]
    fn the_budget_holds_back_what_does_not_fit() {
        let planner = Planner { max_gpu_budget: 12, ..planner(Target::Latency) };
        let component = Component {
            role: Role::Aggregated,
            ready: 3,
            starting: 0,
            passes: &[],
            max_kv_tokens: 1000,
        };
        let up = Proposal { workers: Some(4), reason: "scale_up" };
        let mut proposals = [up];
        keep_within_budget(&planner, 3, &[component], &mut proposals);
        assert_eq!(proposals, [up]);
        keep_within_budget(&planner, 4, &[component], &mut proposals);
        let held = Proposal { workers: Some(3), reason: "gpu_budget_guard_hold" };
        assert_eq!(proposals, [held]);
    }
}
