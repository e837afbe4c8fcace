//! Headings and sentences.

use anstyle::{AnsiColor, Style};

/// A heading, bold on a terminal.
#[must_use]
pub fn heading(text: &str) -> String {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
    format!("{style}{text}{style:#}")
}

/// A heading of something that a reader must know before he believes the numbers.
#[must_use]
pub fn warning(text: &str) -> String {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    format!("{style}{text}{style:#}")
}

/// A sentence, indented by two and broken between words at the width of the terminal, or at 100.
#[must_use]
pub fn sentence(text: &str) -> String {
    const WIDEST: usize = 100;
    let width = textwrap::termwidth().min(WIDEST);
    let options = textwrap::Options::new(width)
        .initial_indent("  ")
        .subsequent_indent("  ")
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}
