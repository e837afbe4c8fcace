//! `nashtrace decisions`: list decisions, in file order.

use std::io::{self, Write};

use nashtrace::record::{Candidate, Clock, Decision, NameSpace, Reason, request_key};
use nashtrace::trace::{PacketHeader, RawRecord};
use serde_json::{Value, json};

use super::input::{Input, Read, read};
use super::show::{
    candidate_json, candidate_table, clock_name, decision_json, decision_names, merge, worker_name,
};
use super::{Answered, Ending, complain};
use crate::game::{overlap_regret, predicted_regret};
use crate::load::{FileFacts, Visitor, scan};
use crate::report::{Table, count, number};
use crate::tables::candidates;

/// Decisions that a person is shown unless more are asked for.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Stop after this many [default: 20 in a table, all in JSON]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only this request: its id, or its key in hexadecimal
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Only decisions for this worker
    #[arg(long, value_name = "WORKER")]
    worker: Option<u64>,
    /// Only decisions taken for this reason
    #[arg(long, value_name = "REASON", value_parser = reason_names())]
    reason: Option<String>,
    /// Show the candidates too
    #[arg(long)]
    candidates: bool,
}

fn reason_names() -> Vec<&'static str> {
    Reason::ALL.iter().map(|reason| reason.name()).collect()
}

/// What the user wants to see.
struct Filter {
    keys: Option<Vec<u64>>,
    worker: Option<u64>,
    reason: Option<String>,
    limit: usize,
}

impl Filter {
    fn new(arguments: &Arguments) -> Self {
        let shown = if arguments.input.json { usize::MAX } else { SHOWN };
        Self {
            keys: arguments.request.as_deref().map(|id| {
                let key = u64::from_str_radix(id, 16).ok();
                key.into_iter().chain([request_key(id.as_bytes())]).collect()
            }),
            worker: arguments.worker,
            reason: arguments.reason.clone(),
            limit: arguments.limit.unwrap_or(shown),
        }
    }

    fn wants(&self, decision: &Decision, chosen: &Candidate) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(&decision.request))
            && self.worker.is_none_or(|worker| worker == chosen.worker)
            && self
                .reason
                .as_deref()
                .is_none_or(|reason| reason == Reason::from_u8(decision.reason).name())
    }
}

/// Writes the decisions of one file that pass the filter.
struct Printer<'a> {
    facts: &'a FileFacts,
    filter: &'a Filter,
    form: &'a mut Form,
    out: &'a mut dyn Write,
    /// The first failure to write; nothing is written after it.
    result: io::Result<()>,
}

impl Visitor for Printer<'_> {
    fn record(&mut self, packet: &PacketHeader, record: &RawRecord<'_>) {
        let Some(decision) = record.to::<Decision>() else { return };
        let candidates = candidates(record);
        let Some(chosen) = candidates.get(decision.chosen as usize) else { return };
        if self.result.is_ok() && self.filter.wants(&decision, chosen) {
            self.form.matching += 1;
            if self.form.shown < self.filter.limit {
                self.form.shown += 1;
                let facts = self.facts;
                let full = Shown { facts, producer: packet.producer, decision, candidates };
                self.result = self.form.add(&full, self.out);
            }
        }
    }
}

/// A decision with what is known about its file.
struct Shown<'a> {
    facts: &'a FileFacts,
    producer: u32,
    decision: Decision,
    candidates: Vec<Candidate>,
}

/// How decisions are shown, and how many there were.
struct Form {
    json: bool,
    with_candidates: bool,
    table: Table,
    shown: usize,
    matching: u64,
}

impl Form {
    fn new(json: bool, with_candidates: bool) -> Self {
        Self { json, with_candidates, table: decision_table(), shown: 0, matching: 0 }
    }

    fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.json { write!(out, "{{\"decisions\":[") } else { Ok(()) }
    }

    fn add(&mut self, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.json {
            writeln!(out, "{}", if self.shown == 1 { "" } else { "," })?;
            let json = shown.to_json(self.with_candidates);
            return serde_json::to_writer(out, &json).map_err(io::Error::from);
        }
        self.table.row(shown.cells());
        if self.with_candidates {
            let table = std::mem::replace(&mut self.table, decision_table());
            writeln!(out, "{table}{}", candidate_table(&shown.decision, &shown.candidates))?;
        }
        Ok(())
    }

    fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.json {
            return writeln!(out, "\n]}}");
        }
        if !self.with_candidates {
            write!(out, "{}", self.table)?;
        }
        if (self.shown as u64) < self.matching {
            let matching = count(self.matching);
            writeln!(out, "{} of {matching} decisions; --limit shows more", self.shown)?;
        }
        Ok(())
    }
}

impl Shown<'_> {
    fn to_json(&self, with_candidates: bool) -> Value {
        let Self { facts, producer, decision, candidates } = self;
        let place = json!({
            "file": facts.path.to_string_lossy(),
            "producer": producer,
            "sequence": decision.head.sequence,
            "clock": clock_name(decision.head.clock),
            "time_ns": decision.head.time,
            "time_s": self.seconds(),
        });
        let mut json = merge(
            merge(place, decision_names(facts, decision)),
            decision_json(decision, candidates),
        );
        if with_candidates {
            json["candidates"] = candidates.iter().map(candidate_json).collect();
        }
        json
    }

    fn cells(&self) -> Vec<String> {
        let Self { facts, decision, candidates, .. } = self;
        let row = decision.chosen as usize;
        let chosen = &candidates[row];
        vec![
            format!("{:016x}", decision.request),
            format!("{:.3}", self.seconds()),
            facts.name(NameSpace::Pool, decision.pool),
            worker_name(chosen.worker, chosen.rank),
            Reason::from_u8(decision.reason).name().to_owned(),
            number(chosen.cost),
            number(predicted_regret(candidates.iter().map(|c| c.cost), row)),
            number(overlap_regret(candidates.iter().map(|c| c.effective_overlap_blocks), row)),
            number(decision.propensity),
            if decision.is_tracked() { String::new() } else { "advisory".to_owned() },
        ]
    }

    /// Seconds on the caller's clock, or since the session started.
    fn seconds(&self) -> f64 {
        let Self { facts, decision, .. } = self;
        let time = decision.head.time;
        if decision.head.clock == Clock::Caller as u8 {
            time as f64 / 1e9
        } else {
            let wall_ns = facts.timeline.wall_ns(time);
            wall_ns.saturating_sub_unsigned(facts.header.started_wall_ns) as f64 / 1e9
        }
    }
}

fn decision_table() -> Table {
    Table::new(&[
        "request",
        "time s",
        "pool",
        "worker",
        "reason",
        "cost",
        "predicted\nregret",
        "overlap\nregret",
        "propen-\nsity",
        "mode",
    ])
    .left(2)
    .left(4)
    .left(9)
    .optional(9)
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    // Two passes: a name may be interned after the first record that a crash left of it.
    let read = read(&arguments.input, || ());
    let written = if read.runs.is_empty() && !arguments.input.json {
        Ok(())
    } else {
        list(arguments, &read, out)
    };
    (Ending::of_reading(read.is_whole()), written)
}

fn list(arguments: &Arguments, read: &Read<()>, out: &mut dyn Write) -> io::Result<()> {
    let filter = Filter::new(arguments);
    let mut form = Form::new(arguments.input.json, arguments.candidates);
    form.begin(out)?;
    for (facts, ()) in read.files() {
        let (filter, form, out) = (&filter, &mut form, &mut *out);
        let mut printer = Printer { facts, filter, form, out, result: Ok(()) };
        if let Err(error) = scan(read.place(facts), &mut printer, |_| {}) {
            complain(&error.to_string());
        }
        printer.result?;
    }
    form.end(out)
}
