//! Why a statistic of a series is refused.

/// A series that a statistic is not defined for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There are too few values.
    #[error("the series has {found} values and this needs at least {needed}")]
    TooShort {
        /// Values that there are.
        found: usize,
        /// Values that are needed.
        needed: usize,
    },
    /// All values are equal.
    #[error("the series is constant: all its {0} values are equal")]
    Constant(usize),
    /// A value is not finite.
    #[error("value {0} of the series, counted from 0, is not a finite number")]
    NotFinite(usize),
    /// Squares of the values, or of their differences, are not what a double holds. The value or difference.
    #[error("squares of {0} are beyond double precision: scale the series")]
    Range(String),
    /// The regression has no unique solution.
    #[error(
        "the series is an exact polynomial or recurrence: its regression has no unique solution"
    )]
    Singular,
    /// A setting does not fit the series.
    #[error("{0}")]
    Setting(String),
}

impl Refusal {
    /// A name for machines.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::Constant(_) => "constant",
            Self::NotFinite(_) => "not_finite",
            Self::Range(_) => "range",
            Self::Singular => "singular",
            Self::Setting(_) => "setting",
        }
    }
}

/// Make sure that a series has values enough, all finite, not all equal, and neither so large nor so close together
/// that sums of squares are lost.
///
/// # Errors
///
/// [`Refusal`] with the first of these that does not hold.
pub(crate) fn check(series: &[f64], needed: usize) -> Result<(), Refusal> {
    if let Some(index) = series.iter().position(|value| !value.is_finite()) {
        return Err(Refusal::NotFinite(index));
    }
    if series.len() < needed {
        return Err(Refusal::TooShort { found: series.len(), needed });
    }
    if series.iter().all(|value| *value == series[0]) {
        return Err(Refusal::Constant(series.len()));
    }
    let n = series.len() as f64;
    let size = series.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    // Partial sums are up to n values, and n of their squares are added.
    if !((4.0 * n * size).powi(2) * n).is_finite() {
        return Err(Refusal::Range(format!("{size:e}")));
    }
    let spread = series.iter().fold(0.0, |most: f64, value| most.max((value - series[0]).abs()));
    if spread * spread < f64::MIN_POSITIVE {
        return Err(Refusal::Range(format!("{spread:e}")));
    }
    Ok(())
}
