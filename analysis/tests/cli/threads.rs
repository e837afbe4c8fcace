//! The same input and seed give the same bytes on any number of threads.

use serde_json::{Value, json};

use crate::support::{random_game, record, run_with};

/// Assert that a command says the same on one thread and on two, and that it says something.
fn assert_same(arguments: &[&str], input: &str) {
    let mut all = arguments.to_vec();
    all.push("--json");
    let [one, two] = ["1", "2"].map(|threads| run_with(&all, input, threads));
    let said = String::from_utf8_lossy(&one.stderr);
    assert!(one.stdout.len() > 20, "{arguments:?} says nothing: {said}");
    assert_eq!(one.status, two.status, "{arguments:?}");
    assert!(one.stdout == two.stdout, "{arguments:?} depends on the number of threads");
    serde_json::from_slice::<Value>(&one.stdout).unwrap();
}

/// Numbers between 0 and 1 that look random.
fn chaos(count: usize) -> Vec<f64> {
    let mut x = 0.271;
    let next = || {
        x = 3.97 * x * (1.0 - x);
        x
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A game with three players, measured in six blocks.
fn measured_game() -> String {
    let mut noise = chaos(1000).into_iter();
    let mut profiles = Vec::new();
    for profile in 0..8 {
        let choices = [profile >> 2 & 1, profile >> 1 & 1, profile & 1];
        let replicate = |block: usize| {
            let costs = choices.map(|own| 5.0 + f64::from(own) + noise.next().unwrap());
            let payoffs = costs.map(|cost| -cost);
            json!({"block": block, "payoffs": payoffs, "cost": costs.iter().sum::<f64>()})
        };
        let replicates: Vec<Value> = (0..6).map(replicate).collect();
        profiles.push(json!({"profile": choices.map(|c| c.to_string()), "replicates": replicates}));
    }
    let player = |name: &str| json!({"name": name, "strategies": ["0", "1"]});
    json!({"players": [player("R"), player("P"), player("M")], "profiles": profiles}).to_string()
}

#[test]
fn games() {
    let unhurried = ["solve", "-", "--seed", "5", "--time-limit", "600"];
    assert_same(&unhurried, &random_game(&[3, 3, 3], 11));
    assert_same(&unhurried, &random_game(&[4, 5], 12));
    let baseline = ["--baseline", "R=0,P=0,M=0", "--resamples", "200", "--leader", "P"];
    assert_same(&[&unhurried[..], &baseline].concat(), &measured_game());
}

#[test]
fn coalitions() {
    let mut noise = chaos(200).into_iter();
    let mut table = "coalition,value,block\n".to_owned();
    for block in 1..=5 {
        for name in ["nobody", "a", "b", "c", "a+b", "a+c", "b+c", "a+b+c"] {
            let value = name.len() as f64 + noise.next().unwrap();
            table += &format!("{name},{value},{block}\n");
        }
    }
    assert_same(&["shapley", "-", "--seed", "3"], &table);
}

#[test]
fn congestion() {
    let row = |(load, noise): (usize, f64)| {
        let (load, pool) = (load % 20 + 1, if load < 20 { "prefill" } else { "decode" });
        let load = load as f64;
        format!("{pool},{load},{}\n", 2.0 + 0.5 * load + 0.005 * load * load + 0.1 * noise)
    };
    let rows: String = chaos(40).into_iter().enumerate().map(row).collect();
    let table = format!("resource,load,latency\n{rows}");
    for game in [
        &["--model", "affine", "--demand", "12"][..],
        &["--model", "step", "--players", "9"],
        &["--model", "polynomial", "--weights", "1,2,3"],
        &["--model", "mm1", "--game", "two-pool", "--loads", "2,9", "--stages", "1,20"],
    ] {
        assert_same(&[&["congestion", "-"][..], game].concat(), &table);
    }
}

#[test]
fn the_selftest() {
    assert_same(&["selftest", "--data-sets", "3", "--seed", "9"], "");
}

#[test]
fn series() {
    let rows: String = chaos(300)
        .into_iter()
        .enumerate()
        .map(|(t, noise)| {
            let t = t as f64;
            format!(
                "{},{},{}\n",
                t + 1.0,
                noise + (t / 6.0).sin(),
                (t - 150.0).max(0.0) + 3.0 + noise
            )
        })
        .collect();
    let table = format!("t,x,y\n{rows}");
    for test in [
        &["adf"][..],
        &["kpss"],
        &["pelt", "--model", "l1"],
        &["pelt", "--model", "l2"],
        &["pelt", "--model", "normal"],
        &["pelt", "--model", "rbf"],
        &["cusum"],
        &["oscillation", "--surrogates", "199"],
        &["acf"],
        &["acf", "--against", "y"],
    ] {
        assert_same(&[&["stats", test[0], "-", "--column", "x"], &test[1..]].concat(), &table);
    }
    assert_same(&["stats", "knee", "-", "--column", "y", "--against", "t", "--linear"], &table);
    assert_same(&["equilibrium", "-", "--column", "x", "--column", "y"], &table);
}

#[test]
fn a_trace() {
    let choices = chaos(400).into_iter().map(|x| u32::from(x > 0.5));
    let recorded = record(|session| {
        for (id, chosen) in (1..).zip(choices) {
            session.decision(id, &[(0, 0), (2, 1)], chosen, 0.5);
        }
    });
    assert_same(&["equilibrium", recorded.run_folder()], "");
    assert_same(&["regret", recorded.run_folder()], "");
}

#[test]
fn fronts_and_designs() {
    let noise = chaos(180);
    let rows = noise.chunks(3).enumerate().map(|(row, noise)| {
        let place = (row % 12) as f64 / 12.0;
        let [a, b] = [place + 0.1 * noise[0], 1.0 - place + 0.1 * noise[1]];
        format!("p{},{place},{a},{b},{}\n", row % 12, noise[2])
    });
    let table = format!("profile,k,a,b,c\n{}", rows.collect::<String>());
    let objectives = ["--objectives", "a:min,b:min,c:max", "--reference", "a=2,b=2,c=-1"];
    assert_same(&[&["pareto", "-"][..], &objectives].concat(), &table);
    let replicates = ["pareto", "-", "--configuration", "profile"];
    assert_same(&[&replicates[..], &objectives].concat(), &table);
    let knobs = ["--knob", "k=0:1", "--seed", "4"];
    let next = ["design", "next", "-", "--objectives", "a:min,b:min", "--reference", "a=2,b=2"];
    assert_same(&[&next[..], &knobs].concat(), &table);
    assert_same(
        &[&["design", "lhs", "--points", "20", "--time-limit", "600"], &knobs[..]].concat(),
        "",
    );
    assert_same(&[&["design", "sobol", "--points", "16"], &knobs[..]].concat(), "");
    assert_same(&["design", "next", "-", "--game", "--count", "3"], &measured_game());
    assert_same(&["design", "factorial", "--knob", "a=1,2", "--knob", "b=x,y"], "");
}
