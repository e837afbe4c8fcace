//! The payoff tensor: one heat map per player and load, in which the player chooses the row.

use serde_json::{Value, json};

use super::super::figure::{Figure, hover, label, with};
use super::super::names::{Names, range};
use super::super::style::{ALARM, INK, SCALE, legend};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, Cell, LoadAnswer, PlayerPayoff};
use crate::report::number;

/// Columns up to which cells bear their numbers.
const NUMBERED: usize = 9;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("payoffs", "Payoffs")
        .says(
            "One map per player and load. The player whose payoff is shown chooses the row, the others choose the column; \
             brighter is better for that player. Each map has its own scale: that of a saturated load would leave the \
             others one colour. A dot marks a best response (the best row of its column), a star a pure equilibrium (a \
             best response of everyone), a square the default profile. Empty cells were not measured.",
        );
    let (empty, measured): (Vec<&LoadAnswer>, Vec<&LoadAnswer>) =
        analysis.loads.iter().partition(|load| load.cells.is_empty());
    let section = empty.iter().fold(section, |section, load| {
        section.says(format!("Under load {} no profile has a usable run.", names.load(load.load)))
    });
    // A player's maps begin a row of their own.
    let of_player = |player: usize| Panel {
        columns: measured.len().clamp(1, 3),
        figures: measured.iter().map(|load| heat_map(load, names, player)).collect(),
        ..Panel::default()
    };
    (0..analysis.design.players.len()).map(of_player).fold(section, Section::panel)
}

/// Least and largest payoff of a player under a load.
fn bounds(load: &LoadAnswer, player: usize) -> [f64; 2] {
    let cells = load.cells.iter();
    let payoffs = cells.filter_map(|cell| cell.payoffs.get(player)).map(|payoff| payoff.mean);
    payoffs.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], payoff| {
        [low.min(payoff), high.max(payoff)]
    })
}

/// The profiles of a map: what the others play, by column.
struct Columns {
    others: Vec<Vec<usize>>,
    player: usize,
}

impl Columns {
    fn of(names: Names<'_>, player: usize) -> Self {
        let mut others = vec![Vec::new()];
        for (other, facts) in names.design.players.iter().enumerate() {
            let choices = if other == player { 1 } else { facts.strategies.len() };
            others = others
                .iter()
                .flat_map(|begun: &Vec<usize>| {
                    (0..choices).map(|choice| [begun.as_slice(), &[choice]].concat())
                })
                .collect();
        }
        Self { others, player }
    }

    fn profile(&self, row: usize, column: usize) -> Vec<usize> {
        let mut profile = self.others[column].clone();
        profile[self.player] = row;
        profile
    }

    fn name(&self, names: Names<'_>, column: usize) -> String {
        let played = self.others[column].iter().enumerate();
        let others = played.filter(|(other, _)| *other != self.player);
        others.map(|(other, choice)| names.strategy(other, *choice)).collect::<Vec<_>>().join(" / ")
    }
}

fn heat_map(load: &LoadAnswer, names: Names<'_>, player: usize) -> Figure {
    let range = bounds(load, player);
    let columns = Columns::of(names, player);
    let rows = names.design.players[player].strategies.len();
    let cell = |row: usize, column: usize| {
        let profile = columns.profile(row, column);
        load.cells.iter().find(|cell| cell.profile == profile)
    };
    let payoff = |row, column| Some(cell(row, column)?.payoffs.get(player)?.mean);
    let grid = |of: &dyn Fn(usize, usize) -> Value| -> Vec<Vec<Value>> {
        let row = |row| (0..columns.others.len()).map(|column| of(row, column)).collect();
        (0..rows).map(row).collect()
    };
    let told = |row, column| {
        let profile = names.profile(&columns.profile(row, column));
        let value = cell(row, column).and_then(|cell| cell.payoffs.get(player)).map_or_else(
            || "not measured".to_owned(),
            |payoff| payoff_text(payoff, cell(row, column)),
        );
        Value::from(hover([profile.as_str(), &value]))
    };
    let mut map = json!({
        "type": "heatmap", "z": grid(&|row, column| json!(payoff(row, column))), "hovertext": grid(&told),
        "hoverinfo": "text", "colorscale": SCALE, "zmin": range[0], "zmax": range[1], "xgap": 1, "ygap": 1,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickfont": {"size": 10}},
    });
    if columns.others.len() <= NUMBERED {
        let in_cell = |payoff: Option<f64>| payoff.map_or_else(String::new, |p| short(p, range));
        let shown = grid(&|row, column| json!(in_cell(payoff(row, column))));
        map =
            with(map, json!({"text": shown, "texttemplate": "%{text}", "textfont": {"size": 10}}));
    }
    let mut data = vec![map];
    data.extend(marks(load, names, &columns, rows, &payoff));
    let places: Vec<usize> = (0..columns.others.len()).collect();
    let ticks: Vec<String> =
        places.iter().map(|column| label(&columns.name(names, *column))).collect();
    let layout = json!({
        "xaxis": {
            "tickmode": "array", "tickvals": places, "ticktext": ticks, "tickangle": 45, "automargin": true,
            "showgrid": false, "zeroline": false, "tickfont": {"size": 9},
        },
        "yaxis": super::super::figure::named_axis(names.design.players[player].strategies.iter().cloned()),
        "legend": legend(), "hovermode": "closest",
    });
    Figure::new(
        format!("payoff-{player}-{}", load.load),
        format!("{}, load {}", names.player(player), names.load(load.load)),
        data,
        layout,
    )
    .height(230 + 26 * rows)
    .table(numbers(load, names, player))
}

