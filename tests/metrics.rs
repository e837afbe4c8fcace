//! The metrics of a session, as a host and as Prometheus see them.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use nashtrace::abi::Status;
use nashtrace::record::{
    Candidate, CandidateFlag, Decision, DecisionFlag, Mode, NameSpace, UNKNOWN_U64,
};
use support::{
    api, candidate, counters, decision, flush, metrics_samples as samples, metrics_text, name,
    options, record_decision, record_request, start, stop, turn,
};

/// A decision of a router between two workers: costs 20 and 21, 0 and 4 cached blocks.
fn example(router: &str) -> (Decision, [Candidate; 2]) {
    let mut decision = decision(0);
    decision.pool = name(NameSpace::Pool, router);
    decision.worker_type = name(NameSpace::WorkerType, "backend");
    decision.flags |= DecisionFlag::TracksPrefill as u16 | DecisionFlag::TierMatches as u16;
    decision.isl_tokens = 640;
    decision.overlap_score_credit = 1.0;
    decision.prefill_load_scale = 1.0;
    decision.queue_wait_ns = 2_000_000;
    let mut idle = candidate(7, 20.0);
    idle.flags = CandidateFlag::LoadKnown as u32;
    idle.additional_decode_blocks = 10;
    let mut warm = Candidate { worker: 9, rank: 1, cost: 21.0, ..idle };
    warm.device_blocks = 4;
    warm.effective_overlap_blocks = 4.0;
    warm.cached_tokens = 256;
    warm.active_prefill_tokens = 128;
    warm.active_decode_blocks = 3;
    (decision, [idle, warm])
}

