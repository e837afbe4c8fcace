//! Some runs over time, with change points and oscillations.

use serde_json::{Map, Value, json};

use super::super::figure::{Figure, plain};
use super::super::names::Names;
use super::super::style::{ALARM, colour};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, LoadAnswer, ShownPeriod, ShownRun, ShownSeries};
use crate::report::number;

/// Pixels of one series.
const STRIP: usize = 92;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("over-time", "Runs over time").says(
        "The first run of the default profile, of the optimum and of the costliest and cheapest equilibrium. Dashed lines \
         are change points; a shaded stretch is the window in which an oscillation was found, with its period and \
         regularity r (above 1 is regular).",
    );
    if analysis.runs.shown.is_empty() {
        return section.says("No run is shown: no usable run has series.");
    }
    section.by_load(analysis, names, |load| of_load(analysis, load, names))
}

fn of_load(analysis: &Analysis, load: &LoadAnswer, names: Names<'_>) -> Panel {
    let shown = analysis.runs.shown.iter().filter(|run| run.load == load.load);
    let figures: Vec<Figure> =
        shown.filter(|run| !run.series.is_empty()).map(|run| figure(run, names)).collect();
    let panel = Panel { columns: figures.len().clamp(1, 3), figures, ..Panel::default() };
    if panel.figures.is_empty() { panel.says("No run of this load has series.") } else { panel }
}

fn figure(run: &ShownRun, names: Names<'_>) -> Figure {
    let mut data = Vec::new();
    let mut layout = Map::new();
    let mut shapes = Vec::new();
    let mut notes = Vec::new();
    let strips = run.series.len();
    for (place, series) in run.series.iter().enumerate() {
        let suffix = if place == 0 { String::new() } else { (place + 1).to_string() };
        data.push(line(series, &suffix));
        let top = 1.0 - place as f64 / strips as f64;
        let bottom = 1.0 - (place as f64 + 0.72) / strips as f64;
        let mut axis =
            json!({"domain": [bottom, top - 0.1 / strips as f64], "nticks": 3, "automargin": true});
        axis["tickfont"] = json!({"size": 9});
        layout.insert(format!("yaxis{suffix}"), axis);
        shapes.extend(marks(series, &suffix));
        notes.push(note(series, top));
    }
    let end = run.series.iter().map(end).fold(0.0, f64::max);
    layout.insert(
        "xaxis".into(),
        json!({"title": {"text": "seconds"}, "anchor": last_axis(strips), "range": [0, end], "automargin": true}),
    );
    layout.insert("shapes".into(), Value::Array(shapes));
    layout.insert("annotations".into(), Value::Array(notes));
    layout.insert("showlegend".into(), json!(false));
    layout.insert("hovermode".into(), json!("x unified"));
    let mut table = Table::new(&[
        "series",
        "unit",
        "intervals",
        "seconds each",
        "least",
        "mean",
        "largest",
        "change points (s)",
        "oscillations",
    ])
    .text(&[1, 7, 8]);
    for series in &run.series {
        table.row(row(series));
    }
    Figure::new(
        format!("time-{}", run.run),
        format!("{}: {}", run.role, names.profile(&run.profile)),
        data,
        Value::Object(layout),
    )
    .caption(format!("Run {}, load {}.", run.run, names.load(run.load)))
    .height(90 + STRIP * strips)
    .table(table)
}

fn last_axis(strips: usize) -> String {
    if strips < 2 { "y".to_owned() } else { format!("y{strips}") }
}

fn line(series: &ShownSeries, suffix: &str) -> Value {
    let times = (0..series.values.len()).map(|at| series.start + series.step * at as f64);
    json!({
        "type": "scatter", "mode": "lines", "x": times.collect::<Vec<_>>(), "y": series.values, "xaxis": "x",
        "yaxis": format!("y{suffix}"), "name": plain(&series.name), "line": {"color": colour(0), "width": 1.4},
        "connectgaps": false,
    })
}

fn end(series: &ShownSeries) -> f64 {
    series.start + series.step * series.values.len() as f64
}

fn marks(series: &ShownSeries, suffix: &str) -> Vec<Value> {
    let upright = |from: f64, to: f64| {
        json!({
            "xref": "x", "yref": format!("y{suffix} domain"), "x0": from, "x1": to, "y0": 0, "y1": 1, "layer": "below",
        })
    };
    let lines = series.change_points.iter().map(|at| {
        super::super::figure::with(
            upright(*at, *at),
            json!({"type": "line", "line": {"color": ALARM, "dash": "dash", "width": 1.5}}),
        )
    });
    let windows = series.oscillations.iter().map(|found| {
        super::super::figure::with(
            upright(found.from, end(series)),
            json!({"type": "rect", "fillcolor": "var(--band)", "line": {"width": 0}}),
        )
    });
    windows.chain(lines).collect()
}

fn note(series: &ShownSeries, top: f64) -> Value {
    let unit = if series.unit.is_empty() { String::new() } else { format!(" ({})", series.unit) };
    let oscillations: Vec<String> = series
        .oscillations
        .iter()
        .map(|found| format!("; oscillates, {}", period(found)))
        .collect();
    json!({
        "text": plain(&format!("{}{unit}{}", series.name, oscillations.join(""))), "showarrow": false,
        "xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left", "yanchor": "middle",
        "font": {"size": 11},
    })
}

fn period(found: &ShownPeriod) -> String {
    format!("period {} s, r = {}", number(found.period), number(found.regularity))
}

fn row(series: &ShownSeries) -> [String; 9] {
    let known: Vec<f64> = series.values.iter().copied().flatten().collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let least = known.iter().copied().reduce(f64::min);
    let largest = known.iter().copied().reduce(f64::max);
    let shown = |value: Option<f64>| super::super::names::maybe(value);
    let changes: Vec<String> = series.change_points.iter().map(|at| number(*at)).collect();
    let oscillations: Vec<String> = series.oscillations.iter().map(period).collect();
    [
        series.name.clone(),
        series.unit.clone(),
        series.values.len().to_string(),
        number(series.step),
        shown(least),
        number(mean),
        shown(largest),
        if changes.is_empty() { "none".to_owned() } else { changes.join(", ") },
        if oscillations.is_empty() { "none".to_owned() } else { oscillations.join("; ") },
    ]
}
