//! The answer as JSON and as tables.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Arguments;
use super::answer::{Answer, Replicates, Volume};
use crate::cli::show::interval;
use crate::pareto::AttainmentBand;
use crate::report::{Table, count, heading, number, percent, sentence, warning};
use crate::stats::mean_interval_bca;

/// Rows of the front that a person is shown.
const SHOWN: usize = 40;

pub(super) fn json(answer: &Answer, arguments: &Arguments) -> Value {
    let front = answer.front();
    let objectives: Vec<Value> = arguments
        .objectives
        .objectives
        .iter()
        .map(|objective| json!({"name": objective.name, "direction": objective.direction_name()}))
        .collect();
    let volume = answer.volume.as_ref();
    let mut ranks = vec![0; answer.rows.iter().map(Vec::len).sum()];
    for (rows, rank) in answer.rows.iter().zip(&answer.ranks) {
        rows.iter().for_each(|row| ranks[*row] = *rank);
    }
    json!({
        "objectives": objectives,
        "rows": ranks.len(),
        "front": answer.rows_of(&front),
        "ranks": ranks,
        "epsilon_front": answer.epsilon_front.as_ref().map(|points| answer.rows_of(points)),
        "hypervolume": volume.map(|volume| volume.value),
        "hypervolume_error": volume.and_then(|volume| volume.error),
        "hypervolume_interval": answer
            .replicates
            .as_ref()
            .and_then(|replicates| replicates.membership.as_ref())
            .and_then(|membership| membership.volume),
        "completeness": volume.map(|volume| volume.completeness),
        "reference": volume.map(|volume| reference_json(volume, answer, arguments)),
        "contributions": volume.and_then(|volume| volume.contributions.as_ref()).map(|shares| {
            let of = |point: &usize| json!({"row": answer.rows[*point][0], "volume": shares[*point]});
            front.iter().map(of).collect::<Vec<_>>()
        }),
        "configurations": answer
            .replicates
            .as_ref()
            .map(|replicates| configurations_json(replicates, answer, arguments)),
        "attainment": answer
            .replicates
            .as_ref()
            .and_then(|replicates| replicates.band.as_ref())
            .map(|band| band_json(band, arguments)),
        "seed": arguments.seed,
    })
}

fn reference_json(volume: &Volume, answer: &Answer, arguments: &Arguments) -> Value {
    let values = as_given(&volume.reference, arguments);
    json!({
        "values": values,
        "verdict": verdict(volume, answer),
        "front_rows_beyond": answer.rows_of(&volume.beyond),
    })
}

fn verdict(volume: &Volume, answer: &Answer) -> &'static str {
    if volume.beyond.is_empty() {
        "outside the front"
    } else if volume.beyond.len() < answer.front().len() {
        "inside the front"
    } else {
        "beyond the front: no point is better in every objective"
    }
}

/// Values towards small as the user knows them, by name.
fn as_given(values: &[f64], arguments: &Arguments) -> Value {
    let objectives = arguments.objectives.objectives.iter().zip(values);
    let named: Map<String, Value> = objectives
        .map(|(objective, value)| {
            (objective.name.clone(), json!(objective.direction.towards_small(*value)))
        })
        .collect();
    Value::Object(named)
}

fn configurations_json(replicates: &Replicates, answer: &Answer, arguments: &Arguments) -> Value {
    let one = |index: usize| {
        let configuration = &replicates.configurations[index];
        let mut intervals = Map::new();
        for (side, objective) in arguments.objectives.objectives.iter().enumerate() {
            let values: Vec<f64> = configuration
                .column(side)
                .iter()
                .map(|value| objective.direction.towards_small(*value))
                .collect();
            intervals.insert(objective.name.clone(), json!(mean_interval_bca(&values)));
        }
        json!({
            "name": configuration.name,
            "rows": answer.rows[index],
            "replicates": configuration.replicates.len(),
            "means": as_given(&answer.points[index], arguments),
            "mean_intervals": intervals,
            "rank": answer.ranks[index],
            "share_on_front": replicates.membership.as_ref().map(|found| found.shares[index]),
            "on_front": replicates.is_sure(index),
        })
    };
    (0..replicates.configurations.len()).map(one).collect()
}

