//! The answer as JSON.

use nashtrace::record::{BlockEvent, Tier};
use serde_json::{Map, Value, json};

use super::Report;
use crate::answers::{Payer, PoolLine, Recomputation, TierAnswer};
use crate::cli::show::{distribution_json, finite};

pub(super) fn report(report: &Report) -> Value {
    let answer = &report.answer;
    let tiers: Map<String, Value> =
        answer.tiers.iter().map(|(tier, of)| (tier.name().to_owned(), tier_json(of))).collect();
    let evictions: Vec<Value> = answer
        .evictions
        .iter()
        .map(|((from, to), blocks)| {
            json!({ "from_tier": from.name(), "to_tier": to.map(Tier::name), "blocks": blocks })
        })
        .collect();
    json!({
        "run": report.run,
        "warnings": report.warnings,
        "events": answer.events,
        "contradictions": answer.contradictions,
        "block_sample": answer.recorded_sample,
        "tiers": tiers,
        "pools": answer.pools.iter().map(pool_json).collect::<Vec<_>>(),
        "evictions": evictions,
        "recomputation": recomputation_json(&answer.recomputation),
    })
}

fn tier_json(tier: &TierAnswer) -> Value {
    let blocks: Map<String, Value> = BlockEvent::ALL
        .into_iter()
        .filter(|event| tier.of(*event) > 0)
        .map(|event| (event.name().to_owned(), tier.of(event).into()))
        .collect();
    json!({
        "blocks": blocks,
        "hit_rate": finite(tier.hit_rate()),
        "lifetime_s": distribution_json(&tier.lifetime_s),
        "idle_s": distribution_json(&tier.idle_s),
        "reuse_distance": distribution_json(&tier.reuse_distance),
    })
}

fn pool_json(pool: &PoolLine) -> Value {
    json!({
        "name": pool.name,
        "tier": pool.tier.name(),
        "worker": pool.worker,
        "capacity_blocks": pool.capacity,
        "bytes_per_block": pool.bytes_per_block,
        "registered": pool.registered,
        "evicted": pool.evicted,
        "present_at_end": pool.present,
        "peak": pool.peak,
    })
}

fn recomputation_json(of: &Recomputation) -> Value {
    let by_reason: Map<String, Value> =
        of.by_reason.iter().map(|(reason, n)| (reason.name().to_owned(), (*n).into())).collect();
    json!({
        "known": of.is_known,
        "blocks": of.blocks,
        "tokens": of.tokens,
        "registered": of.registered,
        "by_evictors_reason": by_reason,
        "gap_s": distribution_json(&of.gap_s),
        "paying_requests": of.paying_requests,
        "ttft_ms": {
            "paying": distribution_json(&of.paying_ttft_ms),
            "others": distribution_json(&of.other_ttft_ms),
        },
        "payers": of.payers.iter().map(payer_json).collect::<Vec<_>>(),
    })
}

fn payer_json(payer: &Payer) -> Value {
    json!({
        "request": format!("{:016x}", payer.request),
        "blocks": payer.blocks,
        "mostly_evicted_by": format!("{:016x}", payer.evicted_by),
        "reason": payer.reason.name(),
    })
}
