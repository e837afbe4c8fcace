//! The lab as a command: when the library is absent or foreign, the process is killed, or the input is bad.
//!
//! Needs the release build of the library: cargo build --release in the root of the repository.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nashtrace_lab::capture;
use support::*;

#[test]
fn without_the_library_the_router_routes_the_same_and_one_line_says_why() {
    let lab = Lab::new();
    let scenario = lab.scenario("small.toml", SMALL);
    let recorded = lab.run(&scenario, "recorded", &[]);
    assert!(recorded.status.success() && recorded.stderr.is_empty());
    let silent = lab.run(&scenario, "silent", &["--no-capture"]);
    assert!(silent.status.success() && silent.stderr.is_empty());
    assert!(!lab.path("silent/trace").exists());
    assert_eq!(lab.outcomes("silent"), lab.outcomes("recorded"));

    let unreadable = lab.path("unreadable.so");
    std::fs::write(&unreadable, "not an ELF file").unwrap();
    let fakes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ffi-tests/fakes");
    let build = |name: &str| {
        let library = lab.path(&format!("{name}.so"));
        let status = Command::new("gcc")
            .args(["-shared", "-fPIC", "-I"])
            .arg(fakes.join("../../include"))
            .arg(fakes.join(format!("{name}.c")))
            .arg("-o")
            .arg(&library)
            .status();
        assert!(status.unwrap().success());
        library
    };
    for (library, why) in [
        (PathBuf::from("/nonexistent/libnashtrace.so"), "cannot open shared object file"),
        (PathBuf::from("relative/libnashtrace.so"), "give an absolute path"),
        (unreadable, "file too short"),
        (build("no_symbol"), "not a nashtrace library: nashtrace_get_api is missing"),
        (build("wrong_abi"), "the library does not speak ABI version 1"),
        (build("small_table"), "the library has version 1 with 16"),
    ] {
        let out = library.file_stem().unwrap().to_str().unwrap();
        let mut command = lab.command(&scenario, out, &["--force"]);
        let output = command.env("NASHTRACE_LIB", &library).output().unwrap();
        assert!(output.status.success(), "{out}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        // The shims in the router and in the simulator load the library each for itself.
        let mut lines: Vec<&str> = complaint.lines().collect();
        assert!(lines.len() <= 2, "{complaint}");
        lines.dedup();
        assert_eq!(lines.len(), 1, "{complaint}");
        assert!(
            complaint.starts_with("nashtrace: nothing is recorded: NASHTRACE_LIB="),
            "{complaint}"
        );
        assert!(complaint.contains(why), "{complaint}");
        assert_eq!(lab.outcomes(out), lab.outcomes("recorded"), "{out}");
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_named_and_the_run_goes_on() {
    let lab = Lab::new();
    let scenario = lab.scenario("small.toml", SMALL);
    let output = lab
        .command(&scenario, "run", &[])
        .env("NASHTRACE_LIB", capture::default_library().canonicalize().unwrap())
        .env("NASHTRACE_POLL_MS", "never")
        .output()
        .unwrap();
    assert!(output.status.success());
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        complaint,
        " WARN nashtrace: NASHTRACE_POLL_MS=never is ignored: give milliseconds from 1 to 1000\n"
    );
}

#[test]
fn a_killed_run_leaves_a_readable_trace() {
    let lab = Lab::new();
    let long = with(SMALL, &[("requests = 400", "requests = 200000")]);
    let scenario = lab.scenario("long.toml", &long);
    let mut child = lab
        .command(&scenario, "run", &[])
        .env("NASHTRACE_FLUSH_MS", "20")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let directory = lab.path("run/trace");
    let deadline = Instant::now() + Duration::from_secs(60);
    while written(&directory) < 2_000_000 {
        assert!(
            Instant::now() < deadline && child.try_wait().unwrap().is_none(),
            "nothing to kill"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let trace = Trace::read(&directory);
    assert!(!trace.complete);
    assert!(trace.damage <= 1, "at most the packet that was being written is torn");
    assert!(trace.decisions.len() > 1000, "{}", trace.decisions.len());
    assert!(!lab.path("run/simulator.json").exists() && !lab.path("run/requests.jsonl").exists());
}

fn written(directory: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(directory) else { return 0 };
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_bad_scenario_gets_one_sentence_with_file_and_key() {
    let lab = Lab::new();
    for (from, to, sentence) in [
        ("prefixes = 6", "prefixes = 6\ncolour = 3", "line 9: workload: unknown field `colour`"),
        ("rate = 30.0", "rate = -1.0", "arrivals.rate: -1 is not from 0.000001 to 1000000"),
        ("workers = 4", "workers = 0", "cluster.workers: 0 is not from 1 to 10000"),
        (
            "prefix_tokens = 1024",
            "prefix_tokens = 1000",
            "workload.prefix_tokens: 1000 is not a multiple of engine.block_size (64)",
        ),
        ("skew = 1.0", "skew = nan", "workload.skew: NaN is not from 0 to 100"),
        ("rate = 30.0", "", "arrivals.rate: an open loop of a synthetic workload needs a rate"),
        (
            "[workload]",
            "[timing]\nkind = \"roofline\"\nmodel = \"gpt-9\"\ngpu = \"b200\"\ntensor_parallel = 4\n\n[workload]",
            "timing.model: \"gpt-9\" is unknown; known are llama-3.1-8b",
        ),
        (
            "[workload]",
            "[timing]\nkind = \"measured\"\nspec = \"none.bin\"\nsystems = \".\"\n\n[workload]",
            "timing.spec: ",
        ),
        (
            "mode = \"aggregated\"",
            "mode = \"anarchic\"",
            "line 6: cluster.mode: unknown variant `anarchic`",
        ),
        ("seed = 11", "seed = -1", "line 3: seed: "),
        (
            "[workload]",
            "[engine.disk]\nblocks = 8\n\n[workload]",
            "engine.disk: blocks reach the disk from the host; give [engine.host] too",
        ),
        (
            "[workload]",
            "[engine]\nbackend = \"sglang\"\nhost = { blocks = 8 }\n\n[workload]",
            "engine.host: the simulator has a host tier only with backend = \"vllm\"",
        ),
        (
            "[workload]",
            "[engine]\nhost = { blocks = 8, d2h_bandwidth_gbps = -1.0 }\n\n[workload]",
            "engine.host.d2h_bandwidth_gbps: -1 is not from 0 to 1000000",
        ),
        (
            "[workload]",
            "[engine]\neviction = \"belady\"\nhost = { blocks = 8 }\n\n[workload]",
            "engine.eviction: \"belady\" knows the future only of an open loop",
        ),
        (
            "[workload]",
            "[planner]\ntarget = \"load\"\n\n[workload]",
            "planner.decode_scale_up_kv_rate: the target \"load\" needs it",
        ),
        (
            "rate = 30.0",
            "rate = 30.0\nphases = [{ seconds = 1.0, rate = 2.0 }]",
            "arrivals.phases: they stand instead of rate and ramp_seconds",
        ),
        ("requests = 400", "requests = 4e20", "workload: "),
        ("workers = 4", "workers =", "line 7: "),
    ] {
        let scenario = lab.scenario("bad.toml", &with(SMALL, &[(from, to)]));
        let output = lab.run(&scenario, "bad", &[]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            complaint.starts_with(&format!("nashtrace-lab: {}: ", scenario.display())),
            "{complaint}"
        );
        assert!(complaint.contains(sentence), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(!lab.path("bad").exists());
    }
    let missing = lab.scenario("missing.toml", "name = \"m\"\n[cluster]\nmode = \"aggregated\"\nworkers = 1\n[workload]\nkind = \"mooncake\"\npath = \"absent.jsonl\"\n[arrivals]\nloop = \"open\"\n");
    let output = lab.run(&missing, "bad", &[]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        complaint.contains("workload.path: ") && complaint.contains("absent.jsonl does not exist"),
        "{complaint}"
    );
}

#[test]
fn a_folder_with_a_run_is_not_overwritten_unless_told_so() {
    let lab = Lab::new();
    let scenario = lab.scenario("small.toml", SMALL);
    assert!(lab.run(&scenario, "run", &[]).status.success());
    let again = lab.run(&scenario, "run", &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8(again.stderr).unwrap().contains("holds a run already"));
    assert!(lab.run(&scenario, "run", &["--force"]).status.success());
    assert_eq!(Trace::read(&lab.path("run/trace")).decisions.len(), 400);
}

#[test]
fn a_replaced_run_takes_nothing_of_others_with_it() {
    let lab = Lab::new();
    let scenario = lab.scenario("small.toml", SMALL);
    assert!(lab.run(&scenario, "run", &[]).status.success());
    std::fs::write(lab.path("run/trace/notes.txt"), "mine").unwrap();
    std::fs::write(lab.path("run/notes.txt"), "mine").unwrap();
    let before = lab.outcomes("run");
    // What cannot be played replaces nothing.
    let output = lab.run(&scenario, "run", &["--force", "--library", "/nonexistent.so"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nonexistent.so cannot be used"));
    assert_eq!(lab.outcomes("run"), before);
    let output = lab.run(&scenario, "run", &["--force", "--no-capture"]);
    assert!(output.status.success());
    let left: Vec<_> = std::fs::read_dir(lab.path("run/trace")).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert!(lab.path("run/trace/notes.txt").exists() && lab.path("run/notes.txt").exists());
}

#[test]
fn the_scenario_in_a_run_plays_that_run_again() {
    let lab = Lab::new();
    let row = r#"{"timestamp": 5, "input_length": 900, "output_length": 9, "hash_ids": [1, 2]}"#;
    std::fs::write(lab.path("one.jsonl"), format!("{row}\n").repeat(20)).unwrap();
    let text = "name = \"one\"\n[cluster]\nmode = \"aggregated\"\nworkers = 3\n\
        [router]\ntemperature = 0.5\n[workload]\nkind = \"mooncake\"\npath = \"one.jsonl\"\n\
        [arrivals]\nloop = \"open\"\n";
    let first = lab.play(text, "first");
    let again = lab.path("first/scenario.toml");
    assert!(lab.run(&again, "second", &[]).status.success());
    assert_eq!(Trace::read(&lab.path("second/trace")).decision_bytes, first.decision_bytes);
    let scenario = std::fs::read_to_string(again).unwrap();
    assert!(scenario.contains("kv_blocks = 4096"), "defaults are written out: {scenario}");
    assert_eq!(scenario, std::fs::read_to_string(lab.path("second/scenario.toml")).unwrap());
}

#[test]
fn a_run_whose_requests_do_not_all_complete_has_failed() {
    let lab = Lab::new();
    let text = with(SMALL, &[("[workload]", "[engine]\nkv_blocks = 8\n\n[workload]")]);
    let scenario = lab.scenario("tiny.toml", &text);
    let output = lab.run(&scenario, "run", &[]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("of 400 requests completed"), "{complaint}");
}

#[test]
fn a_reader_that_leaves_does_not_fail_the_run() {
    let lab = Lab::new();
    let scenario = lab.scenario("small.toml", SMALL);
    let mut child = lab.command(&scenario, "run", &[]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
