//! Campaigns, with commands that need nothing but a shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{command_of, json, nashtrace};

/// A folder with a design of two players in it: `drive` and the other steps are shell commands. What is
/// deployed and taken down is noted in `ledger`.
pub(super) struct Place {
    folder: tempfile::TempDir,
}

pub(super) const MEASURE: &str = "printf '{\"e2e_mean_ms\": %s}' $((10 + 2 * A + 3 * B + NASHTRACE_SEED % 5)) > \
                       \"$NASHTRACE_OUT/metrics.json\"";

impl Place {
    pub(super) fn new(drive: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let player = |name: &str, variable: &str| {
            format!(
                "[[players]]\nname = \"{name}\"\nutility = {{ e2e_mean_ms = -1 }}\n\
                 [[players.strategies]]\nname = \"off\"\nset = {{ {variable} = 0 }}\n\
                 [[players.strategies]]\nname = \"on\"\nset = {{ {variable} = 1 }}\n"
            )
        };
        let design = format!(
            "name = \"shell\"\nseed = 4\nblocks = 2\n[driver]\nkind = \"command\"\n\
             results = {{ format = \"metrics\", path = \"metrics.json\" }}\n\
             deploy = {{ command = 'echo \"up $A$B\" >> ledger' }}\n\
             tear_down = {{ command = 'echo \"down $A$B\" >> ledger' }}\n\
             drive = {{ command = '''{drive}''', time_limit_seconds = 20 }}\n{more}\n{}{}\
             [[loads]]\nname = \"only\"\nvalue = 1\n[welfare]\ncost = \"e2e_mean_ms\"\n",
            player("first", "A"),
            player("second", "B")
        );
        fs::write(folder.path().join("design.toml"), design).unwrap();
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(super) fn run(&self, out: &str) -> Output {
        nashtrace(&["experiment", "run", &self.text("design.toml"), "--out", &self.text(out)])
    }

    /// The bytes of every run's record, by name.
    pub(super) fn records(&self, campaign: &str) -> Vec<(String, Vec<u8>)> {
        let runs = fs::read_dir(self.path(campaign).join("runs")).unwrap();
        let mut records: Vec<(String, Vec<u8>)> = runs
            .map(|run| run.unwrap())
            .filter(|run| run.path().join("run.json").exists())
            .map(|run| {
                let name = run.file_name().to_str().unwrap().to_owned();
                (name, fs::read(run.path().join("run.json")).unwrap())
            })
            .collect();
        records.sort();
        records
    }

    pub(super) fn record(&self, campaign: &str, run: &str) -> Value {
        let path = self.path(campaign).join("runs").join(run).join("run.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Every configuration that was brought up was taken down before the next one.
    fn assert_ledger_is_even(&self) {
        let ledger = fs::read_to_string(self.path("ledger")).unwrap();
        let lines: Vec<&str> = ledger.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(up) = line.strip_prefix("up ") else { continue };
            let next = lines.get(number + 1).and_then(|next| next.strip_prefix("down "));
            assert_eq!(next, Some(up), "{ledger}");
        }
    }
}

pub(super) fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(super) fn wait_until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn has_runs(campaign: &Path, wanted: usize) -> bool {
    let runs = fs::read_dir(campaign.join("runs")).into_iter().flatten().flatten();
    runs.filter(|run| run.path().join("run.json").exists() && !is_partial(&run.path())).count()
        >= wanted
}

fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "partial")
}

