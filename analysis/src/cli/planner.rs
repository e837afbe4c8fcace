//! `nashtrace planner`: what planners saw, decided and brought about.

use std::io::{self, Write};

use nashtrace::record::{PlannerFlag, UNKNOWN_U32};
use serde_json::{Map, Value, json};

use super::input::{Input, Read, read};
use super::show::{distribution_json, finite};
use super::{Answered, Ending, complain, write_runs_json};
use crate::answers::{PlannerAnswer, PredictionError};
use crate::report::{Table, count, heading, number, percent, sentence};
use crate::tables::{ComponentRow, FilePlanner, OutcomeRow, PlannerTable, TickRow};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Show every tick, not only those that decide a change or see one
    #[arg(long)]
    all: bool,
    /// A scaling event that takes back the one before it within N ticks is a ping-pong
    #[arg(long, value_name = "N", default_value_t = 3)]
    intervals: u64,
}

/// What is said about one planner: every process has its own.
struct Report {
    file: String,
    table: PlannerTable,
    answer: PlannerAnswer,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let read = read(&arguments.input, FilePlanner::default);
    let reports = reports(&read, arguments.intervals);
    if reports.is_empty() && !read.runs.is_empty() {
        complain("no planner has recorded anything there; is the planner patched?");
    }
    let written = if arguments.input.json {
        write_runs_json(reports.iter().map(to_json), out)
    } else {
        print(&reports, arguments.all, out)
    };
    (Ending::of_reading(read.is_whole()), written)
}

fn reports(read: &Read<FilePlanner>, intervals: u64) -> Vec<Report> {
    let reports = read.files().map(|(facts, planner)| {
        let table = planner.table(facts);
        let answer = PlannerAnswer::of(&table, intervals);
        Report { file: facts.path.to_string_lossy().into_owned(), table, answer }
    });
    reports.filter(|report| !report.table.ticks.is_empty()).collect()
}

fn to_json(report: &Report) -> Value {
    let answer = &report.answer;
    let scaling: Map<String, Value> = answer
        .scaling_events
        .iter()
        .map(|(worker_type, (up, down))| (worker_type.clone(), json!({ "up": up, "down": down })))
        .collect();
    json!({
        "file": report.file,
        "ticks": answer.ticks,
        "advisory_ticks": answer.advisory_ticks,
        "changes_decided": answer.changes_decided,
        "changes_without_effect": answer.without_effect,
        "decision_to_effect_s": distribution_json(&answer.effect_s),
        "scaling_events": scaling,
        "ping_pongs": answer.ping_pongs,
        "ping_pong_index": finite(answer.ping_pong_index()),
        "prediction_error": answer.prediction.iter().map(error_json).collect::<Vec<_>>(),
        "decisions": report.table.ticks.iter().map(tick_json).collect::<Vec<_>>(),
        "outcomes": report.table.outcomes.iter().map(outcome_json).collect::<Vec<_>>(),
    })
}

fn error_json(error: &PredictionError) -> Value {
    json!({
        "quantity": error.quantity,
        "count": error.count,
        "bias": finite(error.bias),
        "mean_absolute": finite(error.mean_absolute),
        "mean_relative": finite(error.mean_relative),
    })
}

fn tick_json(row: &TickRow) -> Value {
    let tick = &row.tick;
    json!({
        "tick": tick.tick,
        "time_s": row.time_s,
        "action": row.action,
        "config_generation": tick.config_generation,
        "advisory": tick.has(PlannerFlag::Advisory),
        "fresh_traffic": tick.has(PlannerFlag::FreshTraffic),
        "observed": {
            "interval_s": finite(tick.interval_s),
            "request_rate": finite(tick.observed_request_rate),
            "isl": finite(tick.observed_isl),
            "osl": finite(tick.observed_osl),
            "ttft_ms": finite(tick.observed_ttft_ms),
            "itl_ms": finite(tick.observed_itl_ms),
            "duration_s": finite(tick.observed_duration_s),
            "kv_hit_rate": finite(tick.observed_kv_hit_rate),
        },
        "predicted": {
            "request_rate": finite(tick.predicted_request_rate),
            "isl": finite(tick.predicted_isl),
            "osl": finite(tick.predicted_osl),
            "kv_hit_rate": finite(tick.predicted_kv_hit_rate),
        },
        "target": { "ttft_ms": finite(tick.target_ttft_ms), "itl_ms": finite(tick.target_itl_ms) },
        "gpus": finite(tick.gpus),
        "gpu_hours": finite(tick.gpu_hours),
        "components": row.components.iter().map(component_json).collect::<Vec<_>>(),
    })
}

fn component_json(component: &ComponentRow) -> Value {
    let decision = &component.decision;
    let known = |value: u32| (value != UNKNOWN_U32).then_some(value);
    let effects = component.effects.iter();
    let effects = effects.map(|(kind, reason)| json!({ "effect": kind.name(), "reason": reason }));
    json!({
        "worker_type": component.worker_type,
        "ready": decision.ready,
        "expected": known(decision.expected),
        "wanted": known(decision.wanted),
        "decided": known(decision.decided),
        "minimum": known(decision.minimum),
        "capacity_request_rate": finite(decision.capacity_request_rate),
        "estimated_latency_ms": finite(decision.estimated_latency_ms),
        "gpus_per_replica": finite(decision.gpus_per_replica),
        "load_reason": component.load_reason,
        "throughput_reason": component.throughput_reason,
        "effects": effects.collect::<Vec<_>>(),
    })
}

