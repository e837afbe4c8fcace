//! What each player brings: Shapley values between baseline and intelligent strategies.

use serde_json::{Value, json};

use super::super::figure::{Figure, axis, hover, named_axis, plain};
use super::super::names::{Names, bars, range};
use super::super::style::{INK, bar_marker, legend, whiskers};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, ShapleyPlayer, ShapleyValues};
use crate::report::number;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let mut section = Section::new("shapley", "What each player brings").says(format!(
        "Shapley values: the average gain in social welfare (the sum of all utilities) when a player goes from its baseline \
         to its intelligent strategy, over all orders in which players do so. {}",
        marks(names)
    ));
    let missing: Vec<String> = analysis
        .loads
        .iter()
        .filter(|load| load.shapley.is_none())
        .map(|load| {
            let why = load.shapley_missing.as_deref().unwrap_or("the whole game is not known");
            format!("load {}: {why}", names.load(load.load))
        })
        .collect();
    if !missing.is_empty() {
        section = section.says(format!("No Shapley values under {}.", missing.join("; ")));
    }
    let known: Vec<(usize, &ShapleyValues)> = analysis
        .loads
        .iter()
        .filter_map(|load| Some((load.load, load.shapley.as_ref()?)))
        .collect();
    if known.is_empty() {
        return section;
    }
    let mut panel = Panel { columns: 1, figures: vec![figure(&known, names)], ..Panel::default() };
    for (load, values) in known {
        panel = panel.closed(
            format!("Every coalition under load {}", names.load(load)),
            coalitions(values, names),
        );
    }
    section.panel(panel)
}

fn marks(names: Names<'_>) -> String {
    let of_player = |(player, facts): (usize, &crate::campaign::PlayerAnswer)| {
        let strategy = |strategy: Option<usize>| {
            strategy.map_or("not marked", |strategy| names.strategy(player, strategy))
        };
        format!("{}: {} to {}", facts.name, strategy(facts.baseline), strategy(facts.intelligent))
    };
    let players: Vec<String> = names.design.players.iter().enumerate().map(of_player).collect();
    format!("{}.", players.join("; "))
}

fn figure(known: &[(usize, &ShapleyValues)], names: Names<'_>) -> Figure {
    let data: Vec<Value> = (0..names.design.players.len())
        .map(|player| {
            let own: Vec<(usize, usize, ShapleyPlayer)> = known
                .iter()
                .enumerate()
                .filter_map(|(at, (load, values))| {
                    let own = values.players.iter().find(|own| own.player == player)?;
                    Some((at, *load, *own))
                })
                .collect();
            let ends: Vec<[f64; 2]> =
                own.iter().map(|(_, _, own)| bars(own.value, own.interval)).collect();
            let told: Vec<String> = own
                .iter()
                .map(|(_, load, own)| {
                    let value = format!("{} (95 % {})", number(own.value), range(own.interval));
                    hover([names.player(player), &format!("load {}", names.load(*load)), &value])
                })
                .collect();
            json!({
                "type": "bar", "name": plain(names.player(player)), "hoverinfo": "text", "hovertext": told,
                "textposition": "none",
                "x": own.iter().map(|(at, ..)| at).collect::<Vec<_>>(),
                "y": own.iter().map(|(_, _, own)| own.value).collect::<Vec<_>>(),
                "marker": bar_marker(player),
                "error_y": whiskers(&ends, INK),
            })
        })
        .collect();
    let layout = json!({
        "barmode": "group", "legend": legend(), "yaxis": axis("welfare, in units of utility"),
        "xaxis": named_axis(known.iter().map(|(load, _)| names.load(*load).to_owned())),
    });
    let mut table =
        Table::new(&["load", "player", "Shapley value", "95 % interval", "blocks"]).text(&[1]);
    for (load, values) in known {
        for own in &values.players {
            table.row([
                names.load(*load).to_owned(),
                names.player(own.player).to_owned(),
                number(own.value),
                range(own.interval),
                values.blocks.to_string(),
            ]);
        }
    }
    Figure::new("shapley-bars".into(), "Shapley values by player and load".into(), data, layout)
        .caption("Whiskers are 95 % intervals from paired blocks. Below 0, the intelligent strategy costs welfare.")
        .height(360)
        .table(table)
}

fn coalitions(values: &ShapleyValues, names: Names<'_>) -> Table {
    let mut table = Table::new(&["members", "profile", "value"]).text(&[1]);
    for coalition in &values.coalitions {
        let members: Vec<&str> =
            coalition.members.iter().map(|member| names.player(*member)).collect();
        table.row([
            if members.is_empty() { "nobody".to_owned() } else { members.join(", ") },
            names.profile(&coalition.profile),
            number(coalition.value),
        ]);
    }
    table
}
