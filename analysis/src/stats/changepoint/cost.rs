//! What a segment costs.

use crate::stats::quantile::mean;

/// Costs of the segments of one series. A segment never gets cheaper by being left whole: for `s < t < u`,
/// cost(s, t) + cost(t, u) <= cost(s, u), which is what pruning rests upon.
pub(super) trait SegmentCosts {
    /// Values in the series.
    fn len(&self) -> usize;

    /// Add a value: from now on, segments end behind `end` values. It is called for every end in order,
    /// from 1; `oldest` is the earliest start that will be asked for from now on.
    fn extend(&mut self, end: usize, oldest: usize);

    /// The cost of the segment from `start` to the end.
    fn cost(&self, start: usize, end: usize) -> f64;

    /// The costs of the segments from many starts to one end, each added to what is `before` its start.
    fn totals(&self, starts: &[usize], before: &[f64], end: usize, totals: &mut [f64]) {
        for ((total, before), start) in totals.iter_mut().zip(before).zip(starts) {
            *total = before + self.cost(*start, end);
        }
    }
}

/// Running sums of a series around its mean.
struct Sums {
    values: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    fn of(series: &[f64]) -> Self {
        let centre = mean(series);
        let (mut value, mut square) = (0.0, 0.0);
        let mut sums = Self { values: vec![0.0], squares: vec![0.0] };
        for deviation in series.iter().map(|x| x - centre) {
            value += deviation;
            square += deviation * deviation;
            sums.values.push(value);
            sums.squares.push(square);
        }
        sums
    }

    /// The squared error of a segment around its mean.
    fn squared_error(&self, start: usize, end: usize) -> f64 {
        let sum = self.values[end] - self.values[start];
        let squares = self.squares[end] - self.squares[start];
        (squares - sum * sum / (end - start) as f64).max(0.0)
    }
}

/// `l2`: one mean for each segment; the sum of squared errors.
pub(super) struct SquaredError(Sums);

impl SquaredError {
    /// The costs of a series.
    pub(super) fn new(series: &[f64]) -> Self {
        Self(Sums::of(series))
    }
}

impl SegmentCosts for SquaredError {
    fn len(&self) -> usize {
        self.0.values.len() - 1
    }

    fn extend(&mut self, _: usize, _: usize) {}

    fn cost(&self, start: usize, end: usize) -> f64 {
        self.0.squared_error(start, end)
    }
}

/// `normal`: one mean and one variance for each segment; n ln(variance), minus twice the Gaussian
/// log-likelihood without its constant. The variance is at least 1e-9 of the series' own: the likelihood of a
/// constant segment has no bound.
pub(super) struct Normal {
    sums: Sums,
    least_variance: f64,
}

impl Normal {
    /// The costs of a series.
    pub(super) fn new(series: &[f64]) -> Self {
        let sums = Sums::of(series);
        let whole = sums.squared_error(0, series.len()) / series.len() as f64;
        Self { sums, least_variance: if whole > 0.0 { 1e-9 * whole } else { 1.0 } }
    }
}

impl SegmentCosts for Normal {
    fn len(&self) -> usize {
        self.sums.values.len() - 1
    }

    fn extend(&mut self, _: usize, _: usize) {}

    fn cost(&self, start: usize, end: usize) -> f64 {
        let n = (end - start) as f64;
        let error = self.sums.squared_error(start, end);
        let variance = (error / n).max(self.least_variance);
        // The second part is zero unless the variance is the least one; with it the cost is still a minimum over
        // normal distributions, and no segment gets cheaper by being left whole.
        n * variance.ln() + (error / variance - n).min(0.0)
    }
}
