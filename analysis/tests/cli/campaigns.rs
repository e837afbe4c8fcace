//! Campaigns that are killed, that choose their own runs, and whose claims are played again.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use super::experiment::{MEASURE, Place, has_runs, said, wait_until};
use super::support::{command_of, json, nashtrace};

#[test]
fn what_a_kill_before_the_plan_leaves_does_not_strand_the_folder() {
    let place = Place::new(MEASURE, "");
    let design = place.text("design.toml");
    let begun = |name: &str| {
        let planned = nashtrace(&["experiment", "plan", &design, "--out", &place.text(name)]);
        assert!(planned.status.success(), "{}", said(&planned));
    };
    // Every file up to the one that was being written, and then nothing more.
    let written = ["lock", "design.toml", "origin.json", "runs", "plan.json"];
    for last in 0..written.len() {
        let name = format!("killed-at-{}", written[last]);
        begun(&name);
        for later in &written[last..] {
            let path = place.path(&name).join(later);
            if path.is_dir() {
                fs::remove_dir(&path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
        }
        if written[last].contains('.') {
            fs::write(place.path(&name).join(format!("{}.partial", written[last])), "{").unwrap();
        }
        let output = place.run(&name);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", said(&output));
        assert_eq!(place.records(&name).len(), 8);
    }
    // Runs without a plan are somebody's.
    begun("lost");
    fs::remove_file(place.path("lost/plan.json")).unwrap();
    fs::create_dir(place.path("lost/runs/l0-b0-p0")).unwrap();
    let output = place.run("lost");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("runs lies here: a campaign begins"), "{}", said(&output));
}

#[test]
fn what_a_killed_campaign_left_running_is_ended_before_anything_else() {
    let hangs = "[ -e go ] || { sleep 61 & echo $! > child; wait; }";
    let place = Place::new(&format!("{hangs}; {MEASURE}"), "");
    let (design, out) = (place.text("design.toml"), place.text("one"));
    let mut campaign = command_of(&["experiment", "run", &design, "--out", &out]);
    let mut campaign = campaign.stdout(Stdio::null()).spawn().unwrap();
    let child = || fs::read_to_string(place.path("child")).unwrap_or_default();
    wait_until(|| child().ends_with('\n') && place.path("one/running.json").exists());
    campaign.kill().unwrap();
    campaign.wait().unwrap();
    // Nobody may have waited for it yet.
    let runs = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child().trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    assert!(runs(), "the load generator outlives its campaign");
    fs::write(place.path("go"), "").unwrap();
    let output = nashtrace(&["experiment", "resume", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!runs() && !place.path("one/running.json").exists());
    assert_eq!(place.records("one").len(), 8);
}

/// Two loads, of which one is measured without noise.
fn adaptive(runs: usize, drive: &str) -> Place {
    let cost = "1000 + 20 * A + 30 * B + N * (NASHTRACE_SEED * (7 + 3 * A + 5 * B) % 23)";
    let measure =
        format!("printf '{{\"e2e_mean_ms\": %s}}' $(({cost})) > \"$NASHTRACE_OUT/metrics.json\"");
    let place = Place::new(&format!("{drive}{measure}"), "");
    let design = fs::read_to_string(place.path("design.toml")).unwrap();
    let loads = "[[loads]]\nname = \"calm\"\nvalue = 1\nset = { N = 0 }\n\
                 [[loads]]\nname = \"noisy\"\nvalue = 2\nset = { N = 1 }\n";
    let design = design
        .replace("[[loads]]\nname = \"only\"\nvalue = 1\n", loads)
        .replace("blocks = 2", &format!("blocks = 3\nplan = {{ adaptive = {runs} }}"));
    fs::write(place.path("design.toml"), design).unwrap();
    place
}

#[test]
fn an_adaptive_plan_measures_on_where_the_interval_is_wide() {
    let place = adaptive(8, "");
    let output = place.run("one");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(place.records("one").len(), 3 * 2 * 4 + 8);
    let chosen = |name: &str| fs::read(place.path(name).join("chosen.json")).unwrap();
    let choices: Vec<Value> = serde_json::from_slice(&chosen("one")).unwrap();
    let where_to =
        |choice: &Value| [&choice["load"], &choice["block"]].map(|x| x.as_u64().unwrap());
    let wanted = [[1, 3], [1, 3], [1, 3], [1, 3], [1, 4], [1, 4], [1, 4], [1, 4]];
    assert_eq!(choices.iter().map(where_to).collect::<Vec<_>>(), wanted);
    // A block has one seed, which no other has.
    let seed = |run: &str| place.record("one", run)["seed"].as_u64().unwrap();
    assert_eq!(seed("l1-b3-p0"), seed("l1-b3-p2"));
    let seeds: std::collections::BTreeSet<u64> =
        (0..5).map(|block| seed(&format!("l1-b{block}-p1"))).collect();
    assert_eq!(seeds.len(), 5);
    let (analysis, _) = json(&["experiment", "analyze", &place.text("one"), "--json"]);
    assert_eq!(analysis["loads"][1]["whole_blocks"].as_u64(), Some(5));
    assert_eq!(analysis["runs"]["planned"].as_u64(), Some(32));
    // Done is done.
    let (again, _) = json(&["experiment", "resume", &place.text("one"), "--json"]);
    assert_eq!(again["ok"].as_u64(), Some(0));

    // Killed among the chosen runs, it goes on with the same ones.
    let slow = adaptive(8, "sleep 0.02; ");
    let (design, out) = (slow.text("design.toml"), slow.text("killed"));
    let mut campaign = command_of(&["experiment", "run", &design, "--out", &out]);
    let mut campaign = campaign.stdout(Stdio::null()).spawn().unwrap();
    wait_until(|| has_runs(&slow.path("killed"), 26));
    campaign.kill().unwrap();
    campaign.wait().unwrap();
    assert_eq!(nashtrace(&["experiment", "resume", &out]).status.code(), Some(0));
    assert_eq!(slow.records("killed"), place.records("one"));
    assert_eq!(fs::read(slow.path("killed/chosen.json")).unwrap(), chosen("one"));
    fs::write(
        slow.path("killed/chosen.json"),
        "[{\"load\": 2, \"block\": 3, \"profile\": [0, 0]}]",
    )
    .unwrap();
    let output = nashtrace(&["experiment", "status", &out]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("chosen.json: a run in it is none of the design's"));
}

#[test]
fn an_adaptive_plan_takes_whole_blocks() {
    let refused = |place: &Place, wanted: &str| {
        let output = nashtrace(&["experiment", "plan", &place.text("design.toml")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(wanted), "{}", said(&output));
    };
    refused(&adaptive(7, ""), "adaptive = 7: a block takes 4 runs, one of each profile");
    refused(&adaptive(0, ""), "plan is \"factorial\", { latin = PROFILES } or { adaptive = RUNS }");
    let place = adaptive(8, "");
    let (planned, _) = json(&["experiment", "plan", &place.text("design.toml"), "--json"]);
    let runs = ["runs", "adaptive_runs"].map(|key| planned[key].as_u64());
    assert_eq!(runs, [Some(24), Some(8)]);
    let design = fs::read_to_string(place.path("design.toml")).unwrap();
    fs::write(place.path("design.toml"), design.replace("blocks = 3", "blocks = 2")).unwrap();
    refused(&place, "an adaptive plan needs blocks = 3 at least");
}

#[test]
fn claims_are_played_again_on_blocks_that_nobody_has_seen() {
    // Both equilibria agree; the one on the right costs 1.3 times as much.
    let cost = "((A == B) * (1000 + 300 * A) + (A != B) * 2000) * (100 + NASHTRACE_SEED % 7)";
    let drive = format!(
        "sleep 0.02; printf '{{\"e2e_mean_ms\": %s}}' $(({cost})) > \"$NASHTRACE_OUT/metrics.json\""
    );
    let place = Place::new(&drive, "");
    let (design, out) = (place.text("design.toml"), place.text("one"));
    assert!(nashtrace(&["experiment", "plan", &design, "--out", &out]).status.success());
    let early = nashtrace(&["experiment", "hold-out", &out]);
    assert_eq!(early.status.code(), Some(2));
    assert!(said(&early).contains("not all runs are made that claims rest on"), "{}", said(&early));
    assert!(nashtrace(&["experiment", "resume", &out]).status.success());

    let mut hold_out = command_of(&["experiment", "hold-out", &out]);
    let mut hold_out = hold_out.stdout(Stdio::null()).spawn().unwrap();
    wait_until(|| has_runs(&place.path("one/hold-out"), 3));
    hold_out.kill().unwrap();
    hold_out.wait().unwrap();
    let output = nashtrace(&["experiment", "hold-out", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // The default is the optimum: two profiles in five blocks.
    let fresh = place.records("one/hold-out");
    assert_eq!(fresh.len(), 10);
    let seeds = |campaign: &str| -> std::collections::BTreeSet<u64> {
        let records = place.records(campaign);
        let seed = |(_, bytes): &(String, Vec<u8>)| {
            serde_json::from_slice::<Value>(bytes).unwrap()["seed"].as_u64().unwrap()
        };
        records.iter().map(seed).collect()
    };
    assert_eq!(seeds("one/hold-out").len(), 5);
    assert!(seeds("one").is_disjoint(&seeds("one/hold-out")));

    let (analysis, _) = json(&["experiment", "analyze", &out, "--json"]);
    let said = &analysis["fresh_blocks"][0];
    assert_eq!(said["is_current"], true);
    assert_eq!(
        [&said["optimum"], &said["worst"]],
        [&serde_json::json!([0, 0]), &serde_json::json!([1, 1])]
    );
    assert_eq!([said["planned"].as_u64(), said["used"].as_u64()], [Some(10), Some(10)]);
    let value = |key: &str| said[key]["value"].as_f64().unwrap();
    assert!(
        (value("anarchy") - 1.3).abs() < 1e-12
            && (value("default_over_optimum") - 1.0).abs() < 1e-12
    );
    assert_eq!(said["anarchy"]["blocks"].as_u64(), Some(5));
    assert!(said["anarchy"]["interval"]["low"].is_number());
    let tables = nashtrace(&["experiment", "analyze", &out]);
    let tables = String::from_utf8(tables.stdout).unwrap();
    assert!(tables.contains("on fresh blocks"), "{tables}");
}
