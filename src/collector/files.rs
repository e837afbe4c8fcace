//! The trace files of a session: one after another, and no more of them than there is room for. They
//! are on disk, or, of a flight recorder, in memory until somebody asks for them.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::clock;
use crate::config::{Config, SessionMode};
use crate::process::file_header;
use crate::trace::{FileHeader, Writer, create_directory, write_whole};

/// How often it is looked whether the file is due, and still where it was made.
const INTERVAL: Duration = Duration::from_secs(1);

/// See the module documentation.
pub(super) struct Files {
    mode: SessionMode,
    directory: PathBuf,
    settings: Vec<(String, String)>,
    file_bytes: u64,
    file_age: Duration,
    total_bytes: u64,
    current: File,
    opened: Instant,
    next_look: Instant,
    /// After a failure another file is not tried at once.
    not_before: Instant,
    /// Complete files of this session, oldest first.
    closed: VecDeque<File>,
    /// Files before the one that is written.
    number: u64,
    /// Of those, deleted to make room.
    deleted: u64,
}

/// A file on disk or in memory.
pub(super) enum File {
    Disk(Writer),
    Memory { header: FileHeader, packets: Vec<u8> },
}

impl File {
    fn begin(mode: SessionMode, directory: &Path, header: FileHeader) -> io::Result<Self> {
        match mode {
            SessionMode::Stream => Writer::create(directory, &header).map(Self::Disk),
            SessionMode::Flight => {
                // A directory that cannot be had is better known now than when it is needed.
                create_directory(directory)?;
                Ok(Self::Memory { header, packets: Vec::new() })
            }
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Disk(writer) => writer.bytes(),
            Self::Memory { packets, .. } => packets.len() as u64,
        }
    }

    /// Remove the file, wherever it is.
    pub(super) fn discard(self) {
        if let Self::Disk(writer) = self {
            writer.discard();
        }
    }
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
        let header = file_header(numbered(&settings, 0, 0));
        Ok(Self {
            mode: config.mode,
            directory: config.directory.clone(),
            current: File::begin(config.mode, &config.directory, header)?,
            settings,
            file_bytes: config.file_bytes.unwrap_or(u64::MAX),
            file_age: config.file_age.unwrap_or(Duration::MAX),
            total_bytes: config.total_bytes.unwrap_or(u64::MAX),
            opened: now,
            next_look: now + INTERVAL,
            not_before: now,
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
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.current {
            File::Disk(writer) => writer.append(bytes),
            File::Memory { packets, .. } => {
                packets.try_reserve(bytes.len())?;
                packets.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Ask the operating system to make the file durable. What is in memory is meant to be there.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.current {
            File::Disk(writer) => writer.sync(),
            File::Memory { .. } => Ok(()),
        }
    }

    /// Whether files wait in memory for somebody to ask for them.
    pub(super) fn is_flight_recorder(&self) -> bool {
        self.mode == SessionMode::Flight
    }

    /// Whether another file should follow: this one is large or old enough, or somebody removed it, and
    /// what is written to it is lost.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if now < self.not_before {
            return false;
        }
        if self.current.bytes() >= self.file_bytes {
            return true;
        }
        if now < self.next_look {
            return false;
        }
        self.next_look = now + INTERVAL;
        let is_removed = match &self.current {
            File::Disk(writer) => !writer.path().exists(),
            File::Memory { .. } => false,
        };
        is_removed || now.duration_since(self.opened) >= self.file_age
    }

    /// There can be no other file now; go on with this one for a while.
    pub(super) fn postpone(&mut self, now: Instant) {
        self.not_before = now + INTERVAL;
    }

    /// Create the file that follows, after deleting the oldest ones of this session beyond the total.
    /// Until [`Files::change_to`] is called, the current one is written.
    ///
    /// # Errors
    ///
    /// If it cannot be created. It is tried again later.
    pub(super) fn successor(&mut self) -> io::Result<File> {
        self.make_room();
        let header = file_header(numbered(&self.settings, self.number + 1, self.deleted));
        File::begin(self.mode, &self.directory, header)
    }

    /// From now on write this file.
    pub(super) fn change_to(&mut self, successor: File, now: Instant) {
        self.closed.push_back(std::mem::replace(&mut self.current, successor));
        self.number += 1;
        self.opened = now;
    }

    /// Write the complete files that are in memory to disk, and forget them here.
    ///
    /// # Errors
    ///
    /// If one cannot be written; it and those after it are kept.
    pub(super) fn dump(&mut self) -> io::Result<()> {
        while let Some(File::Memory { header, packets }) = self.closed.front() {
            write_whole(&self.directory, header, packets)?;
            self.closed.pop_front();
        }
        Ok(())
    }

    /// The current file is complete, and none follows: what is in memory goes to disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let File::Memory { header, packets } = &mut self.current {
            let (header, packets) = (header.clone(), std::mem::take(packets));
            self.closed.push_back(File::Memory { header, packets });
        }
        self.dump()
    }

    /// Files that were deleted to make room.
    pub(super) fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Keep enough room for one more file.
    fn make_room(&mut self) {
        let next = self.file_bytes.min(self.total_bytes / 2);
        let closed: u64 = self.closed.iter().map(File::bytes).sum();
        let mut total = closed.saturating_add(self.current.bytes()).saturating_add(next);
        while total > self.total_bytes
            && let Some(oldest) = self.closed.pop_front()
        {
            total -= oldest.bytes();
            oldest.discard();
            self.deleted += 1;
        }
    }
}

/// The settings with the file's place among those of its session.
fn numbered(settings: &[(String, String)], number: u64, deleted: u64) -> Vec<(String, String)> {
    let place = [("file_number", number), ("files_deleted", deleted)];
    let place = place.map(|(name, value)| (name.to_owned(), value.to_string()));
    settings.iter().cloned().chain(place).collect()
}
