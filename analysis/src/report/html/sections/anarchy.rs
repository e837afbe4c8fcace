//! Price of Anarchy against load, the tail beside it, and every bound under each load.

use serde_json::{Value, json};

use super::super::figure::{Figure, axis, hover, in_words, with};
use super::super::names::{Names, bars, estimate, maybe, metric, range};
use super::super::style::{ALARM, FAINT, colour, legend, shape};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, Anarchy, CurvePoint, LoadAnswer, PriceRow};
use crate::report::{number, probability};

/// Loads that span more than this factor are drawn on a logarithmic axis.
const WIDE: f64 = 8.0;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let over = &analysis.over_loads;
    let curves = Panel {
        columns: 2,
        paragraphs: vec![knee(analysis)],
        figures: vec![
            curve(
                analysis,
                names,
                "anarchy-curve",
                "Price of Anarchy against load",
                &over.anarchy,
                "Points are over all equilibria found; the band is simultaneous over all profiles at 95 %. A load \
                 without a number says why instead.",
            ),
            curve(
                analysis,
                names,
                "tail-curve",
                "Tail inflation against load",
                &over.tail_inflation,
                &format!("{}. An index, not a Price of Anarchy.", over.tail_inflation_against),
            ),
        ],
        tables: regimes(analysis, names),
        ..Panel::default()
    };
    Section::new("anarchy", "What selfish play costs")
        .says(
            "The Price of Anarchy is the social cost of the costliest equilibrium over that of the cheapest profile; the \
             Price of Stability takes the cheapest equilibrium. 1 means that selfish play loses nothing. Both compare \
             profiles of this grid of strategies only.",
        )
        .panel(curves)
        .by_load(analysis, names, |load| of_load(load, names))
}

fn knee(analysis: &Analysis) -> String {
    let over = &analysis.over_loads;
    match &over.knee {
        Some(knee) => format!(
            "The knee is at {} ({} to {}): there the slope of log p99 TTFT against log load goes from {} ({} to {}) to {} \
             ({} to {}); p = {} that one line would look so; {} runs of the default profile.",
            number(knee.load),
            number(knee.interval.low),
            number(knee.interval.high),
            number(knee.slope_below),
            number(knee.slope_below_interval.low),
            number(knee.slope_below_interval.high),
            number(knee.slope_above),
            number(knee.slope_above_interval.low),
            number(knee.slope_above_interval.high),
            probability(knee.p_value),
            knee.points
        ),
        None => format!(
            "No knee is drawn: {}.",
            over.knee_missing.as_deref().unwrap_or("the analysis does not say why")
        ),
    }
}

/// What stands at a load without a number, in capitals.
fn word(analysis: &Analysis, point: &CurvePoint, is_price: bool) -> String {
    let of_load = analysis.loads.iter().find(|load| load.load == point.load);
    let verdict = of_load.and_then(|load| Some(load.anarchy.first()?.verdict.to_uppercase()));
    verdict.filter(|_| is_price).unwrap_or_else(|| "NOT IDENTIFIED".to_owned())
}

