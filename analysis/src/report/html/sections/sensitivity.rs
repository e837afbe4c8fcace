//! How the Price of Anarchy hangs on the set of strategies.

use serde_json::json;

use super::super::figure::{Figure, axis, hover};
use super::super::names::{Names, bars, maybe, range};
use super::super::style::{ALARM, FAINT, colour, legend};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, LoadAnswer, Subgame};
use crate::report::number;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("sensitivity", "Does it hang on one strategy?").says(
        "The Price of Anarchy of the game with one strategy left out, and with only so many strategies per player. If one \
         strategy carries the whole effect, the verdict is about that strategy.",
    );
    if analysis.loads.iter().all(|load| load.sensitivity.is_none()) {
        return section.says("Not given: the whole game is not known under any load.");
    }
    section.by_load(analysis, names, |load| of_load(load, names))
}

fn of_load(load: &LoadAnswer, names: Names<'_>) -> Panel {
    let Some(found) = &load.sensitivity else {
        return Panel::default().says("Not given: the whole game is not known.");
    };
    let left_out = found.without.iter().map(|game| (left_out(game, names), game));
    let sizes = found.sizes.iter().map(|game| (format!("{} strategies each", game.size), game));
    let games: Vec<(String, &Subgame)> = left_out.chain(sizes).collect();
    if games.is_empty() {
        return Panel::default().says("No strategy can be left out: every player has two at most.");
    }
    Panel { columns: 1, figures: vec![figure(load, names, &games)], ..Panel::default() }
}

fn left_out(game: &Subgame, names: Names<'_>) -> String {
    match (game.player, game.strategy) {
        (Some(player), Some(strategy)) => {
            format!("without {} ({})", names.strategy(player, strategy), names.player(player))
        }
        _ => "all strategies".to_owned(),
    }
}

fn figure(load: &LoadAnswer, names: Names<'_>, games: &[(String, &Subgame)]) -> Figure {
    let whole = load.anarchy.first().and_then(|price| price.anarchy);
    let known: Vec<(usize, &(String, &Subgame))> =
        games.iter().enumerate().filter(|(_, (_, game))| game.anarchy.is_some()).collect();
    let unknown: Vec<usize> =
        (0..games.len()).filter(|at| games[*at].1.anarchy.is_none()).collect();
    let ends: Vec<[f64; 2]> =
        known.iter().map(|(_, (_, game))| bars(game.anarchy.unwrap_or(1.0), game.bounds)).collect();
    let told: Vec<String> = known
        .iter()
        .map(|(_, (name, game))| {
            let value = format!("{} (95 % {})", maybe(game.anarchy), range(game.bounds));
            hover([
                name.as_str(),
                &value,
                &format!("pure equilibria: {}", names.profiles(&game.pure)),
            ])
        })
        .collect();
    let mut data = vec![json!({
        "type": "scatter", "mode": "markers", "name": "Price of Anarchy", "hoverinfo": "text", "hovertext": told,
        "x": known.iter().map(|(_, (_, game))| game.anarchy).collect::<Vec<_>>(),
        "y": known.iter().map(|(at, _)| at).collect::<Vec<_>>(), "marker": {"size": 10, "color": colour(0)},
        "error_x": {
            "type": "data", "symmetric": false, "color": colour(0),
            "array": ends.iter().map(|ends| ends[1]).collect::<Vec<_>>(),
            "arrayminus": ends.iter().map(|ends| ends[0]).collect::<Vec<_>>(),
        },
    })];
    if !unknown.is_empty() {
        data.push(json!({
            "type": "scatter", "mode": "markers", "name": "NOT IDENTIFIED", "hoverinfo": "name",
            "x": unknown.iter().map(|_| 1.0).collect::<Vec<_>>(), "y": unknown,
            "marker": {"size": 11, "symbol": "x", "color": ALARM},
        }));
    }
    let places: Vec<usize> = (0..games.len()).collect();
    let ticks: Vec<String> =
        games.iter().map(|(name, _)| super::super::figure::plain(name)).collect();
    let line = |at: f64, colour: &str| {
        json!({
            "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
            "line": {"color": colour, "dash": "dot", "width": 1.5},
        })
    };
    let mut lines = vec![line(1.0, FAINT)];
    lines.extend(whole.map(|whole| line(whole, ALARM)));
    let layout = json!({
        "xaxis": axis("Price of Anarchy"), "shapes": lines, "legend": legend(),
        "yaxis": {
            "tickmode": "array", "tickvals": places, "ticktext": ticks, "automargin": true, "autorange": "reversed",
            "zeroline": false, "tickfont": {"size": 10},
        },
    });
    let mut table =
        Table::new(&["game", "Price of Anarchy", "95 % bounds", "pure equilibria", "list is"])
            .text(&[3, 4]);
    for (name, game) in games {
        table.row([
            name.clone(),
            game.anarchy.map_or_else(|| "NOT IDENTIFIED".to_owned(), number),
            range(game.bounds),
            names.profiles(&game.pure),
            game.completeness.clone(),
        ]);
    }
    Figure::new(
        format!("sensitivity-{}", load.load),
        format!("Price of Anarchy with fewer strategies, load {}", names.load(load.load)),
        data,
        layout,
    )
    .caption(
        "The dotted lines are 1 and the whole game's value; whiskers are simultaneous 95 % bounds.",
    )
    .height(130 + 30 * games.len())
    .table(table)
}
