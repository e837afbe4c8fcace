//! How sure it is that a configuration is on the front, from replicates.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::dominance::front;
use super::hypervolume::{MOST_OBJECTIVES, hypervolume};
use crate::stats::{Interval, expanded_percentiles, interval_bca, mean};

/// A configuration with its replicates.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// Its replicates, all towards small.
    pub replicates: Vec<Vec<f64>>,
}

impl Configuration {
    /// The mean of each objective.
    #[must_use]
    pub fn means(&self) -> Vec<f64> {
        let objectives = self.replicates.first().map_or(0, Vec::len);
        (0..objectives).map(|side| mean(&self.column(side))).collect()
    }

    /// The standard error of each mean; NaN of a single replicate.
    #[must_use]
    pub fn standard_errors(&self) -> Vec<f64> {
        let n = self.replicates.len() as f64;
        let error = |(side, centre): (usize, f64)| {
            let column = self.column(side);
            let squares: f64 = column.iter().map(|x| (x - centre).powi(2)).sum();
            (squares / (n - 1.0) / n).sqrt()
        };
        self.means().into_iter().enumerate().map(error).collect()
    }

    /// One objective of all replicates.
    #[must_use]
    pub fn column(&self, side: usize) -> Vec<f64> {
        self.replicates.iter().map(|replicate| replicate[side]).collect()
    }

    fn resampled_means(&self, random: &mut ChaCha12Rng) -> Vec<f64> {
        let count = self.replicates.len();
        self.means_of(&(0..count).map(|_| random.random_range(0..count)).collect::<Vec<usize>>())
    }

    /// The means over some replicates, each as often as it is named.
    fn means_of(&self, chosen: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; self.replicates[0].len()];
        for place in chosen {
            sums.iter_mut().zip(&self.replicates[*place]).for_each(|(sum, value)| *sum += value);
        }
        sums.iter().map(|sum| sum / chosen.len() as f64).collect()
    }
}

/// What resampling says.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    /// The share of resamples in which each configuration is on the front.
    pub shares: Vec<f64>,
    /// The fronts of the resamples, as points.
    pub fronts: Vec<Vec<Vec<f64>>>,
    /// 95 % interval of the dominated volume; `None` without a reference or with too many objectives.
    pub volume: Option<Interval>,
}

/// Resamples.
const RESAMPLES: usize = 1000;

/// A configuration is on the front if it is in at least this share of the resamples.
pub const SURE: f64 = 0.95;

/// Resample the replicates of every configuration and see who is on the front of their means.
#[must_use]
pub fn membership(
    configurations: &[Configuration],
    reference: Option<&[f64]>,
    seed: u64,
) -> Membership {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let drawn = resampled(configurations.len(), reference, || {
        configurations.iter().map(|own| own.resampled_means(&mut random)).collect()
    });
    let fewest = configurations.iter().map(|own| own.replicates.len()).min().unwrap_or(0);
    let volume =
        (!drawn.volumes.is_empty()).then(|| expanded_percentiles(&drawn.volumes, fewest as f64));
    Membership { shares: drawn.shares, fronts: drawn.fronts, volume }
}

/// The same where the replicates of one place belong to one block: blocks are drawn, each with the replicates of all
/// configurations, so that what a block has in common does not blur who is better. The interval of the volume is
/// bias-corrected and accelerated, with the blocks left out in turn; there is none of less than five blocks.
///
/// # Panics
///
/// If configurations have different numbers of replicates, or none.
#[must_use]
pub fn membership_of_blocks(
    configurations: &[Configuration],
    reference: Option<&[f64]>,
    seed: u64,
) -> Membership {
    const LEAST: usize = 5;
    let blocks = configurations.first().map_or(0, |first| first.replicates.len());
    assert!(configurations.iter().all(|own| own.replicates.len() == blocks), "whole blocks");
    let means = |chosen: &[usize]| -> Vec<Vec<f64>> {
        configurations.iter().map(|own| own.means_of(chosen)).collect()
    };
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let drawn = resampled(configurations.len(), reference, || {
        means(&(0..blocks).map(|_| random.random_range(0..blocks)).collect::<Vec<usize>>())
    });
    let all: Vec<usize> = (0..blocks).collect();
    let volume = reference.filter(|_| blocks >= LEAST && !drawn.volumes.is_empty());
    let volume = volume.map(|reference| {
        let of = |chosen: &[usize]| hypervolume(&means(chosen), reference);
        let without = |block: &usize| {
            of(&all.iter().copied().filter(|own| own != block).collect::<Vec<usize>>())
        };
        let left_out: Vec<f64> = all.iter().map(without).collect();
        let centre = mean(&left_out);
        let influences: Vec<f64> = left_out.iter().map(|volume| centre - volume).collect();
        interval_bca(&drawn.volumes, of(&all), &influences)
    });
    Membership { shares: drawn.shares, fronts: drawn.fronts, volume }
}

