//! The answers as tables.

use std::io::{self, Write};

use crate::campaign::{Analysis, Anarchy, Estimate, FreshBlocks, LoadAnswer, PriceRow};
use crate::cli::show::interval;
use crate::report::{Table, count, heading, number, percent, sentence, warning};
use crate::stats::Interval;

/// Doubts that are shown.
const MOST_DOUBTS: usize = 12;

pub(super) fn print(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading(&analysis.design.name))?;
    writeln!(out, "{}", sentence(&analysis.verdict))?;
    runs(analysis, out)?;
    doubts(analysis, out)?;
    prices(analysis, out)?;
    equilibria(analysis, out)?;
    players(analysis, out)?;
    against_baseline(analysis, out)?;
    curves(analysis, out)?;
    fronts(analysis, out)
}

fn runs(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let runs = &analysis.runs;
    let parts = [
        (runs.used, "used"),
        (runs.failed, "failed"),
        (runs.gated, "left out for drifting"),
        (runs.incomplete, "without a needed metric"),
        (runs.missing, "not made"),
    ];
    let parts = parts.into_iter().filter(|(found, _)| *found > 0);
    let parts: Vec<String> =
        parts.map(|(found, what)| format!("{} {what}", count(found as u64))).collect();
    let planned = count(runs.planned as u64);
    writeln!(out, "{}", sentence(&format!("{planned} runs planned: {}.", parts.join(", "))))
}

fn doubts(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    if analysis.doubts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", warning("Doubts"))?;
    for doubt in analysis.doubts.iter().take(MOST_DOUBTS) {
        writeln!(out, "{}", sentence(&doubt.sentence))?;
    }
    match analysis.doubts.len().saturating_sub(MOST_DOUBTS) {
        0 => Ok(()),
        more => writeln!(out, "{}", sentence(&format!("{more} more: see --json."))),
    }
}

fn prices(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", heading("Price of Anarchy"))?;
    let columns = [
        "load",
        "cost",
        "pure",
        "95 % bounds",
        "resampled",
        "all\nequilibria",
        "95 % bounds",
        "worst\nCE",
        "worst\nCCE",
        "verdict",
    ];
    let mut table = Table::new(&columns).left(1).left(9).optional(7).optional(8);
    for load in &analysis.loads {
        for price in &load.anarchy {
            table.row(price_row(analysis, load, price));
        }
    }
    write!(out, "{table}")?;
    for fresh in &analysis.fresh_blocks {
        writeln!(out, "{}", sentence(&on_fresh_blocks(analysis, fresh)))?;
    }
    Ok(())
}

fn on_fresh_blocks(analysis: &Analysis, fresh: &FreshBlocks) -> String {
    let ratio = |found: &Option<Estimate>| {
        found.as_ref().map_or_else(
            || "no known ratio of costs".to_owned(),
            |found| {
                let within = interval(found.interval.as_ref());
                format!(
                    "{} times its cost ({within}, {} blocks)",
                    number(found.value),
                    found.blocks
                )
            },
        )
    };
    let worst = match &fresh.worst {
        Some(_) => format!("the claimed worst equilibrium has {}", ratio(&fresh.anarchy)),
        None => "no equilibrium was claimed".to_owned(),
    };
    let stale = if fresh.is_current {
        ""
    } else {
        " These are claims of before; the runs claim other profiles now."
    };
    format!(
        "Load {}, against the claimed optimum on fresh blocks: {worst}; the default has {}.{stale}",
        analysis.design.loads[fresh.load].name,
        ratio(&fresh.default_over_optimum)
    )
}

fn price_row(analysis: &Analysis, load: &LoadAnswer, price: &Anarchy) -> Vec<String> {
    let row = |name: &str| price.rows.iter().find(|row| row.name == name);
    let point = |row: Option<&PriceRow>| optional(row.and_then(|row| row.point));
    let bounds = |row: Option<&PriceRow>| interval(row.and_then(|row| row.simultaneous.as_ref()));
    let (pure, all) = (row("anarchy_pure"), row("anarchy_all"));
    vec![
        analysis.design.loads[load.load].name.clone(),
        price.cost.name.clone(),
        point(pure),
        bounds(pure),
        interval(pure.and_then(|row| row.bootstrap.as_ref())),
        point(all),
        bounds(all),
        point(row("worst_correlated")),
        point(row("worst_coarse_correlated")),
        price.verdict.clone(),
    ]
}

fn equilibria(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", heading("Equilibria"))?;
    let mut table = Table::new(&["load", "profile", "cost", "in resamples", "certificate", "list"]);
    table = table.left(1).left(4).left(5);
    for load in &analysis.loads {
        let Some(found) = &load.equilibria else { continue };
        for equilibrium in &found.list {
            table.row(vec![
                analysis.design.loads[load.load].name.clone(),
                mixture(analysis, &equilibrium.mixture),
                optional(equilibrium.cost),
                equilibrium.frequency.map_or_else(|| "-".to_owned(), percent),
                equilibrium.certificate.clone(),
                found.completeness.clone(),
            ]);
        }
    }
    write!(out, "{table}")?;
    for load in &analysis.loads {
        let name = &analysis.design.loads[load.load].name;
        if let Some(potential) = &load.potential {
            writeln!(out, "{}", sentence(&format!("Load {name}: {}", potential.sentence)))?;
        }
        for cycle in load.best_responses.cycles.iter().flatten() {
            let [own, other] = [cycle.oscillating, cycle.elsewhere];
            let text = format!(
                "Load {name}: best responses go round {} profiles; {} of {} runs there oscillate, {} of {} elsewhere.",
                cycle.profiles, own.oscillating, own.tested, other.oscillating, other.tested
            );
            writeln!(out, "{}", sentence(&text))?;
        }
    }
    Ok(())
}

