//! Reading the traces that the user named.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use nashtrace::trace::DamageKind;
use tempfile::NamedTempFile;

use super::{complain, progress};
use crate::load::{FileFacts, Run, STANDARD_INPUT, Visitor, runs, scan};

/// The traces of a command, and how it is told to answer.
#[derive(clap::Args)]
pub(super) struct Input {
    /// Trace files, directories of them, folders of lab runs, or - for one trace on standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What could be read.
pub(super) struct Read<V> {
    /// The runs that have a readable file.
    pub(super) runs: Vec<ReadRun<V>>,
    /// Paths and files that could not be read at all, one sentence each.
    pub(super) unreadable: Vec<String>,
    /// What stood on standard input: a trace is read more than once, and not only forwards.
    spooled: Option<NamedTempFile>,
}

/// The files of one directory.
pub(super) struct ReadRun<V> {
    /// The folder, as the user named it.
    pub(super) folder: PathBuf,
    /// Every file that begins like a trace, with what its visitor gathered.
    pub(super) files: Vec<(FileFacts, V)>,
}

impl<V> Read<V> {
    /// The files of all runs.
    pub(super) fn files(&self) -> impl Iterator<Item = &(FileFacts, V)> {
        self.runs.iter().flat_map(|run| &run.files)
    }

    /// Where a file can be read again.
    pub(super) fn place<'a>(&'a self, facts: &'a FileFacts) -> &'a Path {
        match &self.spooled {
            Some(spooled) if facts.path == Path::new(STANDARD_INPUT) => spooled.path(),
            _ => &facts.path,
        }
    }

    /// Whether everything that was named could be read to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.unreadable.is_empty()
            && self.damage().next().is_none()
            && self.files().all(|(facts, _)| facts.interrupted.is_none())
    }

    /// Whether some file ends inside a packet.
    pub(super) fn is_torn(&self) -> bool {
        self.damage().any(|kind| kind == DamageKind::Torn)
    }

    fn damage(&self) -> impl Iterator<Item = DamageKind> {
        self.files().flat_map(|(facts, _)| &facts.damage).map(|damage| damage.kind)
    }
}

/// Read every file that the paths stand for. What cannot be read is named on standard error.
pub(super) fn read<V: Visitor>(input: &Input, mut visitor: impl FnMut() -> V) -> Read<V> {
    let is_input = |path: &&PathBuf| path.as_path() == Path::new("-");
    let named: Vec<PathBuf> = input.paths.iter().filter(|path| !is_input(path)).cloned().collect();
    let (mut found, errors) = runs(&named);
    let mut unreadable: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let mut spooled = None;
    if input.paths.iter().any(|path| is_input(&path)) {
        match spool() {
            Ok(file) => {
                let files = vec![file.path().to_owned()];
                found.push(Run { folder: STANDARD_INPUT.into(), files });
                spooled = Some(file);
            }
            Err(error) => unreadable.push(format!("{STANDARD_INPUT}: {error}")),
        }
    }
    let is_spooled = |file: &Path| spooled.as_ref().is_some_and(|spooled| spooled.path() == file);
    unreadable.iter().for_each(|sentence| complain(sentence));
    let bar = progress_bar(&found);
    let mut before = 0;
    let mut runs = Vec::new();
    for run in found {
        let mut files = Vec::new();
        for file in &run.files {
            let mut visitor = visitor();
            match scan(file, &mut visitor, |offset| bar.set_position(before + offset)) {
                Ok(mut facts) => {
                    if is_spooled(file) {
                        facts.path = STANDARD_INPUT.into();
                    }
                    before += facts.bytes;
                    let damage = facts.damage_sentences();
                    bar.suspend(|| damage.iter().for_each(|sentence| complain(sentence)));
                    files.push((facts, visitor));
                }
                Err(error) => {
                    let mut sentence = error.to_string();
                    if is_spooled(file) {
                        sentence = sentence.replace(&*file.to_string_lossy(), STANDARD_INPUT);
                    }
                    bar.suspend(|| complain(&sentence));
                    unreadable.push(sentence);
                }
            }
        }
        if !files.is_empty() {
            runs.push(ReadRun { folder: run.folder, files });
        }
    }
    bar.finish_and_clear();
    Read { runs, unreadable, spooled }
}

/// Standard input as a file.
fn spool() -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
    Ok(file)
}

/// A bar for long work.
fn progress_bar(runs: &[Run]) -> ProgressBar {
    const WORTH_A_BAR: u64 = 32 << 20;
    let files = runs.iter().flat_map(|run| &run.files);
    let bytes = files.filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
    if bytes < WORTH_A_BAR {
        return ProgressBar::hidden();
    }
    progress::bar(Some(bytes), "reading {bar:40} {bytes}/{total_bytes} {eta}")
}
