//! Router-eviction feedback: how cache hit rate and evictions move together, and from which load on.

use serde_json::json;

use super::super::figure::{Figure, axis};
use super::super::names::{Names, range};
use super::super::style::{ALARM, colour};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, Feedback, ShownPeriod, ShownRun};
use crate::report::number;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("feedback", "Router and evictions").says(
        "Cross-correlation of cache hit rate and eviction rate in the runs above. A positive lag means that evictions follow \
         the hit rate. Correlations inside the dotted band are hardly more than chance, one by one, at 95 %. Feedback is \
         called present if the largest is beyond the band of all lags together and its interval excludes 0; what moves \
         both, such as a burst of arrivals, looks the same.",
    );
    let section = section.says(start(analysis, names));
    let known: Vec<(&ShownRun, &Feedback)> =
        analysis.runs.shown.iter().filter_map(|run| Some((run, run.feedback.as_ref()?))).collect();
    if known.is_empty() {
        return section.says(
            "Not given: no run shown has both series, cache hit rate and eviction rate, or one of them is constant.",
        );
    }
    section.by_load(analysis, names, |load| {
        let own = known.iter().filter(|(run, _)| run.load == load.load);
        let figures: Vec<Figure> =
            own.map(|(run, feedback)| figure(run, feedback, names)).collect();
        let panel = Panel { columns: figures.len().clamp(1, 3), figures, ..Panel::default() };
        if panel.figures.is_empty() {
            panel.says("No run of this load has both series, or one of them is constant.")
        } else {
            panel
        }
    })
}

/// At which load feedback begins, and in how many runs it is seen under each.
fn start(analysis: &Analysis, names: Names<'_>) -> String {
    let found = &analysis.over_loads.feedback;
    let tested: Vec<String> = found
        .loads
        .iter()
        .filter(|share| share.runs > 0)
        .map(|share| {
            format!("{} of {} under {}", share.with_feedback, share.runs, names.load(share.load))
        })
        .collect();
    if tested.is_empty() {
        return "At which load feedback begins is not known: no run of the default profile has both series.".into();
    }
    let begins = found.starts.map_or_else(
        || "Feedback does not begin under any load measured".to_owned(),
        |load| format!("Feedback begins at load {}", names.load(load)),
    );
    format!(
        "{begins}: it is present in so many runs of the default profile: {}.",
        tested.join(", ")
    )
}

/// Period and amplitude of the two series.
fn swings(feedback: &Feedback) -> String {
    let one = |name: &str, unit: &str, swing: Option<ShownPeriod>| {
        swing.map_or_else(
            || format!("the {name} does not oscillate"),
            |swing| {
                let (period, amplitude) = (number(swing.period), number(swing.amplitude));
                format!(
                    "the {name} oscillates with period {period} s and amplitude {amplitude}{unit}"
                )
            },
        )
    };
    format!(
        "{}; {}",
        one("hit rate", "", feedback.hit_rate_swing),
        one("eviction rate", " blocks/s", feedback.eviction_swing)
    )
}

fn figure(run: &ShownRun, feedback: &Feedback, names: Names<'_>) -> Figure {
    let data = vec![json!({
        "type": "bar", "x": feedback.lags, "y": feedback.correlations, "showlegend": false, "name": "correlation",
        "hovertemplate": "lag %{x:.3g} s: %{y:.3f}<extra></extra>",
        "marker": {"color": feedback.lags.iter().map(|lag| {
            if *lag == feedback.lag { ALARM } else { colour(0) }
        }).collect::<Vec<_>>()},
    })];
    let line = |at: f64| {
        json!({
            "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": at, "y1": at,
            "line": {"dash": "dot", "width": 1.5, "color": "var(--ink)"},
        })
    };
    let layout = json!({
        "xaxis": axis("seconds by which evictions follow"), "shapes": [line(feedback.band), line(-feedback.band)],
        "yaxis": super::super::figure::with(axis("correlation"), json!({"range": [-1, 1]})),
    });
    let mut table = Table::new(&["lag (s)", "correlation"]);
    for (lag, correlation) in feedback.lags.iter().zip(&feedback.correlations) {
        table.row([number(*lag), number(*correlation)]);
    }
    let strength = if feedback.is_present { "present" } else { "not present" };
    Figure::new(
        format!("feedback-{}", run.run),
        format!("{}: {}", run.role, names.profile(&run.profile)),
        data,
        layout,
    )
    .caption(format!(
        "Run {}: largest at a lag of {} s (95 % {}), {} (95 % {}): feedback is {strength}; {}.",
        run.run,
        number(feedback.lag),
        range(feedback.lag_interval),
        number(feedback.correlation),
        range(feedback.correlation_interval),
        swings(feedback)
    ))
    .height(280)
    .table(table)
}
