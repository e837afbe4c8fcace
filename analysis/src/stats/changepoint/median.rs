//! The cost of a segment around its median.

use super::cost::SegmentCosts;

/// `l1`: one median for each segment; the sum of absolute errors. Medians of any segment come from a wavelet
/// matrix (Claude, Navarro and Ordonez 2012) over the ranks of the values, in a step for each bit of a rank.
pub(super) struct AbsoluteError {
    levels: Vec<Level>,
    /// Running sums of the values in their order.
    sums: Vec<f64>,
    /// The values, sorted.
    sorted: Vec<f64>,
}

/// One bit of the ranks, the values arranged by the bits above it.
struct Level {
    /// Values before each position whose bit is 0.
    zeros: Vec<u32>,
    /// Their sum.
    sums: Vec<f64>,
}

impl AbsoluteError {
    /// The costs of a series.
    pub(super) fn new(series: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..series.len()).collect();
        order.sort_by(|a, b| series[*a].total_cmp(&series[*b]));
        let sorted: Vec<f64> = order.iter().map(|index| series[*index]).collect();
        let mut ranks = vec![0_u32; series.len()];
        for (rank, index) in order.into_iter().enumerate() {
            ranks[index] = rank as u32;
        }
        let mut sums = vec![0.0];
        for value in series {
            sums.push(sums[sums.len() - 1] + value);
        }
        let bits = usize::BITS - series.len().saturating_sub(1).leading_zeros();
        let levels = (0..bits).rev().map(|bit| Level::split(&mut ranks, bit, &sorted)).collect();
        Self { levels, sums, sorted }
    }
}

impl Level {
    /// Arrange the ranks by a bit, zeros first, and note what was where.
    fn split(ranks: &mut Vec<u32>, bit: u32, sorted: &[f64]) -> Self {
        let mut level = Self { zeros: vec![0], sums: vec![0.0] };
        let (mut zeros, mut ones) = (Vec::new(), Vec::new());
        let (mut count, mut sum) = (0, 0.0);
        for rank in ranks.drain(..) {
            if rank >> bit & 1 == 0 {
                count += 1;
                sum += sorted[rank as usize];
                zeros.push(rank);
            } else {
                ones.push(rank);
            }
            level.zeros.push(count);
            level.sums.push(sum);
        }
        zeros.append(&mut ones);
        *ranks = zeros;
        level
    }
}

impl SegmentCosts for AbsoluteError {
    fn len(&self) -> usize {
        self.sorted.len()
    }

    fn extend(&mut self, _: usize, _: usize) {}

    fn cost(&self, start: usize, end: usize) -> f64 {
        let count = end - start;
        // The lower median; the cost is the same for all values between the two.
        let below = (count - 1) / 2;
        let (mut left, mut right, mut wanted) = (start, end, below as u32);
        let (mut rank, mut sum_below) = (0_usize, 0.0);
        for level in &self.levels {
            rank <<= 1;
            let (before, within) = (level.zeros[left], level.zeros[right] - level.zeros[left]);
            if wanted < within {
                (left, right) = (before as usize, (before + within) as usize);
            } else {
                rank |= 1;
                wanted -= within;
                sum_below += level.sums[right] - level.sums[left];
                let all = level.zeros[level.zeros.len() - 1];
                let ones =
                    |position: usize| all as usize + position - level.zeros[position] as usize;
                (left, right) = (ones(left), ones(right));
            }
        }
        let median = self.sorted[rank];
        let sum = self.sums[end] - self.sums[start];
        let above = count - 1 - below;
        let sum_above = sum - sum_below - median;
        (sum_above - above as f64 * median + below as f64 * median - sum_below).max(0.0)
    }
}
