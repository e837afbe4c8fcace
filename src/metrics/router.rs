//! What routers decided: scores of every candidate, decisions, regrets, waiting times.

use std::collections::HashMap;

use prometheus::local::LocalHistogram;
use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};

use super::families;
use crate::declarations;
use crate::record::{Candidate, Decision, NameSpace, Reason, UNKNOWN_U64};
use crate::state::{CostFormula, overlap_regret, predicted_regret};

/// The label of what has no series of its own.
const OTHER: &str = "other";

/// Routers with series of their own; a process has a handful.
const MAX_ROUTERS: usize = 64;

const COMPONENTS: [&str; 5] =
    ["kv_overlap", "prefill_load", "decode_load", "request_load", "total"];

/// The name ids of a pool and a worker type: what tells routers apart in a record.
type RouterKey = (u32, u32);

/// A router, a worker and its rank.
type WorkerKey = (RouterKey, u64, u32);

/// See the module documentation.
pub(crate) struct RouterMetrics {
    scores: HistogramVec,
    decisions: IntCounterVec,
    predicted_regret: HistogramVec,
    overlap_regret: HistogramVec,
    queue_wait: HistogramVec,
    other_workers: IntGauge,
    max_workers: usize,
    routers: Vec<RouterSeries>,
    router_index: HashMap<RouterKey, usize>,
    workers: Vec<WorkerSeries>,
    worker_index: HashMap<WorkerKey, usize>,
    /// The series of the last decision's candidates: successive decisions mostly offer the same workers.
    last: Vec<(WorkerKey, usize)>,
}

struct RouterSeries {
    router_id: String,
    worker_type: String,
    predicted_regret: LocalHistogram,
    overlap_regret: LocalHistogram,
    queue_wait: LocalHistogram,
    /// The series that its workers share when there are too many.
    other: Option<usize>,
}

struct WorkerSeries {
    selected_worker: String,
    scores: [LocalHistogram; COMPONENTS.len()],
    decisions: [Option<IntCounter>; Reason::ALL.len()],
}

impl RouterMetrics {
    pub(super) fn new(registry: &Registry, max_workers: usize) -> Self {
        Self {
            scores: families::WORKER_SCORE.histograms(registry),
            decisions: families::DECISIONS.counters(registry),
            predicted_regret: families::PREDICTED_REGRET.histograms(registry),
            overlap_regret: families::OVERLAP_REGRET.histograms(registry),
            queue_wait: families::QUEUE_WAIT.histograms(registry),
            other_workers: families::OTHER_WORKERS
                .int_gauges(registry)
                .with_label_values::<&str>(&[]),
            max_workers,
            routers: Vec::new(),
            router_index: HashMap::new(),
            workers: Vec::new(),
            worker_index: HashMap::new(),
            last: Vec::new(),
        }
    }

    /// Observe a decision as it is written. Previews are not acted upon, and not counted.
    pub(crate) fn decision(&mut self, decision: &Decision, candidates: &[Candidate]) {
        let chosen = decision.chosen as usize;
        if !decision.is_tracked() || chosen >= candidates.len() {
            return;
        }
        let router = self.router(decision);
        let formula = CostFormula::new(decision, candidates);
        for (row, candidate) in candidates.iter().enumerate() {
            let index = self.worker(row, router, decision, candidate);
            let worker = &mut self.workers[index];
            worker.score(candidate, formula.as_ref());
            if row == chosen {
                let reason = Reason::from_u8(decision.reason);
                let labels =
                    [&self.routers[router].router_id, &worker.selected_worker, reason.name()];
                let counter = worker.decisions[reason as usize]
                    .get_or_insert_with(|| self.decisions.with_label_values(&labels));
                counter.inc();
            }
        }
        let costs = candidates.iter().map(|candidate| candidate.cost);
        let overlaps = candidates.iter().map(|candidate| candidate.effective_overlap_blocks);
        let series = &self.routers[router];
        observe(&series.predicted_regret, predicted_regret(costs, chosen));
        observe(&series.overlap_regret, overlap_regret(overlaps, chosen));
        if decision.queue_wait_ns != UNKNOWN_U64 {
            observe(&series.queue_wait, decision.queue_wait_ns as f64 / 1e9);
        }
    }

