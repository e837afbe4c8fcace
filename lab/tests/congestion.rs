//! Sources that share links: what they wait is what the game says, and the trace has every decision.
//!
//! Needs the release build of the library: cargo build --release in the root of the repository.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use support::*;

const SOURCES: [&str; 3] = ["first", "second", "third"];
const ROUNDS: usize = 200;

/// The shipped scenario with these sources, by the bits of a profile, on the shared link.
fn scenario(profile: usize, replacements: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("designs/congestion.scenario.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let text = SOURCES.iter().enumerate().filter(|(bit, _)| profile >> bit & 1 == 1).fold(
        text,
        |text, (_, source)| {
            with(
                &text,
                &[(&format!("{source} = \"of {source}\""), &format!("{source} = \"shared\""))],
            )
        },
    );
    with(&text, replacements)
}

fn requests(lab: &Lab, out: &str) -> Vec<Value> {
    lab.outcomes(out).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(request: &Value, key: &str) -> f64 {
    request[key].as_f64().unwrap()
}

#[test]
fn with_prompts_of_one_length_every_latency_is_the_one_of_the_closed_form() {
    let lab = Lab::new();
    for profile in 0..8_usize {
        let out = format!("p{profile}");
        let trace = lab.play(&scenario(profile, &[("spread = 0.5", "spread = 0.0")]), &out);
        let sharing = profile.count_ones();
        let mut total = 0.0;
        for request in requests(&lab, &out) {
            let is_shared = request["link"] == "shared";
            let source = SOURCES.iter().position(|source| request["source"] == *source).unwrap();
            assert_eq!(is_shared, profile >> source & 1 == 1, "{request}");
            let expected = if is_shared { 60.0 * f64::from(sharing) } else { 198.0 };
            assert!((number(&request, "e2e_latency_ms") - expected).abs() < 1e-9, "{request}");
            total += expected / 60.0;
        }
        let cost = f64::from(sharing * sharing) + 3.3 * f64::from(3 - sharing);
        assert!((total / ROUNDS as f64 - cost).abs() < 1e-9, "{total} for {cost}");

        assert!(trace.complete && trace.damage == 0 && trace.reversals == 0);
        let keys: BTreeSet<u64> =
            trace.decisions.iter().map(|(decision, _)| decision.request).collect();
        assert_eq!((trace.decisions.len(), keys.len()), (3 * ROUNDS, 3 * ROUNDS));
        assert!(
            trace.decisions.iter().all(|(decision, rows)| decision.is_tracked() && rows.len() == 1)
        );
        assert_eq!(lab.routed(&out), BTreeMap::from([("agg".into(), 3 * ROUNDS)]));
    }
}

/// A link's requests of one round, by its name and the time.
type Passes = BTreeMap<(String, u64), Vec<Value>>;

fn passes(requests: Vec<Value>) -> Passes {
    let mut passes = Passes::new();
    for request in requests {
        let link = request["link"].as_str().unwrap().to_owned();
        let at = number(&request, "arrival_time_ms") as u64;
        passes.entry((link, at)).or_default().push(request);
    }
    passes
}

#[test]
fn whoever_is_in_a_pass_waits_for_all_of_its_tokens_whatever_the_engine() {
    let lab = Lab::new();
    for backend in ["vllm", "sglang", "trtllm"] {
        let engine = format!("[engine]\nbackend = \"{backend}\"\n\n[workload]");
        let affine = "ms_per_token = 0.05\nms_per_pass = 7.0";
        let changes = [("[workload]", engine.as_str()), ("ms_per_token = 0.05", affine)];
        lab.play(&scenario(0b011, &changes), backend);
        let passes = passes(requests(&lab, backend));
        assert_eq!(passes.len(), 2 * ROUNDS);
        for ((link, _), served) in passes {
            let tokens: f64 = served.iter().map(|request| number(request, "input_length")).sum();
            let expected = if link == "shared" { 7.0 + 0.05 * tokens } else { 0.165 * tokens };
            for request in served {
                let waited = number(&request, "e2e_latency_ms");
                assert!((waited - expected).abs() < 1e-5, "{backend}: {waited} ms for {expected}");
            }
        }
    }
}

#[test]
fn prompts_depend_on_the_seed_alone_and_have_the_mean_that_was_asked_for() {
    let lab = Lab::new();
    let prompts = |profile: usize, seed: &str| {
        let out = format!("p{profile}-{seed}");
        lab.play(&format!("seed = {seed}\n{}", scenario(profile, &[])), &out);
        let prompts = requests(&lab, &out).into_iter().map(|request| {
            let id = request["uuid"].as_str().unwrap().to_owned();
            (
                id,
                request["source"].as_str().unwrap().to_owned(),
                number(&request, "input_length") as usize,
            )
        });
        prompts.collect::<BTreeSet<_>>()
    };
    let alone = prompts(0, "5");
    assert_eq!(alone, prompts(0b101, "5"));
    assert_ne!(alone, prompts(0, "6"));
    let tokens: Vec<f64> = alone.iter().map(|(_, _, tokens)| *tokens as f64).collect();
    assert_eq!(tokens.len(), 3 * ROUNDS);
    assert!(tokens.iter().all(|tokens| (600.0..=1800.0).contains(tokens) && tokens % 6.0 == 0.0));
    let mean = tokens.iter().sum::<f64>() / tokens.len() as f64;
    // Uniform from half to one and a half of the mean.
    let standard_error = 1200.0 / 12_f64.sqrt() / (tokens.len() as f64).sqrt();
    assert!((mean - 1200.0).abs() < 4.0 * standard_error, "{mean}");
}

#[test]
fn a_run_says_what_its_links_did_and_plays_again() {
    let lab = Lab::new();
    let first = lab.play(&scenario(0b011, &[]), "first");
    let text = std::fs::read_to_string(lab.path("first/simulator.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let links = report["links"].as_object().unwrap();
    assert_eq!(links.keys().collect::<Vec<_>>(), ["of third", "shared"]);
    for key in ["num_requests", "completed_requests", "decode_worker_seconds"] {
        let sum: f64 = links.values().map(|link| number(link, key)).sum();
        assert!((number(&report, key) - sum).abs() < 1e-9, "{key}");
    }
    let longest = links.values().map(|link| number(link, "duration_ms")).fold(0.0, f64::max);
    assert_eq!(number(&report, "duration_ms"), longest);

    let again = lab.path("first/scenario.toml");
    assert!(lab.run(&again, "second", &[]).status.success());
    assert_eq!(Trace::read(&lab.path("second/trace")).decision_bytes, first.decision_bytes);
    assert_eq!(lab.outcomes("second"), lab.outcomes("first"));
}

#[test]
fn bad_links_get_one_sentence_with_file_and_key() {
    let lab = Lab::new();
    let all = "routes = { first = \"of first\", second = \"of second\", third = \"of third\" }";
    for (from, to, sentence) in [
        (all, "routes = {}", "cluster.routes: nobody sends anything; name a source and its link"),
        (
            "first = \"of first\"",
            "first = \"fast\"",
            "cluster.routes.first: there is no link \"fast\"; the links are of first, of second, of third, shared",
        ),
        (
            "ms_per_token = 0.05",
            "ms_per_token = 0.0",
            "cluster.links.shared: a link takes time; give it ms_per_token, ms_per_pass or both",
        ),
        (
            "ms_per_token = 0.05",
            "ms_per_token = -1.0",
            "cluster.links.shared.ms_per_token: -1 is not from 0 to 1000000000",
        ),
        ("ms_per_token = 0.05", "speed = 2.0", "line 4: cluster: unknown field `speed`"),
        ("spread = 0.5", "spread = 1.0", "workload.spread: 1 is not from 0 to below 1"),
        ("spread = 0.5", "requests = 9", "line 20: workload: unknown field `requests`"),
        (
            "prompt_tokens = 1200",
            "prompt_tokens = 1000",
            "workload.prompt_tokens: 1000 is not a multiple of 6; with 3 sources only those are timed exactly",
        ),
        (
            "prompt_tokens = 1200",
            "prompt_tokens = 3000",
            "engine.max_num_batched_tokens: 8192 is too little for all sources in one pass, which need 13500",
        ),
        (
            "period_ms = 1000.0",
            "period_ms = 200.0",
            "arrivals.period_ms: 200 is too short: a pass over the link \"of first\" takes up to ",
        ),
        ("rounds = 200", "rounds = 0", "arrivals.rounds: 0 is not from 1 to "),
        (
            "loop = \"rounds\"\nrounds = 200\nperiod_ms = 1000.0",
            "loop = \"open\"\nrate = 3.0",
            "arrivals.loop: \"rounds\" is needed by a workload of the kind \"congestion\"",
        ),
        (
            "[timing]\nkind = \"links\"\n",
            "",
            "timing.kind: \"links\" is needed by a workload of the kind \"congestion\"",
        ),
        (
            "[workload]",
            "[planner]\ntarget = \"latency\"\n\n[workload]",
            "planner: a workload of the kind \"congestion\" does not take it",
        ),
        (
            "[workload]",
            "[engine]\nhost = { blocks = 8 }\n\n[workload]",
            "engine.host: a workload of the kind \"congestion\" does not take it",
        ),
    ] {
        refused(&lab, &scenario(0, &[(from, to)]), sentence);
    }
    refused(
        &lab,
        &with(
            SMALL,
            &[("mode = \"aggregated\"\nworkers = 4", "mode = \"links\"\nlinks = {}\nroutes = {}")],
        ),
        "cluster.mode: \"links\" is only for a workload of the kind \"congestion\"",
    );
}

fn refused(lab: &Lab, text: &str, sentence: &str) {
    let scenario = lab.scenario("bad.toml", text);
    let output = lab.run(&scenario, "bad", &[]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{sentence}: {complaint}");
    let place = format!("nashtrace-lab: {}: ", scenario.display());
    assert!(
        complaint.starts_with(&place) && complaint.contains(sentence),
        "{sentence}: {complaint}"
    );
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}
