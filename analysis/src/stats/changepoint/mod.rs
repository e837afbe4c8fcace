//! Change points of a series.

mod cost;
mod kernel;
mod median;
mod pelt;
mod penalty;

pub use pelt::Segmentation;
pub use penalty::{Model, Noise, Penalty};

use self::cost::{Normal, SquaredError};
use self::kernel::GaussianKernel;
use self::median::AbsoluteError;
use self::pelt::{TimeUp, pelt};
use self::penalty::automatic_penalty;
use super::refusal::{Refusal, check};

/// How change points are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// What a segment has one of.
    pub model: Model,
    /// The price of a change point; `None` for one that the series itself suggests.
    pub penalty: Option<f64>,
    /// Values that a segment has at least.
    pub min_size: usize,
}

/// The change points of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePoints {
    /// The best segmentation; of a series cut short by time, of its beginning.
    pub segmentation: Segmentation,
    /// The penalty and where it comes from.
    pub penalty: Penalty,
    /// Values that the segmentation covers; fewer than the series has if time was up.
    pub covered: usize,
}

/// Find the segmentation with the least sum of segment costs and penalties. `go_on` is asked now and then; when
/// it says no, the best segmentation of the beginning of the series is the answer.
///
/// # Errors
///
/// If the series has values that are not finite or is shorter than a segment, or the penalty is negative. A
/// constant series has no change point and is no error.
pub fn change_points(
    series: &[f64],
    search: &Search,
    go_on: impl FnMut() -> bool,
) -> Result<ChangePoints, Refusal> {
    match check(series, search.min_size.max(1)) {
        Ok(()) | Err(Refusal::Constant(_)) => {}
        Err(refusal) => return Err(refusal),
    }
    let penalty = match search.penalty {
        Some(value) if value >= 0.0 && value.is_finite() => Penalty::given(value),
        Some(value) => {
            let message = format!("a penalty of {value} is none: it must be 0 or more");
            return Err(Refusal::Setting(message));
        }
        None => automatic_penalty(series, search.model),
    };
    let found = match search.model {
        Model::L1 => pelt(AbsoluteError::new(series), penalty.value, search.min_size, go_on),
        Model::L2 => pelt(SquaredError::new(series), penalty.value, search.min_size, go_on),
        Model::Normal => pelt(Normal::new(series), penalty.value, search.min_size, go_on),
        Model::Rbf => pelt(GaussianKernel::new(series), penalty.value, search.min_size, go_on),
    };
    Ok(match found {
        Ok(segmentation) => ChangePoints { segmentation, penalty, covered: series.len() },
        Err(TimeUp { segmentation, covered }) => ChangePoints { segmentation, penalty, covered },
    })
}

#[cfg(test)]
mod tests;
