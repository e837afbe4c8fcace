//! A run as series over equal windows of time.

use std::collections::BTreeMap;

use crate::stats::Estimate;
use crate::tables::{DecisionRow, DecisionTable, WorkerId};

/// One pool's series.
#[derive(Debug, Clone)]
pub struct PoolSeries {
    /// Index into the table's pools.
    pub pool: u32,
    /// Length of a window, in seconds.
    pub window_s: f64,
    /// The beginning of the first window, in seconds of the run.
    pub from_s: f64,
    /// The series, one value for each window.
    pub series: Vec<Series>,
    /// Series that have a window without a value, by name.
    pub gaps: Vec<String>,
    /// The decisions of each window, for what is asked of some of them.
    predicted: Vec<Vec<f64>>,
}

/// A named series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is, with its unit.
    pub name: String,
    /// One value for each window.
    pub values: Vec<f64>,
}

/// A pool of more workers has no series for each of them.
const MOST_WORKERS: usize = 32;

impl PoolSeries {
    /// The series of every pool with decisions that are not all at one moment. Windows are at most
    /// `windows`, and so few that they have 20 decisions on average.
    #[must_use]
    pub fn of(table: &DecisionTable, windows: usize) -> Vec<Self> {
        let mut pools: BTreeMap<u32, Vec<&DecisionRow>> = BTreeMap::new();
        for row in table.tracked() {
            pools.entry(row.chosen.pool).or_default().push(row);
        }
        let of =
            |(pool, rows): (u32, Vec<&DecisionRow>)| Self::of_pool(table, pool, &rows, windows);
        pools.into_iter().filter_map(of).collect()
    }

    fn of_pool(
        table: &DecisionTable,
        pool: u32,
        rows: &[&DecisionRow],
        windows: usize,
    ) -> Option<Self> {
        const ON_AVERAGE: usize = 20;
        let (first, last) = (rows.first()?.time_ns, rows.last()?.time_ns);
        if last <= first {
            return None;
        }
        let count = windows.min(rows.len() / ON_AVERAGE).max(1);
        let width = (last - first) / count as f64;
        let mut inside: Vec<Vec<&DecisionRow>> = vec![Vec::new(); count];
        for row in rows {
            inside[(((row.time_ns - first) / width) as usize).min(count - 1)].push(row);
        }
        let mut found = Self {
            pool,
            window_s: width / 1e9,
            from_s: first / 1e9,
            series: Vec::new(),
            gaps: Vec::new(),
            predicted: inside.iter().map(|rows| pick(rows, |row| row.predicted)).collect(),
        };
        let rates = inside.iter().map(|rows| rows.len() as f64 / found.window_s).collect();
        found.series.push(Series { name: "decision rate, 1/s".into(), values: rates });
        let fields: [(&str, Field); 5] = [
            ("predicted regret, KV blocks", |row| row.predicted),
            ("cached share of prompts", |row| row.cached_share),
            ("queue wait, ms", |row| row.queue_wait_ms),
            ("TTFT, ms", |row| row.ttft_ms),
            ("end-to-end latency, ms", |row| row.e2e_ms),
        ];
        for (name, field) in fields {
            found.add(name, inside.iter().map(|rows| finite_mean(rows, field)).collect());
        }
        found.add_shares(table, &inside);
        Some(found)
    }

    /// Add a series, unless it has no value at all; note it if it has gaps.
    fn add(&mut self, name: &str, values: Vec<f64>) {
        if values.iter().all(|value| value.is_finite()) {
            self.series.push(Series { name: name.into(), values });
        } else if values.iter().any(|value| value.is_finite()) {
            self.gaps.push(name.into());
        }
    }

    fn add_shares(&mut self, table: &DecisionTable, inside: &[Vec<&DecisionRow>]) {
        let in_pool = |worker: &&WorkerId| worker.pool == self.pool;
        let workers: Vec<WorkerId> = table.workers.iter().filter(in_pool).copied().collect();
        if workers.len() < 2 || workers.len() > MOST_WORKERS {
            return;
        }
        for worker in workers {
            let chosen = |row: &&&DecisionRow| row.chosen == worker;
            let share = |rows: &Vec<&DecisionRow>| {
                rows.iter().filter(chosen).count() as f64 / rows.len() as f64
            };
            let rank = if worker.rank == 0 { String::new() } else { format!(".{}", worker.rank) };
            let name = format!("share of worker {}{rank}", worker.worker);
            self.add(&name, inside.iter().map(share).collect());
        }
    }

    /// The mean predicted regret of the decisions from a window on, with its interval.
    #[must_use]
    pub fn predicted_regret_from(&self, window: usize) -> Estimate {
        Estimate::of(self.predicted[window..].iter().flatten().copied())
    }
}

/// A number of a decision.
type Field = fn(&DecisionRow) -> f64;

fn pick(rows: &[&DecisionRow], field: Field) -> Vec<f64> {
    rows.iter().map(|row| field(row)).filter(|value| value.is_finite()).collect()
}

fn finite_mean(rows: &[&DecisionRow], field: Field) -> f64 {
    crate::stats::mean(&pick(rows, field))
}
