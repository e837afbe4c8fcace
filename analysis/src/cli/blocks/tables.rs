//! The answer as tables.

use std::io::{self, Write};

use nashtrace::record::{BlockEvent, Reason, Tier};

use super::Report;
use crate::answers::{BlocksAnswer, Distribution, PoolLine, Recomputation};
use crate::cli::show::tier_name;
use crate::report::{Table, count, heading, number, percent, sentence, warning};

pub(super) fn print(report: &Report, pools: bool, out: &mut dyn Write) -> io::Result<()> {
    let answer = &report.answer;
    if !report.warnings.is_empty() {
        writeln!(out, "{}", warning("Before you believe the numbers"))?;
        for text in &report.warnings {
            writeln!(out, "{}", sentence(text))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{} {} events", heading("Tiers"), count(answer.events))?;
    writeln!(out, "{}", tiers(answer))?;
    if pools {
        writeln!(out, "{}", heading("Pools"))?;
        writeln!(out, "{}", pool_table(&answer.pools))?;
    }
    writeln!(out, "{} in seconds, and reuse distance in blocks", heading("Times"))?;
    writeln!(out, "{}", times(answer))?;
    writeln!(out, "{} blocks, by the tier that still held them", heading("Evictions"))?;
    writeln!(out, "{}", evictions(answer))?;
    recomputation(&answer.recomputation, out)
}

fn tiers(answer: &BlocksAnswer) -> Table {
    let mut table = Table::new(&[
        "tier",
        "pools",
        "capacity",
        "peak",
        "registered",
        "evicted",
        "reused",
        "offloaded",
        "onboarded",
        "hits",
        "misses",
        "hit rate",
        "no room",
    ])
    .optional(6)
    .optional(7)
    .optional(8)
    .optional(9)
    .optional(10)
    .optional(11)
    .optional(12);
    for (tier, of) in &answer.tiers {
        let pools: Vec<&PoolLine> = answer.pools.iter().filter(|pool| pool.tier == *tier).collect();
        let capacity: Option<u64> = pools.iter().map(|pool| pool.capacity).sum();
        let peak: i64 = pools.iter().map(|pool| pool.peak).sum();
        let events = [
            BlockEvent::Register,
            BlockEvent::Evict,
            BlockEvent::Resurrect,
            BlockEvent::Offload,
            BlockEvent::Onboard,
            BlockEvent::Hit,
            BlockEvent::Miss,
        ];
        let mut row = vec![
            tier_name(*tier),
            count(pools.len() as u64),
            capacity.map_or_else(|| "-".to_owned(), count),
            count(peak.max(0) as u64),
        ];
        row.extend(events.map(|event| count(of.of(event))));
        row.push(percent(of.hit_rate()));
        row.push(count(of.of(BlockEvent::AllocationFailed)));
        table.row(row);
    }
    table
}

fn pool_table(pools: &[PoolLine]) -> Table {
    let mut table = Table::new(&[
        "pool",
        "tier",
        "worker",
        "capacity",
        "peak",
        "at end",
        "registered",
        "evicted",
    ])
    .left(1)
    .optional(2);
    for pool in pools {
        let known = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), count);
        table.row(vec![
            pool.name.clone(),
            tier_name(pool.tier),
            pool.worker.map_or_else(|| "-".to_owned(), |worker| worker.to_string()),
            known(pool.capacity),
            count(pool.peak.max(0) as u64),
            count(pool.present.max(0) as u64),
            count(pool.registered),
            count(pool.evicted),
        ]);
    }
    table
}

fn times(answer: &BlocksAnswer) -> Table {
    let mut table = Table::new(&[
        "tier",
        "lifetime\np50",
        "\np99",
        "idle before\neviction p50",
        "\np99",
        "reuse distance\np50",
        "\np90",
        "\np99",
    ]);
    for (tier, of) in &answer.tiers {
        let (lifetime, idle, reuse) = (&of.lifetime_s, &of.idle_s, &of.reuse_distance);
        let values =
            [lifetime.p50, lifetime.p99, idle.p50, idle.p99, reuse.p50, reuse.p90, reuse.p99];
        let mut row = vec![tier_name(*tier)];
        row.extend(values.map(number));
        table.row(row);
    }
    table
}

fn evictions(answer: &BlocksAnswer) -> Table {
    let columns = [Some(Tier::G2), Some(Tier::G3), Some(Tier::G4), None];
    let mut table =
        Table::new(&["from", "still in G2", "still in G3", "still in G4", "nowhere below"])
            .optional(1)
            .optional(2)
            .optional(3);
    for tier in answer.tiers.keys().filter(|tier| **tier != Tier::Unknown) {
        let of = |to: &Option<Tier>| answer.evictions.get(&(*tier, *to)).copied().unwrap_or(0);
        let mut row = vec![tier_name(*tier)];
        row.extend(columns.iter().map(|to| count(of(to))));
        table.row(row);
    }
    table
}

fn recomputation(of: &Recomputation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading("Computed twice"))?;
    if !of.is_known {
        return writeln!(out, "  not known: no pool of device memory (G1) is recorded");
    }
    if of.blocks == 0 {
        return writeln!(out, "  no block was computed again after it had been evicted for good");
    }
    let share = percent(of.blocks as f64 / of.registered as f64);
    let Distribution { p50, p99, .. } = of.gap_s;
    let text = format!(
        "{} blocks ({} tokens), {share} of those registered, by {} requests; {} s (median) to {} s (p99) \
         after they had been evicted for good",
        count(of.blocks),
        count(of.tokens),
        count(of.paying_requests),
        number(p50),
        number(p99)
    );
    writeln!(out, "{}\n", sentence(&text))?;
    let mut table = Table::new(&["why the evicting request was sent there", "blocks", "share"]);
    for (reason, blocks) in &of.by_reason {
        let share = percent(*blocks as f64 / of.blocks as f64);
        table.row(vec![reason_text(*reason), count(*blocks), share]);
    }
    writeln!(out, "{table}")?;
    if of.paying_ttft_ms.count > 0 {
        writeln!(out, "{}", times_to_first_token(of))?;
    }
    if of.payers.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["who paid", "blocks", "mostly evicted by", "sent there for"]);
    table = table.left(2).left(3);
    for payer in &of.payers {
        table.row(vec![
            format!("{:016x}", payer.request),
            count(payer.blocks),
            format!("{:016x}", payer.evicted_by),
            reason_text(payer.reason),
        ]);
    }
    write!(out, "{table}")
}

fn times_to_first_token(of: &Recomputation) -> Table {
    let mut table = Table::new(&["time to first token, ms", "requests", "p50", "p90", "p99"]);
    for (name, times) in [("paid", &of.paying_ttft_ms), ("did not", &of.other_ttft_ms)] {
        let quantiles = [times.p50, times.p90, times.p99].map(number);
        table.row([vec![name.to_owned(), count(times.count)], quantiles.into()].concat());
    }
    table
}

fn reason_text(reason: Reason) -> String {
    reason.name().replace('_', " ")
}