fn curve(
    analysis: &Analysis,
    names: Names<'_>,
    id: &str,
    title: &str,
    points: &[CurvePoint],
    caption: &str,
) -> Figure {
    let is_price = id == "anarchy-curve";
    let known: Vec<&CurvePoint> = points.iter().filter(|point| point.point.is_some()).collect();
    let banded: Vec<&CurvePoint> =
        known.iter().copied().filter(|point| point.band.is_some()).collect();
    let x = |points: &[&CurvePoint]| points.iter().map(|point| point.value).collect::<Vec<f64>>();
    let edge = |upper: bool| -> Vec<f64> {
        let ends = banded.iter().filter_map(|point| point.band);
        ends.map(|band| if upper { band.high } else { band.low }).collect()
    };
    let told: Vec<String> = known
        .iter()
        .map(|point| {
            let value = format!("{} (95 % {})", maybe(point.point), range(point.band));
            let why = point.missing.clone().unwrap_or_default();
            hover(
                [names.load(point.load), &value, &why].into_iter().filter(|line| !line.is_empty()),
            )
        })
        .collect();
    let line = |upper: bool| {
        json!({
            "type": "scatter", "mode": "lines", "x": x(&banded), "y": edge(upper), "hoverinfo": "skip",
            "line": {"width": 1, "color": colour(0), "dash": "dot"}, "showlegend": upper, "name": "95 % band",
            "legendgroup": "band", "fill": if upper { "tonexty" } else { "none" }, "fillcolor": "var(--band)",
        })
    };
    let whisker = |end: usize| -> Vec<f64> {
        known.iter().map(|point| bars(point.point.unwrap_or(0.0), point.band)[end]).collect()
    };
    let mut data = Vec::new();
    if !banded.is_empty() {
        data.extend([line(false), line(true)]);
    }
    if !known.is_empty() {
        data.push(json!({
            "type": "scatter", "mode": "lines+markers", "x": x(&known),
            "y": known.iter().map(|point| point.point).collect::<Vec<_>>(), "name": title, "showlegend": false,
            "hoverinfo": "text", "hovertext": told, "line": {"color": colour(0), "width": 2},
            "error_y": {"type": "data", "symmetric": false, "color": colour(0), "thickness": 1.5, "array": whisker(1), "arrayminus": whisker(0)},
            "marker": {"size": 9, "color": colour(0)},
        }));
    }
    let unknown: Vec<&CurvePoint> = points.iter().filter(|point| point.point.is_none()).collect();
    if !unknown.is_empty() {
        let axis = if known.is_empty() { "y" } else { "y2" };
        data.push(unidentified(analysis, names, &unknown, is_price, axis));
    }
    let top =
        if is_price { "times the optimum's cost" } else { "times the p99 under the lowest load" };
    let mut layout = json!({
        "xaxis": load_axis(analysis, names), "legend": legend(), "shapes": shapes(analysis),
    });
    // Where nothing is known, the marks stand on an axis of their own.
    let of_marks = json!({"range": [0, 1], "visible": false, "fixedrange": true});
    if known.is_empty() {
        layout["yaxis"] = of_marks;
        layout["annotations"] = json!([in_words("no load has a number")]);
    } else {
        layout["yaxis"] = with(axis(top), scale(&known, is_price));
        layout["yaxis2"] = with(of_marks, json!({"overlaying": "y"}));
    }
    let mut table =
        Table::new(&["load", names.load_axis(), "value", "95 % band", "why not, or doubt"])
            .text(&[4]);
    for point in points {
        let why = match (point.point, &point.missing) {
            (None, why) => {
                format!("{}: {}", word(analysis, point, is_price), why.clone().unwrap_or_default())
            }
            (Some(_), why) => why.clone().unwrap_or_default(),
        };
        table.row([
            names.load(point.load).to_owned(),
            number(point.value),
            maybe(point.point),
            range(point.band),
            why,
        ]);
    }
    let caption = if known.is_empty() {
        format!("No load has a number: {}.", reasons(points))
    } else {
        caption.to_owned()
    };
    Figure::new(id.to_owned(), title.to_owned(), data, layout).caption(caption).table(table)
}

/// Prices are linear. Inflation is logarithmic, with ticks at 1, 2 and 5 alone where it spans much.
fn scale(known: &[&CurvePoint], is_price: bool) -> Value {
    let values = || known.iter().filter_map(|point| point.point);
    let (least, most) = values()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    match is_price {
        true => json!({"type": "linear"}),
        false if most / least > WIDE => json!({"type": "log", "dtick": "D2"}),
        false => json!({"type": "log"}),
    }
}

/// Why points have no number, each reason once.
fn reasons(points: &[CurvePoint]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for why in points.iter().filter_map(|point| point.missing.as_deref()) {
        if !once.contains(&why) {
            once.push(why);
        }
    }
    once.join("; ")
}

