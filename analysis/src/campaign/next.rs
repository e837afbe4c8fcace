//! Which runs an adaptive plan makes next.

use std::collections::BTreeMap;

use super::gate::FEWEST_BLOCKS;
use super::tensor::{Tensor, WholeGame, profile_of};
use super::{CampaignData, gate};
use crate::experiment::{Choice, SamplePlan};
use crate::game::anarchy::next_measurements;

/// The next runs of an adaptive plan: every profile in one more block, under the load whose interval of the Price of
/// Anarchy over pure equilibria is expected to shrink most by it. Intervals rest on blocks in which every profile was
/// measured, so that less than a block shrinks none. A load whose game has too few blocks for an interval comes first;
/// one that has no interval for another reason last; of equal loads the one with the fewest blocks. Nothing once the
/// additional runs are used up, or the plan is not adaptive.
#[must_use]
pub fn next_runs(data: &CampaignData) -> Vec<Choice> {
    let SamplePlan::Adaptive { runs } = data.design.plan else { return Vec::new() };
    let profiles = data.design.profiles();
    let initial = profiles * data.design.blocks * data.design.loads.len();
    let used = data.plan.runs.len().saturating_sub(initial);
    if used + profiles > runs {
        return Vec::new();
    }
    let mut blocks = BTreeMap::new();
    for run in &data.plan.runs {
        let next = blocks.entry(run.load).or_insert(0);
        *next = (run.block + 1).max(*next);
    }
    let gate = gate::gate(data, &gate::test_runs(data));
    let tensor = Tensor::of(data, &gate.left_out);
    let shrinkage = |load: usize| {
        let whole = WholeGame::of(&data.design, &tensor.loads[load], &data.design.welfare.cost);
        let Some(whole) = whole else { return f64::INFINITY };
        match next_measurements(&whole.game, &whole.blocks) {
            Ok(next) => {
                (next.now.high - next.now.low) - (next.with_block.high - next.with_block.low)
            }
            Err(_) if whole.blocks.len() < FEWEST_BLOCKS => f64::INFINITY,
            Err(_) => f64::NEG_INFINITY,
        }
    };
    let expected: Vec<f64> = (0..data.design.loads.len()).map(shrinkage).collect();
    let first = |a: &usize, b: &usize| {
        expected[*b].total_cmp(&expected[*a]).then_with(|| blocks.get(a).cmp(&blocks.get(b)))
    };
    let load = (0..expected.len()).min_by(first).unwrap_or(0);
    let block = blocks.get(&load).copied().unwrap_or(0);
    let choice = |profile| Choice { load, block, profile: profile_of(&data.design, profile) };
    (0..profiles).map(choice).collect()
}
