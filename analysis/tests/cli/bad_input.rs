//! What the commands say to traces and outcomes that are not as they should be, and how they exit.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use nashtrace::record::request_key;
use serde_json::Value;

use crate::support::{command_of, example, json, nashtrace, record};

#[test]
fn a_torn_file_is_read_as_far_as_it_goes() {
    let recorded = example();
    let file = recorded.file();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
    let (info, code) = json(&["info", recorded.path(), "--json"]);
    assert_eq!(code, Some(2));
    assert_eq!(info["records"]["decision"], 5);
    assert_eq!(info["processes"][0]["complete"], false);
    for command in ["info", "verify", "decisions", "regret"] {
        let output = nashtrace(&[command, recorded.path()]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            complaint.starts_with(&format!("nashtrace: {}: offset ", file.display())),
            "{complaint}"
        );
        assert!(complaint.trim_end().ends_with("the file ends inside a packet"), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[test]
fn a_file_that_was_never_completed_is_read_and_said_to_be_incomplete() {
    let recorded = example();
    recorded.cut_last_packet();
    let (info, code) = json(&["info", recorded.path(), "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(info["processes"][0]["complete"], false);
    let missing = info["processes"][0]["missing"][0].as_str().unwrap();
    assert!(missing.contains("the session did not complete the file"), "{missing}");
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!(
        (code, &verdict["conserved"], &verdict["ok"]),
        (Some(1), &false.into(), &false.into())
    );
}

#[test]
fn a_bad_checksum_is_a_failed_check() {
    let recorded = example();
    let file = recorded.file();
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!(code, Some(1));
    assert!(verdict["problems"][0].as_str().unwrap().ends_with("the packet's checksum is wrong"));
}

#[test]
fn what_is_no_trace_gets_a_sentence_and_the_others_are_read() {
    let recorded = example();
    let folder = tempfile::tempdir().unwrap();
    let bad = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut newer = std::fs::read(recorded.file()).unwrap();
    newer[8] = 2;
    for (path, sentence) in [
        (bad("empty.nash", b""), "offset 0: the file is empty"),
        (
            bad("text.nash", b"hello"),
            "offset 0: not a nashtrace file: it does not begin with NASHTRC",
        ),
        (bad("newer.nash", &newer), "offset 0: format version 2, but this program reads version 1"),
        (folder.path().join("absent.nash"), "No such file or directory (os error 2)"),
    ] {
        let path = path.to_str().unwrap();
        let output = nashtrace(&["info", path, recorded.path(), "--json"]);
        assert_eq!(output.status.code(), Some(2));
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(complaint, format!("nashtrace: {path}: {sentence}\n"));
        let info: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(info["records"]["decision"], 5);
    }
    let output = nashtrace(&["info", tempfile::tempdir().unwrap().path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no .nash file"));
}

/// The complaint of a command about a run whose `requests.jsonl` is this, and its JSON.
fn with_outcomes(outcomes: &str) -> (String, Value) {
    let recorded = example();
    let file = recorded.run_file("requests.jsonl");
    std::fs::write(&file, outcomes).unwrap();
    let output = nashtrace(&["regret", recorded.run_folder(), "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    let file = format!("nashtrace: {}: ", file.display());
    let complaint = complaint.strip_prefix(&file).unwrap_or_else(|| panic!("{complaint}"));
    (complaint.to_owned(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn outcomes_that_cannot_be_read_are_named_with_their_line_and_the_trace_is_answered() {
    let (complaint, answer) = with_outcomes("{\"request_key\": \"zz\"}\n");
    assert!(complaint.starts_with("line 1: missing field"), "{complaint}");
    assert_eq!(answer["decisions"], 4);
    assert_eq!(answer["overlap"]["total"], 10.0);
    assert_eq!(answer["realised"], Value::Null);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.ends_with("; they are left out"), "{warning}");
}

#[test]
fn outcomes_of_another_run_are_refused() {
    let request = request_key(b"id-1");
    let (complaint, answer) = with_outcomes(&format!(
        "{{\"request_key\":\"{request:016x}\",\"ttft_ms\":1.0,\"e2e_latency_ms\":2.0,\"input_length\":11}}\n"
    ));
    assert!(
        complaint.contains("has 11 prompt tokens here and 10 in the trace: these are the outcomes"),
        "{complaint}"
    );
    assert_eq!((&answer["decisions"], &answer["realised"]), (&4.into(), &Value::Null));
}

#[test]
fn a_cost_that_is_not_a_number_is_found_and_left_out() {
    let recorded = record(|session| {
        session.decision(1, &[(0, 0), (4, 1)], 0, 0.0);
        session.decision_with_cost_error(2, &[(0, 0), (4, 1)], 0, f64::NAN);
        session.decision(3, &[(0, 0), (4, 1)], 1, 0.0);
    });
    let (verdict, code) = json(&["verify", recorded.path(), "--json"]);
    assert_eq!((code, &verdict["cost_mismatches"]), (Some(1), &1.into()));
    let (answer, code) = json(&["regret", recorded.path(), "--json"]);
    assert_eq!((code, &answer["decisions"]), (Some(0), &3.into()));
    let predicted = &answer["predicted"];
    assert_eq!((&predicted["count"], &predicted["unknown"]), (&2.into(), &1.into()));
    assert_eq!(predicted["total"], 3.0);
    let top = answer["top"].as_array().unwrap();
    assert_eq!((top.len(), &top[1]["predicted"]), (2, &Value::Null));
    assert!(answer["warnings"][0].as_str().unwrap().starts_with("1 decisions have a cost"));
}

#[test]
fn what_cannot_be_read_is_a_problem_to_verify() {
    let recorded = example();
    let (verdict, code) = json(&["verify", recorded.path(), "absent.nash", "--json"]);
    assert_eq!((code, &verdict["ok"]), (Some(2), &false.into()));
    assert_eq!(verdict["decisions_checked"], 4);
    let problems = verdict["problems"].as_array().unwrap();
    assert_eq!(problems[..], ["absent.nash: No such file or directory (os error 2)"]);
}

#[test]
fn a_path_that_is_no_text_is_read() {
    let recorded = example();
    let odd = recorded.run_file("odd").with_file_name(OsStr::from_bytes(b"odd-\xff"));
    std::fs::create_dir(&odd).unwrap();
    std::fs::copy(recorded.file(), odd.join("copy.nash")).unwrap();
    for command in ["info", "verify", "decisions", "regret"] {
        let output = command_of(&[command, "--json"]).arg(&odd).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}");
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(json.is_object(), "{command}");
    }
}

#[test]
fn a_reader_that_stops_early_does_not_change_the_exit_code() {
    let good = example();
    let torn = example();
    let bytes = std::fs::read(torn.file()).unwrap();
    std::fs::write(torn.file(), &bytes[..bytes.len() - 7]).unwrap();
    for (recorded, code) in [(good, 0), (torn, 2)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command_of(&["info", recorded.path()]);
        let status = command.stdout(writer).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(code));
    }
}

#[test]
fn a_design_whose_reader_stops_early_is_quiet() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = command_of(&["design", "sobol", "--knob", "a=0:1", "--points", "5000"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn wrong_use_is_exit_code_2() {
    for arguments in [&["info"][..], &["frobnicate"], &["regret", "x", "--windows", "0"], &[]] {
        assert_eq!(nashtrace(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let help = nashtrace(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("Examples:"));
}

#[test]
fn every_command_reads_a_trace_from_standard_input() {
    let recorded = example();
    let file = recorded.file();
    let path = file.to_str().unwrap();
    let of_input = |command: &str, options: &[&str], input: &std::path::Path| {
        let arguments = [&[command, "-", "--json"], options].concat();
        command_of(&arguments).stdin(std::fs::File::open(input).unwrap()).output().unwrap()
    };
    for command in ["info", "verify", "decisions", "regret", "blocks", "transfers", "planner"] {
        let named = nashtrace(&[command, path, "--json"]);
        let piped = of_input(command, &[], &file);
        assert_eq!(piped.status.code(), named.status.code(), "{command}");
        let folder = file.parent().unwrap().parent().unwrap().to_str().unwrap();
        let text = String::from_utf8(named.stdout).unwrap();
        let expected = text.replace(path, "standard input").replace(folder, "standard input");
        assert_eq!(String::from_utf8(piped.stdout).unwrap(), expected, "{command}");
    }
    let no_trace = recorded.run_file("no trace");
    std::fs::write(&no_trace, "something else").unwrap();
    let output = of_input("info", &[], &no_trace);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.starts_with("nashtrace: standard input: "), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}
