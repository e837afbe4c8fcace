//! Small files of text, and what is wrong in them.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file of text could not be used.
#[derive(Debug, Error)]
pub enum TextFileError {
    /// The file cannot be read.
    #[error("{}: {error}", name_of(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file can be read but is not what it should be.
    #[error("{}, {fault}", name_of(path))]
    Faulty {
        /// The file.
        path: PathBuf,
        /// Where and why.
        fault: Fault,
    },
}

/// What is wrong in a text, and in which line.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}: {what}")]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do about it.
    pub what: String,
}

impl Fault {
    pub(crate) fn new(line: usize, what: impl ToString) -> Self {
        Self { line, what: what.to_string() }
    }
}

/// What people call a file, or standard input, which is written `-`.
pub(crate) fn name_of(path: &Path) -> Cow<'_, str> {
    if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() }
}

/// What a parser makes of a file, or of standard input if the path is `-`. A byte order mark is left out.
pub(crate) fn of_file<T>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, Fault>,
) -> Result<T, TextFileError> {
    let unreadable = |error| TextFileError::Unreadable { path: path.to_owned(), error };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
    } else {
        text = std::fs::read_to_string(path).map_err(unreadable)?;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    parse(text).map_err(|fault| TextFileError::Faulty { path: path.to_owned(), fault })
}

/// The records of a CSV with a header, each with its line, and the places of the columns.
pub(super) struct CsvTable {
    pub(super) header: csv::StringRecord,
    /// Line and fields.
    pub(super) records: Vec<(usize, csv::StringRecord)>,
}

impl CsvTable {
    pub(super) fn of(text: &str) -> Result<Self, Fault> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| Fault::new(1, error))?.clone();
        let line_of = |position: Option<&csv::Position>| position.map_or(1, csv::Position::line);
        let mut records = Vec::new();
        for record in reader.records() {
            let record =
                record.map_err(|error| Fault::new(line_of(error.position()) as usize, &error))?;
            let line = line_of(record.position()) as usize;
            if record.len() != header.len() {
                let (found, wanted) = (record.len(), header.len());
                let what = format!("{found} fields, but the header has {wanted}");
                return Err(Fault::new(line, what));
            }
            records.push((line, record));
        }
        Ok(Self { header, records })
    }

    /// Where a column stands.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// Where a column stands that must be there.
    pub(super) fn required(&self, name: &str) -> Result<usize, Fault> {
        let found: Vec<&str> = self.header.iter().collect();
        let missing = || format!("no column \"{name}\"; the columns are {}", found.join(", "));
        self.column(name).ok_or_else(|| Fault::new(1, missing()))
    }
}

/// A field that must be a finite number.
pub(super) fn number(line: usize, text: &str, column: &str) -> Result<f64, Fault> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    let fault =
        || Fault::new(line, format!("\"{text}\" in column \"{column}\" is not a finite number"));
    value.ok_or_else(fault)
}
