//! What each number means, in a sentence.

use super::{Panel, Section};
use crate::campaign::Analysis;

/// Terms and their definitions.
const TERMS: [(&str, &str); 22] = [
    ("Profile", "One strategy of each player."),
    (
        "Block",
        "One arrival trace with its seed, replayed under every profile: differences between profiles are taken within blocks.",
    ),
    (
        "Utility",
        "Weight times metric over reference, summed; references are fixed before the campaign and never the observed range.",
    ),
    ("Payoff", "The mean of a player's utility over the blocks of a profile."),
    (
        "Interval",
        "At 95 %, from paired blocks; simultaneous where it says so, which means that all of them hold together.",
    ),
    (
        "Social cost",
        "The physical cost that the design names, above 0, lower is better; never a utility of mixed sign.",
    ),
    ("Regret", "What a player gains at most by leaving a profile alone."),
    (
        "Cross-fitted regret",
        "The strategy is chosen on some blocks and its gain is taken on the others, so that it is not too high by selection.",
    ),
    (
        "Equilibrium",
        "A profile, or probabilities over strategies, that no player gains by leaving alone.",
    ),
    (
        "Certificate",
        "How an equilibrium is proved: exact by rational arithmetic, interval by an interval-Newton box around it, numerical by its regret alone.",
    ),
    (
        "In resamples",
        "Share of bootstrap resamples of the blocks whose game has an equilibrium with the same support.",
    ),
    (
        "Price of Anarchy",
        "Social cost of the costliest equilibrium found over that of the cheapest profile.",
    ),
    (
        "Price of Stability",
        "Social cost of the cheapest equilibrium found over that of the cheapest profile.",
    ),
    (
        "NOT IDENTIFIED, UNBOUNDED",
        "The measurements do not pin the number down: profiles are missing, no equilibrium was found, or noise is so large that the ratio has no upper bound.",
    ),
    (
        "Correlated and coarse correlated",
        "The costliest outcome of a mediator whom nobody gains by disobeying, after or before hearing the advice; linear programs.",
    ),
    (
        "Smoothness bound",
        "An upper bound on the Price of Anarchy of every coarse correlated equilibrium, from a linear program in two variables.",
    ),
    (
        "Tail inflation",
        "p99 time to first token over that under the lowest load, in the default profile; an index, not a Price of Anarchy.",
    ),
    (
        "Knee",
        "Where the slope of log p99 time to first token against log load changes, by segmented regression, with a bootstrap interval.",
    ),
    (
        "Shapley value",
        "A player's marginal contribution to the sum of utilities, from baseline to intelligent strategy, averaged over all orders.",
    ),
    (
        "Potential share",
        "Of what players can influence, the part that one common function explains; the rest is circling.",
    ),
    (
        "Stationarity",
        "After the last change point (PELT) ADF rejects a unit root at p < 0.05 and KPSS does not reject stationarity at p > 0.05.",
    ),
    (
        "Oscillation",
        "A spectral peak above red noise whose zero crossings of the autocorrelation are regular: r = T / (3 s) > 1 (Thornhill, Huang and Zhang 2003).",
    ),
];

pub(super) fn section(analysis: &Analysis) -> Section {
    let terms = TERMS.map(|(term, meaning)| (term.to_owned(), meaning.to_owned()));
    let mut section = Section::new("methods", "Methods, in words");
    for player in &analysis.design.players {
        let terms: Vec<String> = player
            .utility
            .iter()
            .map(|term| {
                let reference =
                    term.reference.map_or_else(|| "unknown".to_owned(), crate::report::number);
                format!(
                    "{} × {} / {reference} ({})",
                    term.weight, term.metric.name, term.reference_from
                )
            })
            .collect();
        section = section.says(format!("Utility of {}: {}.", player.name, terms.join(" + ")));
    }
    section = section.says(format!(
        "Of every run, the first {} of the requests are warm-up and do not count.",
        crate::report::percent(analysis.design.discard)
    ));
    if !analysis.provenance.ours.is_empty() {
        section = section.says(format!(
            "Ours, not from the literature: {}.",
            analysis.provenance.ours.join("; ").trim_end_matches('.')
        ));
    }
    section.panel(Panel { terms: terms.into(), ..Panel::default() })
}