/// Shares, fronts and rising volumes of resamples.
struct Resampled {
    shares: Vec<f64>,
    fronts: Vec<Vec<Vec<f64>>>,
    volumes: Vec<f64>,
}

fn resampled(
    configurations: usize,
    reference: Option<&[f64]>,
    mut draw: impl FnMut() -> Vec<Vec<f64>>,
) -> Resampled {
    let mut on_front = vec![0_u32; configurations];
    let (mut fronts, mut volumes) = (Vec::new(), Vec::new());
    let reference = reference.filter(|reference| reference.len() <= MOST_OBJECTIVES);
    for _ in 0..RESAMPLES {
        let means = draw();
        let members = front(&means);
        members.iter().for_each(|index| on_front[*index] += 1);
        let points: Vec<Vec<f64>> = members.into_iter().map(|index| means[index].clone()).collect();
        volumes.extend(reference.map(|reference| hypervolume(&points, reference)));
        fronts.push(points);
    }
    volumes.sort_by(f64::total_cmp);
    let share = |count: u32| f64::from(count) / RESAMPLES as f64;
    Resampled { shares: on_front.into_iter().map(share).collect(), fronts, volumes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(name: &str, centre: [f64; 2], spread: f64) -> Configuration {
        let offsets = [-1.0, -0.5, 0.0, 0.5, 1.0];
        let replicate = |offset: &f64| centre.iter().map(|x| x + spread * offset).collect();
        Configuration { name: name.into(), replicates: offsets.iter().map(replicate).collect() }
    }

    #[test]
    fn certain_members_are_certain_and_doubtful_ones_are_not() {
        let all = [
            configuration("good", [0.0, 0.0], 0.1),
            configuration("close", [0.03, 0.03], 0.1),
            configuration("bad", [5.0, 5.0], 0.1),
            configuration("other", [-3.0, 3.0], 0.1),
        ];
        let found = membership(&all, Some(&[6.0, 6.0]), 1);
        assert!(found.shares[0] > 0.5 && found.shares[0] < 1.0, "{:?}", found.shares);
        assert!(found.shares[1] > 0.05 && found.shares[1] < 0.5, "{:?}", found.shares);
        assert_eq!((found.shares[2], found.shares[3]), (0.0, 1.0));
        let volume = found.volume.unwrap();
        assert!(volume.low < 45.0 && 45.0 < volume.high, "{volume:?}");
        assert_eq!(found, membership(&all, Some(&[6.0, 6.0]), 1));
    }

    #[test]
    fn what_blocks_have_in_common_blurs_no_membership() {
        // One is better by 1 % in both objectives in every block, and blocks differ by much more.
        let of = |name: &str, factor: f64| {
            let block = |level: f64| vec![factor * level, factor * 2.0 * level];
            let replicates = [1.0, 1.3, 0.8, 1.1, 0.9, 1.25].map(block).into();
            Configuration { name: name.into(), replicates }
        };
        let all = [of("better", 0.99), of("worse", 1.0)];
        let reference = [3.0, 5.0];
        let together = membership_of_blocks(&all, Some(&reference), 1);
        assert_eq!(together.shares, [1.0, 0.0]);
        assert!(membership(&all, Some(&reference), 1).shares[1] > 0.2);
        let means: Vec<Vec<f64>> = all.iter().map(Configuration::means).collect();
        let (volume, point) = (together.volume.unwrap(), hypervolume(&means, &reference));
        assert!(volume.low < point && point < volume.high, "{volume:?} {point}");
        assert_eq!(membership_of_blocks(&[of("alone", 1.0)], None, 1).volume, None);
    }
}
