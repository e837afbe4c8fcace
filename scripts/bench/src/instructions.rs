//! Instructions of one call, counted by callgrind: a figure that a busy machine does not change.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::results::Results;

/// Run one subject once more under callgrind; the instructions of one call, its threads' left out.
pub fn count(subject: &str, library: &Path, scratch: &Path) -> Result<f64> {
    let out = scratch.join("instructions.json");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--toggle-collect=*measure::timed*", "--fair-sched=yes"])
        .arg(std::env::current_exe()?)
        .arg("--library")
        .arg(library)
        .arg("--out")
        .arg(&out)
        .args(["--repeats", "1", "--calls-only", "--only", subject])
        .output()
        .context("valgrind cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{subject} under valgrind: {}", said.lines().last().unwrap_or_default());
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let instructions: f64 = collected.context("callgrind tells no count")?.1.trim().parse()?;
    let results: Results = serde_json::from_slice(&std::fs::read(&out)?)?;
    let calls = results.calls.first().context("nothing was measured")?;
    Ok(instructions / calls.calls_made as f64)
}
