//! The section of all Nash equilibria.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::game::{Certificate, Equilibrium, Game};
use crate::report::{Table, count, number, sentence};

pub(super) const SECTION: Section =
    Section { title: "Nash equilibria", json, print, is_shown: |_| true };

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let Solved { game, equilibria, .. } = solved;
    let players = (0..game.players()).map(|player| {
        let player = game.player(player);
        json!({"name": player.name, "strategies": player.strategies})
    });
    answer.insert("players".to_owned(), players.collect());
    let list: Vec<Value> = equilibria.equilibria.iter().map(one).collect();
    answer.insert("equilibria".to_owned(), list.into());
    let components = equilibria.components.iter().map(|component| {
        json!({
            "support": component.support,
            "dimension": component.dimension,
            "points": component.points,
            "is_hull": component.is_hull,
        })
    });
    answer.insert("components".to_owned(), components.collect());
    answer.insert("completeness".to_owned(), equilibria.completeness.to_string().into());
    answer.insert("reasons".to_owned(), equilibria.reasons.clone().into());
    answer.insert("work".to_owned(), json!(equilibria.work));
}

fn one(equilibrium: &Equilibrium) -> Value {
    let mut value = json!({
        "profile": equilibrium.profile,
        "support": equilibrium.support(),
        "payoffs": equilibrium.payoffs,
        "regret": equilibrium.regret,
        "certificate": equilibrium.certificate,
        "radius": equilibrium.radius,
        "strict": equilibrium.is_strict,
        "isolated": equilibrium.is_isolated,
        "index": equilibrium.index,
        "component": equilibrium.component,
    });
    if let Some(fractions) = &equilibrium.fractions {
        value["fractions"] = json!(fractions);
    }
    value
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let Solved { game, equilibria, .. } = solved;
    let mut columns: Vec<String> = vec!["".to_owned()];
    let names: Vec<&str> = (0..game.players()).map(|p| game.player(p).name.as_str()).collect();
    columns.extend(names.iter().map(|name| (*name).to_owned()));
    columns.extend(names.iter().map(|name| format!("payoff\n{name}")));
    columns.extend(["regret", "certificate", "part of"].map(str::to_owned));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&columns).optional(columns.len() - 1);
    for player in 0..game.players() {
        table = table.left(1 + player);
    }
    for (index, equilibrium) in equilibria.equilibria.iter().enumerate() {
        let mut cells = vec![(index + 1).to_string()];
        cells.extend((0..game.players()).map(|p| mix(game, p, &equilibrium.profile[p])));
        cells.extend(equilibrium.payoffs.iter().map(|payoff| number(*payoff)));
        cells.push(if equilibrium.regret == 0.0 {
            "0".to_owned()
        } else {
            format!("{:.0e}", equilibrium.regret)
        });
        cells.push(certificate(equilibrium).to_owned());
        cells.push(
            equilibrium.component.map_or_else(String::new, |c| format!("continuum {}", c + 1)),
        );
        table.row(cells);
    }
    if !equilibria.equilibria.is_empty() {
        write!(out, "{table}")?;
    }
    for (index, component) in equilibria.components.iter().enumerate() {
        let points = if component.is_hull { "extreme points" } else { "points found on it" };
        let (dimension, number) = (component.dimension, index + 1);
        let text = format!("continuum {number}: dimension {dimension}, {points}:");
        writeln!(out, "{}", sentence(&text))?;
        for point in &component.points {
            let mixes = (0..game.players()).map(|p| mix(game, p, &point[p]));
            writeln!(out, "    {}", mixes.collect::<Vec<_>>().join("; "))?;
        }
    }
    let work = equilibria.work;
    let text = format!("{}", equilibria.completeness);
    writeln!(out, "{}", sentence(&text))?;
    for reason in &equilibria.reasons {
        writeln!(out, "{}", sentence(reason))?;
    }
    if work.supports > 0 {
        let text = format!(
            "{} supports: {} ruled out by dominance, {} by linear conditions, {} solved along {} paths",
            count(work.supports),
            count(work.dominated),
            count(work.excluded),
            count(work.solved),
            count(work.paths),
        );
        writeln!(out, "{}", sentence(&text))?;
    }
    Ok(())
}

/// What a player plays: the name of a strategy, or names with probabilities.
pub(super) fn mix(game: &Game, player: usize, weights: &[f64]) -> String {
    let names = game.player(player).strategies.iter().zip(weights);
    let played: Vec<_> = names.filter(|(_, weight)| **weight > 0.0).collect();
    match played.as_slice() {
        [(name, _)] => (*name).clone(),
        played => {
            let part = |(name, weight): &(&String, &f64)| format!("{name} {weight:.4}");
            played.iter().map(part).collect::<Vec<_>>().join(" + ")
        }
    }
}

fn certificate(equilibrium: &Equilibrium) -> &'static str {
    match equilibrium.certificate {
        Certificate::Exact => "exact",
        Certificate::Interval => "interval",
        Certificate::IntervalTied => "interval, tied",
        Certificate::Numerical => "numerical",
    }
}
