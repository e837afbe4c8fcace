//! When a computation has to end.

use std::time::{Duration, Instant};

/// A moment until which a computation may go on, or none. What is cut short says so: an answer never depends on
/// the clock silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// There is no hurry.
    pub const NEVER: Self = Self(None);

    /// So long from now; never if that is more than a clock can count.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// The time that is left, if it is limited.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        Some(self.0?.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_out() {
        assert!(!Deadline::NEVER.has_passed() && Deadline::NEVER.left().is_none());
        assert!(Deadline::after(Duration::ZERO).has_passed());
        let hour = Duration::from_secs(3600);
        let later = Deadline::after(hour);
        assert!(!later.has_passed() && later.left().is_some_and(|left| left <= hour));
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    }
}
