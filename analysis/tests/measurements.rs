//! What files of load generators and servers say. The files of AIPerf 0.13.0 in data/aiperf are its own, of a run
//! against a streaming server that answered every seventh request with 503 (only the configuration in the JSON
//! summary is cut). Those of vLLM and of Dynamo's request trace are written here after the fields that
//! vllm/benchmarks/{serve,throughput,latency}.py and dynamo-llm 1.6.1's request_trace/types.rs write.

use std::path::PathBuf;

use nashtrace::record::request_key;
use nashtrace_analysis::load::{
    Format, Measurement, Origin, ReadOptions, Slo, measurement_of, read_measurement, write_mooncake,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn aiperf(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/aiperf").join(name)
}

fn read(content: &str, options: &ReadOptions) -> Measurement {
    measurement_of(content.as_bytes(), None, options).unwrap()
}

fn plain(content: &str) -> Measurement {
    read(content, &ReadOptions::default())
}

fn fault(content: impl AsRef<[u8]>) -> String {
    let options = ReadOptions::default();
    measurement_of(content.as_ref(), None, &options).unwrap_err().to_string()
}

#[track_caller]
fn close(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.expect("a value");
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

#[test]
fn the_requests_of_aiperf_say_what_its_summary_says() {
    let read = |name| read_measurement(&aiperf(name), None, &ReadOptions::default()).unwrap();
    let (records, json, csv) = (
        read("profile_export.jsonl"),
        read("profile_export_aiperf.json"),
        read("profile_export_aiperf.csv"),
    );
    assert_eq!(
        [records.format, json.format, csv.format],
        [Format::AiperfRecords, Format::AiperfJson, Format::AiperfCsv]
    );
    assert_eq!((records.requests.len(), json.requests.len()), (12, 0));
    let names = [
        "requests",
        "completed",
        "ttft_p50_ms",
        "ttft_p95_ms",
        "ttft_p99_ms",
        "tbt_p95_ms",
        "e2e_mean_ms",
        "e2e_p99_ms",
        "e2e_ms_per_output_token",
    ];
    for name in names {
        let said = json.metric(name).unwrap();
        close(records.metric(name), said, 1e-9 * said.abs().max(1.0));
        close(csv.metric(name), said, 0.006);
        assert_eq!(records.metrics[name].origin, Origin::Requests);
        assert_eq!(json.metrics[name].origin, Origin::Summary);
    }
    // Milliseconds since the epoch have a quarter of a microsecond.
    close(records.metric("duration_s"), json.metric("duration_s").unwrap(), 1e-6);
    let failed: Vec<&str> =
        records.requests.iter().filter_map(|row| row.error.as_deref()).collect();
    assert_eq!(failed, ["Service Unavailable 503: {\"error\":\"busy\"}"; 2]);
    assert!(records.requests.is_sorted_by_key(|row| row.start_ms.map(|ms| (ms * 1e6) as u64)));
    assert!(records.started_unix_ms.unwrap() > 1.7e12);
    assert!(records.notes[0].starts_with("2 requests of AIPerf's warm-up"), "{:?}", records.notes);
}

/// Four requests of `vllm bench serve`, one of which failed; times in seconds.
fn vllm() -> Value {
    json!({
        "date": "20260101-000000", "endpoint_type": "openai", "num_prompts": 4, "request_rate": "inf",
        "duration": 2.0, "completed": 3, "failed": 1, "total_input_tokens": 60, "total_output_tokens": 9,
        "request_throughput": 1.5, "request_goodput": null, "output_throughput": 4.5,
        "mean_ttft_ms": 200.0, "median_ttft_ms": 199.0, "p99_ttft_ms": 299.0, "p99_itl_ms": 50.0,
        "mean_e2el_ms": 300.0,
        "input_lens": [10, 20, 30, 40], "output_lens": [3, 3, 0, 3],
        "ttfts": [0.1, 0.2, 0.0, 0.3], "itls": [[0.05, 0.05], [0.05, 0.05], [], [0.05, 0.15]],
        "start_times": [100.0, 100.5, 101.0, 101.5], "generated_texts": ["a", "b", "", "c"],
        "errors": ["", "", "Bad Gateway", ""],
    })
}

#[test]
fn vllm_bench_serve_with_details() {
    let options = ReadOptions {
        slo: Slo { ttft_ms: Some(250.0), itl_ms: Some(60.0), e2e_ms: None },
        request_id_prefix: Some("bench-0-".into()),
        ..ReadOptions::default()
    };
    let measurement = read(&vllm().to_string(), &options);
    assert_eq!(measurement.format, Format::VllmBenchServe);
    let of = |name: &str| measurement.metric(name);
    close(of("requests"), 4.0, 0.0);
    close(of("completed"), 3.0, 0.0);
    close(of("ttft_p50_ms"), 200.0, 1e-9);
    close(of("ttft_p99_ms"), 298.0, 1e-9);
    // Five gaps of 50 ms and one of 150 ms: position 4.75 of 0 to 5.
    close(of("tbt_p95_ms"), 125.0, 1e-9);
    close(of("e2e_mean_ms"), (200.0 + 300.0 + 500.0) / 3.0, 1e-9);
    close(of("e2e_ms_per_output_token"), 1000.0 / 9.0, 1e-9);
    // From 100.0 s to 101.5 s + 0.5 s.
    close(of("duration_s"), 2.0, 1e-9);
    close(of("output_tokens_per_s"), 4.5, 1e-9);
    close(of("offered_rate"), 2.0, 1e-9);
    // One failed, one is too late.
    close(of("slo_violation_rate"), 0.5, 0.0);
    assert!(measurement.metrics.values().all(|metric| metric.origin == Origin::Requests));
    assert_eq!(measurement.requests[3].client_key, Some(request_key(b"bench-0-3")));
    assert_eq!(measurement.notes, [""; 0]);

    let half = read(&vllm().to_string(), &ReadOptions { discard: 0.5, ..options });
    assert_eq!((half.discarded, half.counted().len()), (2, 2));
    close(half.metric("ttft_p50_ms"), 300.0, 1e-9);
    close(half.metric("duration_s"), 1.0, 1e-9);
    close(half.metric("slo_violation_rate"), 1.0, 0.0);
}

#[test]
fn vllm_bench_serve_without_details_and_appended() {
    let mut short = vllm();
    for list in
        ["input_lens", "output_lens", "ttfts", "itls", "start_times", "errors", "generated_texts"]
    {
        short.as_object_mut().unwrap().remove(list);
    }
    short["latencies"] = json!([0.2, 0.3, 0.0, 0.5]);
    let measurement = plain(&short.to_string());
    // The latency of the one that failed is among them, and nobody knows which one it is.
    assert!(measurement.requests.is_empty());
    close(measurement.metric("ttft_p50_ms"), 199.0, 0.0);
    close(measurement.metric("e2e_mean_ms"), 300.0, 0.0);
    close(measurement.metric("e2e_ms_per_output_token"), 100.0, 1e-9);
    assert!(measurement.metrics.values().all(|metric| metric.origin == Origin::Summary));
    let cut = read(&short.to_string(), &ReadOptions { discard: 0.1, ..ReadOptions::default() });
    assert!(cut.notes[0].contains("none of them could be discarded"), "{:?}", cut.notes);

    (short["failed"], short["completed"]) = (json!(0), json!(4));
    let measurement = plain(&short.to_string());
    close(measurement.metric("e2e_mean_ms"), 250.0, 1e-9);
    assert_eq!(measurement.metrics["e2e_mean_ms"].origin, Origin::Requests);
    assert_eq!(measurement.metrics["ttft_p50_ms"].origin, Origin::Summary);

    let appended = format!("{}\n{short}", vllm());
    let measurement = plain(&appended);
    close(measurement.metric("completed"), 4.0, 0.0);
    assert!(measurement.notes[0].contains("2 results"), "{:?}", measurement.notes);
    let first = read(&appended, &ReadOptions { result: Some(1), ..ReadOptions::default() });
    close(first.metric("completed"), 3.0, 0.0);
    let none = ReadOptions { result: Some(3), ..ReadOptions::default() };
    let fault = measurement_of(appended.as_bytes(), None, &none).unwrap_err().to_string();
    assert_eq!(fault, "line 1: there is no result 3; the file has 2");
    // Also if somebody made it pretty.
    close(plain(&serde_json::to_string_pretty(&vllm()).unwrap()).metric("completed"), 3.0, 0.0);
}

#[test]
fn vllm_bench_throughput_and_latency() {
    let throughput = plain(
        r#"{"elapsed_time": 4.0, "num_requests": 8, "total_num_tokens": 99,
            "requests_per_second": 2.0, "tokens_per_second": 24.75}"#,
    );
    assert_eq!(throughput.format, Format::VllmBenchThroughput);
    close(throughput.metric("requests_per_s"), 2.0, 0.0);
    assert_eq!(throughput.metric("output_tokens_per_s"), None);
    let latency = plain(
        r#"{"avg_latency": 2.0, "std_latency": 1.0, "latencies": [1.0, 3.0], "percentiles": {"50": 2.0}}"#,
    );
    assert_eq!(latency.format, Format::VllmBenchLatency);
    close(latency.metric("e2e_mean_ms"), 2000.0, 0.0);
    close(latency.metric("requests_per_s"), 0.5, 0.0);
}

/// A line of Dynamo's request trace.
fn dynamo(id: &str, client: &str, received_ms: u64, hashes: &[u64]) -> Value {
    json!({
        "schema": "dynamo.request.trace.v1", "event_type": "request_end",
        "event_time_unix_ms": received_ms + 400, "event_source": "dynamo",
        "request": {
            "request_id": id, "x_request_id": client, "input_tokens": 100, "output_tokens": 4,
            "request_received_ms": received_ms, "ttft_ms": 40.0, "total_time_ms": 100.0,
            "avg_itl_ms": 20.0, "queue_depth": 0,
            "replay": {"trace_block_size": 64, "input_length": 100, "input_sequence_hashes": hashes},
        },
    })
}

#[test]
fn a_request_trace_of_dynamo() {
    let second = dynamo("b", "y", 1_700_000_001_000, &[u64::MAX, 7]);
    let tool = json!({"schema": "dynamo.request.trace.v1", "event_type": "tool_end", "event_time_unix_ms": 1});
    let enveloped =
        json!({"timestamp": 5, "event": dynamo("a", "x", 1_700_000_000_000, &[u64::MAX, 9])});
    let text = format!("{second}\n{tool}\n{enveloped}\n");
    let trace = plain(&text);
    assert_eq!(trace.format, Format::DynamoRequestTrace);
    assert_eq!(trace.started_unix_ms, Some(1_700_000_000_000.0));
    let keys: Vec<_> = trace.requests.iter().map(|row| (row.key, row.client_key)).collect();
    let key = |id: &str| Some(request_key(id.as_bytes()));
    assert_eq!(keys, [(key("a"), key("x")), (key("b"), key("y"))]);
    close(trace.metric("tbt_p95_ms"), 20.0, 1e-9);
    close(trace.metric("duration_s"), 1.1, 1e-9);

    // A compact record says only when it was written.
    let mut compact = second;
    for field in ["ttft_ms", "total_time_ms", "avg_itl_ms", "input_tokens"] {
        compact["request"].as_object_mut().unwrap().remove(field);
    }
    let compact = plain(&compact.to_string());
    close(compact.metric("e2e_mean_ms"), 400.0, 0.0);
    assert_eq!(compact.requests[0].input_tokens, Some(100));

    // What a client measured takes Dynamo's ids from the trace.
    let options =
        ReadOptions { request_id_prefix: Some("bench-".into()), ..ReadOptions::default() };
    let mut client = read(&vllm().to_string(), &options);
    let trace = plain(&dynamo("dynamo's", "bench-2", 1, &[]).to_string());
    assert_eq!(client.take_keys_of(&trace), 1);
    let keys: Vec<_> = client.requests.iter().map(|row| row.key).collect();
    assert_eq!(keys, [None, None, key("dynamo's"), None]);

    let mut workload = Vec::new();
    write_mooncake(&plain(&text), None, &mut workload).unwrap();
    assert_eq!(
        String::from_utf8(workload).unwrap(),
        "{\"timestamp\":0,\"input_length\":100,\"output_length\":4,\"hash_ids\":[0,1]}\n\
         {\"timestamp\":1000,\"input_length\":100,\"output_length\":4,\"hash_ids\":[0,2]}\n"
    );
}

#[test]
fn compressed_files_are_read() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.jsonl.gz");
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(file, "{}", dynamo("a", "x", 1, &[])).unwrap();
    // Two members, as a file that was appended to has.
    let mut bytes = file.finish().unwrap();
    bytes.extend_from_within(..);
    std::fs::write(&path, bytes).unwrap();
    let measurement = read_measurement(&path, None, &ReadOptions::default()).unwrap();
    assert_eq!(measurement.requests.len(), 2);
}

