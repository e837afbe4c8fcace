//! Sobol sequences.

/// The most points of a sequence.
pub const MOST_SOBOL_POINTS: u32 = 1 << 16;

/// The first points of a Sobol sequence with Owen's scrambling (Burley 2020). Powers of two are filled
/// most evenly.
///
/// # Panics
///
/// If there are more points than [`MOST_SOBOL_POINTS`] or more than 256 knobs.
#[must_use]
pub fn sobol(points: u32, knobs: u32, seed: u32) -> Vec<Vec<f64>> {
    assert!(points <= MOST_SOBOL_POINTS && knobs <= 256, "within what the sequence has");
    let coordinate = |point, knob| f64::from(sobol_burley::sample(point, knob, seed));
    (0..points).map(|point| (0..knobs).map(|knob| coordinate(point, knob)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dyadic_interval_has_its_share() {
        let design = sobol(64, 5, 3);
        for knob in 0..5 {
            let mut cells = [0; 64];
            design.iter().for_each(|point| cells[(point[knob] * 64.0) as usize] += 1);
            assert_eq!(cells, [1; 64]);
        }
        let quarters = |point: &Vec<f64>| ((point[0] * 8.0) as usize, (point[1] * 8.0) as usize);
        let mut found: Vec<(usize, usize)> = design.iter().map(quarters).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 64, "one in each of 8 x 8 squares");
    }
}
