//! What the commands answer to good traces.

use serde_json::Value;

use crate::support::{example, json, keys, nashtrace, record};

#[test]
fn info_counts_records_and_says_what_is_complete() {
    let recorded = example();
    let (info, code) = json(&["info", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        keys(&info),
        ["records", "lost", "processes", "span_seconds", "clock", "deleted", "unreadable"]
    );
    assert_eq!(info["records"]["decision"], 5);
    assert_eq!(info["records"]["candidate"], 10);
    assert_eq!(info["records"]["request"], 1);
    for reason in ["full", "too_big", "no_ring", "after_shutdown", "io"] {
        assert_eq!(info["lost"][reason], 0);
    }
    assert_eq!(info["clock"], "caller");
    assert_eq!(info["span_seconds"], 5.0);
    let process = &info["processes"][0];
    assert_eq!(
        (&process["complete"], &process["producers"]),
        (&Value::Bool(true), &Value::from(1))
    );
    assert_eq!(process["pid"], std::process::id());
    assert_eq!(process["missing"], Value::Array(Vec::new()));
}

#[test]
fn verify_recomputes_every_cost() {
    let recorded = example();
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(verdict["ok"], true);
    assert_eq!(verdict["conserved"], true);
    assert_eq!(verdict["decisions_checked"], 4);
    assert_eq!(verdict["cost_mismatches"], 0);
    assert_eq!(verdict["costs_equal_bit_for_bit"], 8);
    assert_eq!(verdict["problems"], Value::Array(Vec::new()));
}

#[test]
fn verify_finds_a_cost_that_the_formula_does_not_give() {
    let recorded = record(|session| {
        session.decision(1, &[(0, 0), (4, 1)], 1, 0.0);
        session.decision_with_cost_error(2, &[(0, 0), (4, 1)], 1, 1e-6);
        session.decision_with_cost_error(3, &[(0, 0), (4, 1)], 1, 1e-12);
    });
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!(code, Some(1));
    assert_eq!((&verdict["ok"], &verdict["conserved"]), (&false.into(), &true.into()));
    assert_eq!(
        (&verdict["decisions_checked"], &verdict["cost_mismatches"]),
        (&3.into(), &1.into())
    );
    let problems = verdict["problems"].as_array().unwrap();
    assert!(problems[1].as_str().unwrap().contains("the formula gives 10"), "{problems:?}");
}

#[test]
fn verify_finds_a_clock_that_goes_back() {
    let recorded = record(|session| {
        session.at(100).decision(1, &[(0, 0)], 0, 0.0);
        session.at(99).decision(2, &[(0, 0)], 0, 0.0);
    });
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!(code, Some(1));
    assert!(
        verdict["problems"][0]
            .as_str()
            .unwrap()
            .ends_with("time goes back 1 times within a producer")
    );
}

#[test]
fn regret_of_hand_computable_decisions() {
    let recorded = example();
    let (answer, code) = json(&["regret", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!((&answer["decisions"], &answer["advisory"]), (&4.into(), &1.into()));
    // Predicted: 0, 0, 0, 1. Overlap: 0, 4, 0, 6.
    let predicted = &answer["predicted"];
    assert_eq!((&predicted["mean"], &predicted["total"]), (&0.25.into(), &1.0.into()));
    assert_eq!(predicted["p50"], 0.0);
    assert!((predicted["p99"].as_f64().unwrap() - 0.97).abs() < 1e-12);
    let overlap = &answer["overlap"];
    assert_eq!((&overlap["mean"], &overlap["total"]), (&2.5.into(), &10.0.into()));
    assert_eq!(overlap["p50"], 2.0);
    assert_eq!(overlap["regretted"], 2);
    assert_eq!(
        keys(&answer["by_reason"]),
        ["cache_hit", "load_balance", "tie", "temperature_draw"]
    );
    assert_eq!(answer["by_reason"]["temperature_draw"]["predicted_mean"], 1.0);
    // Chosen: 1, 0, 1, 0.
    let herding = &answer["herding"];
    assert_eq!((&herding["gini"], &herding["top_share"]), (&0.0.into(), &0.5.into()));
    assert_eq!(herding["longest_run"], 1);
    assert_eq!(answer["by_worker"].as_array().unwrap().len(), 2);
    let top = answer["top"].as_array().unwrap();
    assert_eq!(top.len(), 2, "only what is regretted");
    assert_eq!((&top[0]["predicted"], &top[0]["overlap"]), (&1.0.into(), &6.0.into()));
    assert_eq!((&top[1]["predicted"], &top[1]["overlap"]), (&0.0.into(), &4.0.into()));
    let candidates = top[0]["candidates"].as_array().unwrap();
    assert_eq!((&candidates[0]["cost"], &candidates[0]["chosen"]), (&10.0.into(), &true.into()));
    assert_eq!((&candidates[1]["cost"], &candidates[1]["device_blocks"]), (&9.0.into(), &6.into()));
    // exp(-(10 - 9) / ((10 - 9) * 0.5)) against 1
    let drawn = (-2.0_f64).exp();
    let propensity = top[0]["propensity"].as_f64().unwrap();
    assert!((propensity - drawn / (1.0 + drawn)).abs() < 1e-15);
    assert_eq!(answer["realised"], Value::Null);
}

#[test]
fn regret_joins_the_outcomes_that_lie_beside_the_trace() {
    let recorded = example();
    recorded.write_outcomes(&[(1, 10.0), (2, 40.0), (3, 20.0), (4, 50.0)]);
    let (answer, code) = json(&["regret", recorded.run_folder(), "--json"]);
    assert_eq!(code, Some(0));
    let realised = &answer["realised"];
    assert_eq!(realised["joined"], 4);
    assert_eq!(realised["without_overlap_regret"]["ttft_mean_ms"], 15.0);
    assert_eq!(realised["with_overlap_regret"]["ttft_mean_ms"], 45.0);
    // Ranks of the overlap regrets 0 4 0 6 and the times 10 40 20 50.
    let spearman = realised["spearman_overlap_regret_ttft"].as_f64().unwrap();
    assert!((spearman - 0.948_683_298_050_513_8).abs() < 1e-12);
}

#[test]
fn decisions_are_listed_and_filtered() {
    let recorded = example();
    let (all, code) = json(&["decisions", recorded.path(), "--json", "--candidates"]);
    assert_eq!(code, Some(0));
    let all = all["decisions"].as_array().unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!((&all[4]["mode"], &all[0]["mode"]), (&"advisory".into(), &"tracked".into()));
    assert_eq!(all[0]["candidates"].as_array().unwrap().len(), 2);
    let count = |arguments: &[&str]| {
        let arguments = [&["decisions", recorded.path(), "--json"], arguments].concat();
        json(&arguments).0["decisions"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--reason", "tie"]), 1);
    assert_eq!(count(&["--worker", "0"]), 3);
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(count(&["--request", "id-3"]), 1);
    assert_eq!(count(&["--request", "no-such-id"]), 0);
}

#[test]
fn tables_are_printed_without_colours_into_a_pipe() {
    let recorded = example();
    for command in ["info", "verify", "decisions", "regret"] {
        let output = nashtrace(&[command, recorded.path()]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(output.stderr.is_empty(), "{command}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains('\u{1b}'), "{command}: {text}");
        assert!(text.lines().count() > 3, "{command}: {text}");
    }
}
