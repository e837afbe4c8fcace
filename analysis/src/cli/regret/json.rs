//! The answer as JSON.

use serde_json::{Map, Value, json};

use super::{Report, notes};
use crate::answers::{Group, PoolAnswer, Propensity, Realised, RegretPart, RegretSummary, Window};
use crate::cli::show::{candidate_json, decision_json, finite, insert_estimate, merge};
use crate::stats::Correlation;
use crate::tables::{DecisionTable, FullDecision, WorkerId};

pub(super) fn report(report: &Report) -> Value {
    let Report { run, table, answer, lost, warnings, .. } = report;
    let by_worker = answer.by_worker.iter().map(|(id, group)| {
        merge(worker(table, *id), group_json(group, answer.decisions_of_pool(id.pool)))
    });
    let by_worker: Vec<Value> = by_worker.collect();
    let pools: Vec<Value> = answer.pools.iter().map(|pool| pool_json(table, pool)).collect();
    // One pool is the whole game; several have no common windows and outcomes.
    let only = |key: &str| if let [pool] = &pools[..] { pool[key].clone() } else { Value::Null };
    let head = json!({
        "run": run,
        "warnings": warnings,
        "decisions": answer.all.decisions,
        "advisory": answer.advisory,
        "lost": lost,
        "clock": clock(table),
    });
    let tail = json!({
        "by_worker": by_worker,
        "herding": pools.first().map(|pool| pool["herding"].clone()),
        "over_time": only("over_time"),
        "realised": only("realised"),
        "pools": pools,
        "top": table.worst.iter().map(|full| full_json(full, table)).collect::<Vec<_>>(),
        "notes": notes::of_reading(report),
    });
    merge(merge(head, part_json(&answer.all)), tail)
}

fn part_json(part: &RegretPart) -> Value {
    let by_reason: Map<String, Value> = part
        .by_reason
        .iter()
        .map(|(reason, group)| (reason.name().to_owned(), group_json(group, part.decisions)))
        .collect();
    json!({
        "predicted": summary_json(&part.predicted),
        "overlap": summary_json(&part.overlap),
        "propensity": propensity_json(&part.propensity),
        "highest_temperature": finite(part.highest_temperature),
        "by_reason": by_reason,
    })
}

fn pool_json(table: &DecisionTable, pool: &PoolAnswer) -> Value {
    let herding = &pool.herding;
    let (top, run) = (pool.workers[herding.top_worker], pool.workers[herding.longest_run_worker]);
    let over_time: Vec<Value> =
        pool.windows.iter().map(|window| window_json(window, table, pool)).collect();
    let head = json!({
        "pool": table.pools[pool.pool as usize],
        "workers": pool.workers.len(),
        "decisions": pool.part.decisions,
    });
    let tail = json!({
        "herding": {
            "pool": table.pools[pool.pool as usize],
            "workers": pool.workers.len(),
            "decisions": pool.part.decisions,
            "gini": herding.gini,
            "largest_gini": herding.largest_gini,
            "top_share": herding.top_share,
            "top_worker": top.worker,
            "top_rank": top.rank,
            "longest_run": herding.longest_run,
            "longest_run_worker": run.worker,
            "longest_run_rank": run.rank,
        },
        "over_time": over_time,
        "realised": pool.realised.as_ref().map(realised_json),
    });
    merge(merge(head, part_json(&pool.part)), tail)
}

fn worker(table: &DecisionTable, id: WorkerId) -> Value {
    json!({"pool": table.pools[id.pool as usize], "worker": id.worker, "rank": id.rank})
}

fn window_json(window: &Window, table: &DecisionTable, pool: &PoolAnswer) -> Value {
    let top = window.top.map(|(id, share)| merge(worker(table, id), json!({"share": share})));
    merge(
        json!({"from_s": window.from_s, "to_s": window.to_s, "top": top}),
        group_json(&window.group, pool.part.decisions),
    )
}

fn summary_json(summary: &RegretSummary) -> Value {
    let mut json = json!({"count": summary.mean.count, "unknown": summary.unknown});
    insert_estimate(&mut json, "mean", &summary.mean);
    merge(
        json,
        json!({
            "p50": finite(summary.p50),
            "p50_interval": summary.p50_interval,
            "p99": finite(summary.p99),
            "p99_interval": summary.p99_interval,
            "max": finite(summary.max),
            "total": summary.total,
            "regretted": summary.regretted,
            "unit": "KV blocks",
        }),
    )
}

fn propensity_json(propensity: &Propensity) -> Value {
    let mut json = json!({"known": propensity.mean.count});
    insert_estimate(&mut json, "mean", &propensity.mean);
    json["min"] = json!(finite(propensity.min));
    json
}

/// `of` decisions are the whole that the group's share refers to.
pub(in crate::cli) fn group_json(group: &Group, of: u64) -> Value {
    let mut json = json!({
        "decisions": group.decisions,
        "share": finite(group.decisions as f64 / of as f64),
    });
    insert_estimate(&mut json, "predicted_mean", &group.predicted);
    insert_estimate(&mut json, "overlap_mean", &group.overlap);
    json["outcomes"] = json!(group.ttft_ms.count.max(group.e2e_ms.count));
    insert_estimate(&mut json, "ttft_mean_ms", &group.ttft_ms);
    insert_estimate(&mut json, "e2e_mean_ms", &group.e2e_ms);
    json
}

fn realised_json(realised: &Realised) -> Value {
    let group = |group: &Group| group_json(group, realised.joined);
    let mut json = json!({
        "joined": realised.joined,
        "without_overlap_regret": group(&realised.without_overlap_regret),
        "with_overlap_regret": group(&realised.with_overlap_regret),
    });
    for (name, correlation) in [
        ("spearman_overlap_regret_ttft", realised.overlap_ttft),
        ("spearman_predicted_regret_ttft", realised.predicted_ttft),
    ] {
        json[name] = json!(correlation.map(|Correlation { value, .. }| value));
        json[format!("{name}_interval")] = json!(correlation.and_then(|c| c.interval));
    }
    json
}

fn full_json(full: &FullDecision, table: &DecisionTable) -> Value {
    let candidates = full.candidates.iter().enumerate().map(|(row, candidate)| {
        let is_chosen = row == full.decision.chosen as usize;
        merge(candidate_json(candidate), json!({"chosen": is_chosen}))
    });
    let candidates: Vec<Value> = candidates.collect();
    let head = json!({
        "pool": table.pools[full.row.chosen.pool as usize],
        "time_s": full.row.time_ns / 1e9,
        "predicted": finite(full.row.predicted),
        "overlap": finite(full.row.overlap),
        "ttft_ms": finite(full.row.ttft_ms),
        "e2e_ms": finite(full.row.e2e_ms),
    });
    merge(
        merge(head, decision_json(&full.decision, &full.candidates)),
        json!({"candidates": candidates}),
    )
}

fn clock(table: &DecisionTable) -> &'static str {
    match table.on_clock {
        [0, 0] => "none",
        [_, 0] => "ticks",
        [0, _] => "caller",
        _ => "mixed",
    }
}
