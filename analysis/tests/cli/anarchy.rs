//! `nashtrace solve`'s sections of anarchy, and `shapley`, `congestion` and `selftest`, on files.

use serde_json::{Value, json as value};

use crate::support::{answer_to_file as answered, complaint_about as complaint, json, nashtrace};

/// Two prisoners, who pay with years.
const PRISONERS: &str = "A,B,payoff_A,payoff_B,cost\nsilent,silent,-1,-1,2\nsilent,talk,-3,0,3\n\
                         talk,silent,0,-3,3\ntalk,talk,-2,-2,4\n";

fn close(found: &Value, expected: f64) {
    let number = found.as_f64().unwrap_or_else(|| panic!("{found} instead of {expected}"));
    assert!((number - expected).abs() < 1e-6, "{number} instead of {expected}");
}

#[test]
fn two_prisoners_pay_twice_the_optimum() {
    let answer = answered("solve", PRISONERS, &["--baseline", "A=silent,B=silent"]);
    let poa = &answer["poa"];
    for price in [&poa["point"], &answer["pos"]["point"], &poa["worst_coarse_correlated"]] {
        close(price, 2.0);
    }
    assert_eq!(poa["optimum"], value!([0, 0]));
    assert_eq!((&poa["verdict"], &poa["low"]), (&value!("point only"), &Value::Null));
    let potential = &answer["potential"];
    assert_eq!((&potential["exact"], &potential["ordinal"]), (&value!(true), &value!(true)));
    let differences: Vec<f64> =
        potential["potential"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
    for (at, expected) in [(1, 1.0), (2, 1.0), (3, 2.0)] {
        close(&value!(differences[at] - differences[0]), expected);
    }
    assert_eq!(answer["best_responses"]["strict"]["acyclic"], true);
    let players = &answer["shapley"]["players"];
    for player in [0, 1] {
        close(&players[player]["value"], -1.0);
    }
}

#[test]
fn who_commits_to_a_mixture_gets_more() {
    // Conitzer and Sandholm's example (2006): 2 in equilibrium, 3 by a pure commitment, 3.5 by a mixed one.
    let game = "L,F,payoff_L,payoff_F\nup,left,2,1\nup,right,4,0\ndown,left,1,0\ndown,right,3,1\n";
    let answer = answered("solve", game, &["--leader", "L", "--noise", "0"]);
    let leaders = answer["stackelberg"].as_array().unwrap();
    assert_eq!((leaders.len(), &leaders[0]["leader"]), (1, &value!("L")));
    close(&leaders[0]["pure"]["optimistic"]["value"], 3.0);
    close(&leaders[0]["mixed"]["optimistic"]["value"], 3.5);
    close(&leaders[0]["mixed"]["optimistic"]["mixture"][0], 0.5);
    close(&leaders[0]["correlated"], 3.5);
    assert_eq!(answer["poa"]["verdict"], "NO SOCIAL COST");
    assert_eq!(answer["poa"]["point"], Value::Null);
    assert!(!answer.as_object().unwrap().contains_key("shapley"));
}

#[test]
fn replicates_in_blocks_bound_the_price() {
    let mut profiles = Vec::new();
    for (a, b, costs) in [
        ("silent", "silent", [1.0, 1.0]),
        ("silent", "talk", [3.0, 0.5]),
        ("talk", "silent", [0.5, 3.0]),
        ("talk", "talk", [2.0, 2.0]),
    ] {
        let replicate = |block: usize| {
            let [one, two] = costs.map(|cost| cost * (1.0 + 0.01 * (block % 3) as f64));
            value!({"block": block, "payoffs": [-one, -two], "cost": one + two})
        };
        let replicates: Vec<Value> = (0..6).map(replicate).collect();
        profiles.push(value!({"profile": [a, b], "replicates": replicates}));
    }
    let player = |name: &str| value!({"name": name, "strategies": ["silent", "talk"]});
    let game = value!({"players": [player("A"), player("B")], "profiles": profiles});
    let answer = answered("solve", &game.to_string(), &["--resamples", "50"]);
    let poa = &answer["poa"];
    assert_eq!((&poa["verdict"], &poa["blocks"]), (&value!("identified"), &value!(6)));
    for end in ["low", "high"] {
        // What the blocks have in common cancels.
        close(&poa["pure"][end], 2.0);
        close(&poa[end], 2.0);
    }
    assert_eq!(poa["certain_equilibria"], value!([[1, 1]]));
    assert_eq!(poa["resamples"], 50);
}

#[test]
fn the_next_profile_is_named_with_its_block() {
    let mut rows = String::new();
    let names = ["silent", "talk"];
    for (profile, costs) in [[1.0, 1.0], [3.0, 0.5], [0.5, 3.0], [2.0, 2.0]].iter().enumerate() {
        for block in 0..8 {
            // The costly equilibrium scatters, and the last block lacks it.
            let wobble = if profile == 3 { 0.1 * f64::from(block % 3) } else { 0.0 };
            let [one, two] = costs.map(|cost| cost * (1.0 + wobble));
            if (profile, block) != (3, 7) {
                let (a, b) = (names[profile / 2], names[profile % 2]);
                rows += &format!("{a},{b},{},{},{},day {block}\n", -one, -two, one + two);
            }
        }
    }
    let game = format!("A,B,payoff_A,payoff_B,cost,block\n{rows}");
    let file = crate::support::file_of(&game);
    let path = file.path().to_str().unwrap();
    let (answer, code) = json(&["design", "next", "--game", path, "--count", "2", "--json"]);
    assert_eq!((code, answer["points"].as_array().unwrap().len()), (Some(0), 2));
    let first = &answer["points"][0];
    let named = ["A", "B", "block", "missing_in_block"].map(|key| first[key].clone());
    assert_eq!(named, [value!("talk"), value!("talk"), value!("day 7"), value!(1)]);
    assert!(first["shrinkage"].as_f64().unwrap() > 0.0);
    let high = |value: &Value| value["high"].as_f64().unwrap();
    assert!(high(&answer["poa_with_one_more_block"]) < high(&answer["poa"]));
    let file = crate::support::file_of(PRISONERS);
    let output = nashtrace(&["design", "next", "--game", file.path().to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the game has no replicates"), "{said}");
}

#[test]
fn flags_that_name_nobody_are_refused() {
    let only = "player A has no strategy \"x\", only silent, talk";
    let cases = [
        (["--baseline", "A=x"], format!("--baseline A=x: {only}")),
        (["--baseline", "C=x"], "--baseline C=x: there is no player \"C\"".to_owned()),
        (["--baseline", "A"], "--baseline A: write PLAYER=STRATEGY".to_owned()),
        (["--leader", "C"], "--leader C: there is no such player".to_owned()),
        (["--noise", "2"], "--noise 2: a probability is from 0 to 1".to_owned()),
    ];
    for (flags, expected) in cases {
        let (_, said) = complaint("solve", PRISONERS, &flags, 2);
        assert_eq!(said, format!("nashtrace: {expected}\n"));
    }
}

#[test]
fn gloves_are_shared_by_who_has_the_scarce_one() {
    let gloves = "coalition,value\nnobody,0\na,0\nb,0\nc,0\na+b,0\na+c,1\nb+c,1\na+b+c,1\n";
    let answer = answered("shapley", gloves, &[]);
    for (player, share) in [(0, 1.0 / 6.0), (1, 1.0 / 6.0), (2, 2.0 / 3.0)] {
        close(&answer["shapley"][player]["value"], share);
    }
    assert_eq!(answer["core"]["is_in_core"], false);
    assert_eq!(answer["coalitions"].as_array().unwrap().len(), 8);
    assert_eq!(answer["intervals_from"], Value::Null);
    let measured =
        "coalition,value,block\nnobody,0,1\na,1,1\nnobody,10,2\na,11.5,2\nnobody,5,3\na,5.5,3\n";
    let answer = answered("shapley", measured, &[]);
    let share = &answer["shapley"][0];
    close(&share["value"], 1.0);
    // Student's t with two degrees of freedom: 4.302653 x 0.5 / sqrt 3.
    let half = 4.302_652_73 * 0.5 / 3_f64.sqrt();
    close(&share["interval"]["low"], 1.0 - half);
    close(&share["interval"]["high"], 1.0 + half);
    assert_eq!(
        (&answer["intervals_from"], &answer["blocks"]),
        (&value!("paired blocks"), &value!(3))
    );
}

#[test]
fn bad_coalitions_are_named_with_their_line() {
    let cases = [
        ("", "line 1: "),
        ("coalition,worth\na,1\n", "line 1: "),
        ("coalition,value\nnobody,0\na,x\n", "line 3: "),
        ("coalition,value\nnobody,0\na,1\na+b,2\n", "line 4: coalition b has no value"),
        ("coalition,value\nnobody,0\na+,1\n", "line 3: a member between + and + has no name"),
        ("coalition,value\nnobody,0\na+a,1\n", "line 3: \"a\" is named twice"),
        (
            "{\"players\": [\"a\"], \"values\": [{\"coalition\": [\"b\"], \"value\": 1}]}",
            "line 1: \"b\"",
        ),
    ];
    for (text, expected) in cases {
        let (path, said) = complaint("shapley", text, &[], 2);
        assert!(said.starts_with(&format!("nashtrace: {path}, {expected}")), "{said}");
    }
}

/// Pigou's example: one link of latency 1, one whose latency is its load.
const PIGOU: &str = "resource,load,latency\nwide,0.5,1\nwide,1,1\nwide,2,1\nwide,3,1\n\
                     narrow,0.5,0.5\nnarrow,1,1\nnarrow,2,2\nnarrow,3,3\n";

#[test]
fn pigou_s_links_cost_four_thirds() {
    let answer = answered("congestion", PIGOU, &["--model", "affine", "--demand", "1"]);
    close(&answer["resources"][1]["parameters"]["c1"]["value"], 1.0);
    let game = &answer["game"];
    close(&game["poa"]["point"], 4.0 / 3.0);
    let costs = [0, 1].map(|outcome| &game["outcomes"][outcome]["cost"]);
    close(costs[0], 1.0);
    close(costs[1], 0.75);
    let fitted = answered("congestion", PIGOU, &["--model", "affine"]);
    assert_eq!(fitted["game"], Value::Null);
    let whole = answered("congestion", PIGOU, &["--model", "affine", "--weights", "1,1"]);
    // One request on each link, or both on the wide one.
    close(&whole["game"]["outcomes"][2]["cost"], 2.0);
}

#[test]
fn refits_end_in_time_and_the_answer_says_so() {
    let hurried = ["--model", "affine", "--players", "2", "--time-limit", "1e-9"];
    let answer = answered("congestion", PIGOU, &hurried);
    let game = &answer["game"];
    assert!(game["poa"]["point"].is_number(), "{game}");
    let notes = game["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note.as_str().unwrap().starts_with("time was up: 0 of ")));
}

#[test]
fn latencies_that_cannot_be_fitted_are_refused() {
    let model = ["--model", "affine"];
    for (text, code, expected) in [
        ("", 2, "line 1: "),
        ("load,latency\n", 2, "line 1: there is no measurement below the header"),
        ("load,latency\n1,2\nx,2\n", 2, "line 3: "),
        ("resource,load,latency\n,1,2\n", 2, "line 2: no resource is named here"),
    ] {
        let (path, said) = complaint("congestion", text, &model, code);
        assert!(said.starts_with(&format!("nashtrace: {path}, {expected}")), "{said}");
    }
    let (path, said) = complaint("congestion", "load,latency\n1,2\n2,3\n", &model, 1);
    assert!(
        said.starts_with(&format!("nashtrace: {path}, resource resource: 2 measure")),
        "{said}"
    );
    let two_pool = ["--model", "affine", "--game", "two-pool"];
    let (_, said) = complaint("congestion", PIGOU, &two_pool, 2);
    assert_eq!(said, "nashtrace: two-pool needs --loads and --stages with two numbers each\n");
    let caching = ["--model", "affine", "--game", "caching", "--size", "1"];
    let (_, said) = complaint("congestion", PIGOU, &caching, 2);
    assert_eq!(said, "nashtrace: this game needs measurements of a resource \"store\"\n");
}

#[test]
fn loads_and_prices_that_cannot_be_meant_are_refused() {
    for (option, expected) in [
        ("--loads=nan,4", "--loads NaN: a load must be zero or above"),
        ("--loads=-1,4", "--loads -1: a load must be zero or above"),
        ("--saturated=-1", "--saturated -1: it must be at least 1"),
        ("--size=-100", "--size -100: it must be above zero"),
        ("--price=nan", "--price NaN: it must be zero or above"),
        ("--stages=1,inf", "--stages inf: it must be above zero"),
        ("--demand=-2", "--demand -2: it must be above zero"),
        ("--weights=1,0", "--weights 0: it must be above zero"),
    ] {
        let (_, said) = complaint("congestion", PIGOU, &["--model", "affine", option], 2);
        assert_eq!(said, format!("nashtrace: {expected}\n"));
    }
}

#[test]
fn selftest_counts_what_it_tried() {
    let arguments = ["selftest", "--data-sets", "3", "--seed", "5", "--json"];
    let (answer, code) = json(&arguments);
    let checks = answer["checks"].as_array().unwrap();
    let mut sections: Vec<&str> = checks.iter().map(|c| c["section"].as_str().unwrap()).collect();
    sections.dedup();
    let expected = [
        "Price of Anarchy",
        "Shapley values",
        "Potential",
        "Congestion models",
        "Series",
        "Intervals",
    ];
    assert_eq!(sections, expected);
    for check in checks {
        assert_eq!(check["data_sets"], 3);
        let share = check["hits"].as_f64().unwrap() / 3.0;
        close(&check["share"], share);
        let [low, high] = ["low", "high"].map(|end| check["accepted"][end].as_f64().unwrap());
        let chance = 2.6 * check["standard_error"].as_f64().unwrap();
        assert_eq!(check["ok"], (low - chance..=high + chance).contains(&share), "{check}");
    }
    let is_good = checks.iter().all(|check| check["ok"] == true);
    assert_eq!((&answer["ok"], code), (&value!(is_good), Some(i32::from(!is_good))));
    let table = String::from_utf8(nashtrace(&arguments[..5]).stdout).unwrap();
    assert!(table.contains("3 data sets each"), "{table}");
}
