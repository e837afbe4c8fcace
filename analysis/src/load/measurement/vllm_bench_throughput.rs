//! `vllm bench throughput --output-json`: one summary of a batch, times in seconds.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bytes::text;
use super::json::{Count, Quantity, of_json};
use super::{Fault, Parsed};

#[derive(Deserialize)]
struct Throughput {
    elapsed_time: Quantity,
    num_requests: Count,
    requests_per_second: Quantity,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let throughput: Throughput = of_json(1, text(content)?)?;
    Ok(Parsed {
        has_outcomes: true,
        duration_s: Some(throughput.elapsed_time.0),
        summary: BTreeMap::from([
            ("requests", throughput.num_requests.0 as f64),
            ("completed", throughput.num_requests.0 as f64),
            ("duration_s", throughput.elapsed_time.0),
            ("requests_per_s", throughput.requests_per_second.0),
        ]),
        notes: vec![
            "tokens_per_second of this file counts prompt tokens too: there is no \
             output_tokens_per_s"
                .into(),
        ],
        ..Parsed::default()
    })
}
