//! What each point adds to the volume.

use super::hypervolume::{Patience, Size, exclusive, sizes};

/// The volume that each point alone dominates; zero of points that are dominated, equal to another one, or not
/// better than the reference.
#[must_use]
pub fn contributions(points: &[Vec<f64>], reference: &[f64]) -> Vec<f64> {
    let of = |index: usize| {
        let own = sizes(&points[index..=index], reference);
        let Some(own) = own.first() else { return 0.0 };
        let mut others: Vec<Size> = sizes(&points[..index], reference);
        others.extend(sizes(&points[index + 1..], reference));
        exclusive(own, &others, reference.len(), &Patience::without_end()).max(0.0)
    };
    (0..points.len()).map(of).collect()
}
