//! The dominated volume by sampling, where the exact one takes too long.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::dominance::front;

/// A sampled volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampled {
    /// The volume.
    pub volume: f64,
    /// Its standard error.
    pub error: f64,
}

/// The dominated volume, from uniform samples between the best values and the reference point.
#[must_use]
pub fn sampled_hypervolume(
    points: &[Vec<f64>],
    reference: &[f64],
    samples: u32,
    seed: u64,
) -> Sampled {
    let inside = |point: &&Vec<f64>| point.iter().zip(reference).all(|(x, r)| x < r);
    let points: Vec<Vec<f64>> = points.iter().filter(inside).cloned().collect();
    let points: Vec<&Vec<f64>> = front(&points).into_iter().map(|index| &points[index]).collect();
    if points.is_empty() {
        return Sampled { volume: 0.0, error: 0.0 };
    }
    let best: Vec<f64> = (0..reference.len())
        .map(|side| points.iter().map(|point| point[side]).fold(f64::INFINITY, f64::min))
        .collect();
    let whole: f64 = best.iter().zip(reference).map(|(best, r)| r - best).product();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut sample = vec![0.0; reference.len()];
    let mut dominated = 0_u32;
    for _ in 0..samples {
        for ((x, best), r) in sample.iter_mut().zip(&best).zip(reference) {
            *x = best + (r - best) * random.random::<f64>();
        }
        let covers = |point: &&Vec<f64>| point.iter().zip(&sample).all(|(p, x)| p <= x);
        dominated += u32::from(points.iter().any(covers));
    }
    let share = f64::from(dominated) / f64::from(samples);
    let error = (share * (1.0 - share) / f64::from(samples)).sqrt();
    Sampled { volume: whole * share, error: whole * error }
}
