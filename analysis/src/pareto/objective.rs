//! Which way an objective is to go.

/// Which way an objective is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

impl Direction {
    /// A value of the objective as one that is to be made small, and back.
    #[must_use]
    pub fn towards_small(self, value: f64) -> f64 {
        match self {
            Self::Min => value,
            Self::Max => -value,
        }
    }
}
