//! `tracing` with `tracing-subscriber`'s JSON and `tracing-appender`'s background writer.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use nashtrace::record::{Candidate, Clock};
use tracing::subscriber::DefaultGuard;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

use crate::measure::{Account, Subject, timed};
use crate::sample::{self, CANDIDATES, Sample};

/// One event per decision: its fields, and all candidates as one of them.
pub struct TracingJson {
    name: &'static str,
    path: PathBuf,
    samples: Vec<Sample>,
    made: u64,
    running: Option<(DefaultGuard, WorkerGuard)>,
}

impl TracingJson {
    /// Writes to a file in this folder.
    pub fn new(name: &'static str, scratch: &Path) -> Self {
        Self {
            name,
            path: scratch.join("tracing.json"),
            samples: sample::samples(16, CANDIDATES, Clock::Ticks),
            made: 0,
            running: None,
        }
    }
}

/// Candidates as a list of lists: shorter, and faster to write, than with the names of their fields.
struct Rows<'a>(&'a [Candidate]);

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.iter().map(Row);
        f.debug_list().entries(rows).finish()
    }
}

struct Row<'a>(&'a Candidate);

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.0;
        write!(
            f,
            "[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]",
            row.worker,
            row.cost,
            row.effective_overlap_blocks,
            row.preferred_taint_multiplier,
            row.active_prefill_tokens,
            row.total_kv_blocks,
            row.max_batched_tokens,
            row.rank,
            row.flags,
            row.device_blocks,
            row.host_blocks,
            row.disk_blocks,
            row.shared_blocks,
            row.cached_tokens,
            row.active_requests,
            row.active_decode_blocks,
            row.additional_decode_blocks,
        )
    }
}

fn record(sample: &Sample, request: u64) {
    let decision = &sample.decision;
    tracing::info!(
        request,
        attempt = decision.attempt,
        queue_wait_ns = decision.queue_wait_ns,
        temperature = decision.temperature,
        overlap_score_credit = decision.overlap_score_credit,
        overlap_score_credit_decay = decision.overlap_score_credit_decay,
        prefill_load_scale = decision.prefill_load_scale,
        decode_active_request_weight = decision.decode_active_request_weight,
        host_cache_hit_weight = decision.host_cache_hit_weight,
        disk_cache_hit_weight = decision.disk_cache_hit_weight,
        shared_cache_multiplier = decision.shared_cache_multiplier,
        isl_tokens = decision.isl_tokens,
        block_size = decision.block_size,
        expected_output_tokens = decision.expected_output_tokens,
        chosen = decision.chosen,
        pool = decision.pool,
        worker_type = decision.worker_type,
        policy = decision.policy,
        mode = decision.mode,
        flags = decision.flags,
        candidates = ?Rows(&sample.candidates),
    );
}

impl Subject for TracingJson {
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
        let file = File::create(&self.path)?;
        let (writer, worker) = NonBlockingBuilder::default().finish(file);
        let subscriber = tracing_subscriber::fmt().json().with_writer(writer).finish();
        self.running = Some((tracing::subscriber::set_default(subscriber), worker));
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
        std::thread::sleep(Duration::from_millis(5));
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Account>> {
        // The worker's guard waits until the file is complete.
        self.running = None;
        let recorded = BufReader::new(File::open(&self.path)?).split(b'\n').count() as u64;
        std::fs::remove_file(&self.path)?;
        Ok(Some(Account { made: self.made, recorded }))
    }
}
