//! Everyone intelligent against everyone at the baseline.

use serde_json::{Value, json};

use super::super::figure::{Figure, axis, hover, named_axis, plain, with};
use super::super::names::{Names, bars, estimate, metric};
use super::super::style::{FAINT, colour, legend, shape, whiskers};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{AgainstBaseline, Analysis, Estimate};

/// A load's number and what is known of it.
type OfLoad<'a> = (usize, &'a AgainstBaseline);

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("against-baseline", "Intelligent over baseline");
    let known: Vec<OfLoad<'_>> = analysis
        .loads
        .iter()
        .filter_map(|load| Some((load.load, load.intelligent_against_baseline.as_ref()?)))
        .collect();
    let Some((_, first)) = known.first() else {
        return section.says(
            "The design does not give every player a baseline and an intelligent strategy, so that nothing is compared.",
        );
    };
    let told = format!(
        "The profile {} over the profile {}, on the same arrivals: the geometric mean of the blocks' ratios. A tail of \
         TTFT is better below 1, throughput above 1.",
        names.profile(&first.intelligent),
        names.profile(&first.baseline)
    );
    let panel = Panel { columns: 1, ..Panel::default() };
    let is_drawn = known.iter().flat_map(|(_, found)| &found.ratios).any(|own| own.ratio.is_some());
    section.says(told).panel(if is_drawn {
        panel.figure(figure(&known, names))
    } else {
        panel.table("Why there is no ratio", table(&known, names))
    })
}

fn figure(known: &[OfLoad<'_>], names: Names<'_>) -> Figure {
    let metrics = known.first().map_or(0, |(_, found)| found.ratios.len());
    let data = (0..metrics).map(|at| series(known, at, names)).collect();
    let layout = json!({
        "xaxis": named_axis(known.iter().map(|(load, _)| names.load(*load).to_owned())),
        "yaxis": with(axis("intelligent over baseline"), json!({"type": "log"})),
        "legend": legend(),
        "shapes": [{
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1,
            "line": {"color": FAINT, "dash": "dot", "width": 1},
        }],
    });
    Figure::new("intelligent-ratios".into(), "Ratios by load".into(), data, layout)
        .caption(
            "Whiskers are 95 % intervals from paired blocks; on the dotted line nothing differs.",
        )
        .table(table(known, names))
}

/// The ratios as numbers, or why there are none.
fn table(known: &[OfLoad<'_>], names: Names<'_>) -> Table {
    let columns = ["load", "metric", "ratio (95 % interval)", "or why there is none"];
    let mut table = Table::new(&columns).text(&[1, 3]);
    for (load, found) in known {
        for own in &found.ratios {
            table.row([
                names.load(*load).to_owned(),
                metric(&own.metric),
                own.ratio.as_ref().map_or_else(|| "-".to_owned(), estimate),
                own.missing.clone().unwrap_or_default(),
            ]);
        }
    }
    table
}

/// One metric over the loads that have it.
fn series(known: &[OfLoad<'_>], at: usize, names: Names<'_>) -> Value {
    let name =
        known.first().map_or_else(String::new, |(_, found)| metric(&found.ratios[at].metric));
    let found: Vec<(usize, usize, Estimate)> = known
        .iter()
        .enumerate()
        .filter_map(|(place, (load, found))| Some((place, *load, found.ratios[at].ratio?)))
        .collect();
    let ends: Vec<[f64; 2]> =
        found.iter().map(|(.., ratio)| bars(ratio.value, ratio.interval)).collect();
    // Beside each other, so that no whisker hides another.
    let beside = 0.08 * (at as f64 - 0.5);
    json!({
        "type": "scatter", "mode": "markers", "name": plain(&name), "hoverinfo": "text",
        "x": found.iter().map(|(place, ..)| *place as f64 + beside).collect::<Vec<_>>(),
        "y": found.iter().map(|(.., ratio)| ratio.value).collect::<Vec<_>>(),
        "hovertext": found.iter().map(|(_, load, ratio)| {
            hover([format!("load {}", names.load(*load)).as_str(), &name, &estimate(ratio)])
        }).collect::<Vec<_>>(),
        "marker": {"symbol": shape(at), "size": 10, "color": colour(at)},
        "error_y": whiskers(&ends, colour(at)),
    })
}
