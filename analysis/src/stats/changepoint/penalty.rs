//! What a change point must be worth.

use crate::stats::quantile::mean;

/// What a segment has one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// A median.
    L1,
    /// A mean.
    L2,
    /// A mean and a variance.
    Normal,
    /// A distribution.
    Rbf,
}

/// A penalty and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// The price of one change point, in the unit of the costs.
    pub value: f64,
    /// What an automatic one was computed from; `None` of one that was given.
    pub noise: Option<Noise>,
}

/// The noise of a series around whatever levels it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Its standard deviation.
    pub deviation: f64,
    /// Its correlation from one value to the next, from 0 to 0.99.
    pub correlation: f64,
}

impl Penalty {
    pub(super) fn given(value: f64) -> Self {
        Self { value, noise: None }
    }
}

impl Noise {
    /// Robust against changes of level: both come from the distances of values one and two apart, without the
    /// largest tenth of them. In an autoregression of order 1 their variances are in the ratio 1 : 1 + correlation
    /// (Chakar, Lebarbier, Levy-Leduc and Robin 2017, who take medians; those vary so much in short series
    /// that a low estimate lets chance through as change).
    fn of(series: &[f64]) -> Self {
        let (near, far) = (typical_distance(series, 1), typical_distance(series, 2));
        let correlation = if near > 0.0 { (far / near).powi(2) - 1.0 } else { 0.0 };
        let correlation = correlation.clamp(0.0, 0.99);
        Self { deviation: near / (2.0 * (1.0 - correlation)).sqrt(), correlation }
    }

    /// By how much the dependence multiplies the variance of a mean.
    fn inflation(&self) -> f64 {
        (1.0 + self.correlation) / (1.0 - self.correlation)
    }
}

/// A penalty under which a series without change points seldom shows one: with s the noise's standard
/// deviation and f = (1 + r) / (1 - r) for its correlation r,
///
/// - `l2`: 3 f s^2 ln n, the leading term of the modified Bayesian criterion (Zhang and Siegmund 2007)
///   with the long-run variance in the place of the variance
/// - `l1`: the same times sqrt(pi / 8) / s, which is what a median gains over noise that is normal
/// - `normal`: 4 f ln n, for a variance as well
/// - `rbf`: 3 f v ln n, with v = 0.3, about the largest eigenvalue of the centred similarities of normal
///   values
pub(super) fn automatic_penalty(series: &[f64], model: Model) -> Penalty {
    let noise = Noise::of(series);
    let scale = noise.inflation() * (series.len().max(2) as f64).ln();
    let value = match model {
        Model::L2 => 3.0 * scale * noise.deviation.powi(2),
        Model::L1 => 3.0 * scale * noise.deviation * (std::f64::consts::PI / 8.0).sqrt(),
        Model::Normal => 4.0 * scale,
        Model::Rbf => 3.0 * scale * RBF_EIGENVALUE,
    };
    Penalty { value, noise: Some(noise) }
}

/// v.
const RBF_EIGENVALUE: f64 = 0.3;

/// The standard deviation of the differences of values so far apart in time, as the nine tenths of them that are
/// smallest tell it of normal ones; of all where these do not differ.
fn typical_distance(series: &[f64], apart: usize) -> f64 {
    /// The standard deviation of a standard normal value, given that it is among the nine tenths nearest to zero.
    const OF_NEAREST: f64 = 0.789_313_299_099_086;
    let pairs = series.iter().zip(series.iter().skip(apart));
    let mut distances: Vec<f64> = pairs.map(|(a, b)| (a - b).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let largest = distances.last().copied().unwrap_or(0.0);
    if largest == 0.0 {
        return 0.0;
    }
    // Relative to the largest, squares neither overflow nor vanish.
    let size = |distances: &[f64]| {
        let squares: Vec<f64> = distances.iter().map(|d| (d / largest).powi(2)).collect();
        largest * mean(&squares).sqrt()
    };
    let of_nearest = size(&distances[..(9 * distances.len()).div_ceil(10)]) / OF_NEAREST;
    if of_nearest > 0.0 { of_nearest } else { size(&distances) }
}
