//! The trace files of a session: one after another, and no more of them than there is room for. They
//! are on disk, or, of a flight recorder, in memory until somebody asks for them.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::clock;
use crate::config::{Config, SessionMode};
use crate::process::file_header;
use crate::record::Kind;
use crate::trace::{FileHeader, Writer, create_directory, sync_file, write_whole};

#[cfg(test)]
mod tests;

/// How often it is looked whether the file is due, and still where it was made.
const INTERVAL: Duration = Duration::from_secs(1);

/// Events of each kind.
type Events = [u64; Kind::COUNT];

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
    closed: VecDeque<Closed>,
    /// Files before the one that is written.
    number: u64,
    /// Of those, deleted to make room.
    deleted: u64,
}

/// A file on disk or in memory.
pub(super) enum File {
    Disk(Writer),
    Memory(Box<Remembered>),
}

/// A file in memory.
pub(super) struct Remembered {
    header: FileHeader,
    packets: Vec<u8>,
    events: Events,
}

/// A complete file. One on disk is not held open: there may be any number of them.
enum Closed {
    Disk { path: PathBuf, bytes: u64, is_durable: bool },
    Memory(Box<Remembered>),
}

impl File {
    fn begin(mode: SessionMode, directory: &Path, header: FileHeader) -> io::Result<Self> {
        match mode {
            SessionMode::Stream => Writer::create(directory, &header).map(Self::Disk),
            // Whatever has become of the directory, what is in memory can follow what is in memory.
            SessionMode::Flight => Ok(Self::Memory(Box::new(Remembered {
                header,
                packets: Vec::new(),
                events: [0; Kind::COUNT],
            }))),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Disk(writer) => writer.bytes(),
            Self::Memory(file) => file.packets.len() as u64,
        }
    }

    /// The file is complete.
    fn close(self) -> Closed {
        match self {
            Self::Disk(writer) => Closed::Disk {
                path: writer.path().to_owned(),
                bytes: writer.bytes(),
                is_durable: false,
            },
            Self::Memory(file) => Closed::Memory(file),
        }
    }

    /// Remove the file, wherever it is.
    pub(super) fn discard(self) {
        self.close().discard();
    }
}

impl Closed {
    fn bytes(&self) -> u64 {
        match self {
            Self::Disk { bytes, .. } => *bytes,
            Self::Memory(file) => file.packets.len() as u64,
        }
    }

    fn discard(self) {
        if let Self::Disk { path, .. } = self {
            // A file that somebody else has removed is not missed.
            let _ = std::fs::remove_file(path);
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
        // A directory that cannot be had is better known now than when it is needed.
        create_directory(&config.directory)?;
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

    /// Append a whole packet with so many events of each kind.
    ///
    /// # Errors
    ///
    /// If not all bytes could be written, or there is no room for them in memory; nothing is written then.
    pub(super) fn append(&mut self, packet: &[u8], events: &Events) -> io::Result<()> {
        if self.is_flight_recorder() {
            self.make_room_in_memory(packet.len() as u64, events)?;
        }
        match &mut self.current {
            File::Disk(writer) => writer.append(packet),
            File::Memory(file) => {
                file.packets.try_reserve(packet.len())?;
                file.packets.extend_from_slice(packet);
                file.events.iter_mut().zip(events).for_each(|(sum, more)| *sum += more);
                Ok(())
            }
        }
    }

    /// Ask the operating system to make all files durable. What is in memory is meant to be there.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        // Here and not when the next file begins: the rings must not wait for a disk that nobody waits for.
        for file in &mut self.closed {
            if let Closed::Disk { path, is_durable, .. } = file
                && !*is_durable
            {
                sync_file(path)?;
                *is_durable = true;
            }
        }
        match &self.current {
            File::Disk(writer) => writer.sync(),
            File::Memory(_) => Ok(()),
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
            File::Memory(_) => false,
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
        self.make_room(self.file_bytes.min(self.total_bytes / 2));
        let header = file_header(numbered(&self.settings, self.number + 1, self.deleted));
        File::begin(self.mode, &self.directory, header)
    }

    /// From now on write this file.
    pub(super) fn change_to(&mut self, successor: File, now: Instant) {
        let complete = std::mem::replace(&mut self.current, successor);
        self.closed.push_back(complete.close());
        self.number += 1;
        self.opened = now;
    }

    /// Write the complete files that are in memory to disk, and forget them here.
    ///
    /// # Errors
    ///
    /// If one cannot be written; it and those after it are kept.
    pub(super) fn dump(&mut self) -> io::Result<()> {
        while let Some(Closed::Memory(file)) = self.closed.front() {
            write_whole(&self.directory, &file.header, &file.packets)?;
            self.closed.pop_front();
        }
        Ok(())
    }

    /// The current file is complete, and none follows: what is in memory goes to disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written; see [`Files::take_unsaved`].
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let File::Memory(file) = &mut self.current {
            let header = file.header.clone();
            let packets = std::mem::take(&mut file.packets);
            let events = std::mem::take(&mut file.events);
            let file = Remembered { header, packets, events };
            self.closed.push_back(Closed::Memory(Box::new(file)));
        }
        self.dump()
    }

    /// Give up the files that are in memory still: the events in them.
    pub(super) fn take_unsaved(&mut self) -> Events {
        let mut unsaved = [0; Kind::COUNT];
        for file in self.closed.drain(..) {
            if let Closed::Memory(file) = file {
                unsaved.iter_mut().zip(file.events).for_each(|(sum, more)| *sum += more);
            }
        }
        unsaved
    }

    /// Remove the only file of a session that never was.
    pub(super) fn discard(self) {
        self.current.discard();
    }

    /// Files that were deleted to make room.
    pub(super) fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Memory is the host's: never does a packet make it more than was allowed. Older files give way, and if
    /// the current one alone is too large, the packet is refused. Accounts are not, without which there would
    /// be no next file; they come once with each, and they too have a limit.
    fn make_room_in_memory(&mut self, bytes: u64, events: &Events) -> io::Result<()> {
        self.make_room(bytes);
        let has_events = Kind::ALL.into_iter().any(|k| k != Kind::Anchor && events[k as usize] > 0);
        let most = if has_events { self.total_bytes } else { self.total_bytes.saturating_mul(2) };
        if self.current.bytes() + bytes > most {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "its memory is full"));
        }
        Ok(())
    }

    /// Keep so many bytes free, as far as deleting complete files makes them.
    fn make_room(&mut self, bytes: u64) {
        let closed: u64 = self.closed.iter().map(Closed::bytes).sum();
        let mut total = closed.saturating_add(self.current.bytes()).saturating_add(bytes);
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
