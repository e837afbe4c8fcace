//! Traces on disk: their size, and how fast they are read.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nashtrace::field;
use nashtrace::record::{Candidate, Decision, Kind};
use nashtrace::trace::{Columns, EXTENSION, Field, Item, Packet, Reader};
use serde::{Deserialize, Serialize};
use zerocopy::FromBytes;

/// What a trace holds, and what it took to read it once in each way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reading {
    /// Bytes of all its files.
    pub bytes: u64,
    /// Candidate rows.
    pub rows: u64,
    /// Records of all kinds, candidate rows included.
    pub records: u64,
    /// Processor seconds of the reading thread when it takes record by record.
    pub by_records_s: f64,
    /// The same when it takes every column.
    pub by_columns_s: f64,
    /// The same when it takes a column of the decisions and one of the candidates.
    pub two_columns_s: f64,
    /// The same when it takes none: what checking and decompressing take.
    pub no_columns_s: f64,
}

impl Reading {
    /// All of the file's bytes, whatever they are for, for each candidate row.
    pub fn bytes_per_row(&self) -> f64 {
        self.bytes as f64 / self.rows as f64
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

/// Read the files once in each way.
pub fn read(files: &[PathBuf]) -> Result<Reading> {
    let (mut rows, mut records) = (0, 0);
    let by_records_s = seconds(files, |packet| {
        let (of_packet, rows_of_packet) = by_records(packet)?;
        records += of_packet + rows_of_packet;
        rows += rows_of_packet;
        Ok(())
    })?;
    let mut buffers = Buffers::default();
    let by_columns_s = seconds(files, |packet| {
        for table in packet.tables() {
            buffers.take_all(&table.records());
            buffers.take_all(&table.rows());
        }
        Ok(())
    })?;
    let two_columns_s = seconds(files, |packet| {
        for table in packet.tables().filter(|table| table.kind() == Kind::Decision as u8) {
            black_box(table.records().read(field!(Decision, propensity), &mut buffers.doubles));
            black_box(table.rows().read(field!(Candidate, cost), &mut buffers.doubles));
        }
        Ok(())
    })?;
    let no_columns_s = seconds(files, |_| Ok(()))?;
    let sizes = files.iter().map(|file| Ok(file.metadata()?.len()));
    let bytes = sizes.sum::<Result<u64>>()?;
    Ok(Reading { bytes, rows, records, by_records_s, by_columns_s, two_columns_s, no_columns_s })
}

/// Processor seconds that it takes to read all packets.
fn seconds(files: &[PathBuf], mut take: impl FnMut(&Packet<'_>) -> Result<()>) -> Result<f64> {
    let began = thread_cpu_seconds();
    for file in files {
        let mut reader = Reader::open(file)?;
        while let Some(item) = reader.next_item()? {
            let Item::Packet(packet) = item else { bail!("{}: damaged", file.display()) };
            take(&packet)?;
        }
    }
    Ok(thread_cpu_seconds() - began)
}

/// Take every decision and every candidate; how many records and how many rows there are.
fn by_records(packet: &Packet<'_>) -> Result<(u64, u64)> {
    let (mut records, mut rows) = (0, 0);
    let mut sum = 0.0;
    for record in packet.records() {
        records += 1;
        if record.head.kind == Kind::Decision as u8 {
            sum += record.to::<Decision>().context("a whole decision")?.propensity;
            for row in record.rows() {
                let candidate = Candidate::ref_from_bytes(row).ok();
                sum += candidate.context("a whole candidate")?.cost;
                rows += 1;
            }
        }
    }
    black_box(sum);
    Ok((records, rows))
}

/// What columns are read into.
#[derive(Default)]
struct Buffers {
    words: Vec<u64>,
    doubles: Vec<f64>,
}

impl Buffers {
    /// Take all bytes of some structs or rows, as columns of eight.
    fn take_all(&mut self, columns: &Columns<'_>) {
        for offset in (0..columns.width()).step_by(size_of::<u64>()) {
            black_box(columns.read(Field::<u64>::at(offset), &mut self.words));
        }
    }
}

fn thread_cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable, and the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
