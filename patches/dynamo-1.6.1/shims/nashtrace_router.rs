// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace hooks of the KV router: what it decided, on which grounds, and what became of a booking.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Iter;

use crate::nashtrace::{self as shim, Api, Candidate, Decision, Request, Setting};
use crate::plugins::worker_selection::ScoredWorkerCandidate;
use crate::protocols::{WorkerConfigLike, WorkerId, WorkerWithDpRank};
use crate::scheduling::{AttemptId, SchedulingRequest};
use crate::sequences::multi_worker::SequenceRequest;

const MODE_TRACKED: u8 = 1;
const MODE_ADVISORY: u8 = 2;
const FLAG_DEFAULT_POLICY: u16 = 1 << 0;
const FLAG_PINNED: u16 = 1 << 1;
const FLAG_AFFINITY: u16 = 1 << 2;
const FLAG_TRACKS_PREFILL: u16 = 1 << 3;
const FLAG_PLAIN_DECODE: u16 = 1 << 4;
const FLAG_DECODE_LABEL: u16 = 1 << 5;
const FLAG_TIER_MATCHES: u16 = 1 << 6;
const CANDIDATE_LOAD_KNOWN: u32 = 1 << 0;
const PLAYER_ROUTER: u8 = 1;
const PHASE_BOOKED: u8 = 1;
const PHASE_PREFILL_DONE: u8 = 2;
const PHASE_RELEASED: u8 = 4;
const PHASE_EXPIRED: u8 = 10;

/// What the default policy weighs with. All zero where another policy is in force.
#[derive(Clone, Copy, Default)]
pub struct Weights {
    pub is_default_policy: bool,
    pub is_plain_decode: bool,
    pub temperature: f64,
    pub overlap_score_credit: f64,
    pub overlap_score_credit_decay: f64,
    pub prefill_load_scale: f64,
    pub decode_active_request_weight: f64,
    pub host_cache_hit_weight: f64,
    pub disk_cache_hit_weight: f64,
    pub shared_cache_multiplier: f64,
}

impl Weights {
    /// Record that these weights came into force.
    pub(crate) fn came_into_force(&self, worker_type: &'static str) {
        let Some(api) = shim::api() else { return };
        for (parameter, new_value) in [
            ("router_temperature", self.temperature),
            ("overlap_score_credit", self.overlap_score_credit),
            ("overlap_score_credit_decay", self.overlap_score_credit_decay),
            ("prefill_load_scale", self.prefill_load_scale),
            ("decode_active_request_weight", self.decode_active_request_weight),
            ("host_cache_hit_weight", self.host_cache_hit_weight),
            ("disk_cache_hit_weight", self.disk_cache_hit_weight),
            ("shared_cache_multiplier", self.shared_cache_multiplier),
        ] {
            let setting = Setting {
                head: api.head::<Setting>(),
                new_value,
                parameter: api.name_id(shim::SPACE_PARAMETER, parameter),
                pool: api.name_id(shim::SPACE_POOL, shim::pool_or(worker_type)),
                player: PLAYER_ROUTER,
                ..Setting::default()
            };
            // SAFETY: the struct is complete and outlives the call.
            unsafe { (api.setting)(&raw const setting) };
        }
    }
}

thread_local! {
    /// Reused by every decision of this thread.
    static ROWS: RefCell<Vec<Candidate>> = const { RefCell::new(Vec::new()) };
}

/// A worker was selected from `candidates`.
#[cold]
#[inline(never)]
#[allow(clippy::too_many_arguments)]
pub(crate) fn decided<C: WorkerConfigLike>(
    api: &Api,
    weights: &Weights,
    worker_type: &'static str,
    request: &SchedulingRequest,
    workers: &HashMap<WorkerId, C>,
    candidates: &[ScoredWorkerCandidate],
    chosen: usize,
    block_size: u32,
) {
    let decision = Decision {
        head: api.head::<Decision>(),
        request: request.mode.request_id().map_or(0, |id| api.key(id)),
        queue_wait_ns: shim::queue_wait_ns(),
        temperature: weights.temperature,
        overlap_score_credit: weights.overlap_score_credit,
        overlap_score_credit_decay: weights.overlap_score_credit_decay,
        prefill_load_scale: weights.prefill_load_scale,
        decode_active_request_weight: weights.decode_active_request_weight,
        host_cache_hit_weight: weights.host_cache_hit_weight,
        disk_cache_hit_weight: weights.disk_cache_hit_weight,
        shared_cache_multiplier: weights.shared_cache_multiplier,
        isl_tokens: narrow(request.isl_tokens),
        block_size,
        expected_output_tokens: request.expected_output_tokens.unwrap_or(shim::UNKNOWN_U32),
        chosen: narrow(chosen),
        pool: api.name_id(shim::SPACE_POOL, shim::pool_or(worker_type)),
        worker_type: api.name_id(shim::SPACE_WORKER_TYPE, worker_type),
        policy: if weights.is_default_policy {
            api.name_id(shim::SPACE_POLICY, "dynamo-default-cost-fn")
        } else {
            0
        },
        mode: if request.mode.is_tracked() { MODE_TRACKED } else { MODE_ADVISORY },
        flags: decision_flags(weights, worker_type, request, candidates),
        ..Decision::default()
    };
    let mut rows = Rows::new(weights, request, workers);
    // Taken while it is in use, so that nothing below can find it borrowed. A thread that is ending may
    // have lost it already.
    let mut table = ROWS.try_with(RefCell::take).unwrap_or_default();
    table.clear();
    table.extend(candidates.iter().map(|candidate| rows.of(candidate)));
    let stride = size_of::<Candidate>() as u32;
    // SAFETY: both are complete and outlive the call; the count and the stride are the table's.
    unsafe { (api.decision)(&raw const decision, table.as_ptr(), narrow(table.len()), stride) };
    let _ = ROWS.try_with(|scratch| scratch.replace(table));
}

