//! Everything about a table of coalition values.

use super::coalition::CoalitionValues;
use super::core::{CoreCheck, core_check, is_convex};
use super::exact::{MOST_EXACT, interaction_index, shapley};
use super::intervals::{bootstrap_interval, paired_interval, unpaired_interval};
use super::sampled::sampled_shapley;
use crate::stats::Interval;

/// How Shapley values were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the sum over all coalitions.
    Exact,
    /// By random orders of arrival.
    Sampled {
        /// How many.
        permutations: usize,
    },
}

/// What intervals rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Blocks that have a value of every coalition.
    PairedBlocks(usize),
    /// Measurements that have nothing in common.
    Unpaired,
    /// The error of sampling orders, where values are given and not measured.
    Permutations,
}

/// One player's share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Its Shapley value.
    pub value: f64,
    /// 95 % interval, if the values were measured several times or orders were sampled.
    pub interval: Option<Interval>,
    /// Percentiles over resampled blocks, which the interval should agree with.
    pub resampled: Option<Interval>,
    /// Standard error of sampling orders.
    pub standard_error: Option<f64>,
}

/// The answer to a table of coalition values.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapleyAnswer {
    /// By player.
    pub shares: Vec<Share>,
    /// How they were found.
    pub method: Method,
    /// What their intervals rest on; `None` without intervals.
    pub basis: Option<Basis>,
    /// What pairs add beyond what each adds; empty if orders were sampled.
    pub interactions: Vec<Vec<f64>>,
    /// Whether the shares are in the core; `None` of one player.
    pub core: Option<CoreCheck>,
    /// Whether larger coalitions always gain more by a player.
    pub is_convex: bool,
}

impl ShapleyAnswer {
    /// Answer: exact up to [`MOST_EXACT`] players, by random orders beyond.
    #[must_use]
    pub fn of(table: &CoalitionValues, permutations: usize, seed: u64) -> Self {
        let players = table.players().len();
        let values = table.values();
        if players > MOST_EXACT {
            return Self::sampled(table, permutations, seed);
        }
        let blocks = table.complete_blocks();
        let paired = paired_interval(&blocks);
        let resampled = bootstrap_interval(&blocks, seed);
        let (intervals, basis) = match (paired, unpaired_interval(table)) {
            (Some(paired), _) => (Some(paired), Some(Basis::PairedBlocks(blocks.len()))),
            (None, Some(unpaired)) => (Some(unpaired), Some(Basis::Unpaired)),
            (None, None) => (None, None),
        };
        let shares: Vec<Share> = shapley(values)
            .into_iter()
            .enumerate()
            .map(|(player, value)| Share {
                // Blocks that are not whole take no part in the interval, so that it has a value of its own.
                value: intervals.as_ref().map_or(value, |found| found[player].value),
                interval: intervals.as_ref().map(|found| found[player].interval),
                resampled: resampled.as_ref().map(|found| found[player].interval),
                standard_error: None,
            })
            .collect();
        let division: Vec<f64> = shapley(values);
        Self {
            shares,
            method: Method::Exact,
            basis,
            interactions: interaction_index(values),
            core: core_check(values, &division),
            is_convex: is_convex(values),
        }
    }

    fn sampled(table: &CoalitionValues, permutations: usize, seed: u64) -> Self {
        let values = table.values();
        let value = |members: &[bool]| {
            let bits =
                members.iter().enumerate().map(|(player, is_in)| usize::from(*is_in) << player);
            values[bits.sum::<usize>()]
        };
        let found = sampled_shapley(table.players().len(), value, permutations, seed);
        let shares = (0..found.values.len()).map(|player| Share {
            value: found.values[player],
            interval: Some(found.interval(player)),
            resampled: None,
            standard_error: Some(found.standard_errors[player]),
        });
        Self {
            shares: shares.collect(),
            method: Method::Sampled { permutations },
            basis: Some(Basis::Permutations),
            interactions: Vec::new(),
            core: core_check(values, &found.values),
            is_convex: is_convex(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact::tests::{glove, random};
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|n| n.to_string()).collect()
    }

    #[test]
    fn given_values_have_no_interval() {
        let answer = ShapleyAnswer::of(&CoalitionValues::new(names(3), glove()).unwrap(), 10, 1);
        assert_eq!((answer.method, answer.basis), (Method::Exact, None));
        assert!(answer.shares.iter().all(|share| share.interval.is_none()));
        assert!(!answer.core.unwrap().is_in_core && !answer.is_convex);
    }

    #[test]
    fn many_players_are_sampled() {
        let table = CoalitionValues::new(names(17), random(17, 3)).unwrap();
        let answer = ShapleyAnswer::of(&table, 200, 1);
        assert_eq!(answer.method, Method::Sampled { permutations: 200 });
        let exact = shapley(table.values());
        let inside = answer.shares.iter().zip(&exact).filter(|(share, exact)| {
            let interval = share.interval.unwrap();
            interval.low <= **exact && **exact <= interval.high
        });
        assert!(inside.count() >= 13);
        assert!(answer.interactions.is_empty());
    }
}
