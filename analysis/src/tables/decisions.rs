//! The table of decisions: one compact row each, and the whole candidate tables of the worst.

use std::collections::{BTreeMap, BTreeSet};

use nashtrace::record::{Candidate, Clock, Decision, NameSpace, UNKNOWN_U64};
use nashtrace::trace::{PacketHeader, RawRecord};
use zerocopy::FromBytes;

use crate::game::{overlap_regret, predicted_regret};
use crate::load::{FileFacts, Outcomes, Visitor};

/// A worker of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId {
    /// Index into [`DecisionTable::pools`].
    pub pool: u32,
    /// Dynamo's worker id.
    pub worker: u64,
    /// Data-parallel rank.
    pub rank: u32,
}

/// What is kept of every decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecisionRow {
    /// Nanoseconds on the caller's clock, or since the run's first session started.
    pub time_ns: f64,
    /// The chosen worker.
    pub chosen: WorkerId,
    /// Key of the request, 0 if it had no id.
    pub request: u64,
    /// See [`predicted_regret`], in KV blocks.
    pub predicted: f64,
    /// See [`overlap_regret`], in KV blocks.
    pub overlap: f64,
    /// Probability with which the policy took the chosen candidate; NaN if unknown.
    pub propensity: f64,
    /// Time in the router's queue, milliseconds; NaN if unknown.
    pub queue_wait_ms: f64,
    /// The share of the prompt that the chosen worker is credited to have cached; NaN of an empty prompt.
    pub cached_share: f64,
    /// Realised time to first token, milliseconds; NaN if unknown.
    pub ttft_ms: f64,
    /// Realised end-to-end latency, milliseconds; NaN if unknown.
    pub e2e_ms: f64,
    /// Prompt tokens.
    pub isl_tokens: u32,
    /// Temperature in force.
    pub temperature: f64,
    /// `Reason`.
    pub reason: u8,
    /// Whether the request was to be booked.
    pub tracked: bool,
}

impl DecisionRow {
    /// Whether anything is known about what became of the request.
    #[must_use]
    pub fn has_outcome(&self) -> bool {
        self.ttft_ms.is_finite() || self.e2e_ms.is_finite()
    }
}

/// A decision with everything that was on the table.
#[derive(Debug, Clone)]
pub struct FullDecision {
    /// The compact row.
    pub row: DecisionRow,
    /// The record.
    pub decision: Decision,
    /// The candidates, by worker and rank.
    pub candidates: Vec<Candidate>,
}

/// All decisions of a run, in time order.
#[derive(Debug, Clone, Default)]
pub struct DecisionTable {
    /// Names of the pools.
    pub pools: Vec<String>,
    /// The decisions, tracked and advisory.
    pub rows: Vec<DecisionRow>,
    /// Every worker that was a candidate.
    pub workers: BTreeSet<WorkerId>,
    /// The most regretted tracked decisions, worst first; none that is not regretted.
    pub worst: Vec<FullDecision>,
    /// Decisions on each clock, indexed by `Clock`.
    pub on_clock: [u64; 2],
    keep: usize,
}

impl DecisionTable {
    /// An empty table that will keep the candidate tables of the `keep` most regretted decisions.
    #[must_use]
    pub fn keeping(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    /// A visitor that gathers the decisions of one file, as this table wants them.
    #[must_use]
    pub fn visitor(&self) -> FileDecisions {
        FileDecisions { keep: self.keep, ..FileDecisions::default() }
    }

    /// Add what a visitor gathered from a file of the run, with the outcomes of its requests if they are
    /// known. `started_wall_ns` is when the run's first session started.
    pub fn add(
        &mut self,
        file: FileDecisions,
        facts: &FileFacts,
        outcomes: Option<&Outcomes>,
        started_wall_ns: u64,
    ) {
        let mut pools: BTreeMap<u32, u32> = BTreeMap::new();
        let mut pool_of = |id: u32, names: &mut Vec<String>| {
            *pools.entry(id).or_insert_with(|| index_of(facts.name(NameSpace::Pool, id), names))
        };
        for worker in file.workers {
            self.workers.insert(WorkerId { pool: pool_of(worker.pool, &mut self.pools), ..worker });
        }
        let mut global = |mut row: DecisionRow, clock: u8, names: &mut Vec<String>| {
            row.chosen.pool = pool_of(row.chosen.pool, names);
            if clock != Clock::Caller as u8 {
                let wall_ns = facts.timeline.wall_ns(row.time_ns as u64);
                row.time_ns = wall_ns.saturating_sub_unsigned(started_wall_ns) as f64;
            }
            if let Some(outcome) = outcomes.and_then(|outcomes| outcomes.get(row.request)) {
                row.ttft_ms = outcome.ttft_ms.unwrap_or(f64::NAN);
                row.e2e_ms = outcome.e2e_ms.unwrap_or(f64::NAN);
            }
            row
        };
        for (row, clock) in file.rows {
            self.on_clock[usize::from(clock == Clock::Caller as u8)] += 1;
            self.rows.push(global(row, clock, &mut self.pools));
        }
        for mut full in file.worst {
            full.row = global(full.row, full.decision.head.clock, &mut self.pools);
            keep_if_worse(&mut self.worst, full, self.keep);
        }
    }

    /// Put the rows into time order. Call it once, after the last file.
    pub fn sort(&mut self) {
        self.rows.sort_by(|a, b| a.time_ns.total_cmp(&b.time_ns));
    }

    /// Several runs as one table, each run's pools apart under its label. The rows of a run follow those
    /// of the run before: runs have no common time.
    #[must_use]
    pub fn together<'a>(runs: impl IntoIterator<Item = (&'a str, &'a Self)>) -> Self {
        let mut all = Self::default();
        for (label, run) in runs {
            let first_pool = all.pools.len() as u32;
            let moved = |worker: WorkerId| WorkerId { pool: first_pool + worker.pool, ..worker };
            let moved_row = |row: DecisionRow| DecisionRow { chosen: moved(row.chosen), ..row };
            all.keep = all.keep.max(run.keep);
            all.pools.extend(run.pools.iter().map(|pool| format!("{label}: {pool}")));
            all.rows.extend(run.rows.iter().copied().map(moved_row));
            all.workers.extend(run.workers.iter().copied().map(moved));
            for (sum, count) in all.on_clock.iter_mut().zip(run.on_clock) {
                *sum += count;
            }
            for full in &run.worst {
                let full = FullDecision { row: moved_row(full.row), ..full.clone() };
                keep_if_worse(&mut all.worst, full, all.keep);
            }
        }
        all
    }