fn decision_flags(
    weights: &Weights,
    worker_type: &str,
    request: &SchedulingRequest,
    candidates: &[ScoredWorkerCandidate],
) -> u16 {
    let affinity = request.affinity_target.is_some_and(|target| {
        candidates.iter().all(|candidate| {
            let worker = candidate.worker;
            worker.worker_id == target.worker_id
                && target.dp_rank.is_none_or(|rank| rank == worker.dp_rank)
        })
    });
    [
        (weights.is_default_policy, FLAG_DEFAULT_POLICY),
        (request.pinned_worker.is_some(), FLAG_PINNED),
        (affinity, FLAG_AFFINITY),
        (request.track_prefill_tokens, FLAG_TRACKS_PREFILL),
        (weights.is_plain_decode, FLAG_PLAIN_DECODE),
        (worker_type == "decode", FLAG_DECODE_LABEL),
        (has_tier_matches(request), FLAG_TIER_MATCHES),
    ]
    .into_iter()
    .fold(0, |flags, (is_set, flag)| if is_set { flags | flag } else { flags })
}

fn has_tier_matches(request: &SchedulingRequest) -> bool {
    let tiers = &request.overlap.tier_overlap_blocks;
    !(tiers.device.is_empty() && tiers.host_pinned.is_empty() && tiers.disk.is_empty())
}

/// Makes the rows of one decision, and asks once what is the same for all of them: a router may have
/// hundreds of candidates.
struct Rows<'a, C> {
    request: &'a SchedulingRequest,
    configs: Configs<'a, C>,
    any_tier: bool,
    asks_for_taints: bool,
}

impl<'a, C: WorkerConfigLike> Rows<'a, C> {
    fn new(
        weights: &Weights,
        request: &'a SchedulingRequest,
        workers: &'a HashMap<WorkerId, C>,
    ) -> Self {
        Self {
            request,
            configs: Configs { workers, walk: workers.iter(), latest: None },
            any_tier: has_tier_matches(request),
            // A pin overrules the preferences, and only the default policy is known to ask for them: for
            // another one, asking would be an observable difference.
            asks_for_taints: request.pinned_worker.is_none()
                && weights.is_default_policy
                && !request.routing_constraints.preferred_taints.is_empty(),
        }
    }

    #[inline(always)]
    fn of(&mut self, candidate: &ScoredWorkerCandidate) -> Candidate {
        let request = self.request;
        let worker = candidate.worker;
        let config = self.configs.of(worker.worker_id);
        let load = request.worker_loads.get(&worker);
        let effective_overlap_blocks = request.effective_overlap_blocks_for(worker);
        let (mut device_blocks, mut host_blocks, mut disk_blocks) = (0, 0, 0);
        if self.any_tier {
            let tiers = &request.overlap.tier_overlap_blocks;
            device_blocks = tiers.device.get(&worker).copied().unwrap_or(0);
            host_blocks = tiers.host_pinned.get(&worker).copied().unwrap_or(0);
            disk_blocks = tiers.disk.get(&worker).copied().unwrap_or(0);
        }
        let shared_blocks = request.shared_cache_hits.as_ref().map_or(0, |hits| {
            let device =
                if self.any_tier { device_blocks as f64 } else { effective_overlap_blocks };
            hits.hits_beyond(device.round().max(0.0) as u32)
        });
        Candidate {
            worker: worker.worker_id,
            cost: candidate.cost,
            effective_overlap_blocks,
            preferred_taint_multiplier: config.map_or(1.0, |config| self.taint_multiplier(config)),
            active_prefill_tokens: load.map_or(0, |load| load.active_prefill_tokens as u64),
            total_kv_blocks: config.and_then(WorkerConfigLike::total_kv_blocks).unwrap_or(0),
            max_batched_tokens: config
                .and_then(WorkerConfigLike::max_num_batched_tokens)
                .unwrap_or(0),
            rank: worker.dp_rank,
            flags: if load.is_some() { CANDIDATE_LOAD_KNOWN } else { 0 },
            device_blocks: narrow(device_blocks),
            host_blocks: narrow(host_blocks),
            disk_blocks: narrow(disk_blocks),
            shared_blocks,
            cached_tokens: narrow(request.effective_cached_tokens_for(worker)),
            active_requests: load.map_or(0, |load| narrow(load.active_requests)),
            active_decode_blocks: load.map_or(0, |load| narrow(load.active_decode_blocks)),
            additional_decode_blocks: load.map_or(0, |load| narrow(load.additional_active_blocks)),
        }
    }

