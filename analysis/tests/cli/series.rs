//! Series, fronts and designs: what the commands answer, and what they say to input that has no answer.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{command_of, json, keys, record};

/// Run `nashtrace` with a table as standard input.
fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = command_of(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn answer(arguments: &[&str], input: &str) -> Value {
    let output = with_input(arguments, input);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The sentence and the exit code of a command that has no answer.
fn complaint(arguments: &[&str], input: &str) -> (String, Option<i32>) {
    let output = with_input(arguments, input);
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    (sentence.trim_end().trim_start_matches("nashtrace: ").to_owned(), output.status.code())
}

fn table(header: &str, values: impl IntoIterator<Item = f64>) -> String {
    let lines: String = values.into_iter().map(|value| format!("{value}\n")).collect();
    format!("{header}\n{lines}")
}

/// A chaotic series without a trend: the logistic map.
fn chaos(n: usize) -> Vec<f64> {
    let mut x = 0.3141;
    let next = || {
        x = 3.99 * x * (1.0 - x);
        x
    };
    std::iter::repeat_with(next).take(n).collect()
}

#[test]
fn series_have_the_promised_keys() {
    let input = table("x", chaos(200));
    let adf = answer(&["stats", "adf", "-", "--column", "x", "--json"], &input);
    assert!(adf["p_value"].as_f64().unwrap() < 0.01);
    assert!(adf["statistic"].is_f64() && adf["lags"].is_u64());
    assert_eq!(keys(&adf["critical"]), ["1%", "5%", "10%"]);
    let kpss = answer(&["stats", "kpss", "-", "--json"], &input);
    assert_eq!(keys(&kpss["critical"]), ["10%", "5%", "2.5%", "1%"]);
    let pelt =
        ["stats", "pelt", "-", "--model", "l2", "--penalty", "0.1", "--min-size", "2", "--json"];
    let pelt = answer(&pelt, "0\n1\n0\n0\n1\n");
    assert_eq!((&pelt["changepoints"], &pelt["min_size"]), (&Value::Array(vec![]), &2.into()));
    assert!((pelt["total_cost"].as_f64().unwrap() - 1.2).abs() < 1e-12);
    assert_eq!(pelt["penalty"], 0.1);
    let wave = table("x", (0..500).map(|t| (f64::from(t) / 8.0).sin()));
    let found = answer(&["stats", "oscillation", "-", "--surrogates", "199", "--json"], &wave);
    assert_eq!(found["oscillating"], true);
    let period = found["period"].as_f64().unwrap();
    assert!((period - 16.0 * std::f64::consts::PI).abs() < 1.0, "{period}");
    assert!(found["r"].as_f64().unwrap() > 1.0 && found["surrogate_p"].as_f64().unwrap() < 0.01);
}

#[test]
fn series_without_an_answer_are_refused_in_one_sentence() {
    let constant = table("x", [3.0; 60]);
    for test in ["adf", "kpss", "cusum", "oscillation", "acf"] {
        let (sentence, code) = complaint(&["stats", test, "-"], &constant);
        assert_eq!(
            (sentence.as_str(), code),
            (
                "standard input: column x: the series is constant: all its 60 values are equal",
                Some(1)
            ),
            "{test}"
        );
        let (sentence, code) = complaint(&["stats", test, "-"], "x\n1\n");
        assert!(sentence.contains("the series has 1 values and this needs at least"), "{sentence}");
        assert_eq!(code, Some(1), "{test}");
        let (sentence, code) = complaint(&["stats", test, "-"], "t,x\n1,2\n2,\n");
        assert_eq!(code, Some(2));
        assert!(sentence.starts_with("standard input: say which --column: t, x"), "{sentence}");
        let (sentence, code) = complaint(&["stats", test, "-", "--column", "x"], "t,x\n1,2\n2,\n");
        assert_eq!(code, Some(2));
        assert!(
            sentence.starts_with("standard input: line 3: column x has no value"),
            "{sentence}"
        );
    }
    let line = table("x", (0..60).map(f64::from));
    let (sentence, code) = complaint(&["stats", "adf", "-"], &line);
    assert!(sentence.contains("no unique solution"), "{sentence}");
    assert_eq!(code, Some(1));
    let (sentence, code) = complaint(&["stats", "adf", "-", "--lags", "40"], &line);
    assert!(sentence.contains("40 lags are too many for 60 values"), "{sentence}");
    assert_eq!(code, Some(2));
    let knee = ["stats", "knee", "-", "--column", "y", "--against", "x"];
    let (sentence, _) = complaint(&knee, "x,y\n1,1\n0,2\n3,3\n");
    assert!(sentence.contains("line 3: column x has 0, which has no logarithm"), "{sentence}");
}

#[test]
fn fronts_have_the_promised_keys() {
    let points = "a,b\n1,1\n0,3\n2,2\n3,4\n";
    let arguments =
        ["pareto", "-", "--objectives", "a:min,b:max", "--reference", "a=4,b=0", "--json"];
    let found = answer(&arguments, points);
    assert_eq!(found["front"], serde_json::json!([1, 3]));
    assert_eq!(found["hypervolume"], 13.0);
    assert_eq!(found["reference"]["verdict"], "outside the front");
    let inside = ["pareto", "-", "--objectives", "a:min,b:max", "--reference", "a=2,b=0", "--json"];
    let found = answer(&inside, points);
    assert_eq!(found["reference"]["verdict"], "inside the front");
    assert_eq!(found["reference"]["front_rows_beyond"], serde_json::json!([3]));
    let plain = ["pareto", "-", "--objectives", "a:min,b:max"];
    let (sentence, code) = complaint(&plain, "a,b\n1,1\n2,-inf\n");
    assert_eq!(
        (sentence.as_str(), code),
        ("standard input: line 3: column b has \"-inf\"; a finite number is needed", Some(2))
    );
    let lacking = ["pareto", "-", "--objectives", "a:min,b:max", "--reference", "a=1"];
    assert_eq!(complaint(&lacking, points), ("--reference has no value for b".into(), Some(2)));
}

#[test]
fn designs_are_repeatable() {
    let arguments = ["design", "lhs", "--knob", "a=1:100:log", "--knob", "b=-1:1", "--points", "9"];
    let first = with_input(&arguments, "").stdout;
    assert_eq!(first, with_input(&arguments, "").stdout);
    let text = String::from_utf8(first).unwrap();
    assert_eq!((text.lines().next(), text.lines().count()), (Some("a,b"), 10));
    let measured = "k,y\n0,4\n0.5,1\n2,9\n";
    let next = ["design", "next", "-", "--knob", "k=0:1", "--objectives", "y:min", "--reference"];
    let next: Vec<&str> = next.into_iter().chain(["y=9"]).collect();
    let (sentence, _) = complaint(&next, measured);
    assert_eq!(sentence, "standard input: line 4: k is 2, outside 0 to 1");
    let (sentence, code) = complaint(&["design", "sobol"], "");
    assert_eq!(
        (sentence.as_str(), code),
        ("a design needs a knob, such as --knob temperature=0:1", Some(2))
    );
    let (sentence, code) = complaint(&["pareto", "-"], measured);
    assert!(sentence.starts_with("name the objectives") && code == Some(2), "{sentence}");
}

#[test]
fn a_table_is_in_equilibrium_or_the_test_that_failed_is_named() {
    let rows: String = chaos(300).iter().map(|x| format!("{x},0.01\n")).collect();
    let input = format!("x,regret\n{rows}");
    let arguments = ["equilibrium", "-", "--regret", "regret", "--json"];
    let found = answer(&arguments, &input);
    assert_eq!(
        (&found["verdict"], &found["failed"]),
        (&"in_equilibrium".into(), &Value::Array(vec![]))
    );
    let strict: Vec<&str> = arguments.into_iter().chain(["--epsilon", "0.001"]).collect();
    let found = answer(&strict, &input);
    assert_eq!(found["verdict"], "not_in_equilibrium");
    assert_eq!(found["failed"][0]["test"], "nobody would move");
    let found = answer(&["equilibrium", "-", "--column", "x", "--json"], &input);
    assert_eq!(found["verdict"], "not_decided");
}

#[test]
fn a_trace_is_judged_by_its_series_and_its_regret() {
    let ids = || 1..=1500;
    let choices: Vec<u32> = chaos(1500).iter().map(|x| u32::from(*x > 0.5)).collect();
    let recorded = record(|session| {
        for (id, chosen) in ids().zip(&choices) {
            session.decision(id, &[(0, 0), (0, 0)], *chosen, 0.0);
        }
    });
    let outcomes: Vec<(u64, f64)> = ids().zip(chaos(1500)).collect();
    recorded.write_outcomes(&outcomes);
    let (found, code) = json(&["equilibrium", recorded.run_folder(), "--json"]);
    assert_eq!(code, Some(0));
    let part = &found["parts"][0];
    let names: Vec<&str> =
        part["series"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "decision rate, 1/s",
            "predicted regret, KV blocks",
            "cached share of prompts",
            "queue wait, ms",
            "TTFT, ms",
            "share of worker 0",
            "share of worker 1"
        ]
    );
    assert_eq!(part["series"][0]["n"], 75);
    assert_eq!(part["series"][1]["nature"], "constant");
    assert_eq!(part["series"][4]["nature"], "stationary");
    assert_eq!(part["regret"]["nobody_would_move"], true);
    let regretted = record(|session| {
        for (id, _) in ids().zip(&choices) {
            session.decision(id, &[(0, 0), (4, 0)], 0, 0.0);
        }
    });
    let (found, _) = json(&["equilibrium", regretted.run_folder(), "--json"]);
    assert_eq!(found["verdict"], "not_in_equilibrium");
    let failed = found["failed"].as_array().unwrap();
    assert_eq!(failed[failed.len() - 1]["test"], "nobody would move");
    assert_eq!(found["parts"][0]["regret"]["value"], 4.0);
}

#[test]
fn squares_that_overflow_are_refused() {
    let huge = table("x", (0..100).map(|t| if t % 3 == 0 { 1e308 } else { -1e308 }));
    let close = table("x", (0..100).map(|t| f64::from(t % 7) * 1e-200));
    for test in ["adf", "kpss", "pelt", "cusum", "oscillation", "acf"] {
        let (sentence, code) = complaint(&["stats", test, "-"], &huge);
        let why = "squares of 1e308 are beyond double precision: scale the series";
        assert_eq!(
            (sentence, code),
            (format!("standard input: column x: {why}"), Some(1)),
            "{test}"
        );
        let (sentence, code) = complaint(&["stats", test, "-"], &close);
        assert!(sentence.contains("squares of 6e-200 are beyond"), "{test}: {sentence}");
        assert_eq!(code, Some(1), "{test}");
    }
    let points = "a,b\n-1e308,1e308\n1e308,-1e308\n";
    let found = answer(
        &[
            "pareto",
            "-",
            "--objectives",
            "a:min,b:min",
            "--reference",
            "a=1.1e308,b=1.1e308",
            "--json",
        ],
        points,
    );
    assert_eq!(found["hypervolume"], Value::Null);
    assert!(found["completeness"].as_str().unwrap().starts_with("overflows"), "{found}");
    assert_eq!(found["contributions"], Value::Null);
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let twice = ["pareto", "-", "--objectives", "a:min,a:max"];
    let (sentence, code) = complaint(&twice, "a,b\n1,2\n3,4\n");
    assert_eq!((sentence.as_str(), code), ("--objectives names a twice", Some(2)));
    for epsilon in ["nan", "-1", "inf"] {
        let option = format!("--epsilon={epsilon}");
        let output = with_input(&["equilibrium", "-", &option], "a\n1\n2\n");
        assert_eq!(output.status.code(), Some(2), "{epsilon}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("a number of 0 or more"), "{text}");
    }
}

#[test]
fn a_verdict_ends_in_time_and_says_what_it_lacks() {
    let input = table("x", chaos(2000));
    let hurried = ["equilibrium", "-", "--json", "--time-limit", "1e-9"];
    let found = answer(&hurried, &input);
    assert_eq!(found["completeness"], "time was up: 0 of 1 series were tested in full");
    let series = &found["parts"][0]["series"][0];
    assert_eq!((&series["stationary"], &series["steady"]), (&Value::Null, &Value::Null));
    assert_eq!(found["verdict"], "not_decided");
    let text = with_input(&["equilibrium", "-", "--time-limit", "1e-9"], &input);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("--time-limit allows for more"), "{text}");
    assert_eq!(answer(&["equilibrium", "-", "--json"], &input)["completeness"], "complete");
}

#[test]
fn a_search_for_oscillations_ends_in_time() {
    let wave = |t: i32| (f64::from(t) / 8.0).sin();
    let input = table("x", (0..2000).map(wave).zip(chaos(2000)).map(|(a, b)| a + b));
    let found = answer(&["stats", "oscillation", "-", "--json", "--time-limit", "1e-9"], &input);
    assert_eq!(found["completeness"], "time was up: 0 of 999 surrogates, too few to decide");
    assert_eq!((&found["oscillating"], &found["surrogates"]), (&Value::Null, &0.into()));
    let whole = answer(&["stats", "oscillation", "-", "--json"], &input);
    assert_eq!((&whole["completeness"], &whole["oscillating"]), (&"complete".into(), &true.into()));
}
