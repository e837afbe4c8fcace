//! `nashtrace transfers`: copies of KV blocks between tiers, with their times.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::input::{Input, ReadRun, read};
use super::show::{distribution_json, tier_name};
use super::{Answered, Ending, complain, write_runs_json};
use crate::answers::{Way, WayAnswer, transfers_by_way};
use crate::report::{Table, count, heading, number};
use crate::tables::{FileTransfers, TransferRow};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
}

/// What is said about one run.
struct Report {
    run: String,
    ways: Vec<(Way, WayAnswer)>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let read = read(&arguments.input, FileTransfers::default);
    let is_whole = read.is_whole();
    let reports: Vec<Report> = read.runs.iter().map(Report::of).collect();
    for report in reports.iter().filter(|report| report.ways.is_empty()) {
        complain(&format!("{}: no copies; is a KV block manager patched?", report.run));
    }
    let written = if arguments.input.json {
        write_runs_json(reports.iter().map(to_json), out)
    } else {
        print(&reports, out)
    };
    (Ending::of_reading(is_whole), written)
}

impl Report {
    fn of(run: &ReadRun<FileTransfers>) -> Self {
        let files = run.files.iter();
        let rows: Vec<TransferRow> =
            files.flat_map(|(facts, transfers)| transfers.rows(facts)).collect();
        let run = run.folder.to_string_lossy().into_owned();
        Self { run, ways: transfers_by_way(&rows).into_iter().collect() }
    }
}

fn to_json(report: &Report) -> Value {
    let ways = report.ways.iter().map(|(way, answer)| {
        let not_done = answer.not_done.iter().map(|(outcome, n)| (outcome.name().to_owned(), *n));
        json!({
            "from_tier": way.from.name(),
            "to_tier": way.to.name(),
            "strategy": way.strategy.name(),
            "timing": way.timing.name(),
            "transfers": answer.transfers,
            "blocks": answer.blocks,
            "bytes": answer.bytes,
            "not_done": not_done.collect::<std::collections::BTreeMap<_, _>>(),
            "duration_ms": distribution_json(&answer.duration_ms),
            "enqueue_us": distribution_json(&answer.enqueue_us),
            "queued_ms": distribution_json(&answer.queued_ms),
            "gigabytes_per_s": distribution_json(&answer.gigabytes_per_s),
        })
    });
    json!({ "run": report.run, "transfers": ways.collect::<Vec<_>>() })
}

fn print(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    for (index, report) in reports.iter().filter(|report| !report.ways.is_empty()).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        if reports.len() > 1 {
            writeln!(out, "{} {}\n", heading("Run"), report.run)?;
        }
        writeln!(out, "{} times in ms, what the caller paid in us", heading("Copies"))?;
        write!(out, "{}", table(&report.ways))?;
    }
    Ok(())
}

fn table(ways: &[(Way, WayAnswer)]) -> Table {
    let mut table = Table::new(&[
        "way",
        "made by",
        "timed by",
        "copies",
        "blocks",
        "GB",
        "took\np50",
        "\np99",
        "GB/s\np50",
        "caller\np50",
        "in stream\np50",
        "not done",
    ])
    .left(1)
    .left(2)
    .optional(9)
    .optional(10)
    .optional(11);
    for (way, of) in ways {
        table.row(vec![
            format!("{} to {}", tier_name(way.from), tier_name(way.to)),
            way.strategy.name().replace('_', " "),
            way.timing.name().replace('_', " "),
            count(of.transfers),
            count(of.blocks),
            number(of.bytes as f64 / 1e9),
            number(of.duration_ms.p50),
            number(of.duration_ms.p99),
            number(of.gigabytes_per_s.p50),
            number(of.enqueue_us.p50),
            number(of.queued_ms.p50),
            count(of.not_done.values().sum()),
        ]);
    }
    table
}
