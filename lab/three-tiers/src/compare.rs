//! kvbm-logical's own counters against what the trace says.

use anyhow::{Context, ensure};
use kvbm_logical::metrics::{BlockPoolMetrics, MetricsSnapshot};
use nashtrace::record::{BlockEvent, Transfer};

use crate::arena::BLOCK_BYTES;
use crate::copies::Tally;
use crate::replay::{self, Replayed};
use crate::tiers::Tiers;
use crate::trace::Trace;

/// A number that both tell.
struct Row {
    pool: String,
    what: &'static str,
    theirs: u64,
    ours: u64,
}

/// Compare everything, and print it.
///
/// # Errors
///
/// If the trace breaks a law, or a number differs.
pub fn compare(tiers: &Tiers, trace: &Trace, tally: Tally) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let managers =
        [tiers.g1.manager.metrics(), tiers.g2.manager.metrics(), tiers.g3.manager.metrics()];
    for (number, metrics) in (1..).zip(managers) {
        rows.extend(rows_of_pool(trace, metrics, number)?);
    }
    rows.extend(rows_of_all(tiers, trace, tally)?);
    println!("{:10}{:42}{:>14}{:>14}", "pool", "", "Dynamo's own", "trace");
    for Row { pool, what, theirs, ours } in &rows {
        let mark = if theirs == ours { "" } else { "  differs" };
        println!("{pool:10}{what:42}{theirs:>14}{ours:>14}{mark}");
    }
    let differing = rows.iter().filter(|row| row.theirs != row.ours).count();
    ensure!(differing == 0, "{differing} of {} numbers differ", rows.len());
    Ok(())
}

fn rows_of_pool(trace: &Trace, metrics: &BlockPoolMetrics, tier: u8) -> anyhow::Result<Vec<Row>> {
    let name = metrics.type_label();
    let pool = *trace.pools.get(name).with_context(|| format!("no pool {name} in the trace"))?;
    ensure!(pool.tier == tier, "pool {name} is in tier {}", pool.tier);
    let Replayed { counts, present, idle, free, most_present } =
        replay::pool(trace, pool).with_context(|| format!("pool {name}"))?;
    let MetricsSnapshot {
        allocations,
        allocations_from_reset,
        evictions,
        registrations,
        duplicate_blocks,
        registration_dedup,
        match_hashes_requested,
        match_blocks_returned,
        scan_hashes_requested,
        scan_blocks_returned,
        reset_pool_size,
        inactive_pool_size,
        ..
    } = metrics.snapshot();
    for (what, happened) in [
        ("eviction", counts.evictions),
        ("reset", counts.reset),
        ("resurrection", counts.resurrections),
        ("miss", counts.missed),
        ("full pool", u64::from(most_present > present)),
    ] {
        ensure!(happened > 0, "no {what} in {name}: the run is too short to prove anything");
    }
    let row = |what, theirs, ours| Row { pool: name.to_owned(), what, theirs, ours };
    Ok(vec![
        row("allocations", allocations, counts.allocations),
        row("of free slots", allocations_from_reset, counts.allocations - counts.evictions),
        row("evictions", evictions, counts.evictions),
        row("registrations", registrations, counts.registrations),
        row("duplicates kept", duplicate_blocks, counts.duplicates),
        row("duplicates given up", registration_dedup, counts.rejected),
        row(
            "hashes looked up",
            match_hashes_requested + scan_hashes_requested,
            counts.found + counts.missed,
        ),
        row("blocks found", match_blocks_returned + scan_blocks_returned, counts.found),
        row("free slots at the end", reset_pool_size as u64, free as u64),
        row("idle blocks at the end", inactive_pool_size as u64, idle as u64),
        row("present blocks at the end", inactive_pool_size as u64, present as u64),
    ])
}

fn rows_of_all(tiers: &Tiers, trace: &Trace, tally: Tally) -> anyhow::Result<Vec<Row>> {
    let blocks_of = |event: BlockEvent| {
        let same = trace.events.iter().filter(|other| other.event == event);
        same.map(|event| u64::from(event.count)).sum::<u64>()
    };
    let sum = |of: fn(&Transfer) -> u64| trace.transfers.iter().map(of).sum::<u64>();
    for transfer in &trace.transfers {
        ensure!(transfer.ended >= transfer.head.time, "a copy ends before it begins");
    }
    let blocks = tally.offloaded_blocks + tally.onboarded_blocks;
    let row = |what, theirs, ours| Row { pool: "all".to_owned(), what, theirs, ours };
    Ok(vec![
        row(
            "registered hashes",
            tiers.registry.registered_count() as u64,
            replay::registry(trace)? as u64,
        ),
        row("blocks offloaded", tally.offloaded_blocks, blocks_of(BlockEvent::Offload)),
        row("blocks onboarded", tally.onboarded_blocks, blocks_of(BlockEvent::Onboard)),
        row(
            "allocations refused",
            tally.refused_allocations,
            trace.events.iter().filter(|event| event.event == BlockEvent::AllocationFailed).count()
                as u64,
        ),
        row("copies", tally.transfers, trace.transfers.len() as u64),
        row("blocks copied", blocks, sum(|transfer| transfer.blocks.into())),
        row("bytes copied", blocks * BLOCK_BYTES as u64, sum(|transfer| transfer.bytes)),
    ])
}
