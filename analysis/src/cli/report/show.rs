//! A campaign's analysis for the terminal.

use std::io::{self, Write};
use std::path::Path;

use crate::campaign::{Analysis, LoadAnswer};
use crate::report::html::{Names, counted, maybe, range};
use crate::report::{Table, count, heading, number, sentence, warning};

/// Doubts that are shown; the page has all.
const SHOWN: usize = 12;

pub(super) fn print(
    analysis: &Analysis,
    page: Option<&Path>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = Names { design: &analysis.design };
    let runs = &analysis.runs;
    writeln!(out, "{} {}", heading("Campaign"), analysis.design.name)?;
    let measured = format!(
        "{}, {}, {}; {} of {} runs are used.",
        counted(analysis.design.profiles, "profile"),
        counted(analysis.design.loads.len(), "load"),
        counted(analysis.design.blocks, "block"),
        count(runs.used as u64),
        count(runs.planned as u64)
    );
    writeln!(out, "{}\n", sentence(&measured))?;
    writeln!(out, "{}", heading("Verdict"))?;
    writeln!(out, "{}\n", sentence(&analysis.verdict))?;
    doubts(analysis, names, out)?;
    section("Price of Anarchy", &anarchy(analysis, names), out)?;
    knee(analysis, out)?;
    section("Regret of the default profile", &regret(analysis, names), out)?;
    section("Equilibria", &equilibria(analysis, names), out)?;
    section("Shapley values", &shapley(analysis, names), out)?;
    section("Pareto fronts", &fronts(analysis, names), out)?;
    match page {
        Some(page) => writeln!(out, "The page: {}", page.display()),
        None => Ok(()),
    }
}

fn doubts(analysis: &Analysis, names: Names<'_>, out: &mut dyn Write) -> io::Result<()> {
    if analysis.doubts.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", warning("Doubts"))?;
    for doubt in analysis.doubts.iter().take(SHOWN) {
        let load = doubt.load.map(|load| names.load(load));
        // Some name their load themselves.
        let load = load.filter(|load| !doubt.sentence.contains(&format!("load {load}")));
        let load = load.map_or_else(String::new, |load| format!("load {load}: "));
        writeln!(out, "{}", sentence(&format!("{load}{}", doubt.sentence)))?;
    }
    if analysis.doubts.len() > SHOWN {
        writeln!(out, "  {} more; the page and --json have all", analysis.doubts.len() - SHOWN)?;
    }
    writeln!(out)
}

/// A table under its heading; nothing if it has no rows.
fn section(title: &str, rows: &Option<Table>, out: &mut dyn Write) -> io::Result<()> {
    match rows {
        Some(table) => writeln!(out, "{}\n{table}", heading(title)),
        None => Ok(()),
    }
}

/// A table of rows; `None` without any.
fn table(head: &[&str], left: &[usize], rows: Vec<Vec<String>>) -> Option<Table> {
    if rows.is_empty() {
        return None;
    }
    let mut table = left.iter().fold(Table::new(head), |table, column| table.left(*column));
    rows.into_iter().for_each(|row| table.row(row));
    Some(table)
}

fn anarchy(analysis: &Analysis, names: Names<'_>) -> Option<Table> {
    let over = &analysis.over_loads;
    let of = |load: &LoadAnswer| -> Vec<Vec<String>> {
        let tail = over.tail_inflation.iter().find(|point| point.load == load.load);
        let row = |(place, price): (usize, &crate::campaign::Anarchy)| {
            let bounds = ["anarchy_all", "anarchy_pure"];
            let bounds = bounds
                .iter()
                .find_map(|name| price.rows.iter().find(|row| row.name == *name)?.simultaneous);
            vec![
                names.load(load.load).to_owned(),
                price.cost.name.clone(),
                maybe(price.anarchy),
                range(bounds),
                maybe(price.stability),
                price.verdict.clone(),
                if place == 0 { maybe(tail.and_then(|tail| tail.point)) } else { String::new() },
            ]
        };
        load.anarchy.iter().enumerate().map(row).collect()
    };
    table(
        &[
            "load",
            "social cost",
            "anarchy",
            "95 % bounds",
            "stability",
            "verdict",
            "tail\ninflation",
        ],
        &[1, 5],
        analysis.loads.iter().flat_map(of).collect(),
    )
}

