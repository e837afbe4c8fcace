//! `nashtrace doctor` before a recording is started.

use std::process::Command;

use serde_json::Value;

use crate::support::command_of;

/// The doctor in an environment that has these variables of ours and no others.
fn doctor(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = command_of(&[&["doctor"], arguments].concat());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NASHTRACE_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command
}

fn json(arguments: &[&str], variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let output = doctor(&[arguments, &["--json"]].concat(), variables).output().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

fn problems(diagnosis: &Value) -> Vec<&str> {
    diagnosis["problems"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn what_is_missing_is_named() {
    let (diagnosis, code) = json(&[], &[]);
    assert_eq!((code, &diagnosis["ok"]), (Some(1), &false.into()));
    let problems = problems(&diagnosis);
    assert!(problems[0].starts_with("NASHTRACE_LIB is not set"), "{problems:?}");
    assert!(problems[1].starts_with("NASHTRACE_DIR is not set"), "{problems:?}");
    assert_eq!(problems.len(), 2);
}

#[test]
fn a_file_that_is_no_library_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libnashtrace.so");
    std::fs::write(&file, "no library").unwrap();
    let path = file.to_str().unwrap();
    let (diagnosis, code) = json(&["--library", path], &[]);
    assert_eq!((code, &diagnosis["library"]), (Some(1), &Value::Null));
    assert!(problems(&diagnosis)[0].starts_with(path));
    let (diagnosis, _) = json(&[], &[("NASHTRACE_LIB", "relative.so")]);
    assert_eq!(problems(&diagnosis)[0], "NASHTRACE_LIB=relative.so is not an absolute path");
}

#[test]
fn values_in_force_and_slips_of_the_pen_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("not/yet/there");
    let variables = [
        ("NASHTRACE_DIR", directory.to_str().unwrap()),
        ("NASHTRACE_FLUSH_MS", "20"),
        ("NASHTRACE_POLL_MS", "often"),
        ("NASHTRACE_RING_BITES", "1"),
    ];
    let (diagnosis, _) = json(&[], &variables);
    assert_eq!(diagnosis["directory"], directory.to_str().unwrap());
    assert!(!directory.exists(), "asking changes nothing");
    let settings = diagnosis["settings"].as_array().unwrap();
    let setting = |name: &str| settings.iter().find(|s| s["variable"] == name).unwrap();
    assert_eq!(setting("NASHTRACE_FLUSH_MS")["value"], "20");
    assert_eq!(setting("NASHTRACE_FLUSH_MS")["set"], true);
    assert_eq!(setting("NASHTRACE_POLL_MS")["value"], "5");
    let problems = problems(&diagnosis).join("\n");
    assert!(problems.contains("NASHTRACE_POLL_MS=often is ignored"), "{problems}");
    assert!(problems.contains("NASHTRACE_RING_BITES is not a variable"), "{problems}");
}

#[test]
fn a_ring_is_held_against_the_rate_and_the_stall() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("NASHTRACE_DIR", folder.path().to_str().unwrap())];
    let ring = |arguments: &[&str]| {
        let (diagnosis, _) = json(arguments, &variables);
        let is_short = problems(&diagnosis).iter().any(|text| text.contains("would lose events"));
        (diagnosis["ring"].clone(), is_short)
    };
    // A decision of 152 bytes, 8 candidates of 96 and three request events of 80.
    let (calm, is_short) = ring(&["--decisions-per-second", "1000", "--stall-ms", "100"]);
    assert_eq!(calm["bytes_per_second"], 1000 * (152 + 8 * 96 + 3 * 80));
    assert_eq!((&calm["bytes"], &calm["needed_bytes"]), (&1_048_576.into(), &131_072.into()));
    assert!(!is_short);
    let (_, is_short) = ring(&["--decisions-per-second", "100000", "--stall-ms", "1000"]);
    assert!(is_short);
}

#[test]
fn a_person_reads_sentences() {
    let output = doctor(&[], &[("NASHTRACE_DIR", "/")]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["Library none", "In force", "NASHTRACE_RING_BYTES", "Problems", "--library"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
