//! Intervals of Shapley values from measured coalition values.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::coalition::{Coalition, CoalitionValues};
use super::exact::{shapley, size};
use crate::stats::{Interval, mean, quantile_sorted, student_interval, student_quantile};

/// The 95 % interval of one player's Shapley value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapleyInterval {
    /// Mean over the blocks, or contrast of the means.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
}

/// Intervals from paired blocks, each with a value of every coalition: the Shapley value is a fixed linear
/// contrast of the coalitions' values, so each block gives one, and Student's t applies to them. `None` of
/// fewer than two blocks.
#[must_use]
pub fn paired_interval(blocks: &[Vec<f64>]) -> Option<Vec<ShapleyInterval>> {
    let per_block: Vec<Vec<f64>> = blocks.iter().map(|values| shapley(values)).collect();
    let players = per_block.first()?.len();
    (0..players)
        .map(|player| {
            let values: Vec<f64> = per_block.iter().map(|values| values[player]).collect();
            let interval = student_interval(&values)?;
            Some(ShapleyInterval { value: mean(&values), interval })
        })
        .collect()
}

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2000;

/// The same by resampling whole blocks, as percentiles: what the paired interval must agree with. `None` of
/// fewer than two blocks.
#[must_use]
pub fn bootstrap_interval(blocks: &[Vec<f64>], seed: u64) -> Option<Vec<ShapleyInterval>> {
    if blocks.len() < 2 {
        return None;
    }
    let per_block: Vec<Vec<f64>> = blocks.iter().map(|values| shapley(values)).collect();
    let players = per_block[0].len();
    let mut resampled = vec![Vec::with_capacity(RESAMPLES); players];
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    for _ in 0..RESAMPLES {
        let mut sums = vec![0.0; players];
        for _ in 0..per_block.len() {
            let drawn = &per_block[random.random_range(0..per_block.len())];
            sums.iter_mut().zip(drawn).for_each(|(sum, value)| *sum += value);
        }
        for (values, sum) in resampled.iter_mut().zip(sums) {
            values.push(sum / per_block.len() as f64);
        }
    }
    let of_player = |(player, mut values): (usize, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        let measured: Vec<f64> = per_block.iter().map(|block| block[player]).collect();
        let [low, high] = [0.025, 0.975].map(|p| quantile_sorted(&values, p));
        ShapleyInterval { value: mean(&measured), interval: Interval { low, high } }
    };
    Some(resampled.into_iter().enumerate().map(of_player).collect())
}

/// Intervals from measurements that are not paired: the variances of the coalitions' means add up, with
/// Satterthwaite's degrees of freedom. `None` if a coalition was measured only once.
#[must_use]
pub fn unpaired_interval(table: &CoalitionValues) -> Option<Vec<ShapleyInterval>> {
    let measured: Option<Vec<(f64, f64)>> =
        table.measurements().iter().map(|measured| variance_of_mean(measured)).collect();
    let measured = measured.filter(|measured| !measured.is_empty())?;
    let players = table.players().len();
    let values = shapley(table.values());
    let of_player = |player: usize| {
        let (mut variance, mut squares) = (0.0, 0.0);
        for (coalition, (of_mean, degrees)) in measured.iter().enumerate() {
            let part = contrast(coalition, player, players).powi(2) * of_mean;
            variance += part;
            squares += part * part / degrees;
        }
        let half = if variance > 0.0 {
            student_quantile(0.975, variance * variance / squares) * variance.sqrt()
        } else {
            0.0
        };
        let value = values[player];
        ShapleyInterval { value, interval: Interval { low: value - half, high: value + half } }
    };
    Some((0..players).map(of_player).collect())
}

/// The variance of the mean of some measurements and its degrees of freedom.
fn variance_of_mean(measured: &[(Option<String>, f64)]) -> Option<(f64, f64)> {
    let values: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
    let error = crate::stats::standard_error(&values);
    (values.len() > 1).then_some((error * error, values.len() as f64 - 1.0))
}

/// The weight that the value of a coalition has in a player's Shapley value.
fn contrast(coalition: Coalition, player: usize, players: usize) -> f64 {
    let is_in = coalition >> player & 1 == 1;
    let others = size(coalition) - usize::from(is_in);
    // 1 / (n * binomial(n - 1, others))
    let mut weight = 1.0 / players as f64;
    for k in 0..others {
        weight *= (k + 1) as f64 / (players - 1 - k) as f64;
    }
    if is_in { weight } else { -weight }
}

#[cfg(test)]
mod tests {
    use super::super::exact::tests::{glove, random};
    use super::*;

    #[test]
    fn the_contrast_is_that_of_the_shapley_value() {
        for seed in 0..20 {
            let values = random(5, seed);
            for (player, expected) in shapley(&values).into_iter().enumerate() {
                let sum: f64 = (0..32).map(|c| contrast(c, player, 5) * values[c]).sum();
                assert!((sum - expected).abs() < 1e-12, "seed {seed}");
            }
        }
    }

    /// Blocks around the glove game with a common shift and noise of their own.
    fn blocks(count: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut noise = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        (0..count)
            .map(|_| {
                let common = noise();
                glove().iter().map(|value| value + common + 0.3 * noise()).collect()
            })
            .collect()
    }

    fn table(blocks: &[Vec<f64>]) -> CoalitionValues {
        let of = |c: usize| blocks.iter().map(|block| (None, block[c])).collect();
        let players = ["a", "b", "c"].map(str::to_owned).to_vec();
        CoalitionValues::of_measurements(players, (0..8).map(of).collect()).unwrap()
    }

    #[test]
    fn paired_intervals_cover_and_a_common_shift_costs_nothing() {
        let truth = shapley(&glove());
        let mut covered = 0;
        for seed in 0..300 {
            for (found, truth) in paired_interval(&blocks(8, seed)).unwrap().iter().zip(&truth) {
                covered +=
                    usize::from(found.interval.low <= *truth && *truth <= found.interval.high);
            }
        }
        // 900 trials, three in a set correlated: at least 0.93 of them with probability above 0.99.
        assert!((837..=880).contains(&covered), "{covered} of 900");
        let width = |found: &[ShapleyInterval]| found[0].interval.high - found[0].interval.low;
        let data = blocks(30, 1);
        let paired = width(&paired_interval(&data).unwrap());
        let unpaired = width(&unpaired_interval(&table(&data)).unwrap());
        assert!(unpaired > 2.0 * paired, "{unpaired} against {paired}");
    }

    #[test]
    fn the_bootstrap_agrees() {
        let data = blocks(200, 5);
        let (student, resampled) =
            (paired_interval(&data).unwrap(), bootstrap_interval(&data, 1).unwrap());
        for (a, b) in student.iter().zip(&resampled) {
            assert_eq!(a.value, b.value);
            let width = a.interval.high - a.interval.low;
            assert!((a.interval.low - b.interval.low).abs() < 0.1 * width);
            assert!((a.interval.high - b.interval.high).abs() < 0.1 * width);
        }
    }

    #[test]
    fn one_block_has_no_interval() {
        assert!(paired_interval(&blocks(1, 0)).is_none());
        assert!(bootstrap_interval(&blocks(1, 0), 0).is_none());
        assert!(unpaired_interval(&table(&blocks(1, 0))).is_none());
    }
}
