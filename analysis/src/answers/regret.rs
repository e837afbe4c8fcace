//! Which decisions were regretted, why they were taken, and which worker is herded.

use std::collections::BTreeMap;

use nashtrace::record::Reason;

use super::{Group, Propensity, RegretSummary};
use crate::game::Herding;
use crate::stats::{self, Correlation};
use crate::tables::{DecisionRow, DecisionTable, WorkerId};

/// The answer of `nashtrace regret`. Everything but `advisory` is about tracked decisions.
#[derive(Debug, Clone)]
pub struct RegretAnswer {
    /// Previews and queries, which nobody acted upon.
    pub advisory: u64,
    /// All pools together.
    pub all: RegretPart,
    /// Each pool, the most concentrated first: pools are different games.
    pub pools: Vec<PoolAnswer>,
    /// By worker; workers that were never chosen have no decisions.
    pub by_worker: Vec<(WorkerId, Group)>,
}

/// What is said about any set of decisions.
#[derive(Debug, Clone)]
pub struct RegretPart {
    /// Decisions.
    pub decisions: u64,
    /// Distance to the router's own lowest cost.
    pub predicted: RegretSummary,
    /// Cached prefix given up.
    pub overlap: RegretSummary,
    /// How likely the choices were.
    pub propensity: Propensity,
    /// The highest temperature in force; 0 of no decisions.
    pub highest_temperature: f64,
    /// By reason.
    pub by_reason: BTreeMap<Reason, Group>,
}

/// What is said about one pool.
#[derive(Debug, Clone)]
pub struct PoolAnswer {
    /// Index into the table's pools.
    pub pool: u32,
    /// The pool's workers, which the numbers in `herding` refer to.
    pub workers: Vec<WorkerId>,
    /// Its decisions.
    pub part: RegretPart,
    /// How unevenly they fall on the workers.
    pub herding: Herding,
    /// Equal stretches of time.
    pub windows: Vec<Window>,
    /// What the outcomes say, if there are any.
    pub realised: Option<Realised>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its beginning, in seconds of the run.
    pub from_s: f64,
    /// Its end, in seconds of the run.
    pub to_s: f64,
    /// Its decisions.
    pub group: Group,
    /// The most chosen worker and its share.
    pub top: Option<(WorkerId, f64)>,
}

/// What became of the requests.
#[derive(Debug, Clone, Copy)]
pub struct Realised {
    /// Decisions whose outcome is known.
    pub joined: u64,
    /// Decisions that gave up no cached prefix.
    pub without_overlap_regret: Group,
    /// Decisions that did.
    pub with_overlap_regret: Group,
    /// Rank correlation of overlap regret and time to first token.
    pub overlap_ttft: Option<Correlation>,
    /// Rank correlation of predicted regret and time to first token.
    pub predicted_ttft: Option<Correlation>,
}

impl RegretAnswer {
    /// Answer from a table in time order. Each pool is divided into so many stretches of time.
    #[must_use]
    pub fn of(table: &DecisionTable, windows: usize) -> Self {
        let tracked: Vec<&DecisionRow> = table.tracked().collect();
        let mut by_worker: BTreeMap<WorkerId, Vec<&DecisionRow>> =
            table.workers.iter().map(|worker| (*worker, Vec::new())).collect();
        for row in &tracked {
            by_worker.entry(row.chosen).or_default().push(row);
        }
        let mut pools: Vec<PoolAnswer> = (0..table.pools.len() as u32)
            .filter_map(|pool| PoolAnswer::of(table, &tracked, pool, windows))
            .collect();
        pools.sort_by(|a, b| b.herding.concentration().total_cmp(&a.herding.concentration()));
        Self {
            advisory: (table.rows.len() - tracked.len()) as u64,
            all: RegretPart::of(&tracked),
            pools,
            by_worker: by_worker.into_iter().map(|(id, rows)| (id, Group::of(&rows))).collect(),
        }
    }

    /// Decisions in a pool.
    #[must_use]
    pub fn decisions_of_pool(&self, pool: u32) -> u64 {
        let pool = self.pools.iter().find(|answer| answer.pool == pool);
        pool.map_or(0, |answer| answer.part.decisions)
    }
}

