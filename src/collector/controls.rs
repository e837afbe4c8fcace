//! The file by which a person without a debugger reaches into the process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// While this file is in the directory of the traces, nothing is recorded.
const OFF_FILE: &str = "nashtrace.off";

/// How often the collector looks for it.
const INTERVAL: Duration = Duration::from_millis(500);

/// What the directory's control file asks for.
pub(super) struct Controls {
    off_file: PathBuf,
    is_off: bool,
    next_look: Instant,
}

impl Controls {
    /// The controls of a directory, which have not been looked at.
    pub(super) fn of(directory: &Path) -> Self {
        Self { off_file: directory.join(OFF_FILE), is_off: false, next_look: Instant::now() }
    }

    /// Whether the recording is to be turned on or off from now on, if that has changed.
    pub(super) fn look(&mut self, now: Instant) -> Option<bool> {
        if now < self.next_look {
            return None;
        }
        self.next_look = now + INTERVAL;
        let is_off = self.off_file.exists();
        let has_changed = is_off != self.is_off;
        self.is_off = is_off;
        has_changed.then_some(!is_off)
    }
}