fn band_json(band: &AttainmentBand, arguments: &Arguments) -> Value {
    let surface = |corners: &[[f64; 2]]| {
        corners.iter().map(|corner| as_given(corner, arguments)).collect::<Vec<Value>>()
    };
    json!({
        "reached_by_97.5%": surface(&band.sure),
        "reached_by_50%": surface(&band.median),
        "reached_by_2.5%": surface(&band.best),
    })
}

pub(super) fn print(answer: &Answer, arguments: &Arguments, out: &mut dyn Write) -> io::Result<()> {
    let front = answer.front();
    if let Some(volume) = answer.volume.as_ref().filter(|volume| !volume.beyond.is_empty()) {
        writeln!(out, "{}", warning("Before you read on"))?;
        let text = format!(
            "The reference point is {}: {} of {} points of the front are not better than it in every \
             objective and count for nothing.",
            verdict(volume, answer),
            volume.beyond.len(),
            front.len()
        );
        writeln!(out, "{}\n", sentence(&text))?;
    }
    let what = if answer.replicates.is_some() { "configurations" } else { "points" };
    writeln!(
        out,
        "{} {} of {} {what}",
        heading("Front"),
        count(front.len() as u64),
        count(answer.points.len() as u64)
    )?;
    if let Some(volume) = &answer.volume {
        let error = volume.error.map_or(String::new(), |error| format!(" +- {}", number(error)));
        writeln!(
            out,
            "  dominated volume {}{error} ({})",
            number(volume.value),
            volume.completeness
        )?;
    }
    if let Some(membership) = answer.replicates.as_ref().and_then(|r| r.membership.as_ref())
        && let Some(volume) = &membership.volume
    {
        writeln!(out, "  95 % interval {}", interval(Some(volume)))?;
    }
    write!(out, "{}", table(answer, arguments, &front))?;
    if front.len() > SHOWN {
        writeln!(out, "{SHOWN} of {} are shown; --json has all", front.len())?;
    }
    if let Some(epsilon) = &answer.epsilon_front {
        let text = format!(
            "Within what measurement can tell, {} {what} may be on the front.",
            epsilon.len()
        );
        writeln!(out, "{}", sentence(&text))?;
    }
    Ok(())
}

fn table(answer: &Answer, arguments: &Arguments, front: &[usize]) -> Table {
    let objectives = &arguments.objectives.objectives;
    let first = if answer.replicates.is_some() { "configuration" } else { "row" };
    let mut columns = vec![first];
    columns.extend(objectives.iter().map(|objective| objective.name.as_str()));
    columns.extend(["alone\ndominates", "on front in\nresamples"]);
    let mut table =
        Table::new(&columns).optional(objectives.len() + 1).optional(objectives.len() + 2);
    for point in front.iter().take(SHOWN) {
        let replicates = answer.replicates.as_ref();
        let mut cells = vec![match replicates {
            Some(replicates) => replicates.configurations[*point].name.clone(),
            None => answer.rows[*point][0].to_string(),
        }];
        for (objective, value) in objectives.iter().zip(&answer.points[*point]) {
            cells.push(number(objective.direction.towards_small(*value)));
        }
        let shares = answer.volume.as_ref().and_then(|volume| volume.contributions.as_ref());
        cells.push(shares.map_or_else(|| "-".into(), |shares| number(shares[*point])));
        let membership = replicates.and_then(|replicates| replicates.membership.as_ref());
        cells.push(membership.map_or_else(|| "-".into(), |found| percent(found.shares[*point])));
        table.row(cells);
    }
    table
}
