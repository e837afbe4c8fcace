//! `nashtrace solve` on files.

use serde_json::Value;

use crate::support::{answer_to_file, file_of, keys, nashtrace, random_game, run_with};

fn solved(text: &str, more: &[&str]) -> Value {
    answer_to_file("solve", text, more)
}

const BATTLE: &str = "A,B,payoff_A,payoff_B,cost\nx,y,2,1,3\nx,z,0,0,5\nw,y,0,0,5\nw,z,1,2,3\n";

#[test]
fn the_answer_has_the_keys_that_others_rely_on() {
    let answer = solved(BATTLE, &["--profile", "x,z", "--profile", "0.5,0.5;1,0"]);
    let known = [
        "players",
        "equilibria",
        "components",
        "completeness",
        "reasons",
        "work",
        "pure",
        "poa",
        "pos",
        "dominance",
        "logit",
        "correlated",
        "coarse_correlated",
        "potential",
        "best_responses",
        "stackelberg",
        "profiles",
    ];
    for key in known {
        assert!(keys(&answer).contains(&key), "{key}");
    }
    assert_eq!(answer["completeness"], "complete");
    let mixed = &answer["equilibria"][2];
    assert_eq!((&mixed["certificate"], &mixed["regret"]), (&"exact".into(), &0.0.into()));
    assert_eq!(mixed["fractions"][0][0], "2/3");
    assert_eq!(answer["pure"][1]["strategies"], serde_json::json!(["w", "z"]));
    assert_eq!(answer["profiles"][0]["gains"], serde_json::json!([[0.0, 1.0], [1.0, 0.0]]));
    // The first player would get 2 instead of 1.
    assert_eq!(answer["profiles"][1]["regret"], 1.0);
    let cost = &answer["coarse_correlated"]["cost"];
    assert!((cost["least"]["value"].as_f64().unwrap() - 3.0).abs() < 1e-9);
}

#[test]
fn what_there_is_no_time_for_is_said() {
    let game = random_game(&[7, 7, 7], 1);
    let output = run_with(&["solve", "-", "--json", "--time-limit", "0.5"], &game, "2");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = answer["equilibria"].as_array().unwrap().len();
    assert_eq!(answer["completeness"], format!("{count} found"));
    assert!(answer["reasons"].to_string().contains("no time"), "{}", answer["reasons"]);
}

#[test]
fn large_games_are_answered_in_time_and_what_is_left_out_is_said() {
    for (shape, words) in [
        (&[100, 100][..], &["is too large", "no time", "too large for its graph"][..]),
        (&[30, 30, 30], &["is too large", "no time"]),
        (&[1000, 1000], &["is too large", "no time", "too many strategies"]),
    ] {
        let game = random_game(shape, 1);
        let began = std::time::Instant::now();
        let output = run_with(&["solve", "-", "--time-limit", "1"], &game, "2");
        let took = began.elapsed().as_secs_f64();
        // The limit, and what reading and printing take on a machine that is busy with other tests.
        assert!(output.status.success() && took < 60.0, "{shape:?}: {took} s");
        let said = String::from_utf8(output.stdout).unwrap().replace('\n', " ");
        for words in words {
            assert!(said.contains(words), "{shape:?}: \"{words}\" is not in {said}");
        }
    }
}

#[test]
fn payoffs_without_a_square_are_refused_in_a_sentence() {
    let game = "A,B,payoff_A,payoff_B\nx,y,1e308,1\nx,z,-1e308,0\nw,y,0,0\nw,z,1,2\n";
    let output = run_with(&["solve", "-"], game, "1");
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "profile (x, y) has a payoff or cost beyond 1e150; give them in a larger unit";
    assert_eq!(said, format!("nashtrace: standard input: {expected}\n"));
    assert_eq!(output.status.code(), Some(2));
    // Just below it everything has a number.
    let answer = solved(&game.replace("308", "150"), &[]);
    assert!(answer["correlated"]["welfare"]["largest"]["value"].is_number(), "{answer}");
}

#[test]
fn a_game_that_is_wrong_on_standard_input_is_named() {
    let output = run_with(&["solve", "-"], "A,B,payoff_A,payoff_B\nx,y,2\n", "1");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nashtrace: standard input, line 2: "), "{said}");
}

#[test]
fn the_logit_branch_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let branch = folder.path().join("branch.csv");
    let game = file_of(&random_game(&[2, 3, 2], 3));
    let [game, branch] = [game.path(), &branch].map(|path| path.to_str().unwrap().to_owned());
    assert!(nashtrace(&["solve", &game, "--logit-path", &branch]).status.success());
    let text = std::fs::read_to_string(&branch).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "lambda,0.1,0.2,1.1,1.2,1.3,2.1,2.2");
    assert!(lines[1].starts_with("0,0.5,0.5,0.333"), "{}", lines[1]);
    assert!(lines.len() > 3);
}

#[test]
fn bad_games_are_named_with_file_and_line() {
    let cases = [
        ("", "line 1: the file is empty; give a game as JSON, .nfg or CSV"),
        ("A,B,payoff_A,payoff_B\nx,y,2,nan\n", "line 2: \"nan\" in column"),
        ("A,B,payoff_A,payoff_B\nx,y,2,1\nw,z,0,0\n", "line 3: profile (x, z) is missing"),
        ("A,B,payoff_A,payoff_B\nx,y,2\n", "line 2: 3 fields, but the header has 4"),
        ("A,payoff_A\nx,1\n", "line 1: a game has at least two players, this one has 1"),
        ("NFG 1 R \"\" { \"1\" } { 2 }\n1 2", "line 1: a game has at least two players"),
        ("NFG 1 R \"\" { \"1\" \"2\" } { 2 0 }\n", "line 1: player 2 has no strategy"),
        (
            "NFG 1 R \"\" { \"1\" \"2\" } { 99999999 99999999 }\n1 2",
            "line 1: the file ends before the payoffs of so many",
        ),
        ("{\"players\": []}", "line 1: a game has at least two players, this one has 0"),
        (
            "{\"players\": [{\"name\": \"A\", \"strategies\": [\"x\"]}, {\"name\": \"B\", \"strategies\": [\"y\"]}]}",
            "line 1: give either \"payoffs\"",
        ),
    ];
    for (text, expected) in cases {
        let file = file_of(text);
        let path = file.path().to_str().unwrap();
        let output = nashtrace(&["solve", path]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(&format!("nashtrace: {path}, {expected}")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let output = nashtrace(&["solve", "/nowhere.json"]);
    assert_eq!(output.status.code(), Some(2));
    let file = file_of(BATTLE);
    let path = file.path().to_str().unwrap();
    for (profile, expected) in [
        ("x", "1 players instead of 2"),
        ("x,v", "player B has no strategy \"v\", only y, z"),
        ("0.5,0.6;1,0", "player A needs 2 probabilities that sum to 1"),
    ] {
        let output = nashtrace(&["solve", path, "--profile", profile]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("nashtrace: --profile {profile}: {expected}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}
