use super::*;

const GOOD: &str = r#"name = "two"
seed = 7
blocks = 3
leader = "planner"
[driver]
kind = "lab"
scenario = "scenario.toml"
[[players]]
name = "router"
default = "warm"
baseline = "cold"
intelligent = "warm"
[[players.strategies]]
name = "cold"
set = { "router.temperature" = 0.0 }
[[players.strategies]]
name = "warm"
set = { router = { temperature = 0.2 } }
[[players]]
name = "planner"
utility = { requests_per_s = 1.0 }
[[players.strategies]]
name = "1+7"
[[players.strategies]]
name = "2+6"
[[players.strategies]]
name = "3+5"
[[loads]]
name = "low"
value = 19.0
set = { "arrivals.rate" = 19.0 }
[[loads]]
name = "high"
value = 152
[welfare]
cost = "e2e_ms_per_output_token"
[objectives]
ttft_p99_ms = "min"
reference = { ttft_p99_ms = 500 }
"#;

fn fault(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    Design::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_design_is_read_with_what_it_leaves_out() {
    let design = Design::parse(GOOD).unwrap();
    assert_eq!((design.profiles(), design.blocks, design.discard), (6, 3, 0.1));
    assert_eq!(design.plan, SamplePlan::Factorial);
    assert_eq!((design.leader, design.default_profile()), (Some(1), vec![1, 0]));
    assert_eq!(design.players[0].utility["tbt_p95_ms"], -1.0);
    assert_eq!(design.players[0].baseline, Some(0));
    assert_eq!(design.objectives[0].reference, Some(500.0));
    assert_eq!(design.profile_number(&[1, 2]), 5);
    assert_eq!(design.strategy_names(&[1, 2]), ["warm", "3+5"]);
    let settings = design.settings(&[1, 0], 0);
    let keys: Vec<&str> = settings.keys().map(String::as_str).collect();
    assert_eq!(keys, ["arrivals.rate", "router.temperature"]);
}

#[test]
fn plans_have_their_forms() {
    let with = |plan: &str| Design::parse(&GOOD.replacen("seed = 7", plan, 1));
    assert_eq!(with("plan = { latin = 4 }").unwrap().plan, SamplePlan::Latin { profiles: 4 });
    for plan in ["\"all\"", "{ latin = 0 }", "{ latin = -3 }", "{ adaptive = 0 }", "7"] {
        let fault = with(&format!("plan = {plan}")).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "line 2: plan is \"factorial\", { latin = PROFILES } or { adaptive = RUNS }",
            "{plan}"
        );
    }
}

#[test]
fn every_broken_rule_is_named_with_its_line() {
    let cases = [
        ("seed = 7", "sede = 7", "line 2: unknown field `sede`"),
        ("blocks = 3", "blocks = 0", "line 3: blocks is at least 1"),
        ("blocks = 3", "blocks = 9999999999", "line 3: more than 10000000 runs"),
        ("blocks = 3", "blocks = 3\ndiscard = 1.0", "line 4: 1: discard is a share"),
        ("\"planner\"\n[driver]", "\"nobody\"\n[driver]", "line 4: the leader \"nobody\" is no"),
        ("kind = \"lab\"", "kind = \"moon\"", "line 6: \"moon\" is no kind of driver"),
        ("scenario = \"scenario.toml\"", "", "line 5: the driver \"lab\" needs scenario"),
        (
            "[[players]]\nname = \"router\"",
            "cooling_seconds = 1\n[[players]]\nname = \"router\"",
            "line 8: cooling_seconds belongs to the driver \"command\"",
        ),
        (
            "default = \"warm\"",
            "default = \"hot\"",
            "line 10: default \"hot\" is no strategy of player router; these are cold, warm",
        ),
        ("intelligent = \"warm\"", "", "line 8: player router needs both baseline and intelligent"),
        (
            "name = \"warm\"",
            "name = \"cold\"",
            "line 17: two strategies of player router are called \"cold\"",
        ),
        (
            "{ router = { temperature = 0.2 } }",
            "{ seed = 2 }",
            "line 16: a strategy cannot set \"seed\"",
        ),
        (
            "name = \"planner\"\nutility",
            "name = \"router\"\nutility",
            "line 20: two players are called \"router\"",
        ),
        (
            "name = \"planner\"\nutility = { requests_per_s = 1.0 }",
            "name = \"auditor\"",
            "line 19: player auditor has no utility",
        ),
        ("requests_per_s = 1.0", "requests_per_s = nan", "line 21: NaN: a weight is finite"),
        (
            "requests_per_s = 1.0",
            "requests_per_s = 0.0",
            "line 19: the utility of player planner has no weight",
        ),
        (
            "requests_per_s",
            "rps",
            "line 21: there is no metric \"rps\"; the metrics are requests, ",
        ),
        (
            "name = \"2+6\"",
            "name = \"2+6\"\nset = { router = { temperature = 1 } }",
            "line 19: planner and router both set \"router.temperature\"",
        ),
        (
            "\"arrivals.rate\" = 19.0",
            "router = { temperature = 1 }",
            "line 28: the load sets \"router.temperature\", which is a player's",
        ),
        ("value = 152", "value = 3", "line 34: 3: loads stand by rising value"),
        ("name = \"high\"", "name = \"low\"", "line 33: two loads are called \"low\""),
        (
            "cost = \"e2e_ms_per_output_token\"",
            "cost = \"price\"",
            "line 36: there is no metric \"price\"",
        ),
        ("= \"min\"", "= \"low\"", "line 38: an objective is \"min\" or \"max\""),
        (
            "{ ttft_p99_ms = 500 }",
            "{ e2e_p99_ms = 500 }",
            "line 39: reference: \"e2e_p99_ms\" is no objective",
        ),
        ("name = \"two\"", "name = ", "line 1: "),
    ];
    for (from, to, wanted) in cases {
        let fault = fault(from, to);
        assert!(fault.starts_with(wanted), "{to:?}: {fault}");
    }
}