#[test]
fn a_campaign_makes_every_run_and_says_how_far_it_is() {
    let place = Place::new(MEASURE, "");
    let design = place.text("design.toml");
    let (planned, code) = json(&["experiment", "plan", &design, "--json"]);
    assert_eq!(
        (code, planned["runs"].as_u64(), planned["profiles"].as_u64()),
        (Some(0), Some(8), Some(4))
    );
    assert!(!place.path("one").exists());

    let output = place.run("one");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "8 runs made\n");
    assert_eq!(place.records("one").len(), 8);
    let record = place.record("one", "l0-b1-p3");
    assert_eq!(record["profile"], serde_json::json!([1, 1]));
    let seed = record["seed"].as_u64().unwrap();
    assert_eq!(record["metrics"]["e2e_mean_ms"].as_f64(), Some((15 + seed % 5) as f64));
    place.assert_ledger_is_even();

    let (status, code) = json(&["experiment", "status", &place.text("one"), "--json"]);
    assert_eq!((code, status["loads"][0]["ok"].as_u64()), (Some(0), Some(8)));
    assert_eq!(status["seconds_left"].as_f64(), Some(0.0));
    // The same seed gives the same bytes.
    assert_eq!(place.run("two").status.code(), Some(0));
    assert_eq!(place.records("one"), place.records("two"));
    let plan = |campaign: &str| fs::read(place.path(campaign).join("plan.json")).unwrap();
    assert_eq!(plan("one"), plan("two"));
}

#[test]
fn a_failing_run_is_kept_with_its_reason_and_made_again_when_asked() {
    let drive = format!(
        "if [ $A$B = 11 ] && [ ! -e repaired ]; then echo out of memory >&2; exit 3; fi; {MEASURE}"
    );
    let place = Place::new(&drive, "");
    let output = place.run("one");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("6 runs made, 2 failed"));
    let record = place.record("one", "l0-b0-p3");
    assert_eq!(
        (&record["status"], &record["reason"]),
        (&"failed".into(), &"drive: out of memory".into())
    );
    place.assert_ledger_is_even();
    let (status, _) = json(&["experiment", "status", &place.text("one"), "--json"]);
    assert_eq!(status["failed"][0]["reason"], "drive: out of memory");

    let resume = |more: &[&str]| {
        let campaign = place.text("one");
        json(&[&["experiment", "resume", &campaign, "--json"][..], more].concat())
    };
    assert_eq!(resume(&[]).0["failed"].as_u64(), Some(0));
    fs::write(place.path("repaired"), "").unwrap();
    let (answer, code) = resume(&["--retry-failed"]);
    assert_eq!((code, answer["ok"].as_u64()), (Some(0), Some(2)));
    assert_eq!(place.record("one", "l0-b0-p3")["status"], "ok");
}

#[test]
fn killed_and_resumed_it_gives_the_same_runs() {
    let slow = format!("sleep 0.05; {MEASURE}");
    let place = Place::new(&slow, "");
    assert_eq!(place.run("whole").status.code(), Some(0));
    fs::remove_file(place.path("ledger")).unwrap();
    for runs in [0, 2, 5] {
        let name = format!("killed-{runs}");
        let (design, out) = (place.text("design.toml"), place.text(&name));
        let mut campaign = command_of(&["experiment", "run", &design, "--out", &out]);
        let mut campaign = campaign.stdout(Stdio::null()).spawn().unwrap();
        wait_until(|| {
            place.path(&name).join("plan.json").exists() && has_runs(&place.path(&name), runs)
        });
        campaign.kill().unwrap();
        campaign.wait().unwrap();
        let output = nashtrace(&["experiment", "resume", &out]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(place.records(&name), place.records("whole"));
        assert!(!place.path(&name).join("deployed.json").exists());
        place.assert_ledger_is_even();
    }
}

#[test]
fn an_interrupt_takes_the_configuration_down_and_can_be_resumed() {
    let place = Place::new(&format!("[ -e go ] || sleep 60; {MEASURE}"), "");
    let (design, out) = (place.text("design.toml"), place.text("one"));
    let mut campaign = command_of(&["experiment", "run", &design, "--out", &out]);
    let campaign = campaign.stdout(Stdio::piped()).spawn().unwrap();
    wait_until(|| place.path("ledger").exists());
    // Nobody else makes runs in the folder meanwhile.
    let other = nashtrace(&["experiment", "resume", &out]);
    assert_eq!(other.status.code(), Some(2));
    assert!(said(&other).contains("another nashtrace makes runs here"), "{}", said(&other));
    let pid = rustix_pid(campaign.id());
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let output = campaign.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("interrupted: continue with"));
    place.assert_ledger_is_even();
    assert!(place.records("one").is_empty());
    fs::write(place.path("go"), "").unwrap();
    assert_eq!(nashtrace(&["experiment", "resume", &out]).status.code(), Some(0));
    assert_eq!(place.records("one").len(), 8);
}