    /// The factor of the request's routing preferences.
    fn taint_multiplier(&self, config: &C) -> f64 {
        if !self.asks_for_taints {
            return 1.0;
        }
        self.request.routing_constraints.preferred_taint_multiplier(config.taints()).unwrap_or(1.0)
    }
}

/// The configurations of workers that are asked for in the order of their map, as candidates mostly are:
/// a step along the map is cheaper than finding a worker by its id.
struct Configs<'a, C> {
    workers: &'a HashMap<WorkerId, C>,
    walk: Iter<'a, WorkerId, C>,
    /// A worker's ranks are candidates of their own, one after the other.
    latest: Option<(&'a WorkerId, &'a C)>,
}

impl<'a, C> Configs<'a, C> {
    /// How many workers that are no candidates are passed over before one is found by its id.
    const PASSED_OVER: usize = 4;

    #[inline]
    fn of(&mut self, id: WorkerId) -> Option<&'a C> {
        let is_it = |entry: &(&WorkerId, &C)| *entry.0 == id;
        if !self.latest.as_ref().is_some_and(is_it) {
            let mut next = self.walk.by_ref().take(Self::PASSED_OVER);
            self.latest = next.find(is_it).or_else(|| self.workers.get_key_value(&id));
        }
        self.latest.map(|(_, config)| config)
    }
}

/// A booking about to be made, noted before the tracker takes the request.
pub(crate) struct Booking {
    api: &'static Api,
    request: Request,
}

impl Booking {
    #[inline]
    pub(crate) fn of(worker_type: &'static str, request: &SequenceRequest) -> Option<Self> {
        let api = shim::api()?;
        let prefill = request.prefill_load_hint.as_ref();
        Some(Self {
            api,
            request: Request {
                prefill_tokens: prefill
                    .map_or(0, |hint| narrow(hint.initial_effective_prefill_tokens)),
                blocks: request
                    .token_sequence
                    .as_ref()
                    .map_or(shim::UNKNOWN_U32, |blocks| narrow(blocks.len())),
                output_tokens: request.expected_output_tokens.unwrap_or(shim::UNKNOWN_U32),
                phase: PHASE_BOOKED,
                ..request_record(api, worker_type, &request.request_id, request.worker, 0)
            },
        })
    }

    pub(crate) fn made(mut self, attempt: AttemptId) {
        self.request.attempt = attempt.nashtrace_number();
        // SAFETY: the struct is complete and outlives the call.
        unsafe { (self.api.request)(&raw const self.request) };
    }
}

/// The prefill of a booked request no longer counts as load. The attempt is only looked up if it is
/// recorded.
#[inline]
pub(crate) fn prefill_done(
    worker_type: &'static str,
    id: &str,
    worker: WorkerWithDpRank,
    attempt: impl FnOnce() -> Option<AttemptId>,
) {
    happened(worker_type, id, worker, attempt, PHASE_PREFILL_DONE);
}

/// A booking ended.
#[inline]
pub(crate) fn released(
    worker_type: &'static str,
    id: &str,
    worker: WorkerWithDpRank,
    attempt: Option<AttemptId>,
    expired: bool,
) {
    let phase = if expired { PHASE_EXPIRED } else { PHASE_RELEASED };
    happened(worker_type, id, worker, || attempt, phase);
}

#[inline]
fn happened(
    worker_type: &'static str,
    id: &str,
    worker: WorkerWithDpRank,
    attempt: impl FnOnce() -> Option<AttemptId>,
    phase: u8,
) {
    let Some(api) = shim::api() else { return };
    let attempt = attempt().map_or(0, AttemptId::nashtrace_number);
    let request = Request { phase, ..request_record(api, worker_type, id, worker, attempt) };
    // SAFETY: the struct is complete and outlives the call.
    unsafe { (api.request)(&raw const request) };
}

fn request_record(
    api: &Api,
    worker_type: &'static str,
    id: &str,
    worker: WorkerWithDpRank,
    attempt: u64,
) -> Request {
    Request {
        head: api.head::<Request>(),
        request: api.key(id),
        attempt,
        worker: worker.worker_id,
        rank: worker.dp_rank,
        pool: api.name_id(shim::SPACE_POOL, shim::pool_or(worker_type)),
        worker_type: api.name_id(shim::SPACE_WORKER_TYPE, worker_type),
        prefill_tokens: shim::UNKNOWN_U32,
        blocks: shim::UNKNOWN_U32,
        output_tokens: shim::UNKNOWN_U32,
        ..Request::default()
    }
}

/// Counts of tokens and blocks fit 32 bits; one that does not is recorded as unknown.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(shim::UNKNOWN_U32)
}
