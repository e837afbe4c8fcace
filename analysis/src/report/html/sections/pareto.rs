//! The Pareto front: each pair of objectives, with the probability of being on the front.

use serde_json::{Value, json};

use super::super::figure::{Figure, axis, hover};
use super::super::names::{Names, metric, range};
use super::super::style::{ALARM, FAINT, SCALE, legend};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, LoadAnswer, ObjectiveAnswer, ParetoAnswer, ParetoPoint};
use crate::report::{number, percent};

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("pareto", "The Pareto front").says(
        "Profiles in the objectives of the design. A diamond is on the front: no profile is as good in every objective and \
         better in one. The brighter, the more often it is on the front when blocks are resampled; whiskers are two \
         standard errors.",
    );
    if analysis.loads.iter().all(|load| load.pareto.is_none()) {
        return section.says(
            "The design names no objectives, or too few profiles were measured: there is no front.",
        );
    }
    section.by_load(analysis, names, |load| of_load(load, names))
}

fn of_load(load: &LoadAnswer, names: Names<'_>) -> Panel {
    let Some(front) = &load.pareto else {
        return Panel::default().says("There is no front under this load.");
    };
    let mut panel = Panel::default();
    for same in &front.same {
        let [a, b] = same.objectives.map(|objective| &front.objectives[objective].metric.name);
        panel = panel.says(format!(
            "{a} and {b} are in fact one objective: their rank correlation over the profiles is {}.",
            number(same.rank_correlation)
        ));
    }
    panel = panel.says(match (front.hypervolume, &front.hypervolume_missing) {
        (Some(volume), _) => format!(
            "The front dominates a volume of {} (95 % {}) up to the reference point.",
            number(volume),
            range(front.hypervolume_interval)
        ),
        (None, why) => format!(
            "No dominated volume: {}.",
            why.as_deref().unwrap_or("the analysis does not say why")
        ),
    });
    let count = front.objectives.len();
    let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| [a, b]));
    panel.figures = pairs.map(|pair| figure(load, front, names, pair)).collect();
    panel.columns = panel.figures.len().clamp(1, 3);
    panel
}

fn objective_axis(objective: &ObjectiveAnswer) -> Value {
    let better = if objective.direction == "max" { "↑ better" } else { "↓ better" };
    axis(&format!("{} {better}", metric(&objective.metric)))
}

fn figure(load: &LoadAnswer, front: &ParetoAnswer, names: Names<'_>, [a, b]: [usize; 2]) -> Figure {
    let points = |on_front: bool| {
        let own: Vec<&ParetoPoint> =
            front.points.iter().filter(|point| point.on_front == on_front).collect();
        let bars = |objective: usize| {
            let lengths = own.iter().map(|point| {
                2.0 * point.standard_errors.get(objective).copied().flatten().unwrap_or(0.0)
            });
            json!({"type": "data", "array": lengths.collect::<Vec<_>>(), "thickness": 1, "width": 2, "color": FAINT})
        };
        let mean =
            |objective: usize| own.iter().map(|point| point.means[objective]).collect::<Vec<_>>();
        json!({
            "type": "scatter", "mode": "markers", "name": if on_front { "on the front" } else { "dominated" },
            "x": mean(a), "y": mean(b), "error_x": bars(a), "error_y": bars(b), "hoverinfo": "text",
            "hovertext": own.iter().map(|point| told(point, front, names)).collect::<Vec<_>>(),
            "marker": {
                "symbol": if on_front { "diamond" } else { "circle" }, "size": if on_front { 12 } else { 8 },
                "color": own.iter().map(|point| point.membership.unwrap_or(if on_front { 1.0 } else { 0.0 }))
                    .collect::<Vec<_>>(),
                "coloraxis": "coloraxis",
                "line": {"width": if on_front { 1.5 } else { 0.5 }, "color": if on_front { ALARM } else { FAINT }},
            },
        })
    };
    let objectives = &front.objectives;
    let layout = json!({
        "xaxis": objective_axis(&objectives[a]), "yaxis": objective_axis(&objectives[b]), "legend": legend(),
        "hovermode": "closest",
        "coloraxis": {
            "colorscale": SCALE, "cmin": 0, "cmax": 1,
            "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "tickfont": {"size": 10}},
        },
    });
    Figure::new(
        format!("pareto-{}-{a}-{b}", load.load),
        format!("{} and {}", objectives[a].metric.name, objectives[b].metric.name),
        vec![points(false), points(true)],
        layout,
    )
    .caption(format!(
        "Load {}; colour: share of resamples in which it is on the front.",
        names.load(load.load)
    ))
    .height(380)
    .table(numbers(front, names))
}

fn told(point: &ParetoPoint, front: &ParetoAnswer, names: Names<'_>) -> String {
    let profile = names.profile(&point.profile);
    let values = point.means.iter().zip(&front.objectives);
    let values: Vec<String> = values
        .map(|(mean, objective)| format!("{}: {}", metric(&objective.metric), number(*mean)))
        .collect();
    let member = point.membership.map_or_else(
        || "one block: no probability".to_owned(),
        |share| format!("on the front in {} of resamples", percent(share)),
    );
    hover(
        [profile.as_str()]
            .into_iter()
            .chain(values.iter().map(String::as_str))
            .chain([member.as_str()]),
    )
}

fn numbers(front: &ParetoAnswer, names: Names<'_>) -> Table {
    let mut head: Vec<String> = vec!["profile".into()];
    head.extend(front.objectives.iter().map(|objective| metric(&objective.metric)));
    head.extend(["on the front", "in resamples", "within 2 standard errors"].map(String::from));
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for point in &front.points {
        let mut cells = vec![names.profile(&point.profile)];
        cells.extend(point.means.iter().enumerate().map(|(objective, mean)| {
            let error = point.standard_errors.get(objective).copied().flatten();
            error.map_or_else(
                || number(*mean),
                |error| format!("{} ± {}", number(*mean), number(2.0 * error)),
            )
        }));
        cells.push(yes(point.on_front));
        cells.push(point.membership.map_or_else(|| "-".to_owned(), percent));
        cells.push(point.on_epsilon_front.map_or_else(|| "-".to_owned(), yes));
        table.rows.push(cells);
    }
    table
}
