//! The most regretted profiles, the most regretted routing decisions, and the profiles whose decisions were.

use serde_json::json;

use super::super::figure::{Figure, axis, hover};
use super::super::names::{Names, estimate, maybe, range};
use super::super::style::{bar_marker, legend, whiskers};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, Cell, LoadAnswer, Move, ShownRun};
use crate::experiment::{OfferedWorker, RegrettedDecision};
use crate::report::{count, number};

/// Profiles that are shown.
const SHOWN: usize = 10;

/// The metric of regretted decisions.
const DECISIONS: [&str; 2] = ["predicted_regret_mean", "overlap_regret_mean"];

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    Section::new("regretted", "What is regretted most")
        .says(
            "Profiles by the largest gain that a single player has from leaving (the profile's distance from equilibrium); \
             the router's single decisions that were regretted most in the runs that are shown below; and profiles by the \
             regret of all decisions in their runs. Predicted regret is the blocks of the router's own cost above the \
             cheapest worker, overlap regret the blocks of prefix lost against the best worker.",
        )
        .by_load(analysis, names, |load| of_load(analysis, load, names))
}

fn of_load(analysis: &Analysis, load: &LoadAnswer, names: Names<'_>) -> Panel {
    let mut largest: Vec<&Move> = Vec::new();
    for one in &load.best_responses.moves {
        match largest.iter_mut().find(|known| known.from == one.from) {
            Some(known) if known.gain.value < one.gain.value => *known = one,
            Some(_) => {}
            None => largest.push(one),
        }
    }
    largest.sort_by(|a, b| b.gain.value.total_cmp(&a.gain.value));
    let all = largest.len();
    largest.truncate(SHOWN);
    let mut panel = Panel { columns: 1, ..Panel::default() };
    panel = if largest.is_empty() {
        panel.says("No measured profile is known to be regretted by anyone.")
    } else {
        panel.figure(profiles(load, names, &largest, all))
    };
    for run in analysis.runs.shown.iter().filter(|run| run.load == load.load) {
        panel = single_decisions(panel, run, names);
    }
    match decisions(load, names) {
        Some(table) => panel.table(
            "Profiles whose routing decisions are regretted most, in KV blocks a decision",
            table,
        ),
        None => panel.says("The runs tell nothing about single routing decisions."),
    }
}

fn profiles(load: &LoadAnswer, names: Names<'_>, largest: &[&Move], all: usize) -> Figure {
    let mut data = Vec::new();
    for player in 0..names.design.players.len() {
        let own: Vec<&&Move> = largest.iter().filter(|one| one.player == player).collect();
        let ends: Vec<[f64; 2]> = own
            .iter()
            .map(|one| super::super::names::bars(one.gain.value, one.gain.interval))
            .collect();
        let told: Vec<String> = own
            .iter()
            .map(|one| {
                let to = format!(
                    "{} would go to {}",
                    names.player(player),
                    names.strategy(player, one.to[player])
                );
                hover([
                    names.profile(&one.from).as_str(),
                    &to,
                    &format!("gain {}", estimate(&one.gain)),
                ])
            })
            .collect();
        data.push(json!({
            "type": "bar", "orientation": "h", "name": super::super::figure::plain(names.player(player)),
            "x": own.iter().map(|one| one.gain.value).collect::<Vec<_>>(),
            "y": own.iter().map(|one| place(largest, one)).collect::<Vec<_>>(), "width": 0.7,
            "hoverinfo": "text", "hovertext": told, "textposition": "none",
            "marker": bar_marker(player),
            "error_x": whiskers(&ends, "var(--ink)"),
        }));
    }
    let places: Vec<usize> = (0..largest.len()).collect();
    let ticks: Vec<String> = largest
        .iter()
        .map(|one| super::super::figure::plain(&names.profile(&one.from)))
        .map(|name| name.replace(" / ", " /<br>"))
        .collect();
    let layout = json!({
        "barmode": "overlay", "legend": legend(), "xaxis": axis("gain in utility"),
        "yaxis": {
            "tickmode": "array", "tickvals": places, "ticktext": ticks, "automargin": true, "autorange": "reversed",
            "showgrid": false, "zeroline": false, "tickfont": {"size": 10},
        },
    });
    let mut table = Table::new(&["profile", "player", "would go to", "gain"]).text(&[1, 2]);
    for one in largest {
        table.row([
            names.profile(&one.from),
            names.player(one.player).to_owned(),
            names.strategy(one.player, one.to[one.player]).to_owned(),
            estimate(&one.gain),
        ]);
    }
    Figure::new(
        format!("regretted-{}", load.load),
        format!("Most regretted profiles under load {}", names.load(load.load)),
        data,
        layout,
    )
    .caption(format!(
        "{} of {all} profiles that somebody gains by leaving, and who gains most.",
        largest.len()
    ))
    .height(120 + 46 * largest.len())
    .table(table)
}