    /// The tracked decisions.
    pub fn tracked(&self) -> impl Iterator<Item = &DecisionRow> {
        self.rows.iter().filter(|row| row.tracked)
    }
}

fn index_of(name: String, names: &mut Vec<String>) -> u32 {
    let known = names.iter().position(|known| *known == name);
    known.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    }) as u32
}

/// The decisions of one file; pools are still the file's own ids, times the file's own clock.
#[derive(Debug, Clone, Default)]
pub struct FileDecisions {
    rows: Vec<(DecisionRow, u8)>,
    workers: BTreeSet<WorkerId>,
    last_workers: Vec<WorkerId>,
    worst: Vec<FullDecision>,
    keep: usize,
}

impl Visitor for FileDecisions {
    fn record(&mut self, _: &PacketHeader, record: &RawRecord<'_>) {
        let Some(decision) = record.to::<Decision>() else { return };
        let candidates = candidates(record);
        let Some(chosen) = candidates.get(decision.chosen as usize) else { return };
        let worker = |candidate: &Candidate| WorkerId {
            pool: decision.pool,
            worker: candidate.worker,
            rank: candidate.rank,
        };
        let row = DecisionRow {
            time_ns: decision.head.time as f64,
            chosen: worker(chosen),
            request: decision.request,
            predicted: predicted_regret(
                candidates.iter().map(|candidate| candidate.cost),
                decision.chosen as usize,
            ),
            overlap: overlap_regret(
                candidates.iter().map(|candidate| candidate.effective_overlap_blocks),
                decision.chosen as usize,
            ),
            propensity: decision.propensity,
            queue_wait_ms: if decision.queue_wait_ns == UNKNOWN_U64 {
                f64::NAN
            } else {
                decision.queue_wait_ns as f64 / 1e6
            },
            cached_share: cached_share(&decision, chosen),
            ttft_ms: f64::NAN,
            e2e_ms: f64::NAN,
            isl_tokens: decision.isl_tokens,
            temperature: decision.temperature,
            reason: decision.reason,
            tracked: decision.is_tracked(),
        };
        // Successive decisions mostly offer the same workers.
        if !self.last_workers.iter().copied().eq(candidates.iter().map(worker)) {
            self.last_workers = candidates.iter().map(worker).collect();
            self.workers.extend(&self.last_workers);
        }
        self.rows.push((row, decision.head.clock));
        if row.tracked {
            keep_if_worse(&mut self.worst, FullDecision { row, decision, candidates }, self.keep);
        }
    }
}

impl FileDecisions {
    /// The requests that were decided about, with their prompt tokens.
    pub fn requests(&self) -> impl Iterator<Item = (u64, u32)> {
        self.rows.iter().map(|(row, _)| (row.request, row.isl_tokens))
    }
}

fn cached_share(decision: &Decision, chosen: &Candidate) -> f64 {
    let cached = chosen.effective_overlap_blocks * f64::from(decision.block_size);
    let prompt = f64::from(decision.isl_tokens);
    if prompt > 0.0 { (cached / prompt).min(1.0) } else { f64::NAN }
}

/// The candidates of a decision record, whatever size their rows were recorded with.
pub(crate) fn candidates(record: &RawRecord<'_>) -> Vec<Candidate> {
    record
        .rows()
        .map(|row| {
            let mut bytes = [0; size_of::<Candidate>()];
            let shared = row.len().min(bytes.len());
            bytes[..shared].copy_from_slice(&row[..shared]);
            Candidate::read_from_bytes(&bytes).expect("a candidate is plain data")
        })
        .collect()
}

/// Predicted regret first: at temperature 0 it is zero throughout and the overlap regret decides. What
/// is not a number is not regretted.
fn regret(full: &FullDecision) -> (f64, f64) {
    let known = |regret: f64| if regret.is_finite() { regret } else { 0.0 };
    (known(full.row.predicted), known(full.row.overlap))
}

/// Insert a decision into the `keep` worst, which stay in order. Of equal ones the first stays first.
fn keep_if_worse(worst: &mut Vec<FullDecision>, full: FullDecision, keep: usize) {
    let new = regret(&full);
    let at = worst.partition_point(|known| regret(known) >= new);
    if at < keep && new > (0.0, 0.0) {
        worst.insert(at, full);
        worst.truncate(keep);
    }
}
