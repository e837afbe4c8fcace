//! What several commands show in the same way: workers, decisions, candidates.

use nashtrace::record::{
    Candidate, Clock, Decision, NameSpace, Reason, Tier, UNKNOWN_U32, UNKNOWN_U64,
};
use serde_json::{Value, json};

use crate::answers::Distribution;
use crate::game::{overlap_regret, predicted_regret};
use crate::load::FileFacts;
use crate::report::{Table, number};
use crate::stats::{Estimate, Interval};

/// JSON has no NaN: what is unknown is null.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The name of a worker in tables: its id, and its data-parallel rank if it has several.
pub(super) fn worker_name(worker: u64, rank: u32) -> String {
    if rank == 0 { worker.to_string() } else { format!("{worker}.{rank}") }
}

/// An interval in tables.
pub(super) fn interval(interval: Option<&Interval>) -> String {
    interval.map_or_else(|| "-".into(), |i| format!("{} to {}", number(i.low), number(i.high)))
}

/// Add a mean to a JSON object: `NAME` and `NAME_interval`.
pub(super) fn insert_estimate(object: &mut Value, name: &str, estimate: &Estimate) {
    object[name] = json!(finite(estimate.mean));
    object[format!("{name}_interval")] = json!(estimate.interval);
}

/// Put the entries of one JSON object behind those of another.
pub(super) fn merge(mut into: Value, from: Value) -> Value {
    if let (Value::Object(into), Value::Object(from)) = (&mut into, from) {
        into.extend(from);
    }
    into
}

/// A decision as JSON, without what depends on the file's names.
pub(super) fn decision_json(decision: &Decision, candidates: &[Candidate]) -> Value {
    let chosen = decision.chosen as usize;
    let known_u32 = |value: u32| (value != UNKNOWN_U32).then_some(value);
    let known_u64 = |value: u64| (value != UNKNOWN_U64).then_some(value);
    json!({
        "request": format!("{:016x}", decision.request),
        "attempt": decision.attempt,
        "mode": if decision.is_tracked() { "tracked" } else { "advisory" },
        "reason": Reason::from_u8(decision.reason).name(),
        "propensity": finite(decision.propensity),
        "predicted_regret": finite(predicted_regret(candidates.iter().map(|c| c.cost), chosen)),
        "overlap_regret": finite(overlap_regret(
            candidates.iter().map(|c| c.effective_overlap_blocks),
            chosen,
        )),
        "isl_tokens": decision.isl_tokens,
        "block_size": decision.block_size,
        "expected_output_tokens": known_u32(decision.expected_output_tokens),
        "queue_wait_ns": known_u64(decision.queue_wait_ns),
        "flags": decision.flags,
        "temperature": finite(decision.temperature),
        "overlap_score_credit": finite(decision.overlap_score_credit),
        "overlap_score_credit_decay": finite(decision.overlap_score_credit_decay),
        "prefill_load_scale": finite(decision.prefill_load_scale),
        "decode_active_request_weight": finite(decision.decode_active_request_weight),
        "host_cache_hit_weight": finite(decision.host_cache_hit_weight),
        "disk_cache_hit_weight": finite(decision.disk_cache_hit_weight),
        "shared_cache_multiplier": finite(decision.shared_cache_multiplier),
        "chosen": candidate_json(&candidates[chosen]),
    })
}

/// The names that a decision carries, in its file.
pub(super) fn decision_names(facts: &FileFacts, decision: &Decision) -> Value {
    json!({
        "pool": facts.name(NameSpace::Pool, decision.pool),
        "worker_type": facts.name(NameSpace::WorkerType, decision.worker_type),
        "policy": facts.name(NameSpace::Policy, decision.policy),
    })
}

/// The name of a clock in JSON and tables.
pub(super) fn clock_name(clock: u8) -> &'static str {
    if clock == Clock::Caller as u8 { "caller" } else { "ticks" }
}

/// A candidate as JSON.
pub(super) fn candidate_json(candidate: &Candidate) -> Value {
    json!({
        "worker": candidate.worker,
        "rank": candidate.rank,
        "cost": finite(candidate.cost),
        "effective_overlap_blocks": finite(candidate.effective_overlap_blocks),
        "preferred_taint_multiplier": finite(candidate.preferred_taint_multiplier),
        "device_blocks": candidate.device_blocks,
        "host_blocks": candidate.host_blocks,
        "disk_blocks": candidate.disk_blocks,
        "shared_blocks": candidate.shared_blocks,
        "cached_tokens": candidate.cached_tokens,
        "active_requests": candidate.active_requests,
        "active_prefill_tokens": candidate.active_prefill_tokens,
        "active_decode_blocks": candidate.active_decode_blocks,
        "additional_decode_blocks": candidate.additional_decode_blocks,
        "total_kv_blocks": candidate.total_kv_blocks,
        "max_batched_tokens": candidate.max_batched_tokens,
        "flags": candidate.flags,
    })
}

/// The candidates of a decision as a table; the chosen one is marked.
pub(super) fn candidate_table(decision: &Decision, candidates: &[Candidate]) -> Table {
    let mut table = Table::new(&[
        "worker",
        "cost",
        "overlap\nblocks",
        "device\nblocks",
        "host\nblocks",
        "disk\nblocks",
        "shared\nblocks",
        "prefill\ntokens",
        "decode\nblocks",
        "added\nblocks",
        "requests",
    ])
    .optional(4)
    .optional(5)
    .optional(6);
    for (row, candidate) in candidates.iter().enumerate() {
        let mark = if row == decision.chosen as usize { "> " } else { "  " };
        table.row(vec![
            format!("{mark}{}", worker_name(candidate.worker, candidate.rank)),
            number(candidate.cost),
            number(candidate.effective_overlap_blocks),
            candidate.device_blocks.to_string(),
            candidate.host_blocks.to_string(),
            candidate.disk_blocks.to_string(),
            candidate.shared_blocks.to_string(),
            candidate.active_prefill_tokens.to_string(),
            candidate.active_decode_blocks.to_string(),
            candidate.additional_decode_blocks.to_string(),
            candidate.active_requests.to_string(),
        ]);
    }
    table
}

/// Quantiles as JSON.
pub(super) fn distribution_json(of: &Distribution) -> Value {
    json!({ "count": of.count, "p50": finite(of.p50), "p90": finite(of.p90), "p99": finite(of.p99) })
}

/// A tier in tables.
pub(super) fn tier_name(tier: Tier) -> String {
    match tier {
        Tier::Unknown => "unknown".to_owned(),
        tier => tier.name().to_uppercase(),
    }
}