#[test]
fn decisions_and_their_scores_are_counted() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let (tracked, candidates) = example("pool-a");
    for _ in 0..3 {
        assert_eq!(record_decision(&tracked, &candidates), Status::Ok);
    }
    let advisory = Decision { mode: Mode::Advisory as u8, ..tracked };
    assert_eq!(record_decision(&advisory, &candidates), Status::Ok);
    let unknown_wait = Decision { queue_wait_ns: UNKNOWN_U64, ..tracked };
    assert_eq!(record_decision(&unknown_wait, &candidates), Status::Ok);
    assert_eq!(record_request(1), Status::Ok);
    flush();
    let text = metrics_text();
    let samples = samples(&text);
    let decisions = r#"dynamo_router_decisions_total{reason="load_balance",router_id="pool-a",selected_worker="7"}"#;
    assert_eq!(samples[decisions], 4.0, "previews are not acted upon");
    let score = |end: &str, worker: &str, rank: &str, component: &str| {
        let name = format!(
            r#"dynamo_router_worker_score_{end}{{dp_rank="{rank}",router_id="pool-a",score_component="{component}",worker_id="{worker}",worker_type="backend"}}"#
        );
        samples[name.as_str()]
    };
    assert_eq!(score("count", "9", "1", "total"), 4.0);
    for (component, of_idle, of_warm) in [
        ("kv_overlap", 0.0, 4.0),
        ("prefill_load", 10.0, 8.0),
        ("decode_load", 10.0, 13.0),
        ("request_load", 0.0, 0.0),
        ("total", 20.0, 21.0),
    ] {
        assert_eq!(score("sum", "7", "0", component), 4.0 * of_idle, "{component}");
        assert_eq!(score("sum", "9", "1", component), 4.0 * of_warm, "{component}");
    }
    let router = |name: &str| {
        samples[format!(r#"{name}{{router_id="pool-a",worker_type="backend"}}"#).as_str()]
    };
    assert_eq!(router("dynamo_router_predicted_regret_blocks_sum"), 0.0);
    assert_eq!(router("dynamo_router_overlap_regret_blocks_sum"), 16.0);
    assert_eq!(router("dynamo_router_queue_wait_seconds_count"), 3.0);
    assert!((router("dynamo_router_queue_wait_seconds_sum") - 0.006).abs() < 1e-12);

    let counters = counters();
    let events = |which: &str| -> f64 {
        let of = format!("nashtrace_events_{which}_total{{");
        samples.iter().filter(|(name, _)| name.starts_with(&of)).map(|(_, value)| value).sum()
    };
    assert_eq!(samples[r#"nashtrace_events_written_total{kind="decision"}"#], 5.0);
    assert_eq!(samples[r#"nashtrace_events_written_total{kind="candidate"}"#], 10.0);
    assert_eq!(samples[r#"nashtrace_events_lost_total{kind="decision",reason="full"}"#], 0.0);
    assert_eq!(events("produced"), counters.produced as f64);
    assert_eq!(events("written"), counters.written as f64);
    assert_eq!(samples["nashtrace_ring_size_bytes"], 65_536.0);
    assert!(samples["nashtrace_ring_high_water_bytes"] > 1_000.0);
    assert_eq!(samples["nashtrace_producers"], 1.0);
    stop();
    assert_eq!(metrics_text().lines().count(), text.lines().count(), "the last session's are kept");
}

#[test]
fn workers_beyond_the_limit_share_a_label() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let (decision, [idle, _]) = example("pool-b");
    // The limit is 1,024 by default.
    for first in (0..2_000_u64).step_by(100) {
        let offered: Vec<Candidate> =
            (first..first + 100).map(|worker| Candidate { worker, ..idle }).collect();
        assert_eq!(record_decision(&decision, &offered), Status::Ok);
        flush();
    }
    let text = metrics_text();
    let samples = samples(&text);
    let totals = samples.iter().filter(|(name, _)| {
        name.starts_with("dynamo_router_worker_score_count")
            && name.contains(r#"component="total""#)
    });
    let totals: Vec<_> = totals.collect();
    assert_eq!(totals.len(), 1_025);
    let other = totals.iter().find(|(name, _)| name.contains(r#"worker_id="other""#)).unwrap();
    assert_eq!(*other.1, 976.0);
    assert_eq!(samples["nashtrace_other_workers"], 976.0);
    let decisions: f64 = samples
        .iter()
        .filter(|(name, _)| name.starts_with("dynamo_router_decisions_total"))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(decisions, 20.0);
    stop();
}

#[test]
fn a_buffer_that_is_too_small_is_left_alone() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    flush();
    let (mut buffer, mut length) = ([7_u8; 16], 99);
    let at = buffer.as_mut_ptr().cast();
    // SAFETY: the buffer has sixteen bytes, and the length is writable.
    let status = unsafe { (api().metrics_text)(at, 16, &raw mut length) };
    assert_eq!((status, buffer, length), (Status::BufferTooSmall, [7; 16], 99));
    // SAFETY: NULL is allowed.
    let status = unsafe { (api().metrics_text)(at, 16, std::ptr::null_mut()) };
    assert_eq!((status, buffer), (Status::NullPointer, [7; 16]));
    stop();
}

/// A session with a listener at a port that was free a moment ago, or at one that is taken.
fn start_listening(folder: &std::path::Path, address: &str) {
    // SAFETY: tests take turns, and no other thread of this process reads the environment now.
    unsafe { std::env::set_var("NASHTRACE_METRICS_ADDR", address) };
    start(&options(folder));
    // SAFETY: as above.
    unsafe { std::env::remove_var("NASHTRACE_METRICS_ADDR") };
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_listener_serves_the_same_text_and_ends_with_the_session() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    start_listening(folder.path(), &free);
    record_request(1);
    flush();
    let get = |path: &str| ask(&free, &format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n"));
    let answer = get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("Content-Type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("\nnashtrace_events_written_total{kind=\"request\"} 1\n"), "{answer}");
    assert!(get("/").starts_with("HTTP/1.1 404 "));
    assert!(
        ask(&free, "POST /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 405 ")
    );
    stop();
    let ended = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        TcpStream::connect(&free).is_err()
    });
    assert!(ended, "nothing listens after the session");
}

#[test]
fn a_session_goes_on_without_a_listener_that_cannot_be_had() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    start_listening(folder.path(), &taken.local_addr().unwrap().to_string());
    assert_eq!(record_request(1), Status::Ok);
    assert_eq!(stop().lost, [0; 8]);
}
