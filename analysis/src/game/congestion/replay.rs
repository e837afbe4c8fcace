//! How sure one can be of what fitted latencies lead to.

use rayon::prelude::*;

use super::fit::{Family, FittedLatency, Observation, fit_latency};
use super::latency::Latency;
use crate::game::Deadline;
use crate::stats::{Interval, Normal, quantile_sorted};

/// A number that follows from fitted latencies, in refits to simulated measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replayed {
    /// 95 % percentiles over the refits that have an answer.
    pub spread: Interval,
    /// Share of the refits that have none: no latency fits, or the load cannot be carried.
    pub unanswered: f64,
    /// Refits that were made: fewer than asked if time was up.
    pub refits: usize,
}

/// The parametric bootstrap: measure anew at the same loads, with the fitted latency and normal noise of the
/// fit's residual spread, fit again and let `play` answer. `None` if no refit has an answer by the deadline.
///
/// The percentiles show the spread of the answer; near a bound, such as a Price of Anarchy of 1, they are no
/// interval of known coverage.
pub fn replay(
    measured: &[(&[Observation], &FittedLatency)],
    family: Family,
    refits: usize,
    seed: u64,
    deadline: Deadline,
    play: impl Fn(Vec<Latency>) -> Option<f64> + Sync,
) -> Option<Replayed> {
    let again = |refit: usize| -> Option<f64> {
        let mut normal = Normal::new(seed.wrapping_add(refit as u64));
        let latencies: Option<Vec<Latency>> = measured
            .iter()
            .map(|(observations, fit)| {
                let simulated: Vec<Observation> = observations
                    .iter()
                    .map(|observation| Observation {
                        load: observation.load,
                        latency: fit.latency.at(observation.load) + fit.residual * normal.draw(),
                    })
                    .collect();
                fit_latency(&simulated, family).ok().map(|fit| fit.latency)
            })
            .collect();
        play(latencies?).filter(|value| value.is_finite())
    };
    let in_time = (0..refits).into_par_iter().filter(|_| !deadline.has_passed());
    let answers: Vec<Option<f64>> = in_time.map(again).collect();
    let refits = answers.len();
    let mut values: Vec<f64> = answers.into_iter().flatten().collect();
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let [low, high] = [0.025, 0.975].map(|p| quantile_sorted(&values, p));
    let unanswered = 1.0 - values.len() as f64 / refits as f64;
    Some(Replayed { spread: Interval { low, high }, unanswered, refits })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::parallel::ParallelLinks;
    use super::*;

    fn measured(latency: &Latency, noise: f64, seed: u64) -> Vec<Observation> {
        let mut normal = Normal::new(seed);
        (1..=30)
            .map(|load| Observation {
                load: f64::from(load) / 10.0,
                latency: latency.at(f64::from(load) / 10.0) + noise * normal.draw(),
            })
            .collect()
    }

    fn anarchy(links: Vec<Latency>) -> Option<f64> {
        let links = ParallelLinks { links };
        Some(links.wardrop(1.0).ok()?.cost / links.divisible_optimum(1.0).ok()?.cost)
    }

    #[test]
    fn the_spread_of_pigou_s_anarchy_shrinks_with_the_noise() {
        let affine = Family::Polynomial(1);
        let links = [Latency::affine(1.0, 0.1), Latency::affine(0.1, 1.0)];
        let truth = anarchy(links.to_vec()).unwrap();
        let width = |noise: f64| {
            let data = [measured(&links[0], noise, 1), measured(&links[1], noise, 2)];
            let fits = data.each_ref().map(|data| fit_latency(data, affine).unwrap());
            let both = [(&data[0][..], &fits[0]), (&data[1][..], &fits[1])];
            let found = replay(&both, affine, 200, 5, Deadline::NEVER, anarchy).unwrap();
            assert!(found.spread.low <= truth + 0.05 && truth - 0.05 <= found.spread.high);
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let alone = one.install(|| replay(&both, affine, 200, 5, Deadline::NEVER, anarchy));
            assert_eq!(alone, Some(found));
            found.spread.high - found.spread.low
        };
        assert!(width(0.002) < 0.3 * width(0.02));
    }

    #[test]
    fn what_never_has_an_answer_or_no_time_has_no_spread() {
        let latency = Latency::affine(1.0, 0.5);
        let data = measured(&latency, 0.01, 1);
        let fit = fit_latency(&data, Family::Polynomial(1)).unwrap();
        let replayed = |deadline, answer| {
            replay(&[(&data, &fit)], Family::Polynomial(1), 10, 1, deadline, |_| answer)
        };
        assert_eq!(replayed(Deadline::NEVER, None), None);
        assert_eq!(replayed(Deadline::after(Duration::ZERO), Some(1.0)), None);
        assert_eq!(replayed(Deadline::NEVER, Some(1.0)).map(|found| found.refits), Some(10));
    }
}
