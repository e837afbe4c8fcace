//! `nashtrace shapley`: what each member of a coalition brings.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::show::{finite, interval};
use super::{Answered, Ending, complain, write_json};
use crate::game::shapley::{Basis, CoalitionValues, Method, ShapleyAnswer};
use crate::load::coalitions_of_file;
use crate::report::{Table, count, heading, number, sentence};

const EXAMPLES: &str = "\
VALUES is CSV with the columns coalition, value and, if it was measured several times, block:

  coalition,value,block
  nobody,10.5,seed 1
  router,12.1,seed 1
  router+planner,14.0,seed 1

or JSON: {\"players\": [\"router\"], \"values\": [{\"coalition\": [\"router\"], \"value\": 12.1}, ...]}.
Every coalition needs a value, the one of nobody too.

Examples:
  nashtrace shapley coalitions.csv
  nashtrace shapley - --json < coalitions.json | jq .shapley";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Values of all coalitions, CSV or JSON; - is standard input
    #[arg(value_name = "VALUES")]
    values: PathBuf,
    /// Random orders of arrival, beyond 16 players
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    permutations: u32,
    /// Seed of the random orders and of resampling
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let table = match coalitions_of_file(&arguments.values) {
        Ok(table) => table,
        Err(error) => {
            complain(&error.to_string());
            return (Ending::Unreadable, Ok(()));
        }
    };
    let answer = ShapleyAnswer::of(&table, arguments.permutations as usize, arguments.seed);
    let written = if arguments.json {
        write_json(&to_json(&table, &answer), out)
    } else {
        print(&table, &answer, out)
    };
    (Ending::Good, written)
}

/// Coalitions that are listed, at most: those of ten players.
const LISTED: usize = 1 << 10;

/// The answer as JSON; the table of coalitions is left out where it would be very long.
pub(super) fn to_json(table: &CoalitionValues, answer: &ShapleyAnswer) -> Value {
    let shares = table.players().iter().zip(&answer.shares).map(|(player, share)| {
        json!({
            "player": player,
            "value": share.value,
            "interval": share.interval,
            "resampled": share.resampled,
            "standard_error": share.standard_error,
        })
    });
    let permutations = match answer.method {
        Method::Exact => None,
        Method::Sampled { permutations } => Some(permutations),
    };
    let blocks = match answer.basis {
        Some(Basis::PairedBlocks(blocks)) => Some(blocks),
        _ => None,
    };
    let core = answer.core.map(|core| {
        json!({
            "is_in_core": core.is_in_core,
            "worst": table.name(core.worst),
            "excess": finite(core.excess),
        })
    });
    json!({
        "shapley": shares.collect::<Vec<Value>>(),
        "method": if permutations.is_some() { "sampled" } else { "exact" },
        "permutations": permutations,
        "intervals_from": answer.basis.map(basis_name),
        "blocks": blocks,
        "interactions": answer.interactions,
        "core": core,
        "convex": answer.is_convex,
        "coalitions": listed(table).map(|(name, value)| json!({"coalition": name, "value": value}))
            .collect::<Vec<Value>>(),
    })
}

fn listed(table: &CoalitionValues) -> impl Iterator<Item = (String, f64)> {
    let few = table.values().len() <= LISTED;
    let values = table.values().iter().enumerate().filter(move |_| few);
    values.map(|(coalition, value)| (table.name(coalition), *value))
}

fn basis_name(basis: Basis) -> &'static str {
    match basis {
        Basis::PairedBlocks(_) => "paired blocks",
        Basis::Unpaired => "measurements that are not paired",
        Basis::Permutations => "sampled orders",
    }
}

/// The answer as tables.
pub(super) fn print(
    table: &CoalitionValues,
    answer: &ShapleyAnswer,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", heading("Shapley values"))?;
    let mut shares = Table::new(&["player", "value", "95 % interval", "resampled"]).optional(3);
    for (player, share) in table.players().iter().zip(&answer.shares) {
        shares.row(vec![
            player.clone(),
            number(share.value),
            interval(share.interval.as_ref()),
            interval(share.resampled.as_ref()),
        ]);
    }
    write!(out, "{shares}")?;
    writeln!(out, "{}\n", sentence(&how(answer)))?;
    if !answer.interactions.is_empty() && answer.interactions.len() > 1 {
        writeln!(out, "{}", heading("Interaction"))?;
        let names = table.players().iter().map(String::as_str);
        let mut pairs = Table::new(&std::iter::once("").chain(names).collect::<Vec<&str>>());
        for (player, row) in table.players().iter().zip(&answer.interactions) {
            let cells = row.iter().map(|value| number(*value));
            pairs.row(std::iter::once(player.clone()).chain(cells).collect());
        }
        write!(out, "{pairs}")?;
        let meaning =
            "Above zero two players complement each other, below zero one replaces the other.";
        writeln!(out, "{}\n", sentence(meaning))?;
    }
    if let Some(core) = answer.core {
        let verdict = if core.is_in_core {
            "The division is in the core: no coalition would get more alone.".to_owned()
        } else {
            let (worst, excess) = (table.name(core.worst), number(core.excess));
            format!("The division is not in the core: {worst} would get {excess} more alone.")
        };
        writeln!(out, "{}\n", sentence(&verdict))?;
    }
    let rows: Vec<(String, f64)> = listed(table).collect();
    if !rows.is_empty() {
        writeln!(out, "{}", heading("Coalitions"))?;
        let mut coalitions = Table::new(&["coalition", "value"]);
        rows.into_iter().for_each(|(name, value)| coalitions.row(vec![name, number(value)]));
        write!(out, "{coalitions}")?;
    }
    Ok(())
}

fn how(answer: &ShapleyAnswer) -> String {
    let method = match answer.method {
        Method::Exact => "Exact, over all coalitions".to_owned(),
        Method::Sampled { permutations } => {
            format!("From {} random orders of arrival", count(permutations as u64))
        }
    };
    let basis = match answer.basis {
        None => "no interval, because each coalition has one value".to_owned(),
        Some(Basis::PairedBlocks(blocks)) => format!("intervals from {blocks} paired blocks"),
        Some(basis) => format!("intervals from {}", basis_name(basis)),
    };
    format!("{method}; {basis}.")
}
