//! `nashtrace report` on campaigns whose runs these tests make up, analysed by the real code.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use nashtrace_analysis::campaign::{Analysis, CampaignData, Settings, analyze};
use nashtrace_analysis::experiment::{
    Design, OfferedWorker, Plan, PlannedRun, Record, RecordSeries, RegrettedDecision, Status,
    TraceFacts,
};
use nashtrace_analysis::report::number;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::support::command_of;

/// What a careless or hostile design may call things.
const HOSTILE: [&str; 3] =
    ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "a & \"b\" 'c' <b>"];

fn nashtrace(arguments: &[&str], input: &str) -> Output {
    let mut child = command_of(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that refuses its arguments does not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// Three players with three strategies each; the first strategies are called as given.
fn design(names: [&str; 3], loads: &[f64], blocks: usize) -> Design {
    let utilities = [
        "{ ttft_p95_ms = -1.0, cache_hit_rate = 1.0 }",
        "{ output_tokens_per_s = 1.0, gpu_count = -0.5 }",
        "{ eviction_rate = -1.0, memory_headroom = 1.0 }",
    ];
    let players = ["router", "planner", "kv_manager"];
    let others = [["balanced", "cache-greedy"], ["3+5", "4+4"], ["moderate", "retain-heavy"]];
    let mut text = format!(
        "name = {:?}\ndescription = {:?}\nseed = 1\nblocks = {blocks}\nload_unit = \"requests/s\"\n\
         driver = {{ kind = \"lab\", scenario = \"s.toml\" }}\n\
         welfare = {{ cost = \"e2e_ms_per_output_token\", also = [\"e2e_mean_ms\"] }}\n\
         objectives = {{ ttft_p95_ms = \"min\", output_tokens_per_s = \"max\", eviction_rate = \"min\" }}\n",
        names[0], names[1]
    );
    for (player, utility) in utilities.iter().enumerate() {
        let [second, third] = others[player];
        text += &format!(
            "[[players]]\nname = {:?}\nbaseline = {:?}\nintelligent = {third:?}\ndefault = {second:?}\n\
             utility = {utility}\n",
            players[player], names[player]
        );
        for strategy in [names[player], second, third] {
            text += &format!("[[players.strategies]]\nname = {strategy:?}\n");
        }
    }
    for load in loads {
        text += &format!("[[loads]]\nname = \"rate {load}\"\nvalue = {load:?}\n");
    }
    Design::parse(&text).unwrap()
}

/// Metrics as a smooth function of load and profile; above the third load router and KV manager chase each other.
fn metrics(
    load: usize,
    rate: f64,
    profile: &[usize],
    noise: &mut dyn FnMut() -> f64,
) -> BTreeMap<String, Option<f64>> {
    let [router, planner, manager] = [profile[0] as f64, profile[1] as f64, profile[2] as f64];
    let chase = f64::from(u8::from(load >= 2 && profile[0] == profile[2]));
    let pressure = 1.0 + (rate / 20.0).powi(3);
    let ttft = 40.0
        * pressure
        * (1.3 - 0.1 * router + 0.08 * (planner - 1.0).powi(2) + 0.4 * chase)
        * noise();
    let evictions = 5.0 * pressure * (1.5 - 0.3 * manager + 0.8 * (1.0 - chase)) * noise();
    let tokens = 900.0 * (1.0 + 0.1 * planner - 0.05 * router) * noise();
    let cost = (20.0 + 0.1 * ttft + 2.0 * evictions / pressure) * noise();
    [
        ("ttft_p95_ms", ttft),
        ("ttft_p99_ms", ttft * 1.6),
        ("cache_hit_rate", 0.3 + 0.1 * router),
        ("output_tokens_per_s", tokens),
        ("gpu_count", 8.0 + planner),
        ("eviction_rate", evictions),
        ("memory_headroom", 0.5 - 0.1 * manager),
        ("e2e_ms_per_output_token", cost),
        ("e2e_mean_ms", cost * 30.0),
        ("predicted_regret_mean", 0.3 * router + 0.2 * chase),
        ("overlap_regret_mean", 1.0 - 0.3 * router),
        ("decisions", 400.0),
        ("requests", 400.0),
    ]
    .map(|(name, value)| (name.to_owned(), Some(value)))
    .into()
}

/// A hit rate that swings, evictions that follow it by three seconds, and a latency with a step.
fn series(random: &mut ChaCha12Rng, load: usize) -> Vec<RecordSeries> {
    let mut noise = |size: f64| size * random.random_range(-1.0..1.0);
    let swing = |at: usize| (std::f64::consts::TAU * at as f64 / 24.0).sin();
    let values = |of: &mut dyn FnMut(usize) -> f64| (0..150).map(|at| Some(of(at))).collect();
    let one = |name: &str, unit: &str, values| RecordSeries {
        name: name.to_owned(),
        unit: unit.to_owned(),
        start: 0.0,
        step: 1.0,
        values,
    };
    let size = if load >= 2 { 1.0 } else { 0.0 };
    let hits = values(&mut |at| 0.5 + size * 0.1 * swing(at) + noise(0.03));
    let evictions = values(&mut |at| 20.0 + size * 6.0 * swing(at.saturating_sub(3)) + noise(2.0));
    let ttft = values(&mut |at| if at < 60 { 80.0 } else { 110.0 } + noise(8.0));
    vec![
        one("cache_hit_rate", "", hits),
        one("eviction_rate", "blocks/s", evictions),
        one("ttft_p95_ms", "ms", ttft),
    ]
}

/// One decision between two workers in the runs of even load, none in the others.
fn regretted(run: &PlannedRun, pool: &str) -> Vec<RegrettedDecision> {
    let worker = |worker: u64, cost: f64, overlap: f64| OfferedWorker {
        worker,
        rank: 0,
        chosen: worker == 4,
        cost: Some(cost),
        overlap_blocks: Some(overlap),
        prefill_tokens: 4096,
        decode_blocks: 12,
        requests: 3,
    };
    let decision = RegrettedDecision {
        request: "00000000deadbeef".to_owned(),
        time_s: 61.25,
        pool: pool.to_owned(),
        isl_tokens: 2048,
        predicted_regret: Some(17.5),
        overlap_regret: Some(6.0),
        reason: "temperature_draw".to_owned(),
        offered: 9,
        candidates: vec![worker(3, 40.0, 31.0), worker(4, 57.5, 25.0)],
    };
    if run.load.is_multiple_of(2) { vec![decision] } else { Vec::new() }
}

/// The analysis of made-up runs; some fail, and under the last load one profile has none.
fn analysis(names: [&str; 3], loads: &[f64], blocks: usize) -> Analysis {
    let design = design(names, loads, blocks);
    let plan = Plan::of(&design, "0123456789abcdef".repeat(2));
    let record = |run: &PlannedRun| {
        let mut random = ChaCha12Rng::seed_from_u64(17);
        random.set_stream(run.order as u64);
        let mut common = ChaCha12Rng::seed_from_u64(run.seed);
        let shared = 1.0 + 0.05 * common.random_range(-1.0..1.0);
        let series = series(&mut random, run.load);
        let mut noise = || shared * (1.0 + 0.01 * random.random_range(-1.0..1.0));
        let is_lost = run.load + 1 == loads.len() && run.profile == [2, 2, 2];
        let failed = is_lost || run.order % 97 == 5;
        Some(Record {
            schema_version: 1,
            run: run.run.clone(),
            load: run.load,
            block: run.block,
            profile: run.profile.clone(),
            seed: run.seed,
            driver: "lab".to_owned(),
            status: if failed { Status::Failed } else { Status::Ok },
            reason: failed.then(|| format!("the engine said {}", names[1])),
            metrics: if failed {
                BTreeMap::new()
            } else {
                metrics(run.load, loads[run.load], &run.profile, &mut noise)
            },
            // Only the first run of a profile is shown over time.
            series: if run.block == 0 { series } else { Vec::new() },
            trace: Some(TraceFacts {
                records: 4000,
                decisions: 400,
                block_events: 2000,
                lost: u64::from(run.order == 7),
                block_sample: 1,
                versions: [
                    ("libnashtrace".to_owned(), "0.9.8".to_owned()),
                    ("nashtrace-lab".to_owned(), "0.9.7 (Dynamo 1.6.1)".to_owned()),
                ]
                .into(),
                regretted: Some(regretted(run, names[1])),
            }),
        })
    };
    let records = plan.runs.iter().map(record).collect();
    let settings = Settings { resamples: 200, seed: 7, stop: &|| false };
    analyze(&CampaignData { design, plan, records }, &settings)
}

/// A campaign's folder that the browser test can look at later.
fn campaign(name: &str, analysis: &Analysis) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("analysis.json"), serde_json::to_string(analysis).unwrap()).unwrap();
    folder
}

