//! From what the user names to runs and their trace files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nashtrace::trace::EXTENSION;

/// What a trace on standard input is called in place of its path.
pub const STANDARD_INPUT: &str = "standard input";

/// Why a path leads to no trace.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A directory without traces.
    #[error("{}: no .{EXTENSION} file is in this directory or in its trace/ directory", .0.display())]
    NoTraces(PathBuf),
}

/// The trace files of one directory. They belong together: one process and session each, joined by
/// request and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The folder as the user named it: the directory itself, or the one around it if that is called
    /// `trace`.
    pub folder: PathBuf,
    /// Its trace files, each once.
    pub files: Vec<PathBuf>,
}

/// The runs that paths stand for, in the order they are first named, and the paths that lead nowhere.
#[must_use]
pub fn runs(paths: &[PathBuf]) -> (Vec<Run>, Vec<PathError>) {
    let mut runs: Vec<(PathBuf, Run)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for path in paths {
        match trace_files(path) {
            Ok(files) => {
                for file in files {
                    if seen.insert(canonical(&file)) {
                        add(&mut runs, file);
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    (runs.into_iter().map(|(_, run)| run).collect(), errors)
}

fn add(runs: &mut Vec<(PathBuf, Run)>, file: PathBuf) {
    let directory = canonical(&file).parent().unwrap_or(Path::new("/")).to_owned();
    if let Some((_, run)) = runs.iter_mut().find(|(known, _)| *known == directory) {
        run.files.push(file);
        return;
    }
    let named = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let named = named.unwrap_or(Path::new("."));
    let around = named.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = match around {
        Some(around) if named.ends_with("trace") => around,
        _ => named,
    };
    runs.push((directory, Run { folder: folder.to_owned(), files: vec![file] }));
}

/// `requests.jsonl` of the lab run that a trace belongs to: beside the trace or beside its directory. Nothing is
/// beside standard input.
#[must_use]
pub fn outcomes_beside(trace: &Path) -> Option<PathBuf> {
    if trace == Path::new(STANDARD_INPUT) {
        return None;
    }
    let trace = canonical(trace);
    let folders = trace.ancestors().skip(1).take(2);
    folders.map(|folder| folder.join("requests.jsonl")).find(|file| file.is_file())
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The trace files that a path stands for: a file itself, the traces of a directory, or the traces of
/// a run's `trace` directory; in name order.
///
/// # Errors
///
/// If the path does not exist or leads to no trace.
fn trace_files(path: &Path) -> Result<Vec<PathBuf>, PathError> {
    let io_error = |source| PathError::Io { path: path.into(), source };
    if !path.metadata().map_err(io_error)?.is_dir() {
        return Ok(vec![path.into()]);
    }
    for directory in [path.to_owned(), path.join("trace")] {
        let files = traces_in(&directory).map_err(io_error)?;
        if !files.is_empty() {
            return Ok(files);
        }
    }
    Err(PathError::NoTraces(path.into()))
}

fn traces_in(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