#[test]
fn a_player_without_strategies_and_a_design_without_players_are_refused() {
    let start = GOOD.find("[[players.strategies]]\nname = \"1+7\"").unwrap();
    let end = GOOD.find("[[loads]]").unwrap();
    let text = format!("{}{}", &GOOD[..start], &GOOD[end..]);
    let fault = Design::parse(&text).unwrap_err();
    let wanted = "line 19: player planner has no strategies; give it [[players.strategies]]";
    assert_eq!(fault.to_string(), wanted);
    let text =
        format!("players = []\n{}{}", &GOOD[..GOOD.find("[[players]]").unwrap()], &GOOD[end..]);
    let fault = Design::parse(&text).unwrap_err();
    assert_eq!(fault.to_string(), "line 1: there are no players; give at least one [[players]]");
}

#[test]
fn the_command_driver_needs_drive_and_results() {
    let with = |driver: &str| {
        let from = "kind = \"lab\"\nscenario = \"scenario.toml\"";
        let text = GOOD.replacen(from, driver, 1).replace("\"router.temperature\"", "T");
        let text = text.replace("router = { temperature = 0.2 }", "T = 1");
        Design::parse(&text.replace("\"arrivals.rate\"", "RATE"))
    };
    let full = "kind = \"command\"\nrestart = \"every_run\"\n\
                ready = { command = \"true\", poll_seconds = 0.5, time_limit_seconds = 9 }\n\
                drive = { command = \"true\" }\nresults = { format = \"metrics\", path = \"m.json\" }";
    let Driver::Command(driver) = with(full).unwrap().driver else { panic!("not commands") };
    assert_eq!((driver.ready_poll_s, driver.ready.unwrap().time_limit_s), (0.5, 9.0));
    assert_eq!(
        (driver.restart, driver.results.format),
        (Restart::EveryRun, ResultsFormat::Metrics)
    );
    let cases = [
        (
            full.replace("drive =", "warm_up ="),
            "line 5: the driver \"command\" needs [driver.drive]",
        ),
        (
            full.replace("\"metrics\"", "\"words\""),
            "line 10: \"words\" is no format of results; these are metrics, requests",
        ),
        (full.replace("\"every_run\"", "\"daily\""), "line 7: restart is \"on_change\" or"),
        (
            full.replace("drive = { command = \"true\"", "drive = { command = \" \""),
            "line 9: a command is empty",
        ),
        (
            full.replace(
                "drive = { command = \"true\"",
                "drive = { command = \"true\", poll_seconds = 1",
            ),
            "line 9: poll_seconds belongs to ready",
        ),
        (full.replace("= 9", "= 0"), "line 8: 0: a time limit is above 0"),
        (
            full.replace("restart = \"every_run\"", "scenario = \"s\""),
            "line 7: scenario belongs to the driver \"lab\"",
        ),
    ];
    for (driver, wanted) in cases {
        let fault = with(&driver).unwrap_err().to_string();
        assert!(fault.starts_with(wanted), "{fault}");
    }
}
