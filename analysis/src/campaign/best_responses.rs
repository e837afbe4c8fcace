//! Where players would go, as far as payoffs are known.

use super::answer::{BestResponseCycle, BestResponses, Estimate, Move, Oscillating};
use super::cells::estimate;
use super::gate::RunTests;
use super::tensor::{LoadTensor, WholeGame, paired, profile_of};
use crate::experiment::Design;
use crate::game::potential::{BestResponseGraph, Component};
use crate::stats::mean;

/// The moves to best responses, and the ways round if the whole game is known.
pub(super) fn best_responses(
    design: &Design,
    tensor: &LoadTensor<'_>,
    whole: Option<&WholeGame>,
    tests: &[RunTests],
) -> BestResponses {
    let mut moves = Vec::new();
    let mut rest_points = Vec::new();
    for number in tensor.keys().copied() {
        let lines: Option<Vec<Vec<usize>>> =
            (0..design.players.len()).map(|player| line(design, tensor, number, player)).collect();
        let from = profile_of(design, number);
        let mut is_left = false;
        for player in 0..design.players.len() {
            let Some(line) = line(design, tensor, number, player) else { continue };
            let payoff = |profile: usize| mean_payoff(tensor, profile, player);
            let best = line.iter().map(|to| payoff(*to)).fold(f64::NEG_INFINITY, f64::max);
            if payoff(number) >= best {
                continue;
            }
            is_left = true;
            for to in line.into_iter().filter(|to| payoff(*to) >= best) {
                let (from, gain) = (from.clone(), gain(tensor, number, to, player));
                moves.push(Move { from, to: profile_of(design, to), player, gain });
            }
        }
        if lines.is_some() && !is_left {
            rest_points.push(from);
        }
    }
    let cycles = whole.map(|whole| {
        let graph = BestResponseGraph::strict(&whole.game);
        graph.cycles().map(|component| cycle(whole, component, tensor, tests)).collect()
    });
    BestResponses { moves, rest_points, cycles }
}

/// The profiles that a player can choose between, if all were measured.
fn line(
    design: &Design,
    tensor: &LoadTensor<'_>,
    number: usize,
    player: usize,
) -> Option<Vec<usize>> {
    let mut profile = profile_of(design, number);
    (0..design.players[player].strategies.len())
        .map(|strategy| {
            profile[player] = strategy;
            let to = design.profile_number(&profile);
            tensor.contains_key(&to).then_some(to)
        })
        .collect()
}

fn mean_payoff(tensor: &LoadTensor<'_>, profile: usize, player: usize) -> f64 {
    let payoffs: Vec<f64> = tensor[&profile].iter().map(|run| run.payoffs[player]).collect();
    mean(&payoffs)
}

fn gain(tensor: &LoadTensor<'_>, from: usize, to: usize, player: usize) -> Estimate {
    let blocks = paired(tensor, &[from, to], |run| run.payoffs.get(player).copied());
    let gains: Vec<f64> = blocks.iter().map(|(_, values)| values[1] - values[0]).collect();
    estimate(&gains).unwrap_or_else(|| {
        let [own, other] = [from, to].map(|profile| mean_payoff(tensor, profile, player));
        Estimate { value: other - own, interval: None, blocks: 0 }
    })
}

fn cycle(
    whole: &WholeGame,
    component: &Component,
    tensor: &LoadTensor<'_>,
    tests: &[RunTests],
) -> BestResponseCycle {
    let count = |is_of: &dyn Fn(&usize) -> bool| {
        let runs = tensor.iter().filter(|(profile, _)| is_of(profile)).flat_map(|(_, runs)| runs);
        let mut found = Oscillating::default();
        for run in runs.filter(|run| tests[run.place].is_tested()) {
            found.tested += 1;
            found.oscillating += usize::from(tests[run.place].oscillates());
        }
        found
    };
    BestResponseCycle {
        cycle: whole.profiles(&component.cycle),
        profiles: component.profiles.len(),
        is_sink: component.is_sink,
        oscillating: count(&|profile| component.profiles.contains(profile)),
        elsewhere: count(&|profile| !component.profiles.contains(profile)),
    }
}