fn outcome_json(outcome: &OutcomeRow) -> Value {
    json!({
        "tick": outcome.tick,
        "time_s": outcome.time_s,
        "worker_type": outcome.worker_type,
        "from": outcome.from,
        "to": outcome.to,
    })
}

fn print(reports: &[Report], all: bool, out: &mut dyn Write) -> io::Result<()> {
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        if reports.len() > 1 {
            writeln!(out, "{} {}\n", heading("Planner"), report.file)?;
        }
        print_one(report, all, out)?;
    }
    Ok(())
}

fn print_one(report: &Report, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let answer = &report.answer;
    writeln!(out, "{} {} ticks", heading("Decisions"), count(answer.ticks))?;
    writeln!(out, "{}", decisions(&report.table, all))?;
    if !answer.prediction.is_empty() {
        writeln!(out, "{} predicted less actual, one interval later", heading("Predictions"))?;
        writeln!(out, "{}", predictions(&answer.prediction))?;
    }
    writeln!(out, "{}", heading("Effect"))?;
    for (worker_type, (up, down)) in &answer.scaling_events {
        writeln!(
            out,
            "  {worker_type}: scaled up {} times, down {} times",
            count(*up),
            count(*down)
        )?;
    }
    let delay = &answer.effect_s;
    let nothing = "no change was decided that is to be applied".to_owned();
    let text = format!(
        "{} changes were decided; {} of them were seen, {} s later in the median and {} s at p99",
        count(answer.changes_decided),
        count(delay.count),
        number(delay.p50),
        number(delay.p99)
    );
    let text = if answer.changes_decided == 0 { nothing } else { text };
    writeln!(out, "{}", sentence(&text))?;
    if answer.advisory_ticks > 0 {
        let advisory = count(answer.advisory_ticks);
        writeln!(
            out,
            "{}",
            sentence(&format!("{advisory} ticks were advisory: nothing was applied"))
        )?;
    }
    if answer.scaling_total() == 0 {
        return writeln!(out, "{}", sentence("no change of replicas was seen"));
    }
    let index = percent(answer.ping_pong_index());
    let text = format!(
        "{} of {} scaling events took back the one before them: ping-pong index {index}",
        count(answer.ping_pongs),
        count(answer.scaling_total())
    );
    writeln!(out, "{}", sentence(&text))
}

fn decisions(planner: &PlannerTable, all: bool) -> Table {
    let mut table = Table::new(&[
        "time s",
        "tick",
        "requests/s\nseen",
        "\nexpected",
        "TTFT\nms",
        "ITL\nms",
        "worker type",
        "ready",
        "decided",
        "seen",
        "why",
        "effects",
    ])
    .left(6)
    .left(10)
    .left(11)
    .optional(2)
    .optional(3)
    .optional(4)
    .optional(5)
    .optional(9);
    for row in &planner.ticks {
        for component in &row.components {
            let outcome = planner.outcomes.iter().find(|outcome| {
                outcome.tick == row.tick.tick && outcome.worker_type == component.worker_type
            });
            if !all && component.direction() == 0 && outcome.is_none() {
                continue;
            }
            table.row(vec![
                format!("{:.1}", row.time_s),
                row.tick.tick.to_string(),
                number(row.tick.observed_request_rate),
                number(row.tick.predicted_request_rate),
                number(row.tick.observed_ttft_ms),
                number(row.tick.observed_itl_ms),
                component.worker_type.clone(),
                component.decision.ready.to_string(),
                component.decided().map_or_else(|| "-".to_owned(), |decided| decided.to_string()),
                outcome.map_or_else(String::new, |o| format!("{} to {}", o.from, o.to)),
                why(component),
                effects(component),
            ]);
        }
    }
    table
}

fn why(component: &ComponentRow) -> String {
    let reasons = [&component.load_reason, &component.throughput_reason];
    let given: Vec<String> =
        reasons.iter().filter(|reason| !reason.is_empty()).map(|r| r.replace('_', " ")).collect();
    given.join("; ")
}

fn effects(component: &ComponentRow) -> String {
    let told = component.effects.iter().map(|(kind, reason)| match reason.as_str() {
        "" => kind.name().to_owned(),
        reason => format!("{} ({})", kind.name(), reason.replace('_', " ")),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn predictions(errors: &[PredictionError]) -> Table {
    let mut table =
        Table::new(&["", "predictions", "bias", "mean absolute error", "mean relative error"]);
    for error in errors {
        table.row(vec![
            error.quantity.to_owned(),
            count(error.count),
            number(error.bias),
            number(error.mean_absolute),
            percent(error.mean_relative),
        ]);
    }
    table
}