fn unidentified(
    analysis: &Analysis,
    names: Names<'_>,
    points: &[&CurvePoint],
    is_price: bool,
    axis: &str,
) -> Value {
    let words: Vec<String> = points.iter().map(|point| word(analysis, point, is_price)).collect();
    let told: Vec<String> = points
        .iter()
        .zip(&words)
        .map(|(point, word)| {
            hover([names.load(point.load), word, point.missing.as_deref().unwrap_or("")])
        })
        .collect();
    json!({
        "type": "scatter", "mode": "markers", "yaxis": axis, "hoverinfo": "text", "hovertext": told,
        "x": points.iter().map(|point| point.value).collect::<Vec<_>>(),
        "y": points.iter().map(|_| 0.04).collect::<Vec<_>>(),
        "marker": {"symbol": "x", "size": 11, "color": ALARM}, "cliponaxis": false,
        "name": summary(&words), "showlegend": true,
    })
}

/// Words that stand in the legend, each once.
fn summary(words: &[String]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for word in words {
        if !once.contains(&word.as_str()) {
            once.push(word);
        }
    }
    once.join(", ")
}

/// The axis of loads; logarithmic if they span much.
pub(super) fn load_axis(analysis: &Analysis, names: Names<'_>) -> Value {
    let values: Vec<f64> = analysis.design.loads.iter().map(|load| load.value).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_wide = least > 0.0 && most / least > WIDE;
    let ticks: Vec<String> = values.iter().map(|value| format!("{value}")).collect();
    with(
        axis(names.load_axis()),
        json!({
            "type": if is_wide { "log" } else { "linear" }, "tickmode": "array", "tickvals": values, "ticktext": ticks,
        }),
    )
}

/// The knee: a line, and its interval as a band.
fn shapes(analysis: &Analysis) -> Vec<Value> {
    let Some(knee) = &analysis.over_loads.knee else { return Vec::new() };
    let upright = |from: f64, to: f64| json!({"xref": "x", "yref": "paper", "x0": from, "x1": to, "y0": 0, "y1": 1});
    vec![
        with(
            upright(knee.interval.low, knee.interval.high),
            json!({"type": "rect", "fillcolor": FAINT, "opacity": 0.25, "line": {"width": 0}, "layer": "below"}),
        ),
        with(
            upright(knee.load, knee.load),
            json!({
                "type": "line", "line": {"color": ALARM, "dash": "dash", "width": 2},
                "label": {"text": "knee", "textposition": "end", "textangle": 0, "xanchor": "left", "yanchor": "top", "font": {"color": ALARM}},
            }),
        ),
    ]
}

fn regimes(analysis: &Analysis, names: Names<'_>) -> Vec<(String, Table)> {
    let mut table =
        Table::new(&["regime", "loads", "Price of Anarchy", "tail inflation"]).text(&[1]);
    for regime in &analysis.over_loads.regimes {
        let loads: Vec<&str> = regime.loads.iter().map(|load| names.load(*load)).collect();
        table.row([
            format!("{} the knee", regime.name),
            if loads.is_empty() { "none measured".to_owned() } else { loads.join(", ") },
            range(regime.anarchy),
            range(regime.tail_inflation),
        ]);
    }
    if table.rows.is_empty() { Vec::new() } else { vec![("Regimes".to_owned(), table)] }
}

fn of_load(load: &LoadAnswer, names: Names<'_>) -> Panel {
    let mut panel = Panel { columns: 1, ..Panel::default() };
    for price in &load.anarchy {
        panel = panel.says(sentence(price, names));
    }
    if let Some(found) = &load.routing_anarchy {
        panel = panel.says(format!(
            "Routing anarchy, a number of its own: the recorded assignments cost {} times the best found in hindsight{}, \
             under queues fitted to the runs of {} of {} profiles.",
            estimate(found),
            load.routing_anarchy_bound.as_ref().map_or_else(String::new, |bound| format!(
                ", and {} times a lower bound of what any could cost",
                estimate(bound)
            )),
            load.routing_anarchy_profiles,
            load.cells.len()
        ));
    } else if let Some(why) = &load.routing_anarchy_missing {
        panel = panel.says(format!("Routing anarchy is not given: {why}."));
    }
    let has_bound = |row: &PriceRow| row.point.is_some() || row.simultaneous.is_some();
    if load.anarchy.iter().flat_map(|price| &price.rows).any(has_bound) {
        panel = panel.figure(bounds(load, names));
    }
    panel
}

