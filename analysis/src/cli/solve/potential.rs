//! The section of potentials and of the circles that players go in.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::cli::show::finite;
use crate::game::Game;
use crate::game::anarchy::PairedBlocks;
use crate::game::potential::{
    BestResponseGraph, Component, HarmonicNoise, decompose, exact_potential_until, harmonic_noise,
    has_ordinal_potential,
};
use crate::report::{number, percent, sentence};

pub(super) const SECTION: Section =
    Section { title: "Potential and best responses", json, print, is_shown: |_| true };

/// Moves of single players from profile to profile up to which the graphs are made.
const MOST_MOVES: usize = 500_000;

fn is_small(game: &Game) -> bool {
    game.profiles().saturating_mul(game.shape().iter().sum()) <= MOST_MOVES
}

fn noise(solved: &Solved) -> Option<HarmonicNoise> {
    let blocks = PairedBlocks::of(&solved.game)?;
    harmonic_noise(&solved.game, &blocks.payoffs, solved.seed)
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let game = &solved.game;
    let exact = exact_potential_until(game, solved.deadline);
    let parts = decompose(game);
    let shares = parts.shares();
    let names = |profile: &usize| game.profile_names(*profile);
    let is_small = is_small(game);
    let noise = noise(solved).map(|noise| {
        json!({
            "squared_norm": noise.squared_norm,
            "noise_floor": noise.noise_floor,
            "dimension": noise.dimension,
            "p_value": noise.p_value,
            "blocks": noise.blocks,
        })
    });
    let cycle = exact.cycle.map(|cycle| cycle.iter().map(|p| game.profile(*p)).collect::<Vec<_>>());
    let potential = json!({
        "exact": exact.potential.is_some(),
        "ordinal": is_small.then(|| has_ordinal_potential(game)),
        "potential": exact.potential,
        "largest_violation": exact.violation,
        "violating_cycle": cycle,
        "violation_is_largest": exact.is_largest,
        "shares": {
            "potential": finite(shares.potential),
            "harmonic": finite(shares.harmonic),
            "nonstrategic": finite(shares.nonstrategic),
        },
        "closest_potential": parts.potential,
        "harmonic_noise": noise,
    });
    answer.insert("potential".to_owned(), potential);
    let graph = |graph: BestResponseGraph| {
        let component = |component: &Component| {
            json!({
                "profiles": component.profiles.iter().map(|p| game.profile(*p)).collect::<Vec<_>>(),
                "cycle": component.cycle.iter().map(names).collect::<Vec<_>>(),
                "sink": component.is_sink,
            })
        };
        json!({
            "acyclic": graph.is_acyclic(),
            "components": graph.components.iter().map(component).collect::<Vec<Value>>(),
        })
    };
    let graphs = is_small.then(|| {
        json!({
            "strict": graph(BestResponseGraph::strict(game)),
            "weak": graph(BestResponseGraph::weak(game)),
        })
    });
    answer.insert("best_responses".to_owned(), graphs.unwrap_or_default());
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let game = &solved.game;
    let exact = exact_potential_until(game, solved.deadline);
    let is_small = is_small(game);
    let text = if exact.potential.is_some() {
        "there is an exact potential: players who improve one at a time always come to rest"
            .to_owned()
    } else {
        let ordinal = match is_small.then(|| has_ordinal_potential(game)) {
            Some(true) => "there is an ordinal potential, but no exact one",
            Some(false) => "there is no exact potential and no ordinal one",
            None => "there is no exact potential",
        };
        let violation = number(exact.violation);
        let among = if exact.is_largest { "" } else { " among the cycles there was time for" };
        format!("{ordinal}: the gains around a cycle of four moves sum to up to {violation}{among}")
    };
    writeln!(out, "{}", sentence(&text))?;
    let shares = decompose(game).shares();
    let text = format!(
        "of what players can influence, {} is explained by a potential and {} is circling (harmonic)",
        percent(shares.potential),
        percent(shares.harmonic)
    );
    writeln!(out, "{}", sentence(&text))?;
    if let Some(noise) = noise(solved) {
        let judged = if noise.p_value < 0.05 { "is more than noise" } else { "may be noise" };
        let text = format!(
            "the circling part {judged}: squared norm {} against a noise floor of {}, p = {} ({} blocks)",
            number(noise.squared_norm),
            number(noise.noise_floor),
            number(noise.p_value),
            noise.blocks
        );
        writeln!(out, "{}", sentence(&text))?;
    }
    if is_small {
        return print_cycles(solved, out);
    }
    let text = "the game is too large for its graph of best responses and for an ordinal potential";
    writeln!(out, "{}", sentence(text))
}

/// Components with cycles that are printed, at most; the JSON has all.
const MOST_CYCLES: usize = 5;

fn print_cycles(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let graph = BestResponseGraph::strict(&solved.game);
    if graph.is_acyclic() {
        let text = "best responses, one player at a time, always come to rest";
        return writeln!(out, "{}", sentence(text));
    }
    for component in graph.cycles().take(MOST_CYCLES) {
        let step =
            |profile: &usize| format!("({})", solved.game.profile_names(*profile).join(", "));
        let mut steps: Vec<String> = component.cycle.iter().map(step).collect();
        steps.extend(steps.first().cloned());
        let stays = if component.is_sink { "for ever" } else { "and may leave" };
        let text = format!("best responses go round {stays}: {}", steps.join(" -> "));
        writeln!(out, "{}", sentence(&text))?;
    }
    let more = graph.cycles().count().saturating_sub(MOST_CYCLES);
    if more > 0 {
        writeln!(out, "{}", sentence(&format!("and {more} more; --json has all")))?;
    }
    Ok(())
}
