//! Writing a trace file.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::EXTENSION;
use super::header::FileHeader;

/// Where a file of this name stands beside the trace, writing panics.
#[cfg(test)]
pub(crate) const FAULT: &str = "panic";

/// A trace file being written. A write that fails leaves the packets before it whole.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    /// End of the last whole packet.
    end: u64,
}

impl Writer {
    /// Create `<host>-<pid>-<start>.nash` in a directory, which is created if missing. Only the user
    /// may read them.
    ///
    /// # Errors
    ///
    /// If the directory or the file cannot be created, or the header cannot be written; nothing is
    /// left behind then.
    pub fn create(directory: &Path, header: &FileHeader) -> io::Result<Self> {
        create_directory(directory)?;
        let (file, path) = create_new(directory, header)?;
        let mut writer = Self { file, path, end: 0 };
        if let Err(error) = header.encode().and_then(|bytes| writer.append(&bytes)) {
            // The error that is reported is the first one; the file is of no use to anyone.
            let _ = std::fs::remove_file(&writer.path);
            return Err(error);
        }
        Ok(writer)
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of whole packets in the file, its header included.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.end
    }

    /// Append whole packets.
    ///
    /// # Errors
    ///
    /// If not all bytes could be written. What was written of them is cut off again.
    pub fn append(&mut self, packet: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        assert!(!self.path.with_file_name(FAULT).exists(), "asked to");
        match self.file.write_all(packet) {
            Ok(()) => {
                self.end += packet.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Should this fail too, a reader still finds every whole packet by its magic.
                let _ = self.file.set_len(self.end);
                let _ = self.file.seek(SeekFrom::Start(self.end));
                Err(error)
            }
        }
    }

    /// Ask the operating system to make everything durable.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Ask the operating system to make a file durable that is no longer written. One that was removed
/// needs not be.
///
/// # Errors
///
/// If it cannot.
pub fn sync_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => opened?.sync_data(),
    }
}

/// Create the directory of trace files, if it is missing, for the user alone.
///
/// # Errors
///
/// If it cannot be created.
pub fn create_directory(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Write a whole trace file, of which `header` is the header and `packets` is the rest. The name is that
/// of [`Writer::create`]; it appears when everything is in the file.
///
/// # Errors
///
/// If the directory or the file cannot be made or written; nothing is left behind then.
pub fn write_whole(directory: &Path, header: &FileHeader, packets: &[u8]) -> io::Result<PathBuf> {
    create_directory(directory)?;
    let (mut file, path) = create_new(directory, header)?;
    // The name is taken; what stands under it until the end is empty, which no reader takes for a trace.
    let partial = path.with_extension("partial");
    let written = header.encode().and_then(|bytes| {
        file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(&bytes)?;
        file.write_all(packets)?;
        file.sync_data()?;
        std::fs::rename(&partial, &path)
    });
    if written.is_err() {
        // The error that is reported is the first one.
        let _ = std::fs::remove_file(&partial);
        let _ = std::fs::remove_file(&path);
    }
    written.map(|()| path)
}

/// Two sessions may start in the same nanosecond; the later one takes the next name.
fn create_new(directory: &Path, header: &FileHeader) -> io::Result<(File, PathBuf)> {
    const TRIES: u64 = 100;
    let mut last_error = None;
    for offset in 0..TRIES {
        let start = header.started_wall_ns + offset;
        let name =
            format!("{}-{}-{start}.{EXTENSION}", file_name_part(&header.host), header.process_id);
        let path = directory.join(name);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last_error = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last_error.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
}

fn file_name_part(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect()
}
