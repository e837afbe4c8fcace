//! `dynamo.request.trace.v1`: what Dynamo's frontend says about each request that ended, as
//! `DYN_REQUEST_TRACE=1` writes it (JSON lines, compressed or not, bare or in an envelope of a recorder).

use serde::Deserialize;

use super::bytes::lines;
use super::json::{Count, Quantity, of_json};
use super::{Fault, Parsed, RequestRow, key_of};

const SCHEMA: &str = "dynamo.request.trace.v1";

#[derive(Deserialize)]
struct Record {
    schema: String,
    event_type: String,
    event_time_unix_ms: Option<Quantity>,
    agent_context: Option<AgentContext>,
    request: Option<Request>,
}

#[derive(Deserialize)]
struct AgentContext {
    session_id: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    request_id: String,
    x_request_id: Option<String>,
    input_tokens: Option<Count>,
    output_tokens: Option<Count>,
    request_received_ms: Option<Quantity>,
    ttft_ms: Option<Quantity>,
    total_time_ms: Option<Quantity>,
    avg_itl_ms: Option<Quantity>,
    replay: Option<Replay>,
}

#[derive(Deserialize)]
struct Replay {
    input_length: Count,
    input_sequence_hashes: Vec<u64>,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let mut rows = Vec::new();
    for line in lines(content) {
        let (line, text) = line?;
        let record = record(line, text)?;
        if record.schema != SCHEMA {
            let what = format!("schema: \"{}\" is not {SCHEMA}", record.schema);
            return Err(Fault::new(line, what));
        }
        // Tools and payloads have lines of their own.
        if record.event_type == "request_end" {
            rows.push(row(line, record)?);
        }
    }
    Ok(Parsed { rows, on_unix_clock: true, has_outcomes: true, ..Parsed::default() })
}

fn record(line: usize, text: &str) -> Result<Record, Fault> {
    #[derive(Deserialize)]
    struct Envelope {
        event: Option<Record>,
    }
    if text.contains("\"event\"")
        && let Some(record) = of_json::<Envelope>(line, text)?.event
    {
        return Ok(record);
    }
    of_json(line, text)
}

fn row(line: usize, record: Record) -> Result<RequestRow, Fault> {
    let Some(request) = record.request else {
        return Err(Fault::new(line, "request: it is missing from the end of a request"));
    };
    let ms = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.0);
    let received = ms(request.request_received_ms);
    // Compact records have no latency, but say when they were written.
    let until_written = || Some(ms(record.event_time_unix_ms)? - received?);
    let e2e_ms =
        ms(request.total_time_ms).or_else(|| until_written().filter(|taken| *taken >= 0.0));
    let (replayed, blocks) = match request.replay {
        Some(replay) => (Some(replay.input_length), replay.input_sequence_hashes),
        None => (None, Vec::new()),
    };
    let mut row = RequestRow {
        line,
        key: key_of(Some(&request.request_id)),
        client_key: key_of(request.x_request_id.as_deref()),
        start_ms: received,
        ttft_ms: ms(request.ttft_ms),
        itl_mean_ms: ms(request.avg_itl_ms),
        e2e_ms,
        input_tokens: request.input_tokens.or(replayed).map(|count| count.0),
        output_tokens: request.output_tokens.map(|count| count.0),
        blocks,
        session: record.agent_context.and_then(|context| context.session_id),
        ..RequestRow::default()
    };
    row.itl_mean_ms = row.itl_mean_ms.or_else(|| row.mean_of_latencies());
    Ok(row)
}