fn knee(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let over = &analysis.over_loads;
    let text = match (&over.knee, &over.knee_missing) {
        (Some(knee), _) => format!(
            "The knee of the tail is at {} ({} to {}) {}.",
            number(knee.load),
            number(knee.interval.low),
            number(knee.interval.high),
            analysis.design.load_unit
        ),
        (None, Some(why)) => format!("No knee: {why}."),
        (None, None) => return Ok(()),
    };
    writeln!(out, "{}\n", sentence(&text))
}

fn regret(analysis: &Analysis, names: Names<'_>) -> Option<Table> {
    let rows = analysis.loads.iter().flat_map(|load| {
        load.regret.iter().map(|regret| {
            let best = regret.best.map(|best| names.strategy(regret.player, best).to_owned());
            vec![
                names.load(load.load).to_owned(),
                names.player(regret.player).to_owned(),
                best.unwrap_or_else(|| "-".to_owned()),
                maybe(regret.point),
                range(regret.interval),
                maybe(regret.cross_fitted),
                regret.blocks.to_string(),
            ]
        })
    });
    let head =
        ["load", "player", "best strategy", "regret", "95 % interval", "cross-\nfitted", "blocks"];
    table(&head, &[1, 2], rows.collect())
}

/// Pure equilibria of each load, and how many mixed ones.
fn equilibria(analysis: &Analysis, names: Names<'_>) -> Option<Table> {
    let mut rows = Vec::new();
    for load in &analysis.loads {
        let name = names.load(load.load).to_owned();
        let Some(found) = &load.equilibria else {
            rows.push(vec![name, "NOT IDENTIFIED".to_owned(), "-".to_owned(), String::new()]);
            continue;
        };
        for one in found.list.iter().filter(|one| one.pure.is_some()) {
            rows.push(vec![
                name.clone(),
                names.mixture(&one.mixture),
                maybe(one.cost),
                one.frequency.map_or_else(|| "-".to_owned(), crate::report::percent),
            ]);
        }
        let mixed = found.list.iter().filter(|one| one.pure.is_none()).count();
        let summary = format!("{mixed} mixed; the list is {}", found.completeness);
        rows.push(vec![name, summary, String::new(), String::new()]);
    }
    table(&["load", "equilibrium", "social cost", "in resamples"], &[1], rows)
}

fn shapley(analysis: &Analysis, names: Names<'_>) -> Option<Table> {
    let rows = analysis.loads.iter().flat_map(|load| {
        load.shapley.iter().flat_map(|values| &values.players).map(|own| {
            vec![
                names.load(load.load).to_owned(),
                names.player(own.player).to_owned(),
                number(own.value),
                range(own.interval),
            ]
        })
    });
    table(&["load", "player", "Shapley value", "95 % interval"], &[1], rows.collect())
}

fn fronts(analysis: &Analysis, names: Names<'_>) -> Option<Table> {
    let rows = analysis.loads.iter().filter_map(|load| {
        let front = load.pareto.as_ref()?;
        let sure =
            |point: &&crate::campaign::ParetoPoint| point.membership.is_some_and(|m| m >= 0.95);
        Some(vec![
            names.load(load.load).to_owned(),
            front.points.iter().filter(|point| point.on_front).count().to_string(),
            front.points.iter().filter(sure).count().to_string(),
            front.points.len().to_string(),
            maybe(front.hypervolume),
        ])
    });
    let head = ["load", "on the front", "in 95 % of\nresamples", "profiles", "hypervolume"];
    table(&head, &[], rows.collect())
}
