//! What was asked, what became of the runs, and where the numbers come from.

use std::collections::{BTreeMap, BTreeSet};

use super::Settings;
use super::answer::{
    DesignAnswer, HeldOutRun, LoadAnswer, LoadName, PlayerAnswer, Provenance, RunAnswer, RunFate,
    RunsAnswer, ShownRun,
};
use super::gate::RunTests;
use super::read::CampaignData;
use super::tensor::{Tensor, metric_name};
use crate::experiment::{Design, Record, TraceFacts};

/// Blocks that a claim is to be checked on, at least.
const FEWEST_HELD_OUT: usize = 5;

/// What was asked.
pub(super) fn design(design: &Design, tensor: &Tensor<'_>) -> DesignAnswer {
    let players = design.players.iter().zip(&tensor.terms).map(|(player, terms)| PlayerAnswer {
        name: player.name.clone(),
        strategies: player.strategies.iter().map(|strategy| strategy.name.clone()).collect(),
        default: player.default,
        baseline: player.baseline,
        intelligent: player.intelligent,
        utility: terms.clone(),
    });
    let load =
        |load: &crate::experiment::Load| LoadName { name: load.name.clone(), value: load.value };
    DesignAnswer {
        name: design.name.clone(),
        description: design.description.clone(),
        driver: design.driver.kind().to_owned(),
        players: players.collect(),
        profiles: design.profiles(),
        loads: design.loads.iter().map(load).collect(),
        load_unit: design.load_unit.clone(),
        blocks: design.blocks,
        discard: design.discard,
        welfare: metric_name(&design.welfare.cost),
        also: design.welfare.also.iter().map(|metric| metric_name(metric)).collect(),
        leader: design.leader,
        default: design.default_profile(),
    }
}

/// What became of every run.
pub(super) fn runs(
    data: &CampaignData,
    tensor: &Tensor<'_>,
    tests: &[RunTests],
    drifting: usize,
    shown: Vec<ShownRun>,
) -> RunsAnswer {
    let count = |fate: RunFate| tensor.fates.iter().filter(|(own, _)| *own == fate).count();
    let restless = tensor.fates.iter().zip(tests);
    let restless = restless.filter(|((fate, _), t)| *fate == RunFate::Used && t.is_restless());
    let places = data.plan.runs.iter().zip(&data.records).zip(&tensor.fates).zip(tests);
    let list = places.map(|(((run, record), (fate, reason)), tests)| RunAnswer {
        run: run.run.clone(),
        load: run.load,
        block: run.block,
        profile: run.profile.clone(),
        seed: run.seed,
        fate: *fate,
        reason: reason.clone(),
        lost: record.as_ref().and_then(|record| Some(record.trace.as_ref()?.lost)),
        requests: requests(record.as_ref(), "requests"),
        unfinished: unfinished(record.as_ref()),
        series: tests.series.clone(),
    });
    RunsAnswer {
        planned: data.plan.runs.len(),
        used: count(RunFate::Used),
        failed: count(RunFate::Failed),
        gated: count(RunFate::Gated),
        incomplete: count(RunFate::Incomplete),
        missing: count(RunFate::Missing),
        restless: restless.count(),
        drifting,
        list: list.collect(),
        shown,
    }
}

fn requests(record: Option<&Record>, metric: &str) -> Option<u64> {
    let count = record?.metric(metric).filter(|count| (0.0..1e15).contains(count));
    count.map(|count| count.round() as u64)
}

fn unfinished(record: Option<&Record>) -> Option<u64> {
    let all = requests(record, "requests")?;
    let completed = requests(record, "completed")?;
    all.checked_sub(completed).filter(|unfinished| *unfinished > 0)
}

/// Runs that would check each load's claims.
pub(super) fn held_out_runs(
    design: &Design,
    used_blocks: usize,
    loads: &[LoadAnswer],
) -> Vec<HeldOutRun> {
    let blocks: Vec<usize> =
        (used_blocks..used_blocks + design.blocks.max(FEWEST_HELD_OUT)).collect();
    let of_load = |load: &LoadAnswer| {
        let price = load.anarchy.first();
        let optimum = price.and_then(|price| price.optimum.clone());
        let gap = price.and_then(|price| price.gap.as_ref());
        let worst = gap.map(|gap| gap.worst.clone());
        let default = optimum.is_some().then(|| design.default_profile());
        let claims = [("optimum", optimum), ("worst equilibrium", worst), ("default", default)];
        let held_out = claims.map(|(claim, profile)| {
            Some(HeldOutRun {
                load: load.load,
                profile: profile?,
                claim: claim.to_owned(),
                blocks: blocks.clone(),
            })
        });
        held_out.into_iter().flatten()
    };
    loads.iter().flat_map(of_load).collect()
}

/// Where the numbers come from.
pub(super) fn provenance(
    data: &CampaignData,
    tensor: &Tensor<'_>,
    settings: &Settings<'_>,
) -> Provenance {
    let used = || tensor.loads.iter().flat_map(|load| load.values().flatten());
    let traces = || used().filter_map(|run| run.record.trace.as_ref());
    let cut_short = (settings.stop)().then(|| {
        "the analysis was cut by the time limit and is not repeatable: with more time there may be more equilibria and resamples".to_owned()
    });
    Provenance {
        design_hash: data.plan.design_hash.clone(),
        design_seed: data.plan.seed,
        seed: settings.seed,
        resamples: settings.resamples,
        nashtrace: env!("CARGO_PKG_VERSION").to_owned(),
        versions: versions(traces()),
        records: traces().map(|trace| trace.records).sum(),
        lost: traces().map(|trace| trace.lost).sum(),
        runs_without_trace: used().filter(|run| run.record.trace.is_none()).count(),
        cut_short: cut_short.into_iter().collect(),
        ours: OURS.map(str::to_owned).into(),
    }
}

/// By program, every version that some run names.
fn versions<'a>(traces: impl Iterator<Item = &'a TraceFacts>) -> BTreeMap<String, String> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (program, version) in traces.flat_map(|trace| &trace.versions) {
        found.entry(program).or_default().insert(version);
    }
    let joined = |versions: BTreeSet<&str>| versions.into_iter().collect::<Vec<_>>().join(", ");
    found.into_iter().map(|(program, versions)| (program.to_owned(), joined(versions))).collect()
}

/// Formulas that are not from the literature.
const OURS: [&str; 5] = [
    "tail_inflation: p99 time to first token over that under the lowest load",
    "the simultaneous bounds of the Price of Anarchy: dual containment with paired Student intervals and Fieller's ratios",
    "where router-KV feedback begins: the lowest load from which on most runs of the default profile have a cross-correlation of cache hit rate and eviction rate beyond the band of all lags together, with a bootstrap interval that excludes 0",
    "the null calibration: residuals of each block dealt anew to its profiles",
    "the rule by which drifting runs are left out: both tests of stationarity, and most runs of the profile do not drift",
];
