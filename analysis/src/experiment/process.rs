//! A command with a time limit, that does not outlive us.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};

use super::leftover::{Group, Place};

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Good,
    /// What it said last, or with which code it ended.
    Failed(String),
    TimeLimit,
    /// We were asked to stop.
    Stopped,
}

/// Run a command to its end, its output in a file. Its process group is killed at the time limit and when `stop`
/// becomes true; the command itself also dies with the thread that calls this, whatever kills us. What it started
/// itself does not: as long as it runs, its group is noted in `group`, if that is given.
pub(super) fn run(
    mut command: Command,
    log: &Path,
    limit: Duration,
    stop: &AtomicBool,
    group: Option<Place<'_>>,
) -> io::Result<Ended> {
    let output = File::create(log)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
    // SAFETY: between fork and exec only a system call is made that touches no memory of ours.
    unsafe {
        command.pre_exec(|| {
            set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)
        });
    }
    let mut child = command.spawn()?;
    let noted = match group {
        Some(place) => match Group::note(child.id(), place) {
            Ok(noted) => Some(noted),
            Err(error) => {
                kill(&mut child)?;
                return Err(error);
            }
        },
        None => None,
    };
    let ended = wait(&mut child, log, limit, stop);
    noted.map_or(Ok(()), Group::forget)?;
    ended
}

fn wait(child: &mut Child, log: &Path, limit: Duration, stop: &AtomicBool) -> io::Result<Ended> {
    const LOOK: Duration = Duration::from_millis(4);
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            // What it left in the background stays: it may be the cluster that it deployed.
            return Ok(match status.success() {
                true => Ended::Good,
                false => Ended::Failed(last_words(log).unwrap_or_else(|| status.to_string())),
            });
        }
        if stop.load(Ordering::Relaxed) {
            kill(child)?;
            return Ok(Ended::Stopped);
        }
        if began.elapsed() >= limit {
            kill(child)?;
            return Ok(Ended::TimeLimit);
        }
        std::thread::sleep(LOOK);
    }
}

fn kill(child: &mut Child) -> io::Result<()> {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself in this moment.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait().map(|_| ())
}

/// The last line that is not empty.
fn last_words(log: &Path) -> Option<String> {
    let text = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Rest, unless we are asked to stop: then `false`.
pub(super) fn rest(time: Duration, stop: &AtomicBool) -> bool {
    const LOOK: Duration = Duration::from_millis(20);
    let began = Instant::now();
    while began.elapsed() < time {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        std::thread::sleep(LOOK.min(time - began.elapsed().min(time)));
    }
    !stop.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration, stop: bool) -> Ended {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, &folder.path().join("log"), limit, &AtomicBool::new(stop), None).unwrap()
    }

    #[test]
    fn commands_end_in_four_ways() {
        let long = Duration::from_secs(60);
        assert_eq!(shell("true", long, false), Ended::Good);
        let failed = shell("echo one; echo the reason >&2; echo; exit 3", long, false);
        assert_eq!(failed, Ended::Failed("the reason".into()));
        assert_eq!(shell("exit 3", long, false), Ended::Failed("exit status: 3".into()));
        let began = Instant::now();
        assert_eq!(shell("sleep 50", Duration::from_millis(50), false), Ended::TimeLimit);
        assert_eq!(shell("sleep 50 & sleep 50", long, true), Ended::Stopped);
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
