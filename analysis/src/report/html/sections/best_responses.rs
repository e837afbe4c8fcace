//! The graph of best responses: profiles on a lattice, and an arrow for each move that gains.

use serde_json::{Value, json};

use super::super::figure::{Figure, hover};
use super::super::names::{Names, counted, estimate, maybe};
use super::super::style::{ALARM, FAINT, SCALE, colour, dash, legend};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, BestResponseCycle, LoadAnswer, Move, Oscillating};

/// Points of a bent arrow.
const BEND: usize = 8;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    Section::new("best-responses", "Where each player would go")
        .says(
            "Each point is a profile, each arrow the move of one player to a best response that gains. Play that follows \
             the arrows ends at a star (nobody gains by leaving) or goes round a cycle, drawn thick. Brighter points cost \
             society more. Arrows can be switched off, player by player, in the legend.",
        )
        .by_load(analysis, names, |load| of_load(load, names))
}

fn of_load(load: &LoadAnswer, names: Names<'_>) -> Panel {
    let found = &load.best_responses;
    let mut panel = Panel { columns: 1, ..Panel::default() };
    panel = panel.says(match found.rest_points.len() {
        0 => "Every measured profile is one that somebody gains by leaving.".to_owned(),
        _ => format!(
            "Profiles that nobody gains by leaving: {}.",
            names.profiles(&found.rest_points)
        ),
    });
    panel = match &found.cycles {
        None => panel.says("Cycles are not looked for while profiles are missing."),
        Some(cycles) if cycles.is_empty() => {
            panel.says("No cycle: best responses one after the other always come to rest.")
        }
        Some(cycles) => {
            cycles.iter().fold(panel, |panel, cycle| panel.says(cycle_text(cycle, names)))
        }
    };
    panel.figure(graph(load, names))
}

fn cycle_text(cycle: &BestResponseCycle, names: Names<'_>) -> String {
    let way: Vec<String> = cycle.cycle.iter().map(|profile| names.profile(profile)).collect();
    let share = |runs: &Oscillating| format!("{} of {}", runs.oscillating, runs.tested);
    format!(
        "A cycle of {} moves among {} profiles that reach each other{}: {}, and round again. Of the runs there that were \
         tested, {} oscillate; of all other runs, {}.",
        cycle.cycle.len(),
        cycle.profiles,
        if cycle.is_sink { ", which no best response leaves" } else { "" },
        way.join(" → "),
        share(&cycle.oscillating),
        share(&cycle.elsewhere)
    )
}

/// Where profiles stand: players take turns with the two directions, later players in larger strides.
struct Lattice {
    strides: Vec<[f64; 2]>,
}

impl Lattice {
    fn of(names: Names<'_>) -> Self {
        let mut extent = [1.0, 1.0];
        let strides = names.design.players.iter().enumerate().map(|(player, facts)| {
            let direction = player % 2;
            // Blocks are set apart by half a step.
            let stride = if player < 2 { 1.0 } else { extent[direction] + 0.5 };
            extent[direction] = stride * facts.strategies.len() as f64;
            let mut stride_of = [0.0; 2];
            stride_of[direction] = stride;
            stride_of
        });
        Self { strides: strides.collect() }
    }

    fn place(&self, profile: &[usize]) -> [f64; 2] {
        let steps = profile.iter().zip(&self.strides);
        steps.fold([0.0; 2], |[x, y], (strategy, stride)| {
            [x + *strategy as f64 * stride[0], y + *strategy as f64 * stride[1]]
        })
    }

    /// Ticks of a direction: every place with the strategies that stand there.
    fn axis(&self, names: Names<'_>, direction: usize) -> Value {
        let mut ticks = vec![(0.0, Vec::new())];
        for (player, facts) in names.design.players.iter().enumerate().rev() {
            if player % 2 != direction {
                continue;
            }
            ticks = ticks
                .iter()
                .flat_map(|(at, begun): &(f64, Vec<String>)| {
                    let stride = self.strides[player][direction];
                    facts.strategies.iter().enumerate().map(move |(strategy, name)| {
                        let names = [std::slice::from_ref(name), begun].concat();
                        (at + strategy as f64 * stride, names)
                    })
                })
                .collect();
        }
        let text = |names: &Vec<String>| {
            let lines: Vec<String> =
                names.iter().map(|name| super::super::figure::label(name)).collect();
            lines.join(if direction == 0 { "<br>" } else { " / " })
        };
        json!({
            "tickmode": "array", "tickvals": ticks.iter().map(|tick| tick.0).collect::<Vec<_>>(),
            "ticktext": ticks.iter().map(|tick| text(&tick.1)).collect::<Vec<_>>(), "automargin": true,
            "showgrid": false, "zeroline": false, "tickfont": {"size": 10},
        })
    }

    fn height(&self, names: Names<'_>) -> usize {
        let last: Vec<usize> =
            names.design.players.iter().map(|p| p.strategies.len() - 1).collect();
        self.place(&last)[1].ceil() as usize + 1
    }
}

