//! Readers of games: our own JSON, Gambit's `.nfg`, and CSV.

mod csv;
mod json;
mod nfg;

use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::game::{Game, GameError};

/// Why a file holds no game.
#[derive(Debug, Error)]
pub enum GameFileError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file can be read but is no game.
    #[error("{}, {fault}", path.display())]
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
    fn new(line: usize, what: impl ToString) -> Self {
        Self { line, what: what.to_string() }
    }
}

/// Read the game of a file, or of standard input if the path is `-`. What kind of file it is shows in its
/// first characters: `{` begins JSON, `NFG` a Gambit file, anything else is CSV.
///
/// # Errors
///
/// If the file cannot be read, or is no game; with the line.
pub fn game_of_file(path: &Path) -> Result<Game, GameFileError> {
    let unreadable = |error| GameFileError::Unreadable { path: path.to_owned(), error };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
    } else {
        text = std::fs::read_to_string(path).map_err(unreadable)?;
    }
    game_of_text(&text).map_err(|fault| GameFileError::Faulty { path: path.to_owned(), fault })
}

/// The game of a text in any of the formats that [`game_of_file`] knows.
///
/// # Errors
///
/// If the text is no game; with the line.
pub fn game_of_text(text: &str) -> Result<Game, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let begin = text.trim_start();
    if begin.is_empty() {
        return Err(Fault::new(1, "the file is empty; give a game as JSON, .nfg or CSV"));
    }
    if begin.starts_with('{') {
        json::read(text)
    } else if begin.starts_with("NFG") {
        nfg::read(text)
    } else {
        csv::read(text)
    }
}

/// Where the profile that an error speaks of was read; the whole game's line for all other errors.
fn fault_at(error: GameError, lines: &[usize], of_game: usize, profile: Option<usize>) -> Fault {
    let line = profile.and_then(|profile| lines.get(profile)).copied().filter(|line| *line > 0);
    Fault::new(line.unwrap_or(of_game), error)
}