    /// Show what was observed since the last call.
    pub(crate) fn show(&self) {
        for router in &self.routers {
            router.predicted_regret.flush();
            router.overlap_regret.flush();
            router.queue_wait.flush();
        }
        for worker in &self.workers {
            worker.scores.iter().for_each(LocalHistogram::flush);
        }
    }

    fn router(&mut self, decision: &Decision) -> usize {
        let key = (decision.pool, decision.worker_type);
        if let Some(index) = self.router_index.get(&key) {
            return *index;
        }
        let last = self.routers.len();
        // The last of them is shared by all that come after.
        let (router_id, worker_type) = if last + 1 < MAX_ROUTERS {
            (name(NameSpace::Pool, key.0), name(NameSpace::WorkerType, key.1))
        } else {
            (OTHER.to_owned(), OTHER.to_owned())
        };
        let index = last.min(MAX_ROUTERS - 1);
        if index == last {
            let labels = [&router_id, &worker_type];
            self.routers.push(RouterSeries {
                predicted_regret: self.predicted_regret.with_label_values(&labels).local(),
                overlap_regret: self.overlap_regret.with_label_values(&labels).local(),
                queue_wait: self.queue_wait.with_label_values(&labels).local(),
                router_id,
                worker_type,
                other: None,
            });
        }
        // Bounded like everything else: beyond it a router is looked up by name again.
        if self.router_index.len() < MAX_ROUTERS {
            self.router_index.insert(key, index);
        }
        index
    }

    fn worker(
        &mut self,
        row: usize,
        router: usize,
        decision: &Decision,
        candidate: &Candidate,
    ) -> usize {
        let key = ((decision.pool, decision.worker_type), candidate.worker, candidate.rank);
        if let Some((last, index)) = self.last.get(row)
            && *last == key
        {
            return *index;
        }
        let index = match self.worker_index.get(&key) {
            Some(index) => *index,
            None => self.new_worker(router, key),
        };
        self.last.truncate(row);
        if self.last.len() == row {
            self.last.push((key, index));
        }
        index
    }

    fn new_worker(&mut self, router: usize, key: WorkerKey) -> usize {
        let (_, worker, rank) = key;
        if self.worker_index.len() < self.max_workers {
            let index = self.new_series(router, &worker.to_string(), &rank.to_string());
            self.worker_index.insert(key, index);
            return index;
        }
        let index = match self.routers[router].other {
            Some(index) => index,
            None => self.new_series(router, OTHER, OTHER),
        };
        self.routers[router].other = Some(index);
        // Remembered, so that each is counted once, up to as many again.
        if self.worker_index.len() < 2 * self.max_workers {
            self.worker_index.insert(key, index);
            self.other_workers.inc();
        }
        index
    }

    fn new_series(&mut self, router: usize, worker: &str, rank: &str) -> usize {
        let RouterSeries { router_id, worker_type, .. } = &self.routers[router];
        let scores = COMPONENTS.map(|component| {
            let labels = [router_id, worker, rank, worker_type, component];
            self.scores.with_label_values(&labels).local()
        });
        self.workers.push(WorkerSeries {
            selected_worker: worker.to_owned(),
            scores,
            decisions: Default::default(),
        });
        self.workers.len() - 1
    }
}

impl WorkerSeries {
    fn score(&self, candidate: &Candidate, formula: Option<&CostFormula<'_>>) {
        if let Some(formula) = formula {
            let parts = formula.components(candidate);
            let parts =
                [parts.kv_overlap, parts.prefill_load, parts.decode_load, parts.request_load];
            for (histogram, part) in self.scores.iter().zip(parts) {
                observe(histogram, part);
            }
        }
        observe(&self.scores[COMPONENTS.len() - 1], candidate.cost);
    }
}

/// A value that is not a number would make the sum of the series one that is not either.
fn observe(histogram: &LocalHistogram, value: f64) {
    if value.is_finite() {
        histogram.observe(value);
    }
}

fn name(space: NameSpace, id: u32) -> String {
    declarations::text(space, id).unwrap_or_else(|| "unknown".to_owned())
}
