//! The regret of one decision.

/// Predicted regret: the router's own cost of the chosen candidate less that of the cheapest, in KV
/// blocks. 0 at temperature 0, except where a constraint overruled the costs; above it, the price of
/// exploration. NaN if the row does not exist.
#[must_use]
pub fn predicted_regret(costs: impl IntoIterator<Item = f64>, chosen: usize) -> f64 {
    let (chosen, best) = chosen_and_best(costs, chosen, f64::min);
    chosen - best
}

/// Overlap regret: blocks of cached prefix that the chosen candidate lacks against the candidate that
/// has most of them. Dynamo's own notion, which it exports for prefill pools as `overlap_blocks_lost`.
/// NaN as for [`predicted_regret`].
#[must_use]
pub fn overlap_regret(effective_overlaps: impl IntoIterator<Item = f64>, chosen: usize) -> f64 {
    let (chosen, best) = chosen_and_best(effective_overlaps, chosen, f64::max);
    best - chosen
}

fn chosen_and_best(
    values: impl IntoIterator<Item = f64>,
    chosen: usize,
    better: fn(f64, f64) -> f64,
) -> (f64, f64) {
    let mut of_chosen = f64::NAN;
    let mut best = f64::NAN;
    for (row, value) in values.into_iter().enumerate() {
        if row == chosen {
            of_chosen = value;
        }
        best = better(best, value);
    }
    (of_chosen, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_choice_is_not_regretted() {
        assert_eq!(predicted_regret([3.0, 1.5, 2.0], 1), 0.0);
        assert_eq!(overlap_regret([3.0, 1.5, 2.0], 0), 0.0);
    }

    #[test]
    fn another_choice_is_regretted_by_its_distance_to_the_best() {
        assert_eq!(predicted_regret([3.0, 1.5, 2.0], 0), 1.5);
        assert_eq!(overlap_regret([3.0, 1.5, 2.0], 1), 1.5);
    }

    #[test]
    fn a_choice_that_was_not_offered_has_no_regret() {
        assert!(predicted_regret([1.0], 1).is_nan());
        assert!(overlap_regret([], 0).is_nan());
    }

    #[test]
    fn what_is_not_a_number_is_unknown_in_the_chosen_row_and_passed_over_in_others() {
        assert!(predicted_regret([f64::NAN, 1.0], 0).is_nan());
        assert_eq!(predicted_regret([f64::NAN, 3.0, 1.0], 1), 2.0);
        assert_eq!(overlap_regret([3.0, f64::NAN, 1.0], 2), 2.0);
    }
}