/// What everybody plays: names of strategies, with probabilities where they are mixed.
fn mixture(analysis: &Analysis, mixture: &[Vec<f64>]) -> String {
    let of_player = |(player, weights): (&crate::campaign::PlayerAnswer, &Vec<f64>)| {
        let played = player.strategies.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        let name = |(name, weight): (&String, &f64)| match *weight {
            1.0 => name.clone(),
            weight => format!("{name} {weight:.3}"),
        };
        played.map(name).collect::<Vec<String>>().join(" + ")
    };
    let players = analysis.design.players.iter().zip(mixture).map(of_player);
    players.collect::<Vec<String>>().join(", ")
}

fn players(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", heading("Players"))?;
    let columns = [
        "load",
        "player",
        "default",
        "best",
        "regret",
        "95 % interval",
        "cross-fitted",
        "Shapley",
        "95 % interval",
    ];
    let mut table = Table::new(&columns).left(1).left(2).left(3).optional(7).optional(8);
    for load in &analysis.loads {
        for regret in &load.regret {
            let player = &analysis.design.players[regret.player];
            let name = |strategy: usize| player.strategies[strategy].clone();
            let share = load.shapley.as_ref().map(|shapley| &shapley.players[regret.player]);
            table.row(vec![
                analysis.design.loads[load.load].name.clone(),
                player.name.clone(),
                name(player.default),
                regret.best.map_or_else(|| "-".to_owned(), name),
                optional(regret.point),
                interval(regret.interval.as_ref()),
                optional(regret.cross_fitted),
                optional(share.map(|share| share.value)),
                interval(share.and_then(|share| share.interval.as_ref())),
            ]);
        }
    }
    write!(out, "{table}")
}

fn against_baseline(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let compared =
        || analysis.loads.iter().filter(|load| load.intelligent_against_baseline.is_some());
    if compared().next().is_none() {
        return Ok(());
    }
    writeln!(out, "\n{}", heading("All intelligent over all baseline"))?;
    let mut table = Table::new(&["load", "metric", "ratio", "95 % interval", "blocks"]);
    table = table.left(1);
    for load in compared() {
        for own in load.intelligent_against_baseline.iter().flat_map(|found| &found.ratios) {
            table.row(vec![
                analysis.design.loads[load.load].name.clone(),
                own.metric.name.clone(),
                optional(own.ratio.map(|ratio| ratio.value)),
                interval(own.ratio.and_then(|ratio| ratio.interval).as_ref()),
                own.ratio.map_or(0, |ratio| ratio.blocks).to_string(),
            ]);
        }
    }
    write!(out, "{table}")
}

fn curves(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let over = &analysis.over_loads;
    if analysis.loads.len() < 2 {
        return Ok(());
    }
    writeln!(out, "\n{}", heading("Over loads"))?;
    let unit = &analysis.design.load_unit;
    let columns =
        ["load", unit, "Price of\nAnarchy", "95 % bounds", "tail\ninflation", "95 % interval"];
    let mut table = Table::new(&columns);
    for (anarchy, tail) in over.anarchy.iter().zip(&over.tail_inflation) {
        table.row(vec![
            analysis.design.loads[anarchy.load].name.clone(),
            number(anarchy.value),
            optional(anarchy.point),
            interval(anarchy.band.as_ref()),
            optional(tail.point),
            interval(tail.band.as_ref()),
        ]);
    }
    write!(out, "{table}")?;
    let text = match (&over.knee, &over.knee_missing) {
        (Some(knee), _) => {
            let ends = Interval { low: knee.interval.low, high: knee.interval.high };
            let (load, ends, p) = (number(knee.load), interval(Some(&ends)), number(knee.p_value));
            format!("Knee of the tail at load {load} ({ends}; one line would do with p {p}).")
        }
        (None, Some(reason)) => format!("Knee of the tail: {reason}."),
        (None, None) => return Ok(()),
    };
    writeln!(out, "{}", sentence(&text))
}

fn fronts(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let fronts: Vec<&LoadAnswer> =
        analysis.loads.iter().filter(|load| load.pareto.is_some()).collect();
    if fronts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", heading("Pareto front"))?;
    let mut table = Table::new(&["load", "profile", "membership", "sure", "within 2 SE"]);
    table = table.left(1).left(3).left(4);
    for load in fronts {
        let Some(front) = &load.pareto else { continue };
        for point in front.points.iter().filter(|point| point.on_front) {
            let strategies = analysis.design.players.iter().zip(&point.profile);
            let names = strategies.map(|(player, strategy)| player.strategies[*strategy].as_str());
            let word = |is: bool| if is { "yes" } else { "no" }.to_owned();
            table.row(vec![
                analysis.design.loads[load.load].name.clone(),
                names.collect::<Vec<&str>>().join(", "),
                point.membership.map_or_else(|| "-".to_owned(), percent),
                point.is_sure.map_or_else(|| "-".to_owned(), word),
                point.on_epsilon_front.map_or_else(|| "-".to_owned(), word),
            ]);
        }
    }
    write!(out, "{table}")
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), number)
}
