//! The tables that are printed.

use comfy_table::{CellAlignment, Table, presets};

use crate::collector::Throughput;
use crate::measure::{Spread, quantile};
use crate::names;
use crate::results::Results;
use crate::trace_file::Reading;

/// What a call may cost, in nanoseconds.
const BUDGETS: [(&str, f64); 4] = [
    (names::REQUEST_NO_CLOCK, 15.0),
    (names::DECISION, 100.0),
    (names::DECISION_64, 600.0),
    (names::FULL_NO_CLOCK, 5.0),
];

/// What the hook without a library may cost beyond an empty call.
const HOOK_BUDGET: f64 = 2.0;

/// The tables of a run.
pub fn text(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = format!(
        "{}, {} processors, Linux {}; load {:.1} before, {:.1} after\n\n\
         Cost on the calling thread, ns per call: median of {} repeats' medians (least to greatest)\n{}\n",
        machine.processor,
        machine.processors,
        machine.kernel,
        machine.load_before,
        machine.load_after,
        results.calls.first().map_or(0, |calls| calls.repeats.len()),
        calls(results),
    );
    for missing in &results.missing {
        text += &format!("not measured: {}: {}\n", missing.what, missing.why);
    }
    if let Some(table) = throughput(results) {
        text += &format!("\nBeside the calling thread\n{table}\n");
    }
    text
}

fn calls(results: &Results) -> Table {
    let with_instructions = results.calls.iter().any(|calls| calls.instructions.is_some());
    let mut header = vec!["", "p50", "least to greatest", "p99 batch", "times", "budget", "lost"];
    if with_instructions {
        header.push("instructions");
    }
    let mut table = table(&header);
    let median = |name: &str| {
        results.calls.iter().find(|calls| calls.name == name).map(|calls| calls.p50_ns().median)
    };
    let (decision, empty) = (median(names::DECISION), median(names::EMPTY));
    for calls in &results.calls {
        let spread = calls.p50_ns();
        let is_decision = calls.name.starts_with(names::DECISION_PREFIX);
        let ratio = decision.filter(|_| is_decision).map(|ours| spread.median / ours);
        let budget = BUDGETS
            .iter()
            .find(|(name, _)| *name == calls.name)
            .map(|(_, ns)| format!("{ns} {}", verdict(spread.median <= *ns)));
        let hook = empty.filter(|_| calls.name == names::HOOK).map(|empty| {
            format!("empty + {HOOK_BUDGET} {}", verdict(spread.median - empty <= HOOK_BUDGET))
        });
        let lost = calls.lost().map(|(lost, made)| format!("{lost} of {made}"));
        let mut row = vec![
            calls.name.clone(),
            ns(spread.median),
            format!("{} to {}", ns(spread.min), ns(spread.max)),
            ns(calls.p99_ns()),
            ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default(),
            budget.or(hook).unwrap_or_default(),
            lost.unwrap_or_default(),
        ];
        if with_instructions {
            let count = calls.instructions.map(|count| format!("{count:.0}"));
            row.push(count.unwrap_or_default());
        }
        table.add_row(row);
    }
    right_align(table)
}

fn throughput(results: &Results) -> Option<Table> {
    let mut table = table(&["", "median", "least to greatest", "budget", "remarks"]);
    for (name, runs, budget) in [
        ("collector, request events, M records/s per core", &results.collector_requests, 5.0),
        (
            "collector, decisions and candidates, M records/s per core",
            &results.collector_decisions,
            5.0,
        ),
    ] {
        if runs.is_empty() {
            continue;
        }
        let spread = spread(runs, |run| run.per_core() / 1e6);
        let wall = quantile(&each(runs, |run| run.records as f64 / run.wall_s / 1e6), 0.5);
        let busy = quantile(&each(runs, |run| run.collector_s / run.wall_s), 0.5);
        let lost: u64 = runs.iter().map(|run: &Throughput| run.lost).sum();
        let remarks = format!(
            "{wall:.2} M/s of wall time, collector busy {:.0} %, {lost} lost",
            100.0 * busy
        );
        let verdict = verdict(spread.median >= budget);
        add(&mut table, name, spread, format!("{budget} {verdict}"), remarks);
    }
    let readings = &results.readings;
    if let Some(first) = readings.first() {
        type Seconds = fn(&Reading) -> f64;
        let ways: [(&str, Seconds, Option<f64>); 4] = [
            ("reader, by records, M records/s per core", |reading| reading.by_records_s, None),
            (
                "reader, all columns, M records/s per core",
                |reading| reading.by_columns_s,
                Some(50.0),
            ),
            (
                "reader, two columns, M records/s per core",
                |reading| reading.two_columns_s,
                Some(50.0),
            ),
            ("reader, checked and decompressed only", |reading| reading.no_columns_s, None),
        ];
        for (name, seconds, budget) in ways {
            let rate = spread(readings, |reading| reading.records as f64 / seconds(reading) / 1e6);
            let budget = budget.map(|least| format!("{least} {}", verdict(rate.median >= least)));
            add(&mut table, name, rate, budget.unwrap_or_default(), String::new());
        }
        let bytes = Spread::of(&[first.bytes_per_row()]);
        let remarks = format!("{} rows; the whole file counted", first.rows);
        let budget = format!("16 {}", verdict(bytes.median <= 16.0));
        add(&mut table, "trace, bytes per candidate row", bytes, budget, remarks);
    }
    (table.row_iter().count() > 0).then(|| right_align(table))
}

fn add(table: &mut Table, name: &str, spread: Spread, budget: String, remarks: String) {
    table.add_row(vec![
        name.to_owned(),
        format!("{:.2}", spread.median),
        format!("{:.2} to {:.2}", spread.min, spread.max),
        budget,
        remarks,
    ]);
}

fn each<T>(runs: &[T], value: impl Fn(&T) -> f64) -> Vec<f64> {
    runs.iter().map(value).collect()
}

fn spread<T>(runs: &[T], value: impl Fn(&T) -> f64) -> Spread {
    Spread::of(&each(runs, value))
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}

fn ns(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    table
}

fn right_align(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
