//! The bytes of a file, and its lines.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Fault;

/// Why a file of measurements cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The operating system refuses.
    #[error("{}: {source}", source_of(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file can be read but is not what it should be.
    #[error("{}: {fault}", source_of(path))]
    Faulty {
        /// The file.
        path: PathBuf,
        /// Where and why.
        fault: Fault,
    },
}

impl LoadError {
    pub(in crate::load) fn faulty(path: &Path, fault: Fault) -> Self {
        Self::Faulty { path: path.into(), fault }
    }
}

/// How a file is called in sentences.
pub(crate) fn source_of(path: &Path) -> String {
    crate::load::name_of(path).into_owned()
}

/// The bytes of a file, or of standard input if the path is `-`, decompressed if gzip compressed them.
pub(crate) fn content(path: &Path) -> Result<Vec<u8>, LoadError> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let io_error = |source| LoadError::Io { path: path.into(), source };
    let mut content = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut content).map_err(io_error)?;
    } else {
        content = std::fs::read(path).map_err(io_error)?;
    }
    if content.starts_with(&GZIP) {
        let compressed = std::mem::take(&mut content);
        // A producer that was killed leaves the last member open: what is before it is still good, and the
        // line that it ends in will say so.
        match MultiGzDecoder::new(&compressed[..]).read_to_end(&mut content) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(io_error(error));
            }
            _ => {}
        }
    }
    Ok(content)
}

/// The lines that are not blank, each with its number from 1. A byte order mark is left out.
pub(in crate::load) fn lines(content: &[u8]) -> impl Iterator<Item = Result<(usize, &str), Fault>> {
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    let numbered = content.split(|byte| *byte == b'\n').enumerate();
    numbered.filter(|(_, line)| !line.trim_ascii().is_empty()).map(|(index, line)| {
        let text = std::str::from_utf8(line);
        text.map(|text| (index + 1, text.trim()))
            .map_err(|_| Fault::new(index + 1, "this is not UTF-8 text"))
    })
}

/// The whole text, which must be UTF-8.
pub(super) fn text(content: &[u8]) -> Result<&str, Fault> {
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    std::str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::new(line, "this is not UTF-8 text")
    })
}
