//! Claims, valued on blocks that took no part in choosing them.

use std::collections::BTreeMap;

use super::answer::{Analysis, Estimate, FreshBlocks, HeldOutRun};
use super::cells::estimate;
use crate::experiment::{HeldOut, Record, Status};

/// What the runs of a hold-out say of each load's claims.
#[must_use]
pub fn fresh_blocks(analysis: &Analysis, held_out: &HeldOut) -> Vec<FreshBlocks> {
    let loads = 0..analysis.loads.len();
    loads.filter_map(|load| of_load(analysis, held_out, load)).collect()
}

fn of_load(analysis: &Analysis, held_out: &HeldOut, load: usize) -> Option<FreshBlocks> {
    let claimed = |claims: &[HeldOutRun], name: &str| {
        let mut own = claims.iter().filter(|claim| claim.load == load && claim.claim == name);
        own.next().map(|claim| claim.profile.clone())
    };
    let tested = |name: &str| claimed(&held_out.claims, name);
    let optimum = tested("optimum")?;
    let worst = tested("worst equilibrium");
    let default = tested("default")?;
    let costs = Costs::of(held_out, load, &analysis.design.welfare.name);
    let is_current = ["optimum", "worst equilibrium"]
        .iter()
        .all(|name| tested(name) == claimed(&analysis.held_out_runs, name));
    let planned = held_out.planned.iter().filter(|run| run.load == load).count();
    Some(FreshBlocks {
        load,
        planned,
        used: costs.by_profile.values().map(BTreeMap::len).sum(),
        is_current,
        anarchy: worst.as_ref().and_then(|worst| costs.ratio(worst, &optimum)),
        default_over_optimum: costs.ratio(&default, &optimum),
        optimum,
        worst,
        default,
    })
}

/// Costs by profile and block.
struct Costs<'a> {
    by_profile: BTreeMap<&'a Vec<usize>, BTreeMap<usize, f64>>,
}

impl<'a> Costs<'a> {
    fn of(held_out: &'a HeldOut, load: usize, metric: &str) -> Self {
        let mut by_profile: BTreeMap<_, BTreeMap<usize, f64>> = BTreeMap::new();
        let is_used = |record: &&Record| record.load == load && record.status == Status::Ok;
        for record in held_out.records.iter().filter(is_used) {
            if let Some(cost) = record.metric(metric).filter(|cost| *cost > 0.0) {
                by_profile.entry(&record.profile).or_default().insert(record.block, cost);
            }
        }
        Self { by_profile }
    }

    /// The mean over the blocks that have both of one profile's cost by the other's.
    fn ratio(&self, above: &Vec<usize>, below: &Vec<usize>) -> Option<Estimate> {
        let (above, below) = (self.by_profile.get(above)?, self.by_profile.get(below)?);
        let ratio = |(block, cost): (&usize, &f64)| Some(cost / below.get(block)?);
        estimate(&above.iter().filter_map(ratio).collect::<Vec<f64>>())
    }
}
