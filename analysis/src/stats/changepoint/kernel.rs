//! The cost of a segment under a Gaussian kernel.

use super::cost::SegmentCosts;

/// `rbf`: one distribution for each segment; n minus the mean similarity times n, where two values are as
/// similar as exp(-g d^2) of their distance d, and 1/g is the median of the squared distances of all pairs
/// (Arlot, Celisse and Harchaoui 2019). Similarities are not stored: memory is linear.
pub(super) struct GaussianKernel {
    series: Vec<f64>,
    /// g.
    pub(super) scale: f64,
    /// For each start, the similarities of all pairs from it to the end.
    sums: Vec<f64>,
}

impl GaussianKernel {
    /// The costs of a series.
    pub(super) fn new(series: &[f64]) -> Self {
        let median = median_squared_distance(series);
        let scale = if median > 0.0 { 1.0 / median } else { 1.0 };
        Self { series: series.to_vec(), scale, sums: vec![0.0; series.len()] }
    }
}

impl SegmentCosts for GaussianKernel {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn extend(&mut self, end: usize, oldest: usize) {
        let new = self.series[end - 1];
        self.sums[end - 1] = 1.0;
        let mut similar = 0.0;
        let before = self.series[oldest..end - 1].iter().zip(&mut self.sums[oldest..end - 1]);
        for (value, sum) in before.rev() {
            let distance = value - new;
            similar += (-self.scale * distance * distance).exp();
            *sum += 2.0 * similar + 1.0;
        }
    }

    fn cost(&self, start: usize, end: usize) -> f64 {
        let n = (end - start) as f64;
        (n - self.sums[start] / n).max(0.0)
    }
}

/// The median of the squared distances of all pairs, found by halving the range of distances: how many pairs
/// are closer than a distance is counted in one pass over the sorted values.
fn median_squared_distance(series: &[f64]) -> f64 {
    let mut sorted = series.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as u64;
    let pairs = n * n.saturating_sub(1) / 2;
    if pairs == 0 {
        return 0.0;
    }
    let upper = distance_of_rank(&sorted, pairs / 2);
    let lower =
        if pairs.is_multiple_of(2) { distance_of_rank(&sorted, pairs / 2 - 1) } else { upper };
    (lower * lower + upper * upper) / 2.0
}

/// The distance that so many pairs are closer than, in order of distance.
fn distance_of_rank(sorted: &[f64], rank: u64) -> f64 {
    // Positive floats are in the order of their bits.
    let (mut low, mut high) = (0_u64, (sorted[sorted.len() - 1] - sorted[0]).to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if pairs_within(sorted, f64::from_bits(middle)) > rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    f64::from_bits(low)
}

fn pairs_within(sorted: &[f64], distance: f64) -> u64 {
    let mut first = 0;
    let mut pairs = 0;
    for (index, value) in sorted.iter().enumerate() {
        while value - sorted[first] > distance {
            first += 1;
        }
        pairs += (index - first) as u64;
    }
    pairs
}