#[test]
fn a_workload_that_shares_nothing_is_written_only_if_asked_for() {
    let measurement = plain(&vllm().to_string());
    let error = write_mooncake(&measurement, None, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("--unshared-blocks"), "{error}");
    let mut out = Vec::new();
    let written = write_mooncake(&measurement, Some(16), &mut out).unwrap();
    assert_eq!((written.requests, written.left_out, written.unshared), (3, 1, 3));
    let again = plain(std::str::from_utf8(&out).unwrap());
    let blocks: Vec<u64> = again.requests.iter().flat_map(|row| row.blocks.clone()).collect();
    assert_eq!(blocks, (0..6).collect::<Vec<u64>>());
    assert_eq!(again.metrics.keys().copied().collect::<Vec<_>>(), ["offered_rate", "requests"]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let mut unequal = vllm();
    unequal["ttfts"] = json!([0.1]);
    assert_eq!(fault(unequal.to_string()), "line 1: ttfts has 1 entries and input_lens has 4");
    let mut negative = vllm();
    negative["itls"][1][0] = json!(-0.5);
    assert_eq!(fault(negative.to_string()), "line 1: itls[1][0]: -0.5 is no plausible quantity");
    let mut text = vllm();
    text["completed"] = json!("three");
    assert!(fault(text.to_string()).starts_with("line 1: completed: invalid type: string"));
    let nan = vllm().to_string().replace("\"duration\":2.0", "\"duration\":NaN");
    assert_eq!(
        measurement_of(nan.as_bytes(), Some(Format::VllmBenchServe), &ReadOptions::default())
            .unwrap_err()
            .to_string(),
        "line 1: duration: NaN is not a JSON number; nothing was measured there"
    );
    let good = dynamo("a", "x", 1, &[]).to_string();
    assert!(fault(format!("{good}\n{}", &good[..80])).starts_with("line 2: "));
    assert!(fault(format!("{good}\n{{\"schema\":\"v2\",\"event_type\":\"x\"}}")).contains("v2"));
    assert_eq!(fault([good.as_bytes(), b"\n\xff\n"].concat()), "line 2: this is not UTF-8 text");
    let records = std::fs::read_to_string(aiperf("profile_export.jsonl")).unwrap();
    let late = records.replacen(
        "\"time_to_first_token\":{\"value\":",
        "\"time_to_first_token\":{\"value\":-",
        3,
    );
    assert!(fault(&late).starts_with("line 3: metrics.time_to_first_token: -"), "{}", fault(&late));
    let unit = records.replacen("\"unit\":\"ms\"", "\"unit\":\"weeks\"", usize::MAX);
    assert!(fault(unit).contains("weeks is no duration"));
    let csv = std::fs::read_to_string(aiperf("profile_export_aiperf.csv")).unwrap();
    let wrong = csv.replace("Request Latency (ms),35.57", "Request Latency (ms),fast");
    assert!(fault(&wrong).contains("\"fast\" in column \"avg\""), "{}", fault(&wrong));
    assert!(fault("Metric,avg\n").contains("none of AIPerf's metrics"));
    let huge = r#"{"timestamp": 1e300, "input_length": 1, "output_length": 1}"#;
    assert_eq!(fault(huge), "line 1: timestamp: 1e300 is no plausible quantity");
    assert_eq!(
        fault(r#"{"timestamp": 0, "input_length": 1}"#),
        "line 1: output_length: it is missing"
    );
    assert_eq!(fault(""), "line 1: the file is empty");
}

#[test]
fn no_request_is_no_error_and_no_number() {
    let mut none = vllm();
    for list in ["input_lens", "output_lens", "ttfts", "itls", "start_times", "errors"] {
        none[list] = json!([]);
    }
    (none["completed"], none["failed"], none["total_output_tokens"]) =
        (json!(0), json!(0), json!(0));
    let measurement = plain(&none.to_string());
    assert_eq!(measurement.metric("requests"), Some(0.0));
    assert!(measurement.metrics.values().all(|metric| metric.value.is_finite()));
}

#[test]
fn files_that_are_cut_anywhere_are_read_or_refused() {
    for name in ["profile_export.jsonl", "profile_export_aiperf.json", "profile_export_aiperf.csv"]
    {
        let whole = std::fs::read(aiperf(name)).unwrap();
        for end in (0..whole.len()).step_by(97) {
            if let Err(fault) = measurement_of(&whole[..end], None, &ReadOptions::default()) {
                assert!(fault.line >= 1 && !fault.what.is_empty());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A workload that is written and read again is the same, with its blocks numbered anew.
    #[test]
    fn workloads_survive_being_written(rows in prop::collection::vec(
        (0.0..1e9_f64, 1_u64..100_000, 0_u64..10_000, prop::collection::vec(0_u64..20, 1..9)), 1..40,
    )) {
        let line = |(time, input, output, blocks): &(f64, u64, u64, Vec<u64>)| json!({
            "timestamp": time, "input_length": input, "output_length": output, "hash_ids": blocks,
        }).to_string() + "\n";
        let first = plain(&rows.iter().map(line).collect::<String>());
        let mut written = Vec::new();
        write_mooncake(&first, None, &mut written).unwrap();
        let second = plain(std::str::from_utf8(&written).unwrap());
        prop_assert_eq!(first.requests.len(), second.requests.len());
        let mut renamed = std::collections::HashMap::new();
        for (a, b) in first.requests.iter().zip(&second.requests) {
            prop_assert_eq!(
                (a.start_ms, a.input_tokens, a.output_tokens, a.blocks.len()),
                (b.start_ms, b.input_tokens, b.output_tokens, b.blocks.len())
            );
            for (old, new) in a.blocks.iter().zip(&b.blocks) {
                prop_assert_eq!(renamed.entry(*old).or_insert(*new), new);
            }
        }
        let mut again = Vec::new();
        write_mooncake(&second, None, &mut again).unwrap();
        prop_assert_eq!(written, again);
    }
}
