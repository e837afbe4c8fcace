//! Every combination of levels.

/// Every combination of one level for each knob, given how many levels each has; the last knob changes
/// fastest.
#[must_use]
pub fn factorial(levels: &[usize]) -> Vec<Vec<usize>> {
    let mut combinations = vec![Vec::new()];
    for count in levels {
        let extend = |combination: Vec<usize>| {
            (0..*count).map(move |level| {
                let mut longer = combination.clone();
                longer.push(level);
                longer
            })
        };
        combinations = combinations.into_iter().flat_map(extend).collect();
    }
    combinations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_once() {
        let found = factorial(&[2, 3]);
        assert_eq!(found, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        assert_eq!(factorial(&[5, 4, 3, 2]).len(), 120);
    }
}
