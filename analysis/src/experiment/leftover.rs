//! What a command left running when we were killed: its process group, ended before anything else is begun.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::files;

/// Where the group of a command is noted, and what everybody in it has in his environment: NAME=VALUE.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a Path,
    pub(super) mark: &'a str,
}

/// A process group that runs and is noted.
pub(super) struct Group {
    file: PathBuf,
}

/// What is needed to tell the group from a later one of the same number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    /// The boot that the numbers are of.
    boot: String,
    /// The group's number, which is its first process's.
    group: i32,
    /// When that process began, in the kernel's ticks since the boot.
    began: u64,
    mark: String,
}

impl Group {
    /// Note the group of a process that was just begun.
    pub(super) fn note(leader: u32, place: Place<'_>) -> io::Result<Self> {
        let group = i32::try_from(leader).map_err(io::Error::other)?;
        let began = Process::of(group).map_or(0, |process| process.began);
        let noted = Noted { boot: boot()?, group, began, mark: place.mark.to_owned() };
        files::write_json(place.file, &noted)?;
        Ok(Self { file: place.file.to_owned() })
    }

    /// The command ended; what it left in the background stays.
    pub(super) fn forget(self) -> io::Result<()> {
        fs::remove_file(self.file)
    }
}

/// End what is left of the group that is noted in a file, if there is one: processes of that group and of the same boot
/// that began no earlier than its first one and carry its mark. Nobody else is touched.
///
/// # Errors
///
/// If the file cannot be read or removed, or a process cannot be ended.
pub(super) fn end(file: &Path) -> io::Result<()> {
    let text = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    let noted: Noted = serde_json::from_slice(&text)?;
    if noted.boot == boot()? {
        // A process that forked while it was looked for is found the next time.
        while end_once(&noted)? {}
    }
    fs::remove_file(file)
}

/// Whether there was somebody.
fn end_once(noted: &Noted) -> io::Result<bool> {
    let mut found = false;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let is_left = Process::of(id).is_some_and(|process| {
            process.group == noted.group && process.began >= noted.began && !process.is_dead
        });
        if let (true, Some(process)) = (is_left && has_mark(id, &noted.mark), Pid::from_raw(id)) {
            match kill_process(process, Signal::KILL) {
                Err(rustix::io::Errno::SRCH) => {}
                killed => killed?,
            }
            found = true;
        }
    }
    Ok(found)
}

/// A process by `/proc/ID/stat`.
struct Process {
    group: i32,
    began: u64,
    is_dead: bool,
}

impl Process {
    fn of(id: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before it may have spaces and brackets.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        Some(Self {
            is_dead: matches!(*fields.first()?, "Z" | "X"),
            group: fields.get(2)?.parse().ok()?,
            began: fields.get(19)?.parse().ok()?,
        })
    }
}

fn has_mark(id: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

fn boot() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use super::*;

    fn sleeper(mark: &str) -> Child {
        Command::new("sleep").arg("60").env("MARK", mark).process_group(0).spawn().unwrap()
    }

    #[test]
    fn what_carries_the_mark_is_ended_and_a_stranger_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("running.json");
        let mut own = sleeper("own");
        let note = |child: &Child| {
            let place = Place { file: &file, mark: "MARK=own" };
            Group::note(child.id(), place).unwrap();
        };
        // Somebody else got the number: another mark, or it began before, or the machine was started anew.
        let mut stranger = sleeper("stranger");
        note(&stranger);
        end(&file).unwrap();
        assert!(stranger.try_wait().unwrap().is_none() && !file.exists());
        let change = |key: &str, value: serde_json::Value| {
            note(&own);
            let mut noted: serde_json::Value =
                serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            noted[key] = value;
            fs::write(&file, noted.to_string()).unwrap();
            end(&file).unwrap();
        };
        change("began", u64::MAX.into());
        change("boot", "another".into());
        assert!(own.try_wait().unwrap().is_none());
        note(&own);
        end(&file).unwrap();
        assert!(!own.wait().unwrap().success() && !file.exists());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        end(&file).unwrap();
    }
}
