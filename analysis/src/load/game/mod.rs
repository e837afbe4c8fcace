//! Readers of games: our own JSON, Gambit's `.nfg`, and CSV.

mod csv;
mod json;
mod nfg;

use std::path::Path;

use super::text::{Fault, TextFileError, of_file};
use crate::game::{Game, GameError};

/// Read the game of a file, or of standard input if the path is `-`. What kind of file it is shows in its
/// first characters: `{` begins JSON, `NFG` a Gambit file, anything else is CSV.
///
/// # Errors
///
/// If the file cannot be read, or is no game; with the line.
pub fn game_of_file(path: &Path) -> Result<Game, TextFileError> {
    of_file(path, game_of_text)
}

/// The game of a text in any of the formats that [`game_of_file`] knows.
///
/// # Errors
///
/// If the text is no game; with the line.
pub fn game_of_text(text: &str) -> Result<Game, Fault> {
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