fn rustix_pid(id: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

#[test]
fn a_full_disk_stops_the_campaign_with_one_sentence() {
    // The second run finds a device without room.
    let drive = format!(
        "if [ -e ledger2 ] && [ ! -e room ]; then cat design.toml > /dev/full; fi; touch ledger2; {MEASURE}"
    );
    let place = Place::new(&format!("set -e; {drive}"), "");
    let output = place.run("one");
    assert_eq!(
        (output.status.code(), said(&output).lines().count()),
        (Some(1), 1),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains("the disk is full; the runs that were made are kept"));
    assert_eq!(place.records("one").len(), 1);
    fs::write(place.path("room"), "").unwrap();
    assert_eq!(nashtrace(&["experiment", "resume", &place.text("one")]).status.code(), Some(0));
    assert_eq!(place.records("one").len(), 8);
}

#[test]
fn readiness_is_asked_for_until_it_is_there_or_time_is_up() {
    let ready = "ready = { command = 'echo . >> asked; [ $(wc -l < asked) -ge 3 ]', poll_seconds = 0.01, time_limit_seconds = 20 }";
    let place = Place::new(MEASURE, ready);
    assert_eq!(place.run("one").status.code(), Some(0));
    let never =
        "ready = { command = 'echo no model; false', poll_seconds = 0.02, time_limit_seconds = 2 }";
    let place = Place::new(MEASURE, never);
    let design = fs::read_to_string(place.path("design.toml")).unwrap();
    fs::write(place.path("design.toml"), design.replace("blocks = 2", "blocks = 1")).unwrap();
    assert_eq!(place.run("one").status.code(), Some(1));
    let record = place.record("one", "l0-b0-p0");
    assert_eq!(record["reason"], "not ready within 2 s: no model");
    place.assert_ledger_is_even();
}

#[test]
fn a_step_has_a_time_limit_and_results_are_checked() {
    let cases = [
        ("sleep 50", "time_limit_seconds = 0.1", "drive took longer than 0.1 s"),
        ("true", "", "metrics.json: No such file or directory (os error 2)"),
        (
            "echo '{\"speed\": 1}' > \"$NASHTRACE_OUT/metrics.json\"",
            "",
            "metrics.json: there is no metric \"speed\"; the metrics are requests, ",
        ),
        ("echo '{' > \"$NASHTRACE_OUT/metrics.json\"", "", "metrics.json, line "),
    ];
    for (drive, limit, wanted) in cases {
        let place = Place::new(drive, "");
        let design = fs::read_to_string(place.path("design.toml")).unwrap();
        let limit = if limit.is_empty() { "time_limit_seconds = 20" } else { limit };
        let design =
            design.replace("time_limit_seconds = 20", limit).replace("blocks = 2", "blocks = 1");
        fs::write(place.path("design.toml"), design).unwrap();
        assert_eq!(place.run("one").status.code(), Some(1));
        let record = place.record("one", "l0-b0-p0");
        assert!(record["reason"].as_str().unwrap().starts_with(wanted), "{record}");
    }
}

#[test]
fn what_a_load_generator_wrote_is_the_result_of_a_run() {
    let aiperf = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/aiperf/profile_export.jsonl");
    let place = Place::new(&format!("cp '{aiperf}' \"$NASHTRACE_OUT/\""), "");
    let design = fs::read_to_string(place.path("design.toml")).unwrap();
    let metrics = "format = \"metrics\", path = \"metrics.json\"";
    let records = "format = \"aiperf-records\", path = \"profile_export.jsonl\"";
    fs::write(place.path("design.toml"), design.replace(metrics, records)).unwrap();
    // From elsewhere, and into a folder that is named from there.
    let mut command =
        command_of(&["experiment", "run", &place.text("design.toml"), "--out", "one"]);
    assert!(command.current_dir(place.folder.path()).status().unwrap().success());
    let record = place.record("one", "l0-b0-p0");
    assert_eq!(record["status"], "ok");
    let (said, _) = json(&["load", aiperf, "--discard", "0.1", "--json"]);
    for metric in ["completed", "ttft_p95_ms", "requests_per_s"] {
        let value = &record["metrics"][metric];
        assert!(
            value.is_number() && *value == said["metrics"][metric]["value"],
            "{metric}: {said}"
        );
    }
    assert!(record["series"].as_array().is_some_and(|series| !series.is_empty()));

    // Of every promised level a request can miss: the slowest half of these misses this one.
    let median = median_e2e_ms(aiperf);
    let level = format!("[slo]\ne2e_ms = {median}\n[welfare]");
    let timed = design.replace(metrics, records).replace("[welfare]", &level);
    fs::write(place.path("design.toml"), timed).unwrap();
    assert_eq!(place.run("timed").status.code(), Some(0));
    let rate = place.record("timed", "l0-b0-p0")["metrics"]["slo_violation_rate"].as_f64().unwrap();
    assert!(0.3 < rate && rate < 0.7, "{rate}");
    let level = median.to_string();
    let said = json(&["load", aiperf, "--discard", "0.1", "--slo-e2e-ms", &level, "--json"]).0;
    assert_eq!(said["metrics"]["slo_violation_rate"]["value"].as_f64(), Some(rate));

    fs::write(place.path("design.toml"), design.replace("\"metrics\"", "\"wrk\"")).unwrap();
    let output = place.run("two");
    assert_eq!(output.status.code(), Some(2));
    assert!(self::said(&output).contains(
        "\"wrk\" is no format of results; these are metrics, requests, vllm-bench-serve"
    ));
}

fn median_e2e_ms(aiperf: &str) -> f64 {
    let text = fs::read_to_string(aiperf).unwrap();
    let mut latencies: Vec<f64> = text
        .lines()
        .filter_map(|line| {
            let request: Value = serde_json::from_str(line).unwrap();
            request["metrics"]["request_latency"]["value"].as_f64()
        })
        .collect();
    latencies.sort_by(f64::total_cmp);
    latencies[latencies.len() / 2]
}

#[test]
fn folders_and_designs_that_cannot_be_used_are_refused() {
    let place = Place::new(MEASURE, "");
    assert_eq!(place.run("one").status.code(), Some(0));
    let refused = |output: Output, wanted: &str| {
        let said = said(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(wanted), "{said}");
    };
    refused(place.run("one"), "a campaign lies here already: continue it with");
    fs::create_dir(place.path("other")).unwrap();
    fs::write(place.path("other/thesis.tex"), "").unwrap();
    refused(place.run("other"), "thesis.tex lies here: a campaign begins in a folder of its own");
    refused(nashtrace(&["experiment", "resume", &place.text("other")]), "no campaign lies here");
    refused(nashtrace(&["experiment", "status", &place.text("nowhere")]), "no campaign lies here");
    let design = place.text("design.toml");
    let two = ["experiment", "run", &design, "--out", &place.text("three"), "--jobs", "2"]
        .map(str::to_owned);
    let two: Vec<&str> = two.iter().map(String::as_str).collect();
    refused(nashtrace(&two), "--jobs 2: the commands of a design drive one cluster");
    assert!(!place.path("three").exists());

    let changed = place.path("one/design.toml");
    let text = fs::read_to_string(&changed).unwrap();
    fs::write(&changed, text.replace("seed = 4", "seed = 5")).unwrap();
    refused(
        nashtrace(&["experiment", "resume", &place.text("one")]),
        "was changed since plan.json was written",
    );
    fs::write(place.path("design.toml"), text.replace("blocks", "blokcs")).unwrap();
    refused(place.run("four"), "design.toml, line 3: unknown field `blokcs`");
    fs::write(place.path("design.toml"), text.replace("A = 1", "\"router.x\" = 1")).unwrap();
    refused(place.run("four"), "\"router.x\" cannot be a variable of a command");
    assert!(!place.path("four").exists());
}

#[test]
fn a_lab_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let design = folder.path().join("design.toml");
    fs::write(
        &design,
        "name = \"x\"\nblocks = 1\nwelfare = { cost = \"e2e_mean_ms\" }\n\
         driver = { kind = \"lab\", scenario = \"s.toml\" }\n[[players]]\nname = \"router\"\n\
         [[players.strategies]]\nname = \"a\"\n[[loads]]\nname = \"one\"\nvalue = 1\n",
    )
    .unwrap();
    let (design, out) = (design.to_str().unwrap(), folder.path().join("out"));
    let run = || {
        let arguments =
            ["experiment", "run", design, "--out", out.to_str().unwrap(), "--lab", "/no/lab"];
        said(&nashtrace(&arguments))
    };
    assert!(run().contains("s.toml: No such file"), "{}", run());
    fs::write(folder.path().join("s.toml"), "[router]\ntemperature =\n").unwrap();
    assert!(run().contains("s.toml, line 2: "), "{}", run());
    fs::write(folder.path().join("s.toml"), "").unwrap();
    assert!(run().contains("/no/lab: there is no such program; --lab names it"), "{}", run());
    assert!(!out.exists());
}