fn place(largest: &[&Move], one: &Move) -> usize {
    largest.iter().position(|other| other.from == one.from).unwrap_or_default()
}

/// The most regretted decisions of a run, and what each could choose from.
fn single_decisions(panel: Panel, run: &ShownRun, names: Names<'_>) -> Panel {
    let of_run = format!("{} ({}: {})", run.run, run.role, names.profile(&run.profile));
    let Some(regretted) = &run.regretted else {
        return panel.says(format!("Run {of_run} keeps no single decisions."));
    };
    if regretted.is_empty() {
        return panel.says(format!(
            "Run {of_run} has no regretted decision: each took the lowest cost and the longest prefix."
        ));
    }
    let mut table = Table::new(&[
        "request",
        "second",
        "pool",
        "prompt tokens",
        "predicted regret",
        "overlap regret",
        "why chosen",
        "chosen: cost",
        "cheapest: cost",
        "longest prefix: blocks",
    ])
    .text(&[2, 6, 7, 8, 9]);
    for decision in regretted {
        table.row(decision_row(decision));
    }
    panel.table(format!("Most regretted decisions of run {of_run}, in KV blocks"), table).closed(
        format!("What those decisions of run {} could choose from", run.run),
        offers(regretted),
    )
}

fn decision_row(decision: &RegrettedDecision) -> [String; 10] {
    let offered = &decision.candidates;
    let cost = |worker: Option<&OfferedWorker>| {
        worker.map_or_else(
            || "-".to_owned(),
            |offered| format!("{}: {}", worker_name(offered), maybe(offered.cost)),
        )
    };
    // The first of the longest is the cheapest.
    let overlap = |worker: &&OfferedWorker| worker.overlap_blocks.unwrap_or(f64::NEG_INFINITY);
    let longest = offered.iter().rev().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
    [
        decision.request.clone(),
        number(decision.time_s),
        decision.pool.clone(),
        count(decision.isl_tokens.into()),
        maybe(decision.predicted_regret),
        maybe(decision.overlap_regret),
        decision.reason.replace('_', " "),
        cost(offered.iter().find(|worker| worker.chosen)),
        cost(offered.first()),
        longest.map_or_else(
            || "-".to_owned(),
            |worker| format!("{}: {}", worker_name(worker), maybe(worker.overlap_blocks)),
        ),
    ]
}

/// The worker, with its rank if it is not the first.
fn worker_name(worker: &OfferedWorker) -> String {
    if worker.rank == 0 {
        format!("worker {}", worker.worker)
    } else {
        format!("worker {} rank {}", worker.worker, worker.rank)
    }
}

fn offers(regretted: &[RegrettedDecision]) -> Table {
    let mut table = Table::new(&[
        "request",
        "worker",
        "chosen",
        "cost",
        "overlap blocks",
        "booked prefill tokens",
        "booked blocks",
        "booked requests",
    ])
    .text(&[1, 2]);
    for decision in regretted {
        for worker in &decision.candidates {
            table.row([
                decision.request.clone(),
                worker_name(worker),
                if worker.chosen { "chosen" } else { "" }.to_owned(),
                maybe(worker.cost),
                maybe(worker.overlap_blocks),
                count(worker.prefill_tokens),
                count(worker.decode_blocks.into()),
                count(worker.requests.into()),
            ]);
        }
        let left_out = decision.offered.saturating_sub(decision.candidates.len());
        if left_out > 0 {
            let dash = || "-".to_owned();
            table.row([
                decision.request.clone(),
                format!("{left_out} dearer ones"),
                String::new(),
                dash(),
                dash(),
                dash(),
                dash(),
                dash(),
            ]);
        }
    }
    table
}

fn decisions(load: &LoadAnswer, names: Names<'_>) -> Option<Table> {
    let value = |cell: &Cell, metric: &str| cell.metrics.get(metric).map(|metric| metric.mean);
    let mut cells: Vec<(f64, &Cell)> =
        load.cells.iter().filter_map(|cell| Some((value(cell, DECISIONS[0])?, cell))).collect();
    cells.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut table = Table::new(&[
        "profile",
        "predicted regret",
        "95 % interval",
        "overlap regret",
        "decisions a run",
        "runs",
    ])
    .text(&[5]);
    for (regret, cell) in cells.iter().take(SHOWN) {
        table.row([
            names.profile(&cell.profile),
            number(*regret),
            range(cell.metrics.get(DECISIONS[0]).and_then(|metric| metric.interval)),
            maybe(value(cell, DECISIONS[1])),
            maybe(value(cell, "decisions")),
            cell.replicates.iter().map(|run| run.run.as_str()).collect::<Vec<_>>().join(", "),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}