fn report(folder: &Path) -> (String, String) {
    let output = nashtrace(&["report", folder.to_str().unwrap()], "");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complaint}");
    assert_eq!(complaint, "");
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    (String::from_utf8(output.stdout).unwrap(), page)
}

/// The page without plotly.js, which is not ours, and the figures' JSON.
fn own(page: &str) -> (String, serde_json::Value) {
    let (before, rest) =
        page.split_once("<script type=\"application/json\" id=\"figures\">").unwrap();
    let (figures, rest) = rest.split_once("</script>").unwrap();
    let (_, rest) = rest.split_once("</script>").unwrap();
    (format!("{before}{rest}"), serde_json::from_str(figures).unwrap())
}

#[test]
fn a_page_and_a_summary_say_what_the_analysis_says() {
    let analysis = analysis(["random", "2+6", "evict"], &[4.0, 8.0, 16.0, 32.0, 64.0], 4);
    let folder = campaign("full", &analysis);
    let (summary, page) = report(&folder);
    assert_eq!(page, report(&folder).1, "the same analysis gives the same bytes");
    for said in
        ["Verdict", "Doubts", "Price of Anarchy", "Shapley values", "rate 16", "cache-greedy"]
    {
        assert!(summary.contains(said), "{said} is not in\n{summary}");
    }
    let (own, figures) = own(&page);
    assert!(own.contains(&analysis.verdict.replace('\'', "&#39;")), "{}", analysis.verdict);
    for doubt in &analysis.doubts {
        let start: String = doubt
            .sentence
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == ' ')
            .collect();
        assert!(own.contains(&start), "{start}");
    }
    for figure in figures.as_object().unwrap().keys() {
        assert_eq!(own.matches(&format!("class=\"plot\" id=\"{figure}\"")).count(), 1, "{figure}");
    }
    for run in &analysis.runs.list {
        assert!(own.contains(&run.run), "{}", run.run);
    }
    for section in [
        "payoffs",
        "best-responses",
        "regret",
        "shapley",
        "against-baseline",
        "pareto",
        "over-time",
        "feedback",
        "calibration",
    ] {
        assert!(own.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
    // The most regretted decision of a run, both workers by name, and a run without one.
    for said in [
        "<th scope=\"row\">00000000deadbeef</th><td>61.25</td>",
        "<td class=\"text\">worker 4: 57.50</td><td class=\"text\">worker 3: 40.00</td>",
        "7 dearer ones",
        "has no regretted decision",
    ] {
        assert!(own.contains(said), "{said}");
    }
    for version in ["0.9.8", "0.9.7 (Dynamo 1.6.1)"] {
        assert!(own.contains(&format!("<td class=\"text\">{version}</td>")), "{version}");
    }
    // Evictions follow the hit rate by three seconds, every 24, from the third load on.
    let feedback = &analysis.over_loads.feedback;
    assert_eq!(feedback.starts, Some(2), "{feedback:?}");
    assert!(own.contains("Feedback begins at load rate 16: "));
    let shown: Vec<_> = analysis.runs.shown.iter().filter(|run| run.load >= 2).collect();
    assert!(!shown.is_empty());
    for run in shown {
        let found = run.feedback.as_ref().unwrap();
        assert!(found.is_present && (found.lag - 3.0).abs() < 1.5, "{found:?}");
        let swing = found.hit_rate_swing.unwrap();
        assert!(
            (swing.period - 24.0).abs() < 2.0 && (swing.amplitude - 0.1).abs() < 0.04,
            "{swing:?}"
        );
        assert!(own.contains(&format!("period {} s and amplitude", number(swing.period))));
    }
    for id in [
        "anarchy-curve",
        "tail-curve",
        "payoff-0-0",
        "graph-3",
        "regret-bars",
        "shapley-bars",
        "intelligent-ratios",
        "null",
    ] {
        assert!(figures.get(id).is_some(), "{id}");
    }
    let mut ids: Vec<&str> =
        own.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    // A cell that was not measured is empty, and each map has the scale of its own load.
    let map = |load: usize| &figures[format!("payoff-0-{load}")]["data"][0];
    let cells =
        |key: &str| map(4)[key].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    assert_eq!(cells("z").filter(|payoff| payoff.is_null()).count(), 1);
    assert_eq!(cells("text").filter(|text| *text == "").count(), 1);
    assert_ne!(map(0)["zmin"], map(4)["zmin"]);
}

#[test]
fn nothing_is_loaded_and_no_path_or_time_is_told() {
    let analysis = analysis(["random", "2+6", "evict"], &[8.0], 3);
    let (own, _) = own(&report(&campaign("one-load", &analysis)).1);
    for forbidden in [
        "<link",
        " src=",
        "@import",
        "url(",
        "http://",
        "https://",
        env!("CARGO_MANIFEST_DIR"),
        "/tmp/",
    ] {
        assert!(!own.contains(forbidden), "{forbidden}");
    }
    assert!(own.contains("default-src 'none'"));
}

#[test]
fn what_comes_from_designs_is_text() {
    let analysis = analysis(HOSTILE, &[8.0, 30.0], 3);
    let (_, page) = report(&campaign("hostile", &analysis));
    for hostile in ["<script>alert", "<img", "<b>"] {
        let (own, figures) = own(&page);
        assert!(!own.contains(hostile), "{hostile}");
        assert!(!figures.to_string().contains(hostile), "plotly.js reads some markup: {hostile}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn one_block_is_a_page_too() {
    let analysis = analysis(["random", "2+6", "evict"], &[8.0, 16.0], 1);
    let (summary, page) = report(&campaign("one-block", &analysis));
    assert!(summary.contains("Verdict"));
    assert!(page.contains("Hold-out: fewer than four whole blocks"));
    // Under each load one run failed, so that no Price of Anarchy is identified; the figure says so and has an axis.
    let curve = &own(&page).1["anarchy-curve"];
    let traces = curve["data"].as_array().unwrap();
    let axes: Vec<&str> = traces.iter().filter_map(|trace| trace["yaxis"].as_str()).collect();
    assert_eq!((axes.as_slice(), traces.len()), (["y"].as_slice(), 1), "{curve}");
    assert_eq!(curve["layout"]["annotations"][0]["text"], "no load has a number");
    assert_eq!(curve["layout"]["yaxis"]["range"], serde_json::json!([0, 1]));
    assert!(page.contains("No load has a number: 1 of 27 profiles have no usable run"));
}

#[test]
fn json_is_the_analysis_and_reads_from_standard_input() {
    let analysis = analysis(["random", "2+6", "evict"], &[8.0], 3);
    let text = serde_json::to_string(&analysis).unwrap();
    let output = nashtrace(&["report", "-", "--json"], &text);
    assert!(output.status.success());
    let read: Analysis = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read, analysis);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let output = nashtrace(&["report", "-", "--out", page.to_str().unwrap()], &text);
    assert!(output.status.success() && page.exists());
    assert!(String::from_utf8(output.stdout).unwrap().contains("page.html"));
}

#[test]
fn bad_input_is_named_with_what_to_do() {
    let refused = |arguments: &[&str], input: &str| {
        let output = nashtrace(arguments, input);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let empty = refused(&["report", folder.path().to_str().unwrap()], "");
    assert!(
        empty.contains("there is no analysis.json; make it with `nashtrace experiment analyze"),
        "{empty}"
    );
    let nowhere = refused(&["report", "/nowhere"], "");
    assert!(nowhere.contains("/nowhere: No such file"), "{nowhere}");
    let torn = refused(&["report", "-"], "{\n  \"schema_version\": 1,\n");
    assert!(torn.contains("standard input, line 3: "), "{torn}");
    let later = refused(&["report", "-"], "{\"schema_version\": 99}");
    assert!(later.contains("version 99, but 1 is read here"), "{later}");
    let other = refused(&["report", "-"], "{\"schema_version\": 1}");
    assert!(other.contains("missing field"), "{other}");
}

#[test]
fn a_page_that_cannot_be_written_is_a_failure() {
    let analysis = analysis(["random", "2+6", "evict"], &[8.0], 1);
    let text = serde_json::to_string(&analysis).unwrap();
    let output = nashtrace(&["report", "-", "--out", "/nowhere/page.html"], &text);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/page.html: No such file"));
}