/// A game whose truth is known, played by a command that writes a line for every request of several sources.
const SHARED_LINK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shared-link");

/// The price of anarchy of a game by commands, from what its runs gave.
#[test]
fn a_game_by_commands_has_the_price_of_anarchy_that_its_design_derives() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shared-link");
    let design = Path::new(SHARED_LINK).join("shared-link.toml");
    let arguments = ["experiment", "run", design.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let output = nashtrace(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // Over the blocks, the mean of a metric in each profile, by the number of the profile.
    let mean = |metric: &str, profile: usize| {
        let runs = (0..10).map(|block| {
            let path = out.join(format!("runs/l0-b{block}-p{profile}/run.json"));
            let record: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            record["metrics"][metric].as_f64().unwrap()
        });
        runs.sum::<f64>() / 10.0
    };
    let costs: Vec<f64> = (0..8).map(|profile| mean("e2e_ms_per_output_token", profile)).collect();
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    // Noise is 0.29 of the mean over 6,000 requests: 0.4 %, most of it common to all profiles.
    assert!((costs[7] / least - 9.0 / 7.3).abs() < 0.01, "{costs:?}");
    // Whoever leaves the shared link alone is worse off.
    for (source, without) in [("1", 3), ("2", 5), ("3", 6)] {
        let metric = format!("e2e_mean_ms@{source}");
        assert!(mean(&metric, without) > mean(&metric, 7));
    }
}

#[test]
fn the_whole_way_finds_the_known_price_and_is_repeatable() {
    let files = Path::new(SHARED_LINK);
    let folder = tempfile::tempdir().unwrap();
    fs::copy(files.join("shared-link.awk"), folder.path().join("shared-link.awk")).unwrap();
    let design = fs::read_to_string(files.join("shared-link.toml")).unwrap();
    let analysed = |name: &str, seed: u64| {
        let file = folder.path().join(format!("{name}.toml"));
        fs::write(&file, design.replace("seed = 1", &format!("seed = {seed}"))).unwrap();
        let out = folder.path().join(name);
        let out = out.to_str().unwrap();
        let run = nashtrace(&["experiment", "run", file.to_str().unwrap(), "--out", out]);
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
        assert!(nashtrace(&["experiment", "analyze", out]).status.success());
        fs::read(Path::new(out).join("analysis.json")).unwrap()
    };
    let interval = |bytes: &[u8]| {
        let analysis: Value = serde_json::from_slice(bytes).unwrap();
        let anarchy = &analysis["loads"][0]["anarchy"][0];
        assert_eq!(anarchy["verdict"], "identified", "{anarchy}");
        let row =
            anarchy["rows"].as_array().unwrap().iter().find(|row| row["name"] == "anarchy_all");
        let bounds = &row.unwrap()["simultaneous"];
        [&bounds["low"], &bounds["high"]].map(|bound| bound.as_f64().unwrap())
    };
    let first = analysed("first", 1);
    let [low, high] = interval(&first);
    assert!(low <= 9.0 / 7.3 && 9.0 / 7.3 <= high && low > 1.0, "{low} to {high}");
    assert!(first == analysed("again", 1), "the same seed gives the same bytes");
    let other = analysed("other", 2);
    let [other_low, other_high] = interval(&other);
    assert!(
        other != first && other_low <= high && low <= other_high,
        "{other_low} to {other_high}"
    );
}
