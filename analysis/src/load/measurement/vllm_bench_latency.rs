//! `vllm bench latency --output-json`: the time that a whole batch took, again and again, in seconds.

use serde::Deserialize;

use super::bytes::text;
use super::json::{Quantity, of_json};
use super::{Fault, Parsed, RequestRow};

#[derive(Deserialize)]
struct Latency {
    latencies: Vec<Quantity>,
}

pub(super) fn parse(content: &[u8]) -> Result<Parsed, Fault> {
    let latency: Latency = of_json(1, text(content)?)?;
    let row = |taken: &Quantity| RequestRow {
        line: 1,
        e2e_ms: Some(taken.0 * 1e3),
        ..RequestRow::default()
    };
    Ok(Parsed {
        rows: latency.latencies.iter().map(row).collect(),
        has_outcomes: true,
        duration_s: Some(latency.latencies.iter().map(|taken| taken.0).sum()),
        notes: vec!["a request of this file is one iteration: a whole batch of prompts".into()],
        ..Parsed::default()
    })
}
