//! Measured requests beside the decisions about them.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Arguments;
use crate::answers::JoinedAnswer;
use crate::cli::input::{Input, read};
use crate::cli::regret::{GroupTable, group_json};
use crate::cli::show::{merge, worker_name};
use crate::load::{Measurement, Outcomes};
use crate::report::{count, heading};
use crate::tables::DecisionTable;

/// Join a measurement to the traces that were named. Says too whether these could be read to their ends.
pub(super) fn join(
    measurement: &Measurement,
    arguments: &Arguments,
) -> ((DecisionTable, JoinedAnswer), bool) {
    let outcomes = Outcomes::of(&arguments.file, measurement);
    let mut table = DecisionTable::keeping(0);
    let input = Input { paths: arguments.trace.clone(), json: arguments.json };
    let read = read(&input, || table.visitor());
    let is_whole = read.is_whole();
    let started = read.files().map(|(facts, _)| facts.header.started_wall_ns).min().unwrap_or(0);
    for (facts, decisions) in read.runs.into_iter().flat_map(|run| run.files) {
        table.add(decisions, &facts, Some(&outcomes), started);
    }
    table.sort();
    let answer = JoinedAnswer::of(&table, measurement);
    ((table, answer), is_whole)
}

pub(super) fn to_json(table: &DecisionTable, answer: &JoinedAnswer) -> Value {
    let by_worker = answer.by_worker.iter().map(|(id, group)| {
        let pool = &table.pools[id.pool as usize];
        let worker = json!({"pool": pool, "worker": id.worker, "rank": id.rank});
        merge(worker, group_json(group, answer.joined))
    });
    json!({
        "requests": answer.requests,
        "with_id": answer.with_id,
        "matched": answer.matched,
        "unmatched": answer.requests - answer.matched,
        "decisions": answer.decisions,
        "decisions_joined": answer.joined,
        "by_worker": by_worker.collect::<Vec<_>>(),
        "without_predicted_regret": group_json(&answer.without_regret, answer.joined),
        "with_predicted_regret": group_json(&answer.with_regret, answer.joined),
    })
}

pub(super) fn print(
    table: &DecisionTable,
    answer: &JoinedAnswer,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "\n{} {} of {} requests have decisions in the trace, {} of its {} decisions were measured",
        heading("Joined"),
        count(answer.matched),
        count(answer.requests),
        count(answer.joined),
        count(answer.decisions),
    )?;
    if answer.joined == 0 {
        return Ok(());
    }
    let mut workers = GroupTable::new(&["worker", "pool"]);
    for (id, group) in &answer.by_worker {
        let pool = if table.pools.len() > 1 {
            table.pools[id.pool as usize].clone()
        } else {
            String::new()
        };
        workers.row(vec![worker_name(id.worker, id.rank), pool], group, answer.joined);
    }
    writeln!(out, "{}", workers.table)?;
    let mut regret = GroupTable::new(&["predicted regret", "pool"]);
    for (name, group) in [("none", &answer.without_regret), ("some", &answer.with_regret)] {
        regret.row(vec![name.into(), String::new()], group, answer.joined);
    }
    write!(out, "{}", regret.table)
}
