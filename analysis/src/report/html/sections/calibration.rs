//! What the same code says where nothing differs, and whether claims hold on blocks that they were not chosen on.

use serde_json::json;

use super::super::figure::{Figure, axis, hover, named_axis};
use super::super::names::{Names, estimate, maybe};
use super::super::style::{ALARM, FAINT, colour, legend};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, Estimate, HeldOutRun, LoadAnswer, NullCalibration};
use crate::report::{percent, probability};

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let mut section = Section::new("calibration", "Would it say so of noise?").says(
        "Null calibration: each block's deviations from the profiles' means are dealt out anew to the profiles, so that \
         nothing differs in truth, and go through the same code. A Price of Anarchy above 1 that noise alone reaches as \
         often says nothing. Hold-out: optimum and worst equilibrium are chosen on half of the blocks and valued on the \
         other half.",
    );
    let known: Vec<(&LoadAnswer, &NullCalibration)> = analysis
        .loads
        .iter()
        .filter_map(|load| Some((load, load.null_calibration.as_ref()?)))
        .collect();
    let mut panel = Panel { columns: 1, ..Panel::default() };
    if known.is_empty() {
        section = section
            .says("There is no null calibration: no load has all profiles in more than one block.");
    } else {
        panel = panel.figure(figure(&known, names));
    }
    panel = match hold_out(analysis, names) {
        Some(table) => panel.table("Chosen on half of the blocks, valued on the other half", table),
        None => {
            panel.says("Hold-out: fewer than four whole blocks, so there are no halves to compare.")
        }
    };
    if !analysis.fresh_blocks.is_empty() {
        panel =
            panel.table("The claims, played again on fresh blocks", fresh_blocks(analysis, names));
    } else if !analysis.held_out_runs.is_empty() {
        panel = panel.closed(
            "Runs on fresh blocks that would check the claims",
            held_out_runs(&analysis.held_out_runs, names),
        );
    }
    section.panel(panel)
}

fn figure(known: &[(&LoadAnswer, &NullCalibration)], names: Names<'_>) -> Figure {
    let observed = |load: &LoadAnswer| load.anarchy.first().and_then(|price| price.anarchy);
    let series = |name: &str,
                  symbol: &str,
                  colour: &str,
                  of: &dyn Fn(&LoadAnswer, &NullCalibration) -> Option<f64>| {
        json!({
            "type": "scatter", "mode": "markers", "name": name, "hoverinfo": "text",
            "x": (0..known.len()).collect::<Vec<_>>(),
            "y": known.iter().map(|(load, null)| of(load, null)).collect::<Vec<_>>(),
            "hovertext": known.iter().map(|(load, null)| {
                hover([format!("load {}", names.load(load.load)).as_str(), &format!("{name}: {}", maybe(of(load, null)))])
            }).collect::<Vec<_>>(),
            "marker": {"symbol": symbol, "size": 12, "color": colour},
        })
    };
    let data = vec![
        series("noise: median", "line-ew-open", FAINT, &|_, null| null.median),
        series("noise: 95 % quantile", "triangle-down", colour(0), &|_, null| null.quantile_95),
        series("observed", "diamond", ALARM, &|load, _| observed(load)),
    ];
    let layout = json!({
        "xaxis": named_axis(known.iter().map(|(load, _)| names.load(load.load).to_owned())),
        "yaxis": axis("Price of Anarchy, naive"), "legend": legend(),
    });
    let mut table = Table::new(&[
        "load",
        "observed",
        "noise: median",
        "noise: 95 % quantile",
        "p",
        "false claims",
        "data sets",
        "with pure equilibrium",
    ]);
    for (load, null) in known {
        table.row([
            names.load(load.load).to_owned(),
            maybe(observed(load)),
            maybe(null.median),
            maybe(null.quantile_95),
            null.p_value.map_or_else(|| "-".to_owned(), probability),
            null.false_claims.map_or_else(|| "-".to_owned(), percent),
            null.data_sets.to_string(),
            null.identified.to_string(),
        ]);
    }
    Figure::new("null".into(), "Observed Price of Anarchy against noise alone".into(), data, layout)
        .caption("The observed value should stand above the 95 % quantile of noise.")
        .height(320)
        .table(table)
}

fn hold_out(analysis: &Analysis, names: Names<'_>) -> Option<Table> {
    let mut table = Table::new(&[
        "load",
        "chosen on blocks",
        "optimum",
        "worst pure equilibrium",
        "ratio there",
        "ratio held out",
        "regret held out",
    ])
    .text(&[1, 2, 3]);
    for load in &analysis.loads {
        for way in load.hold_out.iter().flat_map(|found| &found.ways) {
            let blocks: Vec<String> = way.chosen_on.iter().map(ToString::to_string).collect();
            table.row([
                names.load(load.load).to_owned(),
                blocks.join(", "),
                names.profile(&way.optimum),
                way.worst.as_ref().map_or_else(|| "none".to_owned(), |worst| names.profile(worst)),
                maybe(way.anarchy_there),
                maybe(way.anarchy_held_out),
                maybe(way.regret_held_out),
            ]);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

fn fresh_blocks(analysis: &Analysis, names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "load",
        "claimed optimum",
        "claimed worst equilibrium",
        "its cost over the optimum's",
        "the default's",
        "runs that tell",
        "still claimed",
    ])
    .text(&[1, 2, 6]);
    let ratio = |found: &Option<Estimate>| found.as_ref().map_or_else(|| "-".to_owned(), estimate);
    for fresh in &analysis.fresh_blocks {
        table.row([
            names.load(fresh.load).to_owned(),
            names.profile(&fresh.optimum),
            fresh.worst.as_ref().map_or_else(|| "none".to_owned(), |worst| names.profile(worst)),
            ratio(&fresh.anarchy),
            ratio(&fresh.default_over_optimum),
            format!("{} of {}", fresh.used, fresh.planned),
            if fresh.is_current { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

fn held_out_runs(runs: &[HeldOutRun], names: Names<'_>) -> Table {
    let mut table = Table::new(&["load", "profile", "claimed to be", "blocks"]).text(&[1, 2]);
    for run in runs {
        let blocks: Vec<String> = run.blocks.iter().map(ToString::to_string).collect();
        table.row([
            names.load(run.load).to_owned(),
            names.profile(&run.profile),
            run.claim.clone(),
            blocks.join(", "),
        ]);
    }
    table
}
