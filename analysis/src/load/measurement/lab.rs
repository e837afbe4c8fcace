//! `requests.jsonl` of a lab run: the simulator's record of each request and its key.

use serde::Deserialize;

use super::bytes::lines;
use super::json::{Count, Quantity, of_json};
use super::{Fault, Parsed, RequestRow};

#[derive(Deserialize)]
struct Record {
    request_key: String,
    ttft_ms: Option<Quantity>,
    e2e_latency_ms: Option<Quantity>,
    input_length: Count,
    arrival_time_ms: Option<Quantity>,
    itl_ms: Option<Quantity>,
    output_length: Option<Count>,
    session_id: Option<String>,
    terminal_status: Option<String>,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let rows = lines(content).map(|line| line.and_then(|(line, text)| row(line, text)));
    Ok(Parsed { rows: rows.collect::<Result<_, _>>()?, has_outcomes: true, ..Parsed::default() })
}

fn row(line: usize, text: &str) -> Result<RequestRow, Fault> {
    let record: Record = of_json(line, text)?;
    let key = u64::from_str_radix(&record.request_key, 16)
        .map_err(|_| Fault::new(line, "request_key is not a hexadecimal number"))?;
    let ms = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.0);
    let mut row = RequestRow {
        line,
        key: Some(key),
        start_ms: ms(record.arrival_time_ms),
        ttft_ms: ms(record.ttft_ms),
        itl_mean_ms: ms(record.itl_ms),
        e2e_ms: ms(record.e2e_latency_ms),
        input_tokens: Some(record.input_length.0),
        output_tokens: record.output_length.map(|count| count.0),
        error: record.terminal_status.filter(|status| status != "completed"),
        session: record.session_id,
        ..RequestRow::default()
    };
    row.itl_mean_ms = row.itl_mean_ms.or_else(|| row.mean_of_latencies());
    Ok(row)
}
