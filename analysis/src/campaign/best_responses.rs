//! Where players would go, as far as payoffs are known.

use super::answer::{BestResponseCycle, BestResponses, Estimate, Move, Oscillating};
use super::cells::estimate;
use super::gate::RunTests;
use super::paired_means::{Basis, PairedMeans, Rows};
use super::tensor::{LoadTensor, UsedRun, WholeGame, profile_of};
use crate::experiment::Design;
use crate::game::potential::{BestResponseGraph, Component};

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
        let from = profile_of(design, number);
        let lines: Vec<Option<Line>> =
            (0..design.players.len()).map(|p| Line::of(design, tensor, whole, number, p)).collect();
        let mut is_left = false;
        for (player, line) in lines.iter().enumerate() {
            let Some(line) = line else { continue };
            let own = from[player];
            let best = line.payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if line.payoffs[own] >= best {
                continue;
            }
            is_left = true;
            for to in (0..line.payoffs.len()).filter(|to| line.payoffs[*to] >= best) {
                let (from, gain) = (from.clone(), line.gain(own, to));
                moves.push(Move { from, to: profile_of(design, line.profiles[to]), player, gain });
            }
        }
        if lines.iter().all(Option::is_some) && !is_left {
            rest_points.push(from);
        }
    }
    let cycles = whole.map(|whole| {
        let graph = BestResponseGraph::strict(&whole.game);
        graph.cycles().map(|component| cycle(whole, component, tensor, tests)).collect()
    });
    BestResponses { moves, rest_points, cycles }
}

/// The profiles that a player can choose between, by its strategy.
struct Line {
    profiles: Vec<usize>,
    /// What the player gets, free of the blocks' common noise.
    payoffs: Vec<f64>,
    /// By strategy, block and payoff of the runs that the means rest on.
    runs: PairedMeans,
    /// How the blocks' common noise is kept out of the payoffs.
    basis: Basis,
}

impl Line {
    /// `None` if some of these profiles were not measured.
    fn of(
        design: &Design,
        tensor: &LoadTensor<'_>,
        whole: Option<&WholeGame>,
        number: usize,
        player: usize,
    ) -> Option<Self> {
        let mut profile = profile_of(design, number);
        let profiles: Vec<usize> = (0..design.players[player].strategies.len())
            .map(|strategy| {
                profile[player] = strategy;
                design.profile_number(&profile)
            })
            .collect();
        let counts = |run: &&UsedRun<'_>| whole.is_none_or(|whole| whole.counts(run));
        let of_profile = |profile: &usize| {
            let runs = tensor.get(profile)?.iter().filter(counts);
            Some(runs.map(|run| (run.record.block, vec![run.payoffs[player]])).collect())
        };
        let rows: Option<Rows> = profiles.iter().map(of_profile).collect();
        let runs = PairedMeans::of(rows?);
        let payoff = |(strategy, profile): (usize, &usize)| match whole {
            Some(whole) => whole.game.payoff(*profile, player),
            None => runs.mean(strategy, 0),
        };
        let payoffs = profiles.iter().enumerate().map(payoff).collect();
        let basis = whole.map_or(runs.basis, |whole| whole.basis);
        Some(Self { profiles, payoffs, runs, basis })
    }

    /// What the player gains from one strategy to another: with an interval where whole blocks give it.
    fn gain(&self, from: usize, to: usize) -> Estimate {
        let pairs = self.runs.rows[from].iter().zip(&self.runs.rows[to]);
        let gains: Vec<f64> = pairs.map(|(own, other)| other.1[0] - own.1[0]).collect();
        let paired = estimate(&gains).filter(|_| self.basis == Basis::WholeBlocks);
        let value = self.payoffs[to] - self.payoffs[from];
        paired.unwrap_or(Estimate { value, interval: None, blocks: 0 })
    }
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
