//! Traces on disk: their size, and how fast they are read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nashtrace::record::{Candidate, Decision, Kind};
use nashtrace::trace::{EXTENSION, Item, Reader};
use serde::{Deserialize, Serialize};
use zerocopy::FromBytes;

/// What a trace holds, and what it took to read it once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reading {
    /// Bytes of all its files.
    pub bytes: u64,
    /// Candidate rows.
    pub rows: u64,
    /// Records of all kinds, candidate rows included.
    pub records: u64,
    /// Processor seconds of the reading thread.
    pub cpu_s: f64,
}

impl Reading {
    /// All of the file's bytes, whatever they are for, for each candidate row.
    pub fn bytes_per_row(&self) -> f64 {
        self.bytes as f64 / self.rows as f64
    }

    /// Records for each second of processor time.
    pub fn per_core(&self) -> f64 {
        self.records as f64 / self.cpu_s
    }
}

/// The trace files of a folder, or the file itself.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.into()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("{}: no trace", path.display());
    }
    Ok(files)
}

/// Read every decision and every candidate once.
pub fn read(files: &[PathBuf]) -> Result<Reading> {
    let mut reading = Reading { bytes: 0, rows: 0, records: 0, cpu_s: 0.0 };
    let began = thread_cpu_seconds();
    let mut sum = 0.0;
    for file in files {
        let mut reader = Reader::open(file)?;
        reading.bytes += reader.size();
        while let Some(item) = reader.next_item()? {
            let Item::Packet(packet) = item else { bail!("{}: damaged", file.display()) };
            for record in packet.records() {
                reading.records += 1;
                if record.head.kind == Kind::Decision as u8 {
                    let decision = record.to::<Decision>().context("a whole decision")?;
                    sum += decision.propensity;
                    for row in record.rows() {
                        let candidate = Candidate::ref_from_bytes(row).ok();
                        sum += candidate.context("a whole candidate")?.cost;
                        reading.rows += 1;
                    }
                }
            }
        }
    }
    std::hint::black_box(sum);
    reading.records += reading.rows;
    reading.cpu_s = thread_cpu_seconds() - began;
    Ok(reading)
}

fn thread_cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable, and the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
