//! The trace files of a session: one after another, and no more of them than there is room for.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::clock;
use crate::config::Config;
use crate::process::file_header;
use crate::trace::Writer;

/// How often it is looked whether the file is due, and still where it was made.
const INTERVAL: Duration = Duration::from_secs(1);

/// See the module documentation.
pub(super) struct Files {
    directory: PathBuf,
    settings: Vec<(String, String)>,
    file_bytes: u64,
    file_age: Duration,
    total_bytes: u64,
    writer: Writer,
    opened: Instant,
    next_look: Instant,
    /// Complete files of this session, oldest first, with their sizes.
    closed: VecDeque<(PathBuf, u64)>,
    /// Files before the one that is written.
    number: u64,
    /// Of those, deleted to make room.
    deleted: u64,
}

impl Files {
    /// Create the first file.
    ///
    /// # Errors
    ///
    /// If the directory or the file cannot be made.
    pub(super) fn create(config: &Config) -> io::Result<Self> {
        let mut settings = config.describe();
        settings.push(("session_started_wall_ns".into(), clock::wall_ns().to_string()));
        let now = Instant::now();
        Ok(Self {
            directory: config.directory.clone(),
            writer: Writer::create(&config.directory, &file_header(numbered(&settings, 0, 0)))?,
            settings,
            file_bytes: config.file_bytes.unwrap_or(u64::MAX),
            file_age: config.file_age.unwrap_or(Duration::MAX),
            total_bytes: config.total_bytes.unwrap_or(u64::MAX),
            opened: now,
            next_look: now + INTERVAL,
            closed: VecDeque::new(),
            number: 0,
            deleted: 0,
        })
    }

    /// Append whole packets.
    ///
    /// # Errors
    ///
    /// If not all bytes could be written; nothing is then.
    pub(super) fn append(&mut self, packets: &[u8]) -> io::Result<()> {
        self.writer.append(packets)
    }

    /// Ask the operating system to make the file durable.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.writer.sync()
    }

    /// Whether another file should follow: this one is large or old enough, or somebody removed it, and
    /// what is written to it is lost.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if self.writer.bytes() >= self.file_bytes {
            return true;
        }
        if now < self.next_look {
            return false;
        }
        self.next_look = now + INTERVAL;
        now.duration_since(self.opened) >= self.file_age || !self.writer.path().exists()
    }

    /// Create the file that follows, after deleting the oldest ones of this session beyond the total.
    /// Until [`Files::change_to`] is called, the current one is written.
    ///
    /// # Errors
    ///
    /// If it cannot be created. It is tried again later.
    pub(super) fn successor(&mut self) -> io::Result<Writer> {
        self.make_room();
        let settings = numbered(&self.settings, self.number + 1, self.deleted);
        Writer::create(&self.directory, &file_header(settings))
    }

    /// From now on write this file.
    pub(super) fn change_to(&mut self, successor: Writer, now: Instant) {
        let complete = std::mem::replace(&mut self.writer, successor);
        self.closed.push_back((complete.path().to_owned(), complete.bytes()));
        self.number += 1;
        self.opened = now;
    }

    /// Keep enough room for one more file.
    fn make_room(&mut self) {
        let next = self.file_bytes.min(self.total_bytes / 2);
        let closed: u64 = self.closed.iter().map(|(_, bytes)| bytes).sum();
        let mut total = closed.saturating_add(self.writer.bytes()).saturating_add(next);
        while total > self.total_bytes
            && let Some((path, bytes)) = self.closed.pop_front()
        {
            // One that is gone already makes room too.
            let _ = std::fs::remove_file(path);
            self.deleted += 1;
            total -= bytes;
        }
    }

    /// Files that were deleted to make room.
    pub(super) fn deleted(&self) -> u64 {
        self.deleted
    }
}

/// The settings with the file's place among those of its session.
fn numbered(settings: &[(String, String)], number: u64, deleted: u64) -> Vec<(String, String)> {
    let place = [("file_number", number), ("files_deleted", deleted)];
    let place = place.map(|(name, value)| (name.to_owned(), value.to_string()));
    settings.iter().cloned().chain(place).collect()
}
