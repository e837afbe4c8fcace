//! Pruned exact linear time (Killick, Fearnhead and Eckley 2012), exact for any minimum size.

use super::cost::SegmentCosts;

/// A series cut into segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// Where segments begin, in order, without the first one's 0.
    pub change_points: Vec<usize>,
    /// Segment costs, and a penalty for each change point.
    pub total_cost: f64,
}

/// Time was up before the end of the series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeUp {
    /// The best segmentation of its beginning.
    pub(super) segmentation: Segmentation,
    /// How many values that is.
    pub(super) covered: usize,
}

/// Ends between two looks at the clock.
const ENDS_PER_LOOK: usize = 64;

/// The starts that the last segment may still have, in order. Those that are given up stay, with an infinite total,
/// until they are many: moving the others up each time would cost more.
#[derive(Default)]
struct Starts {
    at: Vec<usize>,
    /// The least total cost of what is before each, its own penalty included.
    before: Vec<f64>,
    /// The total cost with a segment from each to the end looked at last.
    totals: Vec<f64>,
    /// The end from which each cannot be best any more.
    until: Vec<usize>,
    given_up: usize,
}

impl Starts {
    fn push(&mut self, at: usize, before: f64) {
        self.at.push(at);
        self.before.push(before);
        self.totals.push(f64::NEG_INFINITY);
        self.until.push(usize::MAX);
    }

    /// Give up those whose time has come at an end, and note of those whose total exceeds a limit that it
    /// comes soon.
    fn give_up(&mut self, end: usize, limit: f64, min_size: usize) {
        /// Of so many starts, one may be given up and still there.
        const KEPT: usize = 32;
        for index in 0..self.at.len() {
            if self.totals[index] > limit && self.before[index] < f64::INFINITY {
                self.until[index] = self.until[index].min(end - 1 + min_size);
                if self.until[index] <= end {
                    self.before[index] = f64::INFINITY;
                    self.given_up += 1;
                }
            }
        }
        if self.given_up * KEPT > self.at.len() {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let mut kept = 0;
        for index in 0..self.at.len() {
            if self.before[index] < f64::INFINITY {
                self.at[kept] = self.at[index];
                self.before[kept] = self.before[index];
                self.totals[kept] = self.totals[index];
                self.until[kept] = self.until[index];
                kept += 1;
            }
        }
        self.at.truncate(kept);
        self.before.truncate(kept);
        self.totals.truncate(kept);
        self.until.truncate(kept);
        self.given_up = 0;
    }

    /// The least total to an end and its start, the earliest of equal ones.
    fn best(&mut self, costs: &impl SegmentCosts, end: usize) -> (f64, usize) {
        costs.totals(&self.at, &self.before, end, &mut self.totals);
        let mut best = (f64::INFINITY, 0);
        for (total, at) in self.totals.iter().zip(&self.at) {
            if *total < best.0 {
                best = (*total, *at);
            }
        }
        best
    }
}

/// The segmentation with the least total cost whose segments have `min_size` values or more; the series must
/// have as many.
///
/// A start is given up when some change point after it makes its segment cheaper, but only once a segment from
/// that change point on is long enough to be allowed: giving it up at once, as ruptures does, is
/// not exact for sizes above 1.
///
/// # Errors
///
/// [`TimeUp`] when `go_on` says no.
pub(super) fn pelt(
    mut costs: impl SegmentCosts,
    penalty: f64,
    min_size: usize,
    mut go_on: impl FnMut() -> bool,
) -> Result<Segmentation, TimeUp> {
    let (n, min_size) = (costs.len(), min_size.max(1));
    // The least total cost of the first values, and the start of their last segment.
    let mut best = vec![f64::INFINITY; n + 1];
    let mut last = vec![0; n + 1];
    let mut starts = Starts::default();
    starts.push(0, 0.0);
    // What a total must not exceed if its start is to stay.
    let mut limit = f64::INFINITY;
    for end in 1..=n {
        costs.extend(end, starts.at[0]);
        if end < min_size {
            continue;
        }
        if end >= 2 * min_size {
            let at = end - min_size;
            starts.push(at, best[at] + penalty);
        }
        starts.give_up(end, limit, min_size);
        (best[end], last[end]) = starts.best(&costs, end);
        // Rounding must not decide: what is beaten by a hair is kept.
        let beaten = best[end] + penalty;
        limit = beaten + 1e-12 * (beaten.abs() + 1.0);
        if end % ENDS_PER_LOOK == 0 && end < n && !go_on() {
            return Err(TimeUp { segmentation: trace_back(&best, &last, end), covered: end });
        }
    }
    Ok(trace_back(&best, &last, n))
}

fn trace_back(best: &[f64], last: &[usize], end: usize) -> Segmentation {
    let mut change_points = Vec::new();
    let mut at = last[end];
    while at > 0 {
        change_points.push(at);
        at = last[at];
    }
    change_points.reverse();
    Segmentation { change_points, total_cost: best[end] }
}