fn sentence(price: &Anarchy, names: Names<'_>) -> String {
    let cost = metric(&price.cost);
    let Some(point) = price.anarchy else {
        return format!(
            "In {cost}: {}. {}.",
            price.verdict.to_uppercase(),
            price.reason.as_deref().unwrap_or("No reason is given")
        );
    };
    let mut text = format!(
        "In {cost}: Price of Anarchy {}, of Stability {}",
        number(point),
        maybe(price.stability)
    );
    if let Some(optimum) = &price.optimum {
        text += &format!("; the optimum is {}", names.profile(optimum));
    }
    if let Some(cost) = &price.optimum_cost {
        text += &format!(" at {}", estimate(cost));
    }
    if let Some(gap) = &price.gap {
        text += &format!(
            "; the costliest pure equilibrium, {}, costs {} more",
            names.profile(&gap.worst),
            estimate(&gap.gap)
        );
    }
    if let Some(shift) = price.noise_shift {
        text += &format!("; noise alone shifts the point by {}", number(shift));
    }
    let doubt = price
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" {}: {reason}.", price.verdict.to_uppercase()));
    format!("{text}.{doubt}")
}

/// What the rows are.
pub(in crate::report) fn row_name(name: &str) -> &str {
    match name {
        "stability_pure" => "best pure equilibrium",
        "anarchy_pure" => "worst pure equilibrium",
        "anarchy_all" => "worst of all equilibria found",
        "worst_correlated" => "worst correlated",
        "worst_coarse_correlated" => "worst coarse correlated",
        "smoothness" => "smoothness bound",
        other => other,
    }
}

fn bounds(load: &LoadAnswer, names: Names<'_>) -> Figure {
    let mut data = Vec::new();
    let mut table =
        Table::new(&["over", "cost", "point", "95 % bounds, simultaneous", "95 % of resamples"])
            .text(&[1]);
    for (number, price) in load.anarchy.iter().enumerate() {
        let cost = metric(&price.cost);
        let point =
            |row: &PriceRow| row.point.or_else(|| row.simultaneous.map(|bounds| bounds.high));
        let rows: Vec<&PriceRow> = price.rows.iter().filter(|row| point(row).is_some()).collect();
        let lengths: Vec<[f64; 2]> =
            rows.iter().map(|row| bars(point(row).unwrap_or(1.0), row.simultaneous)).collect();
        let told: Vec<String> = rows
            .iter()
            .map(|row| {
                let value = format!("{} (95 % {})", maybe(row.point), range(row.simultaneous));
                hover([row_name(&row.name), &cost, &value])
            })
            .collect();
        data.push(json!({
            "type": "scatter", "mode": "markers", "name": cost, "hoverinfo": "text", "hovertext": told,
            "x": rows.iter().map(|row| point(row)).collect::<Vec<_>>(),
            "y": rows.iter().map(|row| row_name(&row.name)).collect::<Vec<_>>(),
            "error_x": {
                "type": "data", "symmetric": false, "color": colour(number),
                "array": lengths.iter().map(|ends| ends[1]).collect::<Vec<_>>(),
                "arrayminus": lengths.iter().map(|ends| ends[0]).collect::<Vec<_>>(),
            },
            "marker": {"size": 10, "symbol": shape(number), "color": colour(number)},
        }));
        for row in &price.rows {
            table.row([
                row_name(&row.name).to_owned(),
                metric(&price.cost),
                maybe(row.point),
                range(row.simultaneous),
                range(row.bootstrap),
            ]);
        }
    }
    let layout = json!({
        "xaxis": axis("times the optimum's cost"), "legend": legend(), "scattermode": "group",
        "yaxis": {"type": "category", "autorange": "reversed", "automargin": true},
        "shapes": [{
            "type": "line", "xref": "x", "yref": "paper", "x0": 1, "x1": 1, "y0": 0, "y1": 1,
            "line": {"color": FAINT, "dash": "dot"},
        }],
    });
    Figure::new(
        format!("bounds-{}", load.load),
        format!("Every bound under load {}", names.load(load.load)),
        data,
        layout,
    )
    .caption(
        "From the best pure equilibrium to bounds that hold for every coarse correlated equilibrium; the smoothness bound \
         holds for all of them. A row without a point is drawn at its upper bound.",
    )
    .height(330)
    .table(table)
}
