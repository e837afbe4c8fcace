//! Several runs and several pools are told apart.

use serde_json::Value;

use crate::support::{example, json, keys, nashtrace, record};

#[test]
fn two_runs_are_not_pooled() {
    let first = example();
    let second = record(|session| {
        session.decision(1, &[(0, 0), (9, 0)], 0, 0.0); // 9 blocks given up
    });
    // Both runs have a request id-1, but only the first one's outcome is known.
    first.write_outcomes(&[(1, 10.0)]);
    let (answer, code) =
        json(&["regret", first.run_folder(), second.run_folder(), first.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!((&answer["run"], &answer["decisions"]), (&Value::Null, &5.into()));
    assert_eq!(answer["overlap"]["total"], 19.0);
    assert_eq!((&answer["over_time"], &answer["realised"]), (&Value::Null, &Value::Null));
    assert!(answer["warnings"][0].as_str().unwrap().starts_with("these are 2 runs taken together"));
    let pools: Vec<&str> = pool_names(&answer);
    let mut expected = [&first, &second].map(|run| format!("{}: pool", run.run_folder()));
    expected.sort_by_key(|name| *name != pools[0]);
    assert_eq!(pools, expected);

    let runs = answer["runs"].as_array().unwrap();
    assert_eq!(
        (&runs[0]["run"], &runs[1]["run"]),
        (&first.run_folder().into(), &second.run_folder().into())
    );
    assert_eq!((&runs[0]["decisions"], &runs[1]["decisions"]), (&4.into(), &1.into()));
    assert_eq!(runs[0]["realised"]["joined"], 1);
    assert_eq!(runs[1]["realised"], Value::Null);
    let (alone, _) = json(&["regret", second.run_folder(), "--json"]);
    assert_eq!(runs[1], alone);
}

#[test]
fn tables_of_several_runs_come_under_their_names() {
    let (first, second) = (example(), example());
    let output = nashtrace(&["regret", first.run_folder(), second.run_folder()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("Run ")).collect();
    assert_eq!(headings, [&first, &second].map(|run| format!("Run {}", run.run_folder())));
}

#[test]
fn pools_are_different_games() {
    let recorded = record(|session| {
        for id in 1..=4 {
            session.in_pool("prefill").decision(id, &[(0, 0), (4, 1)], 1, 0.0);
            session.in_pool("decode").decision(id, &[(0, 0), (2, 1)], (id % 2) as u32, 0.0);
        }
    });
    recorded.write_outcomes(&[(1, 10.0), (2, 20.0), (3, 30.0), (4, 40.0)]);
    let (answer, code) = json(&["regret", recorded.run_folder(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(answer["decisions"], 8);
    // The most concentrated pool comes first, and is the one whose herding stands above.
    assert_eq!(pool_names(&answer), ["prefill", "decode"]);
    assert_eq!(answer["herding"], answer["pools"][0]["herding"]);
    assert_eq!((&answer["over_time"], &answer["realised"]), (&Value::Null, &Value::Null));
    let [prefill, decode] = [&answer["pools"][0], &answer["pools"][1]];
    assert_eq!((&prefill["decisions"], &decode["decisions"]), (&4.into(), &4.into()));
    assert_eq!(
        (&prefill["herding"]["gini"], &decode["herding"]["gini"]),
        (&0.5.into(), &0.0.into())
    );
    assert_eq!(
        (&prefill["overlap"]["total"], &decode["overlap"]["total"]),
        (&0.0.into(), &4.0.into())
    );
    // Decode gave up its blocks for requests 2 and 4, and its own regrets are what is compared.
    let with_regret =
        |pool: &Value| pool["realised"]["with_overlap_regret"]["ttft_mean_ms"].clone();
    assert_eq!((with_regret(prefill), with_regret(decode)), (Value::Null, 30.0.into()));
    // Shares are of the pool's decisions.
    let share = |index: usize| answer["by_worker"][index]["share"].as_f64().unwrap();
    assert_eq!([share(0), share(1), share(2), share(3)], [0.0, 1.0, 0.5, 0.5]);
    assert_eq!(keys(&prefill["by_reason"]), ["cache_hit"]);
}

fn pool_names(answer: &Value) -> Vec<&str> {
    let pools = answer["pools"].as_array().unwrap();
    pools.iter().map(|pool| pool["pool"].as_str().unwrap()).collect()
}
