//! The periodogram of a series, and what is in a band of it.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::INTERVALS;
use super::red_noise::RedNoise;

/// How series of one length are transformed: to plan it takes as long as to do it.
pub(super) type Transform = Arc<dyn RealToComplex<f64>>;

/// The transform of series of this length.
pub(super) fn transform(n: usize) -> Transform {
    RealFftPlanner::new().plan_fft_forward(n)
}

/// The discrete Fourier transform of a series without mean and trend.
pub(super) struct Spectrum {
    n: usize,
    bins: Vec<Complex<f64>>,
}

/// What is in a band.
pub(super) struct Filtered {
    /// The series, filtered.
    pub(super) values: Vec<f64>,
    /// Its share of the variance.
    pub(super) power: f64,
    /// Its standard deviation.
    pub(super) deviation: f64,
    /// The coefficient of variation of its envelope.
    pub(super) envelope_variation: f64,
}

/// A band reaches from this part of its peak's frequency to this multiple of it.
const BAND: f64 = 1.3;

impl Spectrum {
    pub(super) fn of(mut series: Vec<f64>, forward: &Transform) -> Self {
        let n = series.len();
        let mut bins = forward.make_output_vec();
        forward.process(&mut series, &mut bins).expect("the lengths are the plan's");
        Self { n, bins }
    }

    /// Per sample.
    pub(super) fn frequency(&self, bin: usize) -> f64 {
        bin as f64 / self.n as f64
    }

    /// The height of every bin over the noise, in means of all bins; each with its neighbours by half,
    /// because no period fits the series exactly.
    pub(super) fn heights(&self, noise: &RedNoise) -> Vec<f64> {
        let over_noise = |(bin, value): (usize, &Complex<f64>)| {
            value.norm_sqr() / noise.density(self.frequency(bin))
        };
        let mut heights: Vec<f64> = self.bins.iter().enumerate().map(over_noise).collect();
        heights[0] = 0.0;
        let mean = heights.iter().sum::<f64>() / (heights.len() - 1) as f64;
        let smoothed = heights.windows(3).map(|three| {
            (0.5 * three[0] + three[1] + 0.5 * three[2]) / (2.0 * mean.max(f64::MIN_POSITIVE))
        });
        let mut smoothed: Vec<f64> = std::iter::once(0.0).chain(smoothed).collect();
        smoothed.push(0.0);
        smoothed
    }

    /// The band around a peak, per sample.
    pub(super) fn band_around(&self, bin: usize) -> (f64, f64) {
        let (low, high) = (bin as f64 / BAND, bin as f64 * BAND);
        let n = self.n as f64;
        // At least one bin to either side.
        (low.min(bin as f64 - 1.0) / n, high.max(bin as f64 + 1.0).min(n / 2.0) / n)
    }

    pub(super) fn filter(&self, (low, high): (f64, f64)) -> Filtered {
        let inside = |bin: usize| (low..=high).contains(&self.frequency(bin));
        let zero = Complex::new(0.0, 0.0);
        let kept: Vec<Complex<f64>> = (0..self.bins.len())
            .map(|bin| if bin > 0 && inside(bin) { self.bins[bin] } else { zero })
            .collect();
        let power = |bins: &[Complex<f64>]| bins[1..].iter().map(Complex::norm_sqr).sum::<f64>();
        let quadrature: Vec<Complex<f64>> = kept.iter().map(|bin| -bin * Complex::I).collect();
        let share = power(&kept) / power(&self.bins);
        let values = self.inverse(kept);
        let turned = self.inverse(quadrature);
        let envelope: Vec<f64> = values.iter().zip(&turned).map(|(a, b)| a.hypot(*b)).collect();
        // The filter joins the ends of the series: the envelope is not its own there.
        let margin = self.n / 10;
        Filtered {
            power: share,
            deviation: (values.iter().map(|x| x * x).sum::<f64>() / self.n as f64).sqrt(),
            envelope_variation: variation(&envelope[margin..self.n - margin]),
            values,
        }
    }

    fn inverse(&self, mut bins: Vec<Complex<f64>>) -> Vec<f64> {
        let backward = RealFftPlanner::<f64>::new().plan_fft_inverse(self.n);
        bins[0].im = 0.0;
        if self.n.is_multiple_of(2) {
            let last = bins.len() - 1;
            bins[last].im = 0.0;
        }
        let mut values = backward.make_output_vec();
        backward.process(&mut bins, &mut values).expect("the lengths are the plan's");
        values.iter_mut().for_each(|value| *value /= self.n as f64);
        values
    }
}

fn variation(values: &[f64]) -> f64 {
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / values.len() as f64).sqrt() / centre
}

/// The highest bin outside the taken bands, among the periods that can be judged: from four samples to so
/// long that the lags have crossings enough.
pub(super) fn highest(heights: &[f64], n: usize, taken: &[(f64, f64)]) -> Option<(usize, f64)> {
    let (first, last) = ((INTERVALS as f64 + 1.0) / 2.0, n as f64 / 4.0);
    let is_free = |bin: usize| {
        let frequency = bin as f64 / n as f64;
        !taken.iter().any(|(low, high)| (*low..=*high).contains(&frequency))
    };
    (first.ceil() as usize..=last as usize)
        .filter(|bin| is_free(*bin))
        .map(|bin| (bin, heights[bin]))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}
