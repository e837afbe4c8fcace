//! Price of Anarchy and Price of Stability: what equilibria cost against the best there is.

mod bounds;
mod next;
mod paired;
mod point;
mod resample;
mod smoothness;

pub use bounds::{AnarchyBounds, Bound, simultaneous_bounds};
pub use next::{NextMeasurement, NextMeasurements, next_measurements};
pub use paired::{PairedBlocks, Pairing};
pub use point::{AnarchyPoint, Verdict, anarchy_point};
pub use resample::{AnarchyResamples, PureSurvival, pure_survival, resample_anarchy};
pub use smoothness::{Smoothness, smoothness, smoothness_until};
