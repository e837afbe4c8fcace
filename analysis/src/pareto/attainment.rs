//! How far several fronts of two objectives reach.

/// The corners of three attainment surfaces (Grunert da Fonseca and Fonseca 2001): what all but a few, half,
/// and only a few of the fronts reach.
#[derive(Debug, Clone, PartialEq)]
pub struct AttainmentBand {
    /// Reached by 97.5 % of the fronts.
    pub sure: Vec<[f64; 2]>,
    /// Reached by half of them.
    pub median: Vec<[f64; 2]>,
    /// Reached by 2.5 % of them.
    pub best: Vec<[f64; 2]>,
}

/// The band of fronts of two objectives; `None` of other numbers of objectives, or of no front.
#[must_use]
pub fn attainment_band(fronts: &[Vec<Vec<f64>>]) -> Option<AttainmentBand> {
    if fronts.is_empty() || !fronts.iter().flatten().all(|point| point.len() == 2) {
        return None;
    }
    let surface = |share: f64| corners(fronts, (share * fronts.len() as f64).ceil() as usize);
    Some(AttainmentBand { sure: surface(0.975), median: surface(0.5), best: surface(0.025) })
}

/// The corners of the region that at least so many fronts reach.
fn corners(fronts: &[Vec<Vec<f64>>], wanted: usize) -> Vec<[f64; 2]> {
    let mut events: Vec<(f64, f64, usize)> = Vec::new();
    for (index, front) in fronts.iter().enumerate() {
        events.extend(front.iter().map(|point| (point[0], point[1], index)));
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The second objective that each front reaches at no more than this much of the first, and all of them
    // in order.
    let mut reached = vec![f64::INFINITY; fronts.len()];
    let mut sorted = reached.clone();
    let mut corners: Vec<[f64; 2]> = Vec::new();
    for (at, (first, second, index)) in events.iter().enumerate() {
        if *second < reached[*index] {
            let old = sorted.partition_point(|value| *value < reached[*index]);
            sorted.remove(old);
            sorted.insert(sorted.partition_point(|value| value < second), *second);
            reached[*index] = *second;
        }
        let is_last_here = events.get(at + 1).is_none_or(|next| next.0 > *first);
        let level = sorted[wanted.max(1) - 1];
        if is_last_here && level < corners.last().map_or(f64::INFINITY, |corner| corner[1]) {
            corners.push([*first, level]);
        }
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_of_three_fronts() {
        let fronts = [
            vec![vec![1.0, 3.0], vec![2.0, 1.0]],
            vec![vec![1.0, 4.0], vec![3.0, 0.0]],
            vec![vec![2.0, 2.0]],
        ];
        let band = attainment_band(&fronts).unwrap();
        assert_eq!(band.best, [[1.0, 3.0], [2.0, 1.0], [3.0, 0.0]]);
        assert_eq!(band.median, [[1.0, 4.0], [2.0, 2.0], [3.0, 1.0]]);
        assert_eq!(band.sure, [[2.0, 4.0], [3.0, 2.0]]);
        assert_eq!(attainment_band(&[]), None);
        assert_eq!(attainment_band(&[vec![vec![1.0; 3]]]), None);
    }
}
