//! What the trace of a run adds to its requests: regret, evictions, recomputation, headroom, losses.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use nashtrace::record::{BlockEvent, BlockReason, Kind, Tier, UNKNOWN_U64};
use nashtrace::trace::{PacketHeader, RawRecord};

use super::outcomes::Metrics;
use super::record::{RecordSeries, TraceFacts};
use super::regretted;
use super::routing::{FileRoutes, Routes};
use super::series::Intervals;
use crate::load::{FileFacts, Visitor, runs, scan};
use crate::stats::mean;
use crate::tables::{DecisionTable, FileBlocks, FileDecisions, ProcessBlocks, by_process};

/// All tables in one pass.
struct All {
    decisions: FileDecisions,
    blocks: FileBlocks,
    routes: FileRoutes,
}

impl Visitor for All {
    fn record(&mut self, header: &PacketHeader, record: &RawRecord<'_>) {
        self.decisions.record(header, record);
        self.blocks.record(header, record);
        self.routes.record(header, record);
    }
}

/// What a trace tells.
pub(super) struct Traced {
    pub(super) facts: TraceFacts,
    pub(super) metrics: Metrics,
    pub(super) series: Vec<RecordSeries>,
    pub(super) routes: Routes,
}

/// Read the trace of a run whose requests take so many seconds from the first to the last.
///
/// # Errors
///
/// A sentence if there is no trace, or one that cannot be read to its end.
pub(super) fn read(
    folder: &Path,
    intervals: &Intervals,
    duration_s: f64,
) -> Result<Traced, String> {
    let (found, errors) = runs(&[folder.to_owned()]);
    if let Some(error) = errors.first() {
        return Err(error.to_string());
    }
    let files = found.iter().flat_map(|run| &run.files);
    let mut table = DecisionTable::keeping(regretted::KEPT);
    let mut routes = Routes::default();
    let mut read: Vec<(FileFacts, FileBlocks)> = Vec::new();
    for file in files {
        let mut all = All {
            decisions: table.visitor(),
            blocks: FileBlocks::default(),
            routes: FileRoutes::default(),
        };
        let facts = scan(file, &mut all, |_| ()).map_err(|error| error.to_string())?;
        if let Some(damage) = facts.damage_sentences().first() {
            return Err(damage.clone());
        }
        table.add(all.decisions, &facts, None, facts.header.started_wall_ns);
        routes.add(all.routes, &facts);
        read.push((facts, all.blocks));
    }
    let processes = by_process(read.iter().map(|(facts, blocks)| (facts, blocks)));
    let mut metrics = Metrics::new();
    decisions(&table, &mut metrics);
    let series = blocks(&processes, intervals, duration_s, &mut metrics);
    let facts =
        TraceFacts { regretted: Some(regretted::regretted(&table)), ..facts(&read, &processes) };
    Ok(Traced { facts, metrics, series, routes })
}

fn facts(read: &[(FileFacts, FileBlocks)], processes: &[ProcessBlocks]) -> TraceFacts {
    let of_kind = |kind: Kind| -> u64 {
        let counts = read.iter().map(|(facts, _)| facts.events());
        counts.map(|counts| counts.get(&(kind as u8)).copied().unwrap_or(0)).sum()
    };
    let decisions = of_kind(Kind::Decision);
    let block_events = of_kind(Kind::Block);
    TraceFacts {
        records: decisions + block_events + of_kind(Kind::Request) + of_kind(Kind::Transfer),
        decisions,
        block_events,
        lost: read.iter().map(|(facts, _)| facts.lost() + facts.missing_packets()).sum(),
        block_sample: processes.iter().map(|process| process.recorded_sample).max().unwrap_or(0),
        versions: versions(read),
        ..TraceFacts::default()
    }
}

/// The version of the library that wrote the files; all of them where they differ.
fn versions(read: &[(FileFacts, FileBlocks)]) -> BTreeMap<String, String> {
    let found: BTreeSet<&str> =
        read.iter().map(|(facts, _)| facts.header.library_version.as_str()).collect();
    let library = found.into_iter().collect::<Vec<_>>().join(", ");
    (!library.is_empty()).then(|| ("libnashtrace".to_owned(), library)).into_iter().collect()
}

