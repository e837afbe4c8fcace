//! A Gaussian process: what was measured, and how sure it is elsewhere.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::stats::mean;

/// A Gaussian process with a Matern 5/2 kernel, a length for each knob, and noise, all by the greatest
/// marginal likelihood (Rasmussen and Williams 2006, chapters 2, 4 and 5).
pub struct Process {
    inputs: Vec<Vec<f64>>,
    /// Logarithms: a length for each knob, then the noise's variance relative to the signal's.
    settings: Vec<f64>,
    factor: Cholesky<f64, Dyn>,
    /// The inverse covariance times the standardised outputs.
    weights: DVector<f64>,
    /// The signal's variance, of standardised outputs.
    signal: f64,
    centre: f64,
    scale: f64,
}

/// The shortest and the longest length, in widths of a knob's range, and the least and the most noise.
const LENGTHS: (f64, f64) = (0.05, 10.0);
const NOISES: (f64, f64) = (1e-6, 1.0);

impl Process {
    /// Learn from inputs in the unit cube; `None` of fewer than two or of outputs that are not finite.
    #[must_use]
    pub fn learn(inputs: &[Vec<f64>], outputs: &[f64]) -> Option<Self> {
        if inputs.len() < 2 || outputs.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let centre = mean(outputs);
        let squares: f64 = outputs.iter().map(|value| (value - centre).powi(2)).sum();
        let scale = match (squares / outputs.len() as f64).sqrt() {
            0.0 => 1.0,
            scale => scale,
        };
        let standard = DVector::from_iterator(
            outputs.len(),
            outputs.iter().map(|value| (value - centre) / scale),
        );
        let knobs = inputs[0].len();
        let likelihood = |settings: &[f64]| {
            fit(inputs, &standard, settings).map_or(f64::NEG_INFINITY, |fit| fit.likelihood)
        };
        let starts = [0.2_f64, 0.7, 2.0].into_iter().flat_map(|length| {
            [1e-4_f64, 0.05].map(|noise| {
                let mut start = vec![length.ln(); knobs];
                start.push(noise.ln());
                start
            })
        });
        let settings = starts
            .map(|start| climb(start, &likelihood))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(settings, _)| settings)?;
        let fit = fit(inputs, &standard, &settings)?;
        Some(Self {
            inputs: inputs.to_vec(),
            settings,
            factor: fit.factor,
            weights: fit.weights,
            signal: fit.signal,
            centre,
            scale,
        })
    }

    /// The mean and the standard deviation of what is behind the noise at a point.
    #[must_use]
    pub fn predict(&self, at: &[f64]) -> (f64, f64) {
        let covariances = self.inputs.iter().map(|input| kernel(input, at, &self.settings));
        let covariances = DVector::from_iterator(self.inputs.len(), covariances);
        let explained = covariances.dot(&self.factor.solve(&covariances));
        let variance = self.signal * (1.0 - explained).max(0.0);
        let mean = covariances.dot(&self.weights);
        (self.centre + self.scale * mean, self.scale * variance.sqrt())
    }
}

struct Fit {
    factor: Cholesky<f64, Dyn>,
    weights: DVector<f64>,
    signal: f64,
    likelihood: f64,
}

/// The process with these settings; the signal's variance has its best value in closed form.
fn fit(inputs: &[Vec<f64>], outputs: &DVector<f64>, settings: &[f64]) -> Option<Fit> {
    let n = inputs.len();
    let noise = settings[settings.len() - 1].exp();
    let covariance = DMatrix::from_fn(n, n, |row, column| {
        kernel(&inputs[row], &inputs[column], settings) + if row == column { noise } else { 0.0 }
    });
    let factor = Cholesky::new(covariance)?;
    let weights = factor.solve(outputs);
    let signal = (outputs.dot(&weights) / n as f64).max(1e-12);
    let determinant: f64 = factor.l_dirty().diagonal().iter().map(|x| x.ln()).sum();
    let likelihood = -0.5 * n as f64 * signal.ln() - determinant;
    Some(Fit { factor, weights, signal, likelihood })
}

fn kernel(a: &[f64], b: &[f64], settings: &[f64]) -> f64 {
    let sides = a.iter().zip(b).zip(settings);
    let squared: f64 = sides.map(|((x, y), length)| ((x - y) / length.exp()).powi(2)).sum();
    let distance = (5.0 * squared).sqrt();
    (1.0 + distance + distance * distance / 3.0) * (-distance).exp()
}

/// Climb along the axes, with steps that halve where none goes up.
fn climb(mut at: Vec<f64>, height: &dyn Fn(&[f64]) -> f64) -> (Vec<f64>, f64) {
    let last = at.len() - 1;
    let limits = |axis: usize| if axis == last { NOISES } else { LENGTHS };
    let mut best = height(&at);
    let mut step = 1.0;
    while step > 0.05 {
        let mut moved = false;
        for axis in 0..at.len() {
            for direction in [step, -step] {
                let (low, high) = limits(axis);
                let mut next = at.clone();
                next[axis] = (next[axis] + direction).clamp(low.ln(), high.ln());
                let found = height(&next);
                if found > best + 1e-9 {
                    (at, best, moved) = (next, found, true);
                    break;
                }
            }
        }
        if !moved {
            step /= 2.0;
        }
    }
    (at, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_through_what_was_measured_and_doubts_the_rest() {
        let inputs: Vec<Vec<f64>> = (0..9).map(|i| vec![f64::from(i) / 10.0]).collect();
        let outputs: Vec<f64> = inputs.iter().map(|x| 100.0 + (6.0 * x[0]).sin()).collect();
        let process = Process::learn(&inputs, &outputs).unwrap();
        for (input, output) in inputs.iter().zip(&outputs) {
            let (mean, deviation) = process.predict(input);
            assert!(
                (mean - output).abs() < 0.02 && deviation < 0.05,
                "{mean} {output} {deviation}"
            );
        }
        let (mean, deviation) = process.predict(&[0.45]);
        assert!((mean - (100.0 + 2.7_f64.sin())).abs() < 0.03, "{mean}");
        assert!(process.predict(&[1.0]).1 > 2.0 * deviation);
        assert!(Process::learn(&inputs[..1], &outputs[..1]).is_none());
    }
}
