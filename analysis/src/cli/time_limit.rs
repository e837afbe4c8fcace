//! How long a command may take.

use std::time::Duration;

use crate::game::Deadline;

/// The limit that a command was given.
#[derive(clap::Args)]
pub(super) struct TimeLimit {
    /// Answer after so many seconds with what there is by then
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    time_limit: f64,
}

/// A number of seconds above 0.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds < 1e9 => Ok(seconds),
        _ => Err("a number of seconds above 0".into()),
    }
}

impl TimeLimit {
    /// When the time is up, counted from now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(Duration::from_secs_f64(self.time_limit))
    }
}
