//! Workloads in Mooncake's JSON lines, read and written.
//!
//! ```json
//! {"timestamp": 0, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1, 2]}
//! ```
//!
//! `timestamp` and `delay` are milliseconds; a turn of a session has a delay after the turn before instead of
//! a timestamp. Requests whose first `hash_ids` are equal share these blocks.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize, Serializer};

use super::bytes::lines;
use super::json::{Count, Quantity, of_json};
use super::{Fault, Measurement, Parsed, RequestRow, key_of};

#[derive(Deserialize)]
struct ReadRow {
    #[serde(alias = "created_time")]
    timestamp: Option<Quantity>,
    #[serde(alias = "input_tokens")]
    input_length: Option<Count>,
    #[serde(alias = "output_tokens")]
    output_length: Option<Count>,
    hash_ids: Option<Vec<u64>>,
    request_id: Option<String>,
    session_id: Option<String>,
    #[serde(alias = "delay_ms")]
    delay: Option<Quantity>,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let rows = lines(content).map(|line| line.and_then(|(line, text)| row(line, text)));
    let rows: Vec<RequestRow> = rows.collect::<Result<_, _>>()?;
    Ok(Parsed { rows, ..Parsed::default() })
}

fn row(line: usize, text: &str) -> Result<RequestRow, Fault> {
    let row: ReadRow = of_json(line, text)?;
    let missing = |what: &str| Fault::new(line, format!("{what}: it is missing"));
    Ok(RequestRow {
        line,
        key: key_of(row.request_id.as_deref()),
        start_ms: row.timestamp.map(|time| time.0),
        input_tokens: Some(row.input_length.ok_or_else(|| missing("input_length"))?.0),
        output_tokens: Some(row.output_length.ok_or_else(|| missing("output_length"))?.0),
        blocks: row.hash_ids.unwrap_or_default(),
        session: row.session_id,
        delay_ms: row.delay.map(|delay| delay.0),
        ..RequestRow::default()
    })
}

#[derive(Serialize)]
struct WrittenRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Milliseconds>,
    input_length: u64,
    output_length: u64,
    hash_ids: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<Milliseconds>,
}

/// Written without decimals if it has none: some readers take whole numbers only.
struct Milliseconds(f64);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 {
            serializer.serialize_u64(self.0 as u64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MooncakeWritten {
    /// Requests written.
    pub requests: usize,
    /// Requests left out, because their tokens or the time of their start are not known.
    pub left_out: usize,
    /// Requests whose blocks were not known, so that they share nothing.
    pub unshared: usize,
}

/// Write the requests that count as a workload. Blocks are numbered in the order in which they first
/// appear. A request whose blocks are not known gets as many of its own as its prompt has, at
/// `unshared_block_size` tokens each.
///
/// # Errors
///
/// If it cannot be written, or blocks are not known and there is no `unshared_block_size`.
pub fn write_mooncake(
    measurement: &Measurement,
    unshared_block_size: Option<u64>,
    out: &mut dyn Write,
) -> io::Result<MooncakeWritten> {
    let mut written = MooncakeWritten::default();
    let mut numbers: HashMap<u64, u64> = HashMap::new();
    let mut next = 0_u64;
    let mut fresh = || {
        next += 1;
        next - 1
    };
    let first = measurement.counted().iter().find_map(|row| row.start_ms).unwrap_or(0.0);
    for row in measurement.counted() {
        let (Some(input_length), Some(output_length)) = (row.input_tokens, row.output_tokens)
        else {
            written.left_out += 1;
            continue;
        };
        if row.start_ms.is_none() && row.delay_ms.is_none() {
            written.left_out += 1;
            continue;
        }
        let hash_ids = if !row.blocks.is_empty() || input_length == 0 {
            row.blocks
                .iter()
                .map(|block| *numbers.entry(*block).or_insert_with(&mut fresh))
                .collect()
        } else {
            written.unshared += 1;
            let size = unshared_block_size.filter(|size| *size > 0).ok_or_else(no_blocks)?;
            (0..input_length.div_ceil(size)).map(|_| fresh()).collect()
        };
        let row = WrittenRow {
            timestamp: row.start_ms.map(|start| Milliseconds((start - first).max(0.0))),
            input_length,
            output_length,
            hash_ids,
            session_id: row.session.as_deref(),
            delay: row.delay_ms.map(Milliseconds),
        };
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
        written.requests += 1;
    }
    Ok(written)
}

fn no_blocks() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the file does not say which prompts share blocks; give --unshared-blocks TOKENS to make every \
         prompt its own",
    )
}