/// As many decimals in a cell as tell payoffs apart.
fn short(payoff: f64, [low, high]: [f64; 2]) -> String {
    let decimals =
        (2.0 - (high - low).max(f64::MIN_POSITIVE).log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{payoff:.decimals$}");
    // Nothing has no sign.
    match text.strip_prefix('-') {
        Some(size) if size.bytes().all(|byte| matches!(byte, b'0' | b'.')) => size.to_owned(),
        _ => text,
    }
}

fn payoff_text(payoff: &PlayerPayoff, cell: Option<&Cell>) -> String {
    let runs = cell.map_or(0, |cell| cell.replicates.len());
    format!("payoff {} (95 % {}), {runs} runs", number(payoff.mean), range(payoff.interval))
}

fn marks(
    load: &LoadAnswer,
    names: Names<'_>,
    columns: &Columns,
    rows: usize,
    payoff: &dyn Fn(usize, usize) -> Option<f64>,
) -> Vec<Value> {
    let mut best: Vec<(usize, usize)> = Vec::new();
    for column in 0..columns.others.len() {
        let of_rows: Option<Vec<f64>> = (0..rows).map(|row| payoff(row, column)).collect();
        let Some(of_rows) = of_rows else { continue };
        let most = of_rows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        best.extend((0..rows).filter(|row| of_rows[*row] == most).map(|row| (column, row)));
    }
    let place = |profile: &[usize]| {
        let all = (0..columns.others.len()).flat_map(|c| (0..rows).map(move |r| (c, r)));
        all.into_iter().find(|(column, row)| columns.profile(*row, *column) == profile)
    };
    let pure = load.equilibria.iter().flat_map(|found| &found.list);
    let equilibria: Vec<(usize, usize)> =
        pure.filter_map(|one| one.pure.as_deref()).filter_map(place).collect();
    let default: Vec<(usize, usize)> = place(&names.design.default).into_iter().collect();
    best.retain(|at| !equilibria.contains(at));
    // Marks stand in the lower half of a cell: its number is in the middle.
    let mark = |name: &str, at: &[(usize, usize)], marker: Value, shift: f64| {
        json!({
            "type": "scatter", "mode": "markers", "name": name, "hoverinfo": "skip", "marker": marker,
            "x": at.iter().map(|at| at.0).collect::<Vec<_>>(),
            "y": at.iter().map(|at| at.1 as f64 + shift).collect::<Vec<_>>(),
        })
    };
    let rim = json!({"width": 1, "color": "var(--paper)"});
    vec![
        mark(
            "best response",
            &best,
            json!({"symbol": "circle", "size": 7, "color": INK, "line": rim}),
            -0.33,
        ),
        mark(
            "pure equilibrium",
            &equilibria,
            json!({"symbol": "star", "size": 13, "color": ALARM, "line": rim}),
            -0.3,
        ),
        mark(
            "default",
            &default,
            json!({"symbol": "square-open", "size": 24, "color": ALARM, "line": {"width": 2}}),
            0.0,
        ),
    ]
}

fn numbers(load: &LoadAnswer, names: Names<'_>, player: usize) -> Table {
    let mut table = Table::new(&["profile", "payoff", "95 % interval", "runs"]);
    for cell in &load.cells {
        if let Some(payoff) = cell.payoffs.get(player) {
            table.row([
                names.profile(&cell.profile),
                number(payoff.mean),
                range(payoff.interval),
                cell.replicates.len().to_string(),
            ]);
        }
    }
    for profile in &load.missing_profiles {
        table.row([
            names.profile(profile),
            "not measured".to_owned(),
            "-".to_owned(),
            "0".to_owned(),
        ]);
    }
    table
}
