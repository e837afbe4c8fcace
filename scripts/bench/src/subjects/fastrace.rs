//! `fastrace`: a span per decision with its fields as properties, which are texts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::prelude::Span;
use nashtrace::record::{Candidate, Clock};

use crate::measure::{Account, Subject, timed};
use crate::sample::{self, CANDIDATES, Sample};

/// A column of the candidates as one property: fewer texts than with one for every value.
type Column = (&'static str, fn(&Candidate) -> f64);

const COLUMNS: [Column; 17] = [
    ("worker", |row| row.worker as f64),
    ("cost", |row| row.cost),
    ("effective_overlap_blocks", |row| row.effective_overlap_blocks),
    ("preferred_taint_multiplier", |row| row.preferred_taint_multiplier),
    ("active_prefill_tokens", |row| row.active_prefill_tokens as f64),
    ("total_kv_blocks", |row| row.total_kv_blocks as f64),
    ("max_batched_tokens", |row| row.max_batched_tokens as f64),
    ("rank", |row| f64::from(row.rank)),
    ("flags", |row| f64::from(row.flags)),
    ("device_blocks", |row| f64::from(row.device_blocks)),
    ("host_blocks", |row| f64::from(row.host_blocks)),
    ("disk_blocks", |row| f64::from(row.disk_blocks)),
    ("shared_blocks", |row| f64::from(row.shared_blocks)),
    ("cached_tokens", |row| f64::from(row.cached_tokens)),
    ("active_requests", |row| f64::from(row.active_requests)),
    ("active_decode_blocks", |row| f64::from(row.active_decode_blocks)),
    ("additional_decode_blocks", |row| f64::from(row.additional_decode_blocks)),
];

/// Spans that reach a reporter which only counts them: the cheapest there is.
pub struct Fastrace {
    name: &'static str,
    samples: Vec<Sample>,
    reported: Arc<AtomicU64>,
    made: u64,
    before: u64,
}

struct Counting(Arc<AtomicU64>);

impl Reporter for Counting {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        let whole = spans.iter().filter(|span| span.properties.len() > COLUMNS.len()).count();
        self.0.fetch_add(whole as u64, Ordering::Relaxed);
    }
}

impl Fastrace {
    /// Installs the process's reporter.
    pub fn new(name: &'static str) -> Self {
        let reported = Arc::new(AtomicU64::new(0));
        let config = Config::default().report_interval(Duration::from_millis(5));
        fastrace::set_reporter(Counting(Arc::clone(&reported)), config);
        Self {
            name,
            samples: sample::samples(16, CANDIDATES, Clock::Ticks),
            reported,
            made: 0,
            before: 0,
        }
    }
}

fn record(sample: &Sample, request: u64) {
    let decision = &sample.decision;
    let fields = || {
        [
            ("request", request.to_string()),
            ("attempt", decision.attempt.to_string()),
            ("queue_wait_ns", decision.queue_wait_ns.to_string()),
            ("temperature", decision.temperature.to_string()),
            ("overlap_score_credit", decision.overlap_score_credit.to_string()),
            ("overlap_score_credit_decay", decision.overlap_score_credit_decay.to_string()),
            ("prefill_load_scale", decision.prefill_load_scale.to_string()),
            ("decode_active_request_weight", decision.decode_active_request_weight.to_string()),
            ("host_cache_hit_weight", decision.host_cache_hit_weight.to_string()),
            ("disk_cache_hit_weight", decision.disk_cache_hit_weight.to_string()),
            ("shared_cache_multiplier", decision.shared_cache_multiplier.to_string()),
            ("isl_tokens", decision.isl_tokens.to_string()),
            ("block_size", decision.block_size.to_string()),
            ("expected_output_tokens", decision.expected_output_tokens.to_string()),
            ("chosen", decision.chosen.to_string()),
            ("pool", decision.pool.to_string()),
            ("worker_type", decision.worker_type.to_string()),
            ("policy", decision.policy.to_string()),
            ("mode", decision.mode.to_string()),
            ("flags", decision.flags.to_string()),
        ]
    };
    let columns = || COLUMNS.map(|(name, value)| (name, column(&sample.candidates, value)));
    let span = Span::root("decision", SpanContext::random());
    let _complete = span.with_properties(fields).with_properties(columns);
}

fn column(rows: &[Candidate], value: fn(&Candidate) -> f64) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for row in rows {
        // Writing to a text cannot fail.
        let _ = write!(text, "{},", value(row));
    }
    text
}

impl Subject for Fastrace {
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
        fastrace::flush();
        self.before = self.reported.load(Ordering::Relaxed);
        self.made = 0;
        Ok(())
    }

    fn batch(&mut self) -> f64 {
        let first_key = self.made + 1;
        let ns =
            timed(self.calls(), |call| record(&self.samples[call & 15], first_key + call as u64));
        self.made += self.calls() as u64;
        ns
    }

    fn settle(&mut self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(6));
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Account>> {
        fastrace::flush();
        let recorded = self.reported.load(Ordering::Relaxed) - self.before;
        Ok(Some(Account { made: self.made, recorded }))
    }
}
