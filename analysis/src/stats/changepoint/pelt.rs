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

/// A start that the last segment may still have.
#[derive(Clone, Copy)]
struct Start {
    at: usize,
    /// The least total cost of what is before it, its own penalty included.
    before: f64,
    /// The total cost with a segment from it to the end before this one.
    total: f64,
    /// The end from which it cannot be best any more.
    until: usize,
}

impl Start {
    fn new(at: usize, before: f64) -> Self {
        Self { at, before, total: f64::NEG_INFINITY, until: usize::MAX }
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
    let mut starts = vec![Start::new(0, 0.0)];
    // What a total must not exceed if its start is to stay.
    let mut limit = f64::INFINITY;
    for end in 1..=n {
        costs.extend(end, starts[0].at);
        if end < min_size {
            continue;
        }
        if end >= 2 * min_size {
            let at = end - min_size;
            starts.push(Start::new(at, best[at] + penalty));
        }
        let mut kept = 0;
        for index in 0..starts.len() {
            let mut start = starts[index];
            if start.total > limit {
                start.until = start.until.min(end - 1 + min_size);
            }
            if start.until <= end {
                continue;
            }
            start.total = start.before + costs.cost(start.at, end);
            if start.total < best[end] {
                (best[end], last[end]) = (start.total, start.at);
            }
            starts[kept] = start;
            kept += 1;
        }
        starts.truncate(kept);
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
