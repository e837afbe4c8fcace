//! How unevenly decisions fall on workers.

use serde::Serialize;

/// The concentration of a sequence of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Herding {
    /// Gini coefficient of the decisions per worker: 0 if all get the same, [`Herding::largest_gini`] if
    /// one gets all.
    pub gini: f64,
    /// The largest Gini coefficient that so many workers can have, (n - 1) / n.
    pub largest_gini: f64,
    /// Share of the decisions that the most chosen worker gets.
    pub top_share: f64,
    /// The most chosen worker.
    pub top_worker: usize,
    /// Most decisions in a row that went to one worker.
    pub longest_run: usize,
    /// The worker of that run.
    pub longest_run_worker: usize,
}

impl Herding {
    /// Measure a sequence of chosen workers, in time order; `workers` counts all that could have been
    /// chosen. `None` of no decisions.
    ///
    /// # Panics
    ///
    /// If a chosen worker is not below `workers`.
    #[must_use]
    pub fn of(chosen: &[usize], workers: usize) -> Option<Self> {
        if chosen.is_empty() {
            return None;
        }
        let mut counts = vec![0_u64; workers];
        for worker in chosen {
            counts[*worker] += 1;
        }
        let most = *counts.iter().max()?;
        let (longest_run, longest_run_worker) = longest_run(chosen);
        Some(Self {
            gini: gini(&counts),
            largest_gini: 1.0 - 1.0 / workers as f64,
            top_share: most as f64 / chosen.len() as f64,
            top_worker: counts.iter().position(|count| *count == most)?,
            longest_run,
            longest_run_worker,
        })
    }

    /// The Gini coefficient relative to the largest possible one, which can be compared between pools of
    /// different sizes; 0 of a single worker.
    #[must_use]
    pub fn concentration(&self) -> f64 {
        if self.largest_gini > 0.0 { self.gini / self.largest_gini } else { 0.0 }
    }
}

/// The Gini coefficient of counts: half the mean absolute difference between two of them, relative to
/// their mean. 0 if all are zero.
#[must_use]
pub fn gini(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return 0.0;
    }
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() as f64;
    let weighted: f64 =
        sorted.iter().enumerate().map(|(rank, count)| (rank + 1) as f64 * *count as f64).sum();
    2.0 * weighted / (n * total as f64) - (n + 1.0) / n
}

fn longest_run(chosen: &[usize]) -> (usize, usize) {
    chosen
        .chunk_by(|a, b| a == b)
        .map(|run| (run.len(), run[0]))
        .fold((0, 0), |longest, run| if run.0 > longest.0 { run } else { longest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gini_of_known_distributions() {
        assert_eq!(gini(&[5, 5, 5, 5]), 0.0);
        assert_eq!(gini(&[0, 0, 0, 8]), 0.75);
        // Mean absolute difference of (1, 2, 3, 4) is 1.25, the mean 2.5.
        assert!((gini(&[4, 2, 1, 3]) - 0.25).abs() < 1e-15);
        assert_eq!(gini(&[]), 0.0);
        assert_eq!(gini(&[0, 0]), 0.0);
    }

    #[test]
    fn gini_equals_its_definition_by_pairs() {
        let counts = [3_u64, 14, 15, 92, 65, 35, 0, 9];
        let pairs: f64 = counts
            .iter()
            .flat_map(|a| counts.iter().map(move |b| (*a as f64 - *b as f64).abs()))
            .sum();
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<u64>() as f64 / n;
        assert!((gini(&counts) - pairs / (n * n) / (2.0 * mean)).abs() < 1e-12);
    }

    #[test]
    fn herding_of_a_sequence() {
        let herding = Herding::of(&[2, 0, 0, 0, 1, 0], 4).unwrap();
        assert_eq!(
            (herding.top_worker, herding.longest_run, herding.longest_run_worker),
            (0, 3, 0)
        );
        assert!((herding.top_share - 4.0 / 6.0).abs() < 1e-15);
        assert!(Herding::of(&[], 4).is_none());
    }
}