fn graph(load: &LoadAnswer, names: Names<'_>) -> Figure {
    let lattice = Lattice::of(names);
    let moves = &load.best_responses.moves;
    let cycles = load.best_responses.cycles.as_deref().unwrap_or_default();
    let mut data: Vec<Value> = (0..names.design.players.len())
        .map(|player| {
            let own = moves.iter().filter(|one| one.player == player);
            let pairs: Vec<[&[usize]; 2]> =
                own.map(|one| [one.from.as_slice(), one.to.as_slice()]).collect();
            arrows(
                &lattice,
                &pairs,
                &format!("{} moves", names.player(player)),
                colour(player),
                1.5,
                dash(player),
            )
        })
        .collect();
    for (number, cycle) in cycles.iter().enumerate() {
        let next = cycle.cycle.iter().cycle().skip(1);
        let pairs: Vec<[&[usize]; 2]> = cycle
            .cycle
            .iter()
            .zip(next)
            .map(|(from, to)| [from.as_slice(), to.as_slice()])
            .collect();
        data.push(arrows(&lattice, &pairs, &format!("cycle {}", number + 1), ALARM, 4.0, "solid"));
    }
    data.extend(points(load, names, &lattice));
    let layout = json!({
        "xaxis": lattice.axis(names, 0), "yaxis": lattice.axis(names, 1), "legend": legend(), "hovermode": "closest",
        "coloraxis": cost_axis(&names.design.welfare.name),
    });
    Figure::new(
        format!("graph-{}", load.load),
        format!("Best responses under load {}", names.load(load.load)),
        data,
        layout,
    )
    .caption(format!(
        "{}, {} that gain, {}, {} at rest.",
        counted(load.cells.len(), "profile"),
        counted(moves.len(), "move"),
        counted(cycles.len(), "cycle"),
        counted(load.best_responses.rest_points.len(), "profile")
    ))
    .height(240 + 64 * lattice.height(names))
    .table(numbers(moves, names))
}

/// Bent arrows, so that one does not hide behind the points between its ends.
fn arrows(
    lattice: &Lattice,
    pairs: &[[&[usize]; 2]],
    name: &str,
    colour: &str,
    width: f64,
    dash: &str,
) -> Value {
    let (mut x, mut y, mut size, mut standoff) = (vec![], vec![], vec![], vec![]);
    for [from, to] in pairs {
        let ([x0, y0], [x1, y1]) = (lattice.place(from), lattice.place(to));
        let bend = 0.12 * (x1 - x0).hypot(y1 - y0).sqrt();
        let length = (x1 - x0).hypot(y1 - y0).max(f64::MIN_POSITIVE);
        for point in 0..=BEND {
            let part = point as f64 / BEND as f64;
            let off = bend * (std::f64::consts::PI * part).sin() / length;
            x.push(json!(x0 + part * (x1 - x0) - off * (y1 - y0)));
            y.push(json!(y0 + part * (y1 - y0) + off * (x1 - x0)));
            // Only the head keeps away from its profile: a bend that did would leave a gap in the line.
            size.push(if point == BEND { 7.0 + 2.0 * width } else { 0.0 });
            standoff.push(if point == BEND { 8.0 } else { 0.0 });
        }
        x.push(Value::Null);
        y.push(Value::Null);
        size.push(0.0);
        standoff.push(0.0);
    }
    json!({
        "type": "scatter", "mode": "lines+markers", "x": x, "y": y, "name": super::super::figure::plain(name),
        "hoverinfo": "skip", "line": {"color": colour, "width": width, "dash": dash},
        "marker": {"symbol": "arrow", "angleref": "previous", "size": size, "standoff": standoff, "color": colour, "opacity": 1},
    })
}

fn points(load: &LoadAnswer, names: Names<'_>, lattice: &Lattice) -> Vec<Value> {
    let rest = &load.best_responses.rest_points;
    let of = |at_rest: bool| {
        let cells: Vec<_> =
            load.cells.iter().filter(|cell| rest.contains(&cell.profile) == at_rest).collect();
        let places: Vec<[f64; 2]> = cells.iter().map(|cell| lattice.place(&cell.profile)).collect();
        let told: Vec<String> = cells
            .iter()
            .map(|cell| {
                let profile = names.profile(&cell.profile);
                let cost = cell.cost.as_ref().map_or_else(|| "-".to_owned(), estimate);
                let cost = format!("social cost {cost}");
                let state = if at_rest { "nobody gains by leaving" } else { "" };
                hover([profile.as_str(), &cost, state].into_iter().filter(|line| !line.is_empty()))
            })
            .collect();
        json!({
            "type": "scatter", "mode": "markers", "hoverinfo": "text", "hovertext": told,
            "name": if at_rest { "at rest" } else { "somebody gains by leaving" },
            "x": places.iter().map(|at| at[0]).collect::<Vec<_>>(),
            "y": places.iter().map(|at| at[1]).collect::<Vec<_>>(),
            "marker": {
                "symbol": if at_rest { "star" } else { "circle" }, "size": if at_rest { 20 } else { 14 },
                "color": cells.iter().map(|cell| cell.cost.map(|cost| cost.value)).collect::<Vec<_>>(),
                "coloraxis": "coloraxis", "line": {"width": if at_rest { 2 } else { 1 }, "color": if at_rest { ALARM } else { FAINT }},
            },
        })
    };
    vec![of(false), of(true)]
}

/// The colour axis of social cost.
fn cost_axis(title: &str) -> Value {
    json!({
        "colorscale": SCALE,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": super::super::figure::plain(title), "side": "right"}},
    })
}

fn numbers(moves: &[Move], names: Names<'_>) -> Table {
    let mut table = Table::new(&["player", "from", "to", "gains"]).text(&[1, 2]);
    for one in moves {
        table.row([
            names.player(one.player).to_owned(),
            names.profile(&one.from),
            names.profile(&one.to),
            estimate(&one.gain),
        ]);
    }
    if table.rows.is_empty() {
        table.row(["nobody".to_owned(), "-".to_owned(), "-".to_owned(), maybe(None)]);
    }
    table
}
