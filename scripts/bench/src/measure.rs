//! The method: short batches of calls, each timed as a whole, all subjects in turn, several times over.

use std::time::Instant;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What became of the events of one repeat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Calls that were made.
    pub made: u64,
    /// Calls whose event was found recorded.
    pub recorded: u64,
}

/// Something whose calls are timed.
pub trait Subject {
    /// Its name in tables and results.
    fn name(&self) -> &str;

    /// Calls in a batch: few enough for every buffer between the caller and the disk.
    fn calls(&self) -> usize;

    /// Batches in a repeat.
    fn batches(&self) -> usize;

    /// Make ready for a repeat.
    fn begin(&mut self) -> Result<()>;

    /// Run one batch; its nanoseconds.
    fn batch(&mut self) -> f64;

    /// Let the background side catch up, so that the next batch finds room.
    fn settle(&mut self) -> Result<()>;

    /// End a repeat. `None` if the subject records nothing by design.
    fn end(&mut self) -> Result<Option<Account>>;
}

/// Nanoseconds of some calls. Never inlined, so that a profiler can count what is inside it.
#[inline(never)]
pub fn timed(calls: usize, mut call: impl FnMut(usize)) -> f64 {
    let began = Instant::now();
    for number in 0..calls {
        call(number);
    }
    began.elapsed().as_secs_f64() * 1e9
}

/// One repeat of one subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Repeat {
    /// Median, over the batches, of the nanoseconds of one call.
    pub p50_ns: f64,
    /// The batch at the 99th percentile.
    pub p99_ns: f64,
    /// What became of the events; `None` if nothing is recorded by design.
    pub account: Option<Account>,
    /// Every batch, in nanoseconds of one call, in order.
    pub batches_ns: Vec<f64>,
}

/// Batches that are not timed, so that rings, files and caches are in use.
const WARM_UP: usize = 4;

/// Run one repeat.
pub fn repeat(subject: &mut dyn Subject) -> Result<Repeat> {
    subject.begin()?;
    let calls = subject.calls() as f64;
    let mut batches_ns = Vec::with_capacity(subject.batches());
    for number in 0..WARM_UP + subject.batches() {
        let ns = subject.batch() / calls;
        if number >= WARM_UP {
            batches_ns.push((ns * 100.0).round() / 100.0);
        }
        subject.settle()?;
    }
    let account = subject.end()?;
    let p50_ns = quantile(&batches_ns, 0.5);
    let p99_ns = quantile(&batches_ns, 0.99);
    Ok(Repeat { p50_ns, p99_ns, account, batches_ns })
}

/// The value below which that share of the values lies.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((share * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Middle, least and greatest of some repeats; the distance between the latter is the noise floor.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// The spread of some values.
    pub fn of(values: &[f64]) -> Self {
        Self {
            median: quantile(values, 0.5),
            min: quantile(values, 0.0),
            max: quantile(values, 1.0),
        }
    }
}

/// Calls of one repeat, warm-up included.
pub fn calls_in_a_repeat(subject: &dyn Subject) -> u64 {
    (subject.calls() * (WARM_UP + subject.batches())) as u64
}
