//! What each player could gain by leaving the default profile alone.

use serde_json::{Value, json};

use super::super::figure::{Figure, axis, hover, named_axis};
use super::super::names::{Names, bars, maybe, range};
use super::super::style::{INK, bar_marker, legend, whiskers};
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, RegretAnswer};

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let section = Section::new("regret", "Regret of the default profile")
        .says(format!(
            "What each player would gain by leaving the default profile ({}) alone, in units of its utility. The bar is \
             the largest gain of the means; the whisker its 95 % interval, simultaneous over the player's strategies. The \
             diamond is cross-fitted: the strategy was chosen on some blocks and its gain taken on the others, so that \
             luck in choosing does not count.",
            names.profile(&analysis.design.default)
        ));
    let mut regrets = analysis.loads.iter().flat_map(|load| &load.regret);
    if regrets.all(|regret| regret.point.is_none()) {
        return section.says(
            "It is not known under any load: the default profile, or every profile beside it, has no usable run.",
        );
    }
    section.panel(Panel { columns: 1, figures: vec![figure(analysis, names)], ..Panel::default() })
}

fn figure(analysis: &Analysis, names: Names<'_>) -> Figure {
    let players = 0..analysis.design.players.len();
    let of = |player: usize| -> Vec<(usize, &RegretAnswer)> {
        let own = analysis.loads.iter().enumerate();
        own.filter_map(|(at, load)| {
            let regret = load.regret.iter().find(|regret| regret.player == player)?;
            regret.point.map(|_| (at, regret))
        })
        .collect()
    };
    let mut data: Vec<Value> =
        players.clone().map(|player| bar(&of(player), analysis, names, player)).collect();
    data.extend(players.clone().map(|player| diamond(&of(player), names, player, players.len())));
    let layout = json!({
        "barmode": "group", "bargap": 0.2, "legend": legend(), "yaxis": axis("gain in utility"),
        "xaxis": named_axis(analysis.loads.iter().map(|load| names.load(load.load).to_owned())),
    });
    let mut table = Table::new(&[
        "load",
        "player",
        "best strategy",
        "regret",
        "95 % interval",
        "cross-fitted",
        "blocks",
        "not measured",
    ])
    .text(&[1, 2, 7]);
    for load in &analysis.loads {
        for regret in &load.regret {
            let strategy = |strategy: &usize| names.strategy(regret.player, *strategy).to_owned();
            table.row([
                names.load(load.load).to_owned(),
                names.player(regret.player).to_owned(),
                regret.best.as_ref().map_or_else(|| "-".to_owned(), strategy),
                maybe(regret.point),
                range(regret.interval),
                maybe(regret.cross_fitted),
                regret.blocks.to_string(),
                regret.missing.iter().map(strategy).collect::<Vec<_>>().join(", "),
            ]);
        }
    }
    Figure::new("regret-bars".into(), "Regret by player and load".into(), data, layout)
        .caption("0 means that the player would stay.")
        .height(360)
        .table(table)
}

fn bar(
    regrets: &[(usize, &RegretAnswer)],
    analysis: &Analysis,
    names: Names<'_>,
    player: usize,
) -> Value {
    let ends: Vec<[f64; 2]> = regrets
        .iter()
        .map(|(_, regret)| bars(regret.point.unwrap_or(0.0), regret.interval))
        .collect();
    let told: Vec<String> = regrets
        .iter()
        .map(|(at, regret)| {
            let best = regret.best.map_or("-", |best| names.strategy(player, best));
            hover([
                format!("{}, load {}", names.player(player), names.load(analysis.loads[*at].load))
                    .as_str(),
                &format!("regret {} (95 % {})", maybe(regret.point), range(regret.interval)),
                &format!("best: {best}; {} blocks", regret.blocks),
            ])
        })
        .collect();
    json!({
        "type": "bar", "name": super::super::figure::plain(names.player(player)), "offsetgroup": player,
        "x": regrets.iter().map(|(at, _)| at).collect::<Vec<_>>(),
        "y": regrets.iter().map(|(_, regret)| regret.point).collect::<Vec<_>>(),
        "hoverinfo": "text", "hovertext": told, "textposition": "none",
        "marker": bar_marker(player),
        "error_y": whiskers(&ends, INK),
    })
}

fn diamond(
    regrets: &[(usize, &RegretAnswer)],
    names: Names<'_>,
    player: usize,
    players: usize,
) -> Value {
    let known: Vec<(usize, f64)> =
        regrets.iter().filter_map(|(at, regret)| Some((*at, regret.cross_fitted?))).collect();
    // The bars of a load share 0.8 of its place.
    let shift = 0.8 * ((player as f64 + 0.5) / players as f64 - 0.5);
    json!({
        "type": "scatter", "mode": "markers", "showlegend": player == 0, "name": "cross-fitted",
        "legendgroup": "cross-fitted", "hoverinfo": "text",
        "hovertext": known.iter().map(|(_, value)| {
            hover([names.player(player), &format!("cross-fitted {}", maybe(Some(*value)))])
        }).collect::<Vec<_>>(),
        "x": known.iter().map(|(at, _)| *at as f64 + shift).collect::<Vec<_>>(),
        "y": known.iter().map(|(_, value)| value).collect::<Vec<_>>(),
        "marker": {"symbol": "diamond", "size": 9, "color": INK, "line": {"width": 1, "color": "var(--paper)"}},
    })
}
