//! Which runs point values rest on, so that what a block has in common does not look like a difference of profiles.

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::{DMatrix, DVector};

use crate::stats::mean;

/// Whole blocks from which on runs of other blocks take no part.
const FEWEST_WHOLE: usize = 2;

/// By profile: block and values of each run.
pub(super) type Rows = Vec<Vec<(usize, Vec<f64>)>>;

/// What takes the blocks out of the means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// Only blocks in which every profile was measured count.
    WholeBlocks,
    /// Least squares of profile and block effects over all runs.
    BlockEffects,
    /// The same, but there are sets of profiles that share no block, so that between these sets the blocks' noise stays.
    Unlinked,
}

impl Basis {
    /// As analyses name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WholeBlocks => "whole blocks",
            Self::BlockEffects => "profile and block effects",
            Self::Unlinked => "profile and block effects (unlinked)",
        }
    }
}

/// Runs whose plain mean over a profile is free of the blocks' common noise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PairedMeans {
    /// The runs that count; under [`Basis::BlockEffects`] without the effect of their block.
    pub(super) rows: Rows,
    /// How.
    pub(super) basis: Basis,
}

impl PairedMeans {
    /// Keep the whole blocks, if there are two; otherwise take fitted block effects out of all runs.
    pub(super) fn of(rows: Rows) -> Self {
        let whole = whole_blocks(&rows);
        if whole.len() >= FEWEST_WHOLE {
            let keep = |runs: Vec<(usize, Vec<f64>)>| {
                runs.into_iter().filter(|(block, _)| whole.contains(block)).collect()
            };
            let rows = rows.into_iter().map(keep).collect();
            return Self { rows, basis: Basis::WholeBlocks };
        }
        without_block_effects(rows)
    }

    /// The mean of one of the values of a profile.
    pub(super) fn mean(&self, profile: usize, value: usize) -> f64 {
        mean(&self.rows[profile].iter().map(|(_, values)| values[value]).collect::<Vec<f64>>())
    }
}

/// Blocks that every profile has a run of.
fn whole_blocks(rows: &Rows) -> BTreeSet<usize> {
    let blocks = |runs: &Vec<(usize, Vec<f64>)>| -> BTreeSet<usize> {
        runs.iter().map(|(block, _)| *block).collect()
    };
    rows.iter().map(blocks).reduce(|all, own| &all & &own).unwrap_or_default()
}

/// Subtract from every run the effect of its block, as least squares of value = profile + block give it. Effects of blocks
/// that are linked by profiles have mean zero, so a full table keeps its means.
fn without_block_effects(mut rows: Rows) -> PairedMeans {
    let values = rows.iter().flatten().map(|(_, values)| values.len()).min().unwrap_or(0);
    let linked = linked_blocks(&rows);
    for set in &linked {
        let effects = effects(&rows, set, values);
        for (block, values) in rows.iter_mut().flatten() {
            let Some(place) = set.iter().position(|own| own == block) else { continue };
            values.iter_mut().zip(effects.row(place).iter()).for_each(|(v, effect)| *v -= effect);
        }
    }
    let basis = if linked.len() > 1 { Basis::Unlinked } else { Basis::BlockEffects };
    PairedMeans { rows, basis }
}

/// Sets of blocks, where blocks belong together if a profile has runs of both.
fn linked_blocks(rows: &Rows) -> Vec<Vec<usize>> {
    let mut sets: Vec<BTreeSet<usize>> = Vec::new();
    for runs in rows {
        let mut own: BTreeSet<usize> = runs.iter().map(|(block, _)| *block).collect();
        let (touched, rest) = sets.into_iter().partition(|set| !set.is_disjoint(&own));
        sets = rest;
        touched.into_iter().for_each(|set: BTreeSet<usize>| own.extend(set));
        sets.extend((!own.is_empty()).then_some(own));
    }
    sets.into_iter().map(|set| set.into_iter().collect()).collect()
}

/// The effects of linked blocks, a row each, by the normal equations without the profiles.
fn effects(rows: &Rows, blocks: &[usize], values: usize) -> DMatrix<f64> {
    let place: BTreeMap<usize, usize> =
        blocks.iter().enumerate().map(|(place, block)| (*block, place)).collect();
    let count = blocks.len();
    let mut normal = DMatrix::zeros(count, count);
    let mut right = DMatrix::zeros(count, values);
    for runs in rows {
        let own: Vec<(usize, &Vec<f64>)> =
            runs.iter().filter_map(|(block, values)| Some((*place.get(block)?, values))).collect();
        let share = 1.0 / own.len() as f64;
        let centre: Vec<f64> = (0..values)
            .map(|value| mean(&own.iter().map(|(_, row)| row[value]).collect::<Vec<f64>>()))
            .collect();
        for (block, row) in &own {
            normal[(*block, *block)] += 1.0;
            own.iter().for_each(|(other, _)| normal[(*block, *other)] -= share);
            (0..values).for_each(|value| right[(*block, value)] += row[value] - centre[value]);
        }
    }
    // The equations do not say what all effects have in common: their mean is zero.
    normal.add_scalar_mut(1.0 / count as f64);
    let mut effects = normal
        .cholesky()
        .map_or_else(|| DMatrix::zeros(count, values), |factors| factors.solve(&right));
    for mut column in effects.column_iter_mut() {
        let centre = column.mean();
        column -= DVector::repeat(count, centre);
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Profiles of these levels in blocks of these effects, where `is_there` says so.
    fn rows(levels: &[f64], effects: &[f64], is_there: impl Fn(usize, usize) -> bool) -> Rows {
        let run = |profile: usize, block: usize| (block, vec![levels[profile] + effects[block]]);
        let of_profile = |profile: usize| {
            let there = (0..effects.len()).filter(|block| is_there(profile, *block));
            there.map(|block| run(profile, block)).collect()
        };
        (0..levels.len()).map(of_profile).collect()
    }

    const LEVELS: [f64; 3] = [1.0, 2.0, 4.0];
    const EFFECTS: [f64; 4] = [-5.0, 10.0, 3.0, -8.0];

    #[test]
    fn torn_blocks_do_not_count_where_two_are_whole() {
        let found =
            PairedMeans::of(rows(&LEVELS, &EFFECTS, |profile, block| block < 2 || profile < block));
        assert_eq!(found.basis, Basis::WholeBlocks);
        assert!(found.rows.iter().all(|runs| runs.len() == 3), "{found:?}");
        let shift = found.mean(0, 0) - LEVELS[0];
        (0..3).for_each(|at| assert!((found.mean(at, 0) - LEVELS[at] - shift).abs() < 1e-12));
    }

    #[test]
    fn without_whole_blocks_the_fit_finds_the_differences_of_levels() {
        // No profile is in every block and no block has every profile.
        let found = PairedMeans::of(rows(&LEVELS, &EFFECTS, |profile, block| profile != block % 3));
        assert_eq!(found.basis, Basis::BlockEffects);
        for (at, level) in LEVELS.iter().enumerate() {
            let difference = found.mean(at, 0) - found.mean(0, 0);
            assert!((difference - (level - LEVELS[0])).abs() < 1e-9, "{difference}");
        }
        let apart = PairedMeans::of(rows(&LEVELS, &EFFECTS, |profile, block| profile == block));
        assert_eq!(apart.basis, Basis::Unlinked);
    }

    #[test]
    fn one_whole_block_keeps_its_values() {
        let table = rows(&LEVELS, &EFFECTS[..1], |_, _| true);
        assert_eq!(PairedMeans::of(table.clone()).rows, table);
    }
}
