//! `vllm bench serve --save-result`. With `--save-detailed` it has lists with one entry per request; with
//! `--append-result` a file has one result on each line.
//!
//! Times are seconds; times of start are those of a monotonic clock. There are no request ids: they are made
//! of `--request-id-prefix` and the number of the request, so the prefix tells them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::json::{Count, Quantity, documents, of_json};
use super::{Fault, Parsed, ReadOptions, RequestRow, key_of};

#[derive(Deserialize)]
struct ServeResult {
    duration: Quantity,
    completed: Count,
    failed: Option<Count>,
    num_prompts: Option<Count>,
    total_output_tokens: Option<Count>,
    request_throughput: Quantity,
    output_throughput: Option<Quantity>,
    input_lens: Option<Vec<Count>>,
    output_lens: Option<Vec<Count>>,
    ttfts: Option<Vec<Quantity>>,
    itls: Option<Vec<Vec<Quantity>>>,
    latencies: Option<Vec<Quantity>>,
    start_times: Option<Vec<Quantity>>,
    errors: Option<Vec<Option<String>>>,
    median_ttft_ms: Option<Quantity>,
    p50_ttft_ms: Option<Quantity>,
    p95_ttft_ms: Option<Quantity>,
    p99_ttft_ms: Option<Quantity>,
    p95_itl_ms: Option<Quantity>,
    mean_e2el_ms: Option<Quantity>,
    p99_e2el_ms: Option<Quantity>,
}

pub(super) fn parse(content: &[u8], options: &ReadOptions) -> Result<Parsed, Fault> {
    let results = documents(content)?;
    let chosen = options.result.unwrap_or(results.len());
    let Some((line, text)) = chosen.checked_sub(1).and_then(|index| results.get(index)) else {
        let what = format!("there is no result {chosen}; the file has {}", results.len());
        return Err(Fault::new(1, what));
    };
    let result: ServeResult = of_json(*line, text)?;
    let mut parsed = Parsed {
        rows: result.rows(*line, options.request_id_prefix.as_deref())?,
        has_outcomes: true,
        duration_s: Some(result.duration.0),
        summary: result.summary(),
        ..Parsed::default()
    };
    if results.len() > 1 && options.result.is_none() {
        parsed.notes.push(format!(
            "the file has {} results, one per line; this is the last one",
            results.len()
        ));
    }
    let completed = parsed.rows.iter().filter(|row| row.error.is_none()).count() as u64;
    if !parsed.rows.is_empty() && completed != result.completed.0 {
        parsed.notes.push(format!(
            "{completed} requests have no error, but the summary counts {} as completed",
            result.completed.0
        ));
    }
    Ok(parsed)
}

impl ServeResult {
    fn rows(&self, line: usize, id_prefix: Option<&str>) -> Result<Vec<RequestRow>, Fault> {
        let lengths = [
            ("input_lens", self.input_lens.as_ref().map(Vec::len)),
            ("output_lens", self.output_lens.as_ref().map(Vec::len)),
            ("ttfts", self.ttfts.as_ref().map(Vec::len)),
            ("itls", self.itls.as_ref().map(Vec::len)),
            ("latencies", self.latencies.as_ref().map(Vec::len)),
            ("start_times", self.start_times.as_ref().map(Vec::len)),
            ("errors", self.errors.as_ref().map(Vec::len)),
        ];
        let mut lists = lengths.into_iter().filter_map(|(name, length)| Some((name, length?)));
        let Some((first, count)) = lists.next() else { return Ok(Vec::new()) };
        if let Some((other, length)) = lists.find(|(_, length)| *length != count) {
            let what = format!("{other} has {length} entries and {first} has {count}");
            return Err(Fault::new(line, what));
        }
        // Without details the failed ones cannot be told from the others.
        if self.errors.is_none() && self.has_failures(count) {
            return Ok(Vec::new());
        }
        Ok((0..count).map(|index| self.row(line, index, id_prefix)).collect())
    }

    fn has_failures(&self, requests: usize) -> bool {
        self.failed.is_some_and(|failed| failed.0 > 0) || self.completed.0 != requests as u64
    }

    fn row(&self, line: usize, index: usize, id_prefix: Option<&str>) -> RequestRow {
        const MS: f64 = 1e3;
        let time = |list: &Option<Vec<Quantity>>| Some(list.as_ref()?[index].0 * MS);
        let tokens = |list: &Option<Vec<Count>>| Some(list.as_ref()?[index].0);
        let error = self.errors.as_ref().and_then(|errors| errors[index].clone());
        let error = error.filter(|error| !error.is_empty());
        let client_key = id_prefix.and_then(|prefix| key_of(Some(&format!("{prefix}{index}"))));
        let start_ms = time(&self.start_times);
        let input_tokens = tokens(&self.input_lens);
        if error.is_some() {
            return RequestRow {
                line,
                client_key,
                start_ms,
                input_tokens,
                error,
                ..RequestRow::default()
            };
        }
        // An endpoint that does not stream leaves the zeros that the lists begin with.
        let ttft_ms = time(&self.ttfts).filter(|ttft| *ttft > 0.0);
        let itls = self.itls.as_ref().map_or(&[][..], |itls| &itls[index]);
        let itls_ms: Vec<f64> = itls.iter().map(|itl| itl.0 * MS).collect();
        let streamed = || Some(ttft_ms? + itls_ms.iter().sum::<f64>());
        let e2e_ms = time(&self.latencies).or_else(|| self.itls.as_ref().and_then(|_| streamed()));
        let mut row = RequestRow {
            line,
            client_key,
            start_ms,
            ttft_ms,
            itls_ms,
            e2e_ms,
            input_tokens,
            output_tokens: tokens(&self.output_lens),
            ..RequestRow::default()
        };
        row.itl_mean_ms = row.mean_of_latencies();
        row
    }

    fn summary(&self) -> BTreeMap<&'static str, f64> {
        let mut summary = BTreeMap::from([
            ("completed", self.completed.0 as f64),
            ("duration_s", self.duration.0),
            ("requests_per_s", self.request_throughput.0),
        ]);
        let failed = self.failed.map(|failed| (failed.0 + self.completed.0) as f64);
        let prompts = self.num_prompts.map(|prompts| prompts.0 as f64);
        let quantity = |value: &Option<Quantity>| value.map(|value| value.0);
        let known = [
            ("requests", failed.or(prompts)),
            ("output_tokens_per_s", quantity(&self.output_throughput)),
            ("ttft_p50_ms", quantity(&self.median_ttft_ms).or(quantity(&self.p50_ttft_ms))),
            ("ttft_p95_ms", quantity(&self.p95_ttft_ms)),
            ("ttft_p99_ms", quantity(&self.p99_ttft_ms)),
            ("tbt_p95_ms", quantity(&self.p95_itl_ms)),
            ("e2e_mean_ms", quantity(&self.mean_e2el_ms)),
            ("e2e_p99_ms", quantity(&self.p99_e2el_ms)),
        ];
        summary.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
        if let (Some(mean), Some(tokens)) = (self.mean_e2el_ms, self.total_output_tokens) {
            let all = mean.0 * self.completed.0 as f64;
            summary.insert("e2e_ms_per_output_token", all / tokens.0 as f64);
        }
        summary
    }
}