impl RegretPart {
    fn of(rows: &[&DecisionRow]) -> Self {
        let mut by_reason: BTreeMap<Reason, Vec<&DecisionRow>> = BTreeMap::new();
        for row in rows {
            by_reason.entry(Reason::from_u8(row.reason)).or_default().push(row);
        }
        Self {
            decisions: rows.len() as u64,
            predicted: RegretSummary::of(rows.iter().map(|row| row.predicted)),
            overlap: RegretSummary::of(rows.iter().map(|row| row.overlap)),
            propensity: Propensity::of(rows),
            highest_temperature: rows.iter().map(|row| row.temperature).fold(0.0, f64::max),
            by_reason: by_reason.into_iter().map(|(why, rows)| (why, Group::of(&rows))).collect(),
        }
    }
}

impl PoolAnswer {
    /// `None` if nothing was decided in the pool.
    fn of(
        table: &DecisionTable,
        tracked: &[&DecisionRow],
        pool: u32,
        windows: usize,
    ) -> Option<Self> {
        let in_pool = |worker: &WorkerId| worker.pool == pool;
        let workers: Vec<WorkerId> = table.workers.iter().copied().filter(in_pool).collect();
        let rows: Vec<&DecisionRow> =
            tracked.iter().copied().filter(|row| in_pool(&row.chosen)).collect();
        let chosen: Vec<usize> = rows
            .iter()
            .map(|row| workers.binary_search(&row.chosen).expect("a candidate is a worker"))
            .collect();
        Some(Self {
            pool,
            part: RegretPart::of(&rows),
            herding: Herding::of(&chosen, workers.len())?,
            windows: self::windows(&rows, windows),
            realised: Realised::of(&rows),
            workers,
        })
    }
}

fn windows(rows: &[&DecisionRow], count: usize) -> Vec<Window> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
    let width = (last.time_ns - first.time_ns) / count as f64;
    let edge = |index: usize| first.time_ns + width * index as f64;
    let mut rest = rows;
    (0..count)
        .map(|index| {
            let is_last = index + 1 == count;
            let end = edge(index + 1);
            let inside =
                if is_last { rest.len() } else { rest.partition_point(|row| row.time_ns < end) };
            let (rows, later) = rest.split_at(inside);
            rest = later;
            Window {
                from_s: edge(index) / 1e9,
                to_s: end / 1e9,
                group: Group::of(rows),
                top: most_chosen(rows),
            }
        })
        .collect()
}

/// The most chosen worker and its share. Of equally chosen workers the first one is named.
fn most_chosen(rows: &[&DecisionRow]) -> Option<(WorkerId, f64)> {
    let mut workers: BTreeMap<WorkerId, u64> = BTreeMap::new();
    for row in rows {
        *workers.entry(row.chosen).or_default() += 1;
    }
    let (worker, chosen) = workers.into_iter().rev().max_by_key(|(_, chosen)| *chosen)?;
    Some((worker, chosen as f64 / rows.len() as f64))
}

impl Realised {
    fn of(rows: &[&DecisionRow]) -> Option<Self> {
        let joined: Vec<&DecisionRow> =
            rows.iter().copied().filter(|row| row.has_outcome()).collect();
        if joined.is_empty() {
            return None;
        }
        let (with, without): (Vec<_>, Vec<_>) =
            joined.iter().copied().partition(|row| row.overlap > 0.0);
        let correlation = |pick: fn(&DecisionRow) -> f64| {
            let known =
                joined.iter().filter(|row| pick(row).is_finite() && row.ttft_ms.is_finite());
            let (x, y): (Vec<f64>, Vec<f64>) = known.map(|row| (pick(row), row.ttft_ms)).unzip();
            stats::spearman(&x, &y)
        };
        Some(Self {
            joined: joined.len() as u64,
            without_overlap_regret: Group::of(&without),
            with_overlap_regret: Group::of(&with),
            overlap_ttft: correlation(|row| row.overlap),
            predicted_ttft: correlation(|row| row.predicted),
        })
    }
}
