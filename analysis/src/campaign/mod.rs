//! From the runs of a campaign to its answers: one file per answer, pure functions of a design and its runs.

mod against_baseline;
mod anarchy;
mod answer;
mod best_responses;
mod cells;
mod commitment;
mod curves;
mod doubts;
mod equilibria;
mod fresh;
mod front;
mod gate;
mod hold_out;
mod load;
mod next;
mod null_calibration;
mod paired_means;
mod potential;
mod read;
mod regret;
mod routing;
mod sensitivity;
mod shapley;
mod shown;
mod summary;
mod tensor;
mod verdict;

pub use answer::*;
pub use fresh::fresh_blocks;
pub use next::next_runs;
pub use read::CampaignData;

use crate::game::Search;

/// How to analyse.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Resamples of the blocks.
    pub resamples: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Asked often whether to stop; what was found until then is the answer, which is then not repeatable. Without it the work
    /// has ends of its own that do not depend on time.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Settings<'a> {
    fn search(&self, budget: u64) -> Search<'a> {
        Search { seed: self.seed, stop: self.stop, budget: Some(budget) }
    }
}

/// Answer everything that a campaign's runs can answer. The same on any number of threads, unless it is stopped.
#[must_use]
pub fn analyze(data: &CampaignData, settings: &Settings<'_>) -> Analysis {
    let tests = gate::test_runs(data);
    let gate = gate::gate(data, &tests);
    let tensor = tensor::Tensor::of(data, &gate.left_out);
    let design = &data.design;
    let loads: Vec<LoadAnswer> = tensor
        .loads
        .iter()
        .enumerate()
        .map(|(number, of_load)| load::load_answer(design, number, of_load, &tests, settings))
        .collect();
    let over_loads = curves::over_loads(design, &tensor, &loads);
    let shown = shown::shown(design, &tensor, &loads);
    let runs = summary::runs(data, &tensor, &tests, gate.kept.len(), shown);
    let mut analysis = Analysis {
        schema_version: SCHEMA_VERSION,
        verdict: verdict::verdict(design, &loads),
        doubts: Vec::new(),
        design: summary::design(design, &tensor),
        held_out_runs: summary::held_out_runs(design, data.plan.blocks, &loads),
        fresh_blocks: Vec::new(),
        provenance: summary::provenance(data, &tensor, settings),
        runs,
        loads,
        over_loads,
    };
    analysis.doubts = doubts::doubts(&analysis, settings);
    analysis
}

#[cfg(test)]
mod tests;
