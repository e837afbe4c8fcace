//! Equilibria with their certificates, commitment, and how near the game is to one with a potential.

use super::super::names::{Names, estimate, maybe};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, Commitment, EquilibriaAnswer, LoadAnswer, Stackelberg};
use crate::report::{number, percent, probability};

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    Section::new("equilibria", "Equilibria")
        .says(
            "Mixed strategies are per-run randomisation: expected payoffs are linear in them, percentiles of the mixed \
             traffic are not. Each equilibrium carries the proof that was found for it and how often it survives when \
             blocks are resampled.",
        )
        .by_load(analysis, names, |load| of_load(load, names))
}

fn of_load(load: &LoadAnswer, names: Names<'_>) -> Panel {
    let mut panel = Panel { columns: 1, ..Panel::default() };
    match &load.equilibria {
        None => {
            let why = load.not_identified.as_deref().unwrap_or("the whole game is not known");
            panel = panel.says(format!("NOT IDENTIFIED: {why}."));
        }
        Some(found) => {
            panel = panel.says(completeness(found));
            panel = uncertainty(found, names).into_iter().fold(panel, Panel::says);
            panel = panel.table("Equilibria of the means", list(found, names));
        }
    }
    panel = panel.says(match (&load.stackelberg, &load.stackelberg_missing) {
        (Some(found), _) => commitment(found, names),
        (None, why) => format!(
            "Commitment by a leader is not given: {}.",
            why.as_deref().unwrap_or("the whole game is not known")
        ),
    });
    if let Some(potential) = &load.potential {
        let harmonic = match (potential.harmonic_share, potential.harmonic_p) {
            (Some(share), Some(p)) => format!(
                " Circling makes up {} of what players can influence; noise alone would give as much with p = {}.",
                percent(share),
                probability(p)
            ),
            _ => String::new(),
        };
        panel = panel.says(format!("{}{harmonic}", potential.sentence));
    }
    panel
}

fn completeness(found: &EquilibriaAnswer) -> String {
    let reasons = match found.reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join("; ")),
    };
    let continua = match found.continua.len() {
        0 => String::new(),
        number => format!(" Continua: {number}."),
    };
    format!("The list is {}{reasons}.{continua}", found.completeness)
}

fn uncertainty(found: &EquilibriaAnswer, names: Names<'_>) -> Vec<String> {
    let mut said = Vec::new();
    if let (Some(possible), Some(certain)) = (&found.possible, &found.certain) {
        said.push(format!(
            "With 95 % probability of all together, {} profiles may be pure equilibria; certain ones: {}.",
            possible.len(),
            names.profiles(certain)
        ));
    }
    if let Some(within) = &found.within_one_standard_error {
        said.push(format!(
            "Pure equilibria up to one standard error of the gain: {}.",
            names.profiles(within)
        ));
    }
    if let Some(without) = found.without_pure {
        said.push(format!("{} of the resamples have no pure equilibrium.", percent(without)));
    }
    said
}

fn list(found: &EquilibriaAnswer, names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "equilibrium",
        "kind",
        "payoffs",
        "social cost",
        "certificate",
        "regret",
        "in resamples",
    ])
    .text(&[1, 2, 4]);
    for one in &found.list {
        let kind = match (&one.pure, one.is_strict) {
            (Some(_), true) => "pure, strict",
            (Some(_), false) => "pure",
            (None, _) => "mixed",
        };
        let payoffs: Vec<String> = one.payoffs.iter().map(|payoff| number(*payoff)).collect();
        table.row([
            names.mixture(&one.mixture),
            kind.to_owned(),
            payoffs.join(", "),
            maybe(one.cost),
            one.certificate.replace('_', ", "),
            if one.regret > 0.0 { format!("{:.0e}", one.regret) } else { "0".to_owned() },
            one.frequency.map_or_else(|| "-".to_owned(), percent),
        ]);
    }
    table
}

fn commitment(found: &Stackelberg, names: Names<'_>) -> String {
    let leader = names.player(found.leader);
    let way = |name: &str, way: &Option<Commitment>| match way {
        Some(way) => format!(
            "{name} at {}, where it gets {}",
            names.profile(&way.profile),
            estimate(&way.value)
        ),
        None => format!("{name} unknown"),
    };
    let unanswered = match found.unanswered.as_slice() {
        [] => String::new(),
        some => format!(
            " Its strategies {} leave the others without a pure equilibrium.",
            some.iter()
                .map(|strategy| names.strategy(found.leader, *strategy))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    format!(
        "If {leader} commits first, play settles {}; {}. Committing to a mixture is worth {}, its best pure equilibrium \
         without commitment {}.{unanswered}",
        way("with optimism", &found.optimistic),
        way("with pessimism", &found.pessimistic),
        maybe(found.mixed_optimistic),
        maybe(found.best_equilibrium)
    )
}
