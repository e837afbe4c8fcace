//! What the collector thread gets done: threads that record as fast as it can follow, and the processor
//! time that it takes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nashtrace::abi::Status;
use nashtrace::record::Clock;
use serde::{Deserialize, Serialize};

use crate::library::{Library, Options};
use crate::sample::{self, CANDIDATES};

const PRODUCERS: usize = 2;
const DURATION: Duration = Duration::from_secs(2);

/// Large enough that a thread rarely waits for the collector's next look.
const RING_BYTES: u64 = 8 << 20;

/// Decisions that differ: more than fit into one packet, so that none compresses by repeating another.
const SAMPLES: usize = 2_048;

/// What the producers record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Request events only.
    Requests,
    /// Decisions with eight candidates, a record for each.
    Decisions,
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Throughput {
    /// Records written, candidates included.
    pub records: u64,
    /// Records lost.
    pub lost: u64,
    /// Seconds from the first event until all were written.
    pub wall_s: f64,
    /// Processor seconds of the collector thread.
    pub collector_s: f64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Throughput {
    /// Records for each second of the collector's processor time.
    pub fn per_core(&self) -> f64 {
        self.records as f64 / self.collector_s
    }
}

/// Run once.
pub fn run(library: Library, scratch: &Path, load: Load) -> Result<Throughput> {
    let folder = scratch.join("throughput");
    library.start(&folder, Options { ring_bytes: RING_BYTES, poll_ms: 1 })?;
    let collector = collector_thread()?;
    let (before, cpu_before) = (library.counters()?, cpu_seconds(collector)?);
    let made = AtomicU64::new(before.written);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..PRODUCERS).map(|_| scope.spawn(|| produce(library, load, &made))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    library.flush()?;
    let wall_s = began.elapsed().as_secs_f64();
    let (after, cpu_after) = (library.counters()?, cpu_seconds(collector)?);
    library.stop()?;
    let bytes = folder_bytes(&folder)?;
    std::fs::remove_dir_all(&folder)?;
    Ok(Throughput {
        records: after.written - before.written,
        lost: after.lost.iter().sum(),
        wall_s,
        collector_s: cpu_after - cpu_before,
        bytes,
    })
}

/// Record for some seconds, a quarter of a ring at a time; `made` counts the records of all threads. At most
/// two quarters of every ring are waiting at any time.
fn produce(library: Library, load: Load, made: &AtomicU64) -> Result<()> {
    let api = library.api();
    let mut samples = sample::samples(SAMPLES, CANDIDATES, Clock::Ticks);
    let mut request = sample::request(Clock::Ticks);
    let (bytes_of_a_call, records_of_a_call) = match load {
        Load::Requests => (size_of_val(&request) as u64, 1),
        Load::Decisions => (152 + 96 * CANDIDATES as u64, 1 + CANDIDATES as u64),
    };
    let calls = RING_BYTES / 4 / bytes_of_a_call;
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < DURATION {
        for call in 0..calls {
            number += 1;
            let key = sample::key(number);
            let sample = &mut samples[call as usize % SAMPLES];
            // SAFETY: what is passed lives until the call returns.
            let status = unsafe {
                match load {
                    Load::Requests => {
                        request.request = key;
                        request.worker = key % CANDIDATES as u64;
                        request.prefill_tokens = (key >> 32) as u32 % 8_192;
                        request.blocks = (key >> 48) as u32 % 128;
                        (api.request)(&raw const request)
                    }
                    Load::Decisions => {
                        sample.decision.request = key;
                        let rows = sample.candidates.as_ptr();
                        (api.decision)(&raw const sample.decision, rows, CANDIDATES as u32, 96)
                    }
                }
            };
            ensure!(status == Status::Ok, "an event was refused: {status:?}");
        }
        let made = made.fetch_add(calls * records_of_a_call, Ordering::Relaxed);
        library.wait_until_written(made)?;
    }
    Ok(())
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

/// The thread that is called `nashtrace`.
fn collector_thread() -> Result<u64> {
    for entry in std::fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        if std::fs::read_to_string(entry.path().join("comm"))?.trim_end() == "nashtrace" {
            return Ok(entry.file_name().to_string_lossy().parse()?);
        }
    }
    anyhow::bail!("there is no collector thread")
}

/// Processor time of a thread of ours, as the scheduler accounts for it.
fn cpu_seconds(thread: u64) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat"))?;
    let ns: u64 = text.split_whitespace().next().context("schedstat is empty")?.parse()?;
    Ok(ns as f64 / 1e9)
}
