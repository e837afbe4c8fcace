//! How far long work is, on standard error.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many steps, or of nobody knows how many, in a template of indicatif's. On a terminal only.
///
/// # Panics
///
/// If the template is none.
pub(super) fn bar(steps: Option<u64>, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = steps.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.with_style(ProgressStyle::with_template(template).expect("a valid template"))
}
