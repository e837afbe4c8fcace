//! The `prometheus` crate: a histogram per worker and component. It keeps sums and buckets; which values
//! belonged to one decision is lost.

use anyhow::Result;
use nashtrace::record::{Candidate, Clock};
use prometheus::{HistogramOpts, HistogramVec, exponential_buckets};

use crate::measure::{Account, Subject, timed};
use crate::sample::{self, CANDIDATES, Sample};

/// What a histogram is kept of.
type Component = (&'static str, fn(&Candidate) -> f64);

/// The columns of a candidate that change from decision to decision.
const COMPONENTS: [Component; 10] = [
    ("cost", |row| row.cost),
    ("effective_overlap_blocks", |row| row.effective_overlap_blocks),
    ("active_prefill_tokens", |row| row.active_prefill_tokens as f64),
    ("device_blocks", |row| f64::from(row.device_blocks)),
    ("host_blocks", |row| f64::from(row.host_blocks)),
    ("disk_blocks", |row| f64::from(row.disk_blocks)),
    ("cached_tokens", |row| f64::from(row.cached_tokens)),
    ("active_requests", |row| f64::from(row.active_requests)),
    ("active_decode_blocks", |row| f64::from(row.active_decode_blocks)),
    ("additional_decode_blocks", |row| f64::from(row.additional_decode_blocks)),
];

/// Observes some components of every candidate.
pub struct Prometheus {
    name: &'static str,
    components: &'static [Component],
    histogram: HistogramVec,
    /// Workers as label values. A router would keep them too.
    workers: Vec<String>,
    samples: Vec<Sample>,
    made: u64,
    before: u64,
}

impl Prometheus {
    /// The costs only.
    pub fn costs(name: &'static str) -> Result<Self> {
        Self::new(name, &COMPONENTS[..1])
    }

    /// Every column that changes.
    pub fn all(name: &'static str) -> Result<Self> {
        Self::new(name, &COMPONENTS)
    }

    fn new(name: &'static str, components: &'static [Component]) -> Result<Self> {
        let buckets = exponential_buckets(1.0, 4.0, 12)?;
        let options = HistogramOpts::new("candidate", "Components of candidates").buckets(buckets);
        Ok(Self {
            name,
            components,
            histogram: HistogramVec::new(options, &["worker_id", "component"])?,
            workers: (0..CANDIDATES).map(|worker| worker.to_string()).collect(),
            samples: sample::samples(16, CANDIDATES, Clock::Ticks),
            made: 0,
            before: 0,
        })
    }

    /// Observations in all histograms.
    fn observed(&self) -> u64 {
        let cells = self.workers.iter().flat_map(|worker| {
            self.components.iter().map(move |(component, _)| [worker.as_str(), component])
        });
        cells.map(|labels| self.histogram.with_label_values(&labels).get_sample_count()).sum()
    }
}

impl Subject for Prometheus {
    fn name(&self) -> &str {
        self.name
    }

    fn calls(&self) -> usize {
        256
    }

    fn batches(&self) -> usize {
        40
    }

    fn begin(&mut self) -> Result<()> {
        self.made = 0;
        self.before = self.observed();
        Ok(())
    }

    fn batch(&mut self) -> f64 {
        let ns = timed(self.calls(), |call| {
            for row in &self.samples[call & 15].candidates {
                let worker = self.workers[row.worker as usize].as_str();
                for (component, value) in self.components {
                    self.histogram.with_label_values(&[worker, component]).observe(value(row));
                }
            }
        });
        self.made += self.calls() as u64;
        ns
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Account>> {
        let of_a_call = (CANDIDATES * self.components.len()) as u64;
        let recorded = (self.observed() - self.before) / of_a_call;
        Ok(Some(Account { made: self.made, recorded }))
    }
}