fn decisions(table: &DecisionTable, metrics: &mut Metrics) {
    let known = |field: fn(&crate::tables::DecisionRow) -> f64| -> Vec<f64> {
        table.tracked().map(field).filter(|value| value.is_finite()).collect()
    };
    let mut set = |name: &str, value: f64| {
        metrics.insert(name.to_owned(), value.is_finite().then_some(value));
    };
    set("predicted_regret_mean", mean(&known(|row| row.predicted)));
    set("overlap_regret_mean", mean(&known(|row| row.overlap)));
    set("decisions", table.tracked().count() as f64);
    // The pool that sees the prompt first is the one whose balance the router's credit changes.
    let Some(first) = table.tracked().next().map(|row| row.chosen.pool) else { return };
    let workers = table.workers.iter().filter(|worker| worker.pool == first);
    let mut counts: BTreeMap<_, f64> = workers.map(|worker| (*worker, 0.0)).collect();
    for row in table.tracked().filter(|row| row.chosen.pool == first) {
        *counts.entry(row.chosen).or_default() += 1.0;
    }
    let counts: Vec<f64> = counts.into_values().collect();
    let centre = mean(&counts);
    let squares: Vec<f64> = counts.iter().map(|count| (count - centre).powi(2)).collect();
    set("load_imbalance", mean(&squares).sqrt() / centre);
}

/// Device blocks over a run, from a sample of their hashes.
#[derive(Default)]
struct Device {
    stored: u64,
    evicted: u64,
    recomputed: u64,
    /// Present blocks that nobody uses.
    idle: HashSet<(u32, u64)>,
    in_use: i64,
}

/// Whether the event ends a block's presence; other drops are of slots that were never present.
fn takes_away(event: BlockEvent, reason: u8) -> bool {
    let ends = [BlockReason::Reset, BlockReason::ResetOnRelease, BlockReason::Removed];
    event == BlockEvent::Evict
        || event == BlockEvent::Drop && ends.iter().any(|end| *end as u8 == reason)
}

fn blocks(
    processes: &[ProcessBlocks],
    intervals: &Intervals,
    duration_s: f64,
    metrics: &mut Metrics,
) -> Vec<RecordSeries> {
    let mut evictions = vec![0.0; intervals.count()];
    // In-use blocks times seconds, by interval.
    let mut use_seconds = vec![0.0; intervals.count()];
    let mut capacity = 0.0;
    let (mut stored, mut evicted, mut recomputed) = (0_u64, 0_u64, 0_u64);
    for process in processes {
        let mut device = Device::default();
        let mut last_ms = process.events.first().map_or(0.0, |row| row.time_ns as f64 / 1e6);
        let lives = process.replay(|time_ns, block, meaning, lives| {
            let at_ms = time_ns as f64 / 1e6;
            let is_device = lives
                .pool(block.pool)
                .is_some_and(|state| Tier::from_u8(state.pool.tier) == Tier::G1);
            if !is_device || meaning.weight == 0 {
                return;
            }
            let elapsed = (at_ms - last_ms).max(0.0) / 1e3;
            use_seconds[intervals.of_ms(last_ms)] += device.in_use.max(0) as f64 * elapsed;
            last_ms = last_ms.max(at_ms);
            let weight = meaning.weight;
            let key = (block.pool, block.hash);
            match BlockEvent::from_u8(block.event) {
                BlockEvent::Register => {
                    device.stored += weight;
                    device.in_use += weight as i64;
                    device.recomputed += if meaning.recomputed.is_some() { weight } else { 0 };
                }
                BlockEvent::Idle if device.idle.insert(key) => device.in_use -= weight as i64,
                BlockEvent::Resurrect if device.idle.remove(&key) => {
                    device.in_use += weight as i64;
                }
                event if takes_away(event, block.reason) && !device.idle.remove(&key) => {
                    device.in_use -= weight as i64;
                }
                _ => {}
            }
            let is_reset = block.reason == BlockReason::Reset as u8;
            if BlockEvent::from_u8(block.event) == BlockEvent::Evict && !is_reset {
                device.evicted += weight;
                evictions[intervals.of_ms(at_ms)] += weight as f64;
            }
        });
        let device_pools = lives.pools().filter(|state| {
            Tier::from_u8(state.pool.tier) == Tier::G1 && state.pool.capacity_blocks != UNKNOWN_U64
        });
        capacity += device_pools.map(|state| state.pool.capacity_blocks as f64).sum::<f64>();
        stored += device.stored;
        evicted += device.evicted;
        recomputed += device.recomputed;
    }
    if stored == 0 {
        return Vec::new();
    }
    let mut set = |name: &str, value: f64| {
        metrics.insert(name.to_owned(), value.is_finite().then_some(value));
    };
    set("evictions", evicted as f64);
    set("eviction_rate", evicted as f64 / duration_s);
    set("recomputation_rate", recomputed as f64 / stored as f64);
    set("memory_headroom", 1.0 - use_seconds.iter().sum::<f64>() / (capacity * duration_s));
    let step = intervals.step_s();
    let rates: Vec<f64> = evictions.iter().map(|count| count / step).collect();
    let headroom: Vec<f64> =
        use_seconds.iter().map(|used| 1.0 - used / (capacity * step)).collect();
    vec![
        intervals.series("eviction_rate", "blocks/s", &rates),
        intervals.series("memory_headroom", "", &headroom),
    ]
}
