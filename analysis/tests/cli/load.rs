//! `nashtrace load` and `nashtrace scrape`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{command_of, example, file_of, json, nashtrace};

fn aiperf(name: &str) -> String {
    format!("{}/tests/data/aiperf/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_file_is_recognised_and_shown() {
    let file = aiperf("profile_export.jsonl");
    let (answer, code) = json(&["load", &file, "--json", "--slo-ttft-ms", "15"]);
    assert_eq!((code, &answer["format"]), (Some(0), &json!("aiperf-records")));
    assert_eq!((&answer["requests"], &answer["failed"]), (&json!(12), &json!(2)));
    assert_eq!(answer["metrics"]["ttft_p50_ms"]["origin"], "requests");
    let text = String::from_utf8(nashtrace(&["load", &file]).stdout).unwrap();
    assert!(text.contains("ttft_p95_ms"), "{text}");

    let mut piped = command_of(&["load", "-", "--json"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(&std::fs::read(&file).unwrap()).unwrap();
    let piped: Value = serde_json::from_slice(&piped.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(piped["metrics"]["ttft_p50_ms"], answer["metrics"]["ttft_p50_ms"]);

    let wrong = nashtrace(&["load", &file, "--format", "mooncake"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(said, format!("nashtrace: {file}: line 1: input_length: it is missing\n"));
}

/// Lines of Dynamo's request trace for the requests of the example trace, and one that it does not know.
fn request_trace() -> String {
    let line = |(id, ttft): (&str, f64)| {
        json!({"schema": "dynamo.request.trace.v1", "event_type": "request_end", "event_time_unix_ms": 9,
            "request": {"request_id": id, "x_request_id": format!("client-{id}"), "input_tokens": 999,
                "output_tokens": 2, "request_received_ms": 1, "ttft_ms": ttft, "total_time_ms": 2.0 * ttft}})
        .to_string()
            + "\n"
    };
    [("id-1", 10.0), ("id-2", 40.0), ("id-4", 60.0), ("other", 1.0)].map(line).concat()
}

#[test]
fn requests_are_joined_to_their_decisions_by_id() {
    let (recorded, file) = (example(), file_of(&request_trace()));
    let file = file.path().to_str().unwrap();
    let (answer, code) = json(&["load", file, "--trace", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    let joined = &answer["joined"];
    let counts = ["requests", "matched", "unmatched", "decisions", "decisions_joined"];
    assert_eq!(counts.map(|key| joined[key].as_u64().unwrap()), [4, 3, 1, 4, 3]);
    // Decisions 1 and 2 took the lowest cost; 4 was drawn.
    assert_eq!(joined["without_predicted_regret"]["ttft_mean_ms"], 25.0);
    assert_eq!(joined["with_predicted_regret"]["ttft_mean_ms"], 60.0);
    let workers = joined["by_worker"].as_array().unwrap();
    let decisions: u64 = workers.iter().map(|group| group["decisions"].as_u64().unwrap()).sum();
    assert_eq!(decisions, 3);
    let text = nashtrace(&["load", file, "--trace", recorded.path()]).stdout;
    assert!(String::from_utf8(text).unwrap().contains("3 of 4 requests have decisions"));

    // The whole answer takes them too.
    let (answer, code) = json(&["regret", recorded.path(), "--outcomes", file, "--json"]);
    assert_eq!((code, &answer["realised"]["joined"]), (Some(0), &json!(3)));

    // A client's file knows only its own ids; the request trace knows both.
    let client = json!({"duration": 1.0, "completed": 4, "failed": 0, "request_throughput": 4.0,
        "latencies": [0.01, 0.02, 0.03, 0.04]});
    let client = file_of(&client.to_string());
    let arguments = [
        "load",
        client.path().to_str().unwrap(),
        "--json",
        "--trace",
        recorded.path(),
        "--request-id-prefix",
        "client-id-",
    ];
    assert_eq!(json(&arguments).0["joined"]["matched"], 0);
    let with_ids = json(&[&arguments[..], &["--request-trace", file]].concat()).0;
    // client-id-0 to client-id-3, of which the request trace has 1 and 2.
    assert_eq!(with_ids["joined"]["matched"], 2);
}

#[test]
fn outcomes_without_ids_are_refused() {
    let recorded = example();
    let output = nashtrace(&[
        "regret",
        recorded.path(),
        "--outcomes",
        &aiperf("profile_export_aiperf.json"),
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("none of its requests has an id"), "{said}");
}

#[test]
fn a_workload_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("workload.jsonl");
    let out = out.to_str().unwrap();
    let file = aiperf("profile_export.jsonl");
    let refused = nashtrace(&["load", &file, "--write-mooncake", out]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let (said, code) =
        json(&["load", &file, "--write-mooncake", out, "--unshared-blocks", "16", "--json"]);
    assert_eq!((code, said), (Some(0), json!({"requests": 10, "left_out": 2, "unshared": 10})));
    assert_eq!(json(&["load", out, "--json"]).0["format"], "mooncake");
}

/// Answers each request with the next of these pages; an empty page is a refusal.
fn serve(pages: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let last = pages.last().unwrap().clone();
        for page in pages.into_iter().chain(std::iter::repeat(last)) {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).unwrap();
            let status = if page.is_empty() { "503 Service Unavailable" } else { "200 OK" };
            let length = page.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
            );
        }
    });
    url
}

fn counter_page(value: f64) -> String {
    format!("# TYPE a_total counter\na_total{{x=\"1\"}} {value}\nfree NaN\n")
}

#[test]
fn scrapes_mark_gaps_and_restarts_and_become_series() {
    let mut pages: Vec<String> = [1.0, 3.0, 5.0].map(counter_page).into();
    pages.extend([String::new(), "what?\n".into()]);
    pages.extend([7.0, 2.0, 4.0, 6.0, 8.0].map(counter_page));
    let url = serve(pages);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scrape.jsonl");
    let out = out.to_str().unwrap();
    let arguments = ["scrape", &url, "--every", "200ms", "--for", "2s", "--out", out, "--json"];
    let (said, code) = json(&arguments);
    assert_eq!(code, Some(0));
    let counts = ["scrapes", "gaps", "restarts", "series"].map(|key| said[key].as_u64().unwrap());
    assert_eq!(counts, [8, 2, 1, 2]);

    let (shown, code) = json(&["load", out, "--json"]);
    assert_eq!((code, &shown["complete"]), (Some(0), &json!(true)));
    let reason = |index: usize| shown["gaps"][index]["reason"].as_str().unwrap().to_owned();
    assert!(reason(0).contains("503"), "{}", reason(0));
    assert_eq!(
        reason(1),
        "the page is not as it should be: line 1: \"what?\" does not begin with the name of a metric"
    );
    assert_eq!(shown["restarts"][0]["reason"], "a_total{x=\"1\"} fell from 7 to 2");
    assert!(String::from_utf8(nashtrace(&["load", out]).stdout).unwrap().contains("restart at"));

    let csv = |more: &[&str]| {
        let output = nashtrace(&[&["load", out, "--metric", "a_total"], more].concat());
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let name = rows.headers().unwrap()[1].to_owned();
        (name, rows.records().map(|row| row.unwrap()[1].to_owned()).collect::<Vec<_>>())
    };
    let (name, values) = csv(&[]);
    assert_eq!(name, "a_total{x=\"1\"}");
    assert_eq!(values, ["1", "3", "5", "", "", "7", "2", "4", "6", "8"]);
    let (name, rates) = csv(&["--rate"]);
    assert_eq!(name, "rate(a_total{x=\"1\"})");
    let known: Vec<bool> = rates.iter().map(|rate| !rate.is_empty()).collect();
    assert_eq!(known, [true, true, false, false, false, false, true, true, true]);
    for rate in rates.iter().filter(|rate| !rate.is_empty()) {
        let rate: f64 = rate.parse().unwrap();
        assert!((5.0..20.0).contains(&rate), "{rate} is far from 2 per 0.2 s");
    }
    assert_eq!(csv(&["--rate", "--longest-stretch"]).1.len(), 3);

    let again = nashtrace(&arguments);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8(again.stderr).unwrap().contains("it exists"));
    let unknown = nashtrace(&["load", out, "--metric", "b"]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.ends_with("no series is called b; there are a_total, free\n"), "{said}");
}

#[test]
fn a_scrape_that_is_ended_is_whole_and_one_that_is_killed_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scrape.jsonl");
    let partial = folder.path().join("scrape.jsonl.partial");
    let url = serve(vec![counter_page(1.0)]);
    for signal in ["TERM", "KILL"] {
        let _ = std::fs::remove_file(&out);
        let arguments = ["scrape", &url, "--every", "50ms", "--out", out.to_str().unwrap()];
        let mut command = command_of(&arguments);
        let mut process = command.stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::fs::metadata(&partial).map_or(0, |data| data.len()) < 600 {
            assert!(Instant::now() < deadline, "nothing is written");
            std::thread::sleep(Duration::from_millis(20));
        }
        let kill = std::process::Command::new("kill");
        let kill = { kill }.args(["-s", signal, &process.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let ended = process.wait().unwrap();
        let is_whole = signal == "TERM";
        assert_eq!(
            (ended.success(), out.exists(), partial.exists()),
            (is_whole, is_whole, !is_whole)
        );
        let file = if is_whole { &out } else { &partial };
        let (shown, code) = json(&["load", file.to_str().unwrap(), "--json"]);
        assert_eq!((code, &shown["complete"]), (Some(0), &json!(is_whole)));
        assert!(shown["scrapes"].as_u64().unwrap() > 1);
    }
    // A torn last line is left out, and said.
    let whole = std::fs::read(&partial).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(&partial, &whole[..last + 9]).unwrap();
    let (shown, code) = json(&["load", partial.to_str().unwrap(), "--json"]);
    assert_eq!((code, &shown["torn"]), (Some(0), &json!(true)));
}

#[test]
fn files_of_scrapes_that_cannot_be_are_refused_with_their_line() {
    let header = r#"{"nashtrace_scrape":1,"url":"u","every_s":1.0,"started_unix_ms":0.0}"#;
    let refused = |lines: &[&str]| {
        let file = file_of(&format!("{header}\n{}\n", lines.join("\n")));
        let output = nashtrace(&["load", file.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        said.trim_end().rsplit_once(": line ").unwrap().1.to_owned()
    };
    let series = r#"{"series":0,"name":"a","labels":{},"kind":"gauge"}"#;
    for (lines, expected) in [
        (&[r#"{"at_s":0.0,"values":[[0,1.0]]}"#][..], "2: values: series 0 was not announced"),
        (&[series, series], "3: series 0 follows 1 others"),
        (
            &[series, r#"{"at_s":1.0,"values":[]}"#, r#"{"at_s":0.5,"values":[]}"#],
            "4: at_s: 0.5 is before the 1 of the line before",
        ),
        (
            &[series, r#"{"at_s":0.0,"values":[[0,1.0],[0,2.0]]}"#],
            "3: values: series 0 is there twice",
        ),
        (
            &[series, r#"{"at_s":0.0,"values":[[0,"one"]]}"#],
            "3: values[0][1]: a number, NaN, +Inf or -Inf",
        ),
        (
            &[r#"{"ended_s":1.0,"scrapes":3,"gaps":0,"restarts":0}"#],
            "2: it counts other scrapes, gaps or restarts than there are above it",
        ),
        (
            &["{\"at_s\":", series],
            "2: at_s: the text ends in the middle of a JSON value; was its writer stopped?",
        ),
        (&["{}"], "2: missing field `at_s`"),
    ] {
        assert_eq!(refused(lines), expected);
    }
}
