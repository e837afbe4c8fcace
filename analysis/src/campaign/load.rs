//! All answers under one load.

use super::Settings;
use super::against_baseline::against_baseline;
use super::anarchy::{self, Measured};
use super::answer::LoadAnswer;
use super::best_responses::best_responses;
use super::cells::cells;
use super::commitment::stackelberg;
use super::equilibria::{self, Solved};
use super::front::pareto;
use super::gate::RunTests;
use super::hold_out::hold_out;
use super::null_calibration::null_calibration;
use super::potential::potential;
use super::regret::default_regret;
use super::routing::routing;
use super::sensitivity::sensitivity;
use super::shapley::shapley;
use super::tensor::{LoadTensor, WholeGame, profile_of};
use crate::experiment::Design;

/// Missing profiles that a sentence names, at most.
const MOST_NAMED: usize = 5;

/// The game under one load.
pub(super) fn load_answer(
    design: &Design,
    load: usize,
    tensor: &LoadTensor<'_>,
    tests: &[RunTests],
    settings: &Settings<'_>,
) -> LoadAnswer {
    let missing: Vec<usize> =
        (0..design.profiles()).filter(|profile| !tensor.contains_key(profile)).collect();
    let whole = WholeGame::of(design, tensor, &design.welfare.cost);
    let not_identified = not_identified(design, &missing);
    let shapley = shapley(design, tensor, settings.seed);
    let routing = routing(tensor);
    let partial = LoadAnswer {
        load,
        cells: cells(design, tensor, whole.as_ref()),
        missing_profiles: missing.iter().map(|profile| profile_of(design, *profile)).collect(),
        whole_blocks: whole.as_ref().map_or(0, |whole| whole.blocks.len()),
        points_from: whole.as_ref().map(|whole| whole.basis.name().to_owned()),
        best_responses: best_responses(design, tensor, whole.as_ref(), tests),
        regret: default_regret(design, tensor),
        equilibria: None,
        stackelberg: None,
        stackelberg_missing: not_identified.clone(),
        shapley_missing: shapley.as_ref().err().cloned(),
        shapley: shapley.ok(),
        intelligent_against_baseline: against_baseline(design, tensor),
        anarchy: Vec::new(),
        potential: None,
        pareto: pareto(design, tensor, settings.seed),
        sensitivity: None,
        hold_out: None,
        null_calibration: None,
        routing_anarchy_missing: routing.as_ref().err().cloned(),
        routing_anarchy: routing.as_ref().ok().map(|routing| routing.anarchy),
        routing_anarchy_bound: routing.as_ref().ok().map(|routing| routing.bound),
        routing_anarchy_profiles: routing.map_or(0, |routing| routing.profiles),
        not_identified,
    };
    match whole {
        Some(whole) => of_whole(design, tensor, &whole, settings, partial),
        None => {
            let reason = partial.not_identified.clone().unwrap_or_default();
            let anarchy =
                costs(design).map(|cost| anarchy::not_identified(cost, &reason)).collect();
            LoadAnswer { anarchy, ..partial }
        }
    }
}

/// The design's cost, and then the others.
fn costs(design: &Design) -> impl Iterator<Item = &str> {
    std::iter::once(&design.welfare.cost).chain(&design.welfare.also).map(String::as_str)
}

fn of_whole(
    design: &Design,
    tensor: &LoadTensor<'_>,
    whole: &WholeGame,
    settings: &Settings<'_>,
    partial: LoadAnswer,
) -> LoadAnswer {
    let solved = Solved::of(&whole.game, settings, equilibria::WHOLE_WORK);
    let measured = Measured::of(whole, settings);
    let bounds = measured.bounds.as_ref().ok();
    let stackelberg = stackelberg(design, whole);
    let also = design.welfare.also.iter().filter_map(|cost| {
        let whole = WholeGame::of(design, tensor, cost)?;
        let measured = Measured::of(&whole, settings);
        Some(anarchy::answer(design, tensor, &whole, &solved, cost, &measured))
    });
    let first = anarchy::answer(design, tensor, whole, &solved, &design.welfare.cost, &measured);
    LoadAnswer {
        equilibria: Some(equilibria::answer(whole, &solved, bounds, settings)),
        stackelberg_missing: stackelberg.as_ref().err().cloned(),
        stackelberg: stackelberg.ok(),
        anarchy: std::iter::once(first).chain(also).collect(),
        potential: Some(potential(whole, settings.seed)),
        sensitivity: Some(sensitivity(design, whole, settings)),
        hold_out: hold_out(whole),
        null_calibration: null_calibration(whole, settings),
        ..partial
    }
}

fn not_identified(design: &Design, missing: &[usize]) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let named = missing.iter().take(MOST_NAMED).map(|profile| {
        format!("({})", design.strategy_names(&profile_of(design, *profile)).join(", "))
    });
    let more = match missing.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{} of {} profiles have no usable run: {}{more}",
        missing.len(),
        design.profiles(),
        named.collect::<Vec<String>>().join(", ")
    ))
}
