//! The files by which a person without a debugger reaches into the process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// While this file is in the directory of the traces, nothing is recorded.
const OFF_FILE: &str = "nashtrace.off";

/// When this file appears in the directory of the traces, it is removed and everything that was recorded
/// so far is written there.
const DUMP_FILE: &str = "nashtrace.dump";

/// How often the collector looks for them.
const INTERVAL: Duration = Duration::from_millis(500);

/// The control files of a directory.
pub(super) struct Controls {
    off_file: PathBuf,
    dump_file: PathBuf,
    is_off: bool,
    next_look: Instant,
}

/// What the control files ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// To turn the recording on or off, if that has changed.
    pub(super) switch: Option<bool>,
    /// To write everything.
    pub(super) dump: bool,
}

impl Controls {
    /// The controls of a directory, which have not been looked at.
    pub(super) fn of(directory: &Path) -> Self {
        Self {
            off_file: directory.join(OFF_FILE),
            dump_file: directory.join(DUMP_FILE),
            is_off: false,
            next_look: Instant::now(),
        }
    }

    /// What is asked for since the last look.
    pub(super) fn look(&mut self, now: Instant) -> Asked {
        if now < self.next_look {
            return Asked::default();
        }
        self.next_look = now + INTERVAL;
        let is_off = self.off_file.exists();
        let has_changed = is_off != self.is_off;
        self.is_off = is_off;
        Asked {
            switch: has_changed.then_some(!is_off),
            // Removed before anything is written, so that it can be asked for again meanwhile.
            dump: std::fs::remove_file(&self.dump_file).is_ok(),
        }
    }
}
