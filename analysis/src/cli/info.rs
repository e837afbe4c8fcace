//! `nashtrace info`: what is in a trace, and what is missing from it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use nashtrace::field;
use nashtrace::record::{Clock, Head, Kind, LossReason};
use nashtrace::trace::Packet;
use serde_json::{Value, json};

use super::input::{Input, Read, read};
use super::{Answered, Ending, write_json};
use crate::load::{FileFacts, Visitor, deleted_files};
use crate::report::{Table, count, heading, seconds, sentence};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
}

/// First and last event of a file on each clock.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    clocks: [Option<(u64, u64)>; 2],
}

/// Whether records of this kind say that something happened in the host.
fn is_event(kind: u8) -> bool {
    matches!(
        Kind::from_u8(kind),
        Some(
            Kind::Decision
                | Kind::Request
                | Kind::Block
                | Kind::Transfer
                | Kind::PlannerTick
                | Kind::PlannerDecision
                | Kind::PlannerEffect
        )
    )
}

impl Visitor for Span {
    fn packet(&mut self, packet: &Packet<'_>) {
        let (mut clocks, mut times) = (Vec::new(), Vec::new());
        for table in packet.tables().filter(|table| is_event(table.kind())) {
            let clocks = table.records().read(field!(Head, clock), &mut clocks);
            let times = table.records().read(field!(Head, time), &mut times);
            clocks.iter().zip(times.iter()).for_each(|(clock, time)| self.add(clock, time));
        }
    }
}

impl Span {
    fn add(&mut self, clock: u8, time: u64) {
        if let Some(slot) = self.clocks.get_mut(usize::from(clock)) {
            let (first, last) = slot.unwrap_or((time, time));
            *slot = Some((first.min(time), last.max(time)));
        }
    }

    fn seconds(&self, facts: &FileFacts) -> Option<f64> {
        let ticks = self.clocks[Clock::Ticks as usize]
            .map(|(first, last)| facts.timeline.elapsed_ns(first, last) / 1e9);
        let caller =
            self.clocks[Clock::Caller as usize].map(|(first, last)| (last - first) as f64 / 1e9);
        match (ticks, caller) {
            (Some(ticks), Some(caller)) => Some(ticks.max(caller)),
            (ticks, caller) => ticks.or(caller),
        }
    }

    fn clock(&self) -> Option<&'static str> {
        match self.clocks {
            [Some(_), Some(_)] => Some("mixed"),
            [Some(_), None] => Some("ticks"),
            [None, Some(_)] => Some("caller"),
            [None, None] => None,
        }
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let read = read(&arguments.input, Span::default);
    let written = if arguments.input.json {
        write_json(&to_json(&read), out)
    } else if read.runs.is_empty() {
        Ok(())
    } else {
        print(&read, out)
    };
    (Ending::of_reading(read.is_whole()), written)
}

/// Records read, by the name of their kind.
fn records(read: &Read<Span>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (kind, count) in read.files().flat_map(|(facts, _)| facts.events()) {
        let name =
            Kind::from_u8(kind).map_or_else(|| format!("kind_{kind}"), |kind| kind.name().into());
        *sum.entry(name).or_default() += count;
    }
    sum
}

/// Events lost, by reason.
fn lost(read: &Read<Span>) -> BTreeMap<&'static str, u64> {
    let mut sum: BTreeMap<&str, u64> =
        LossReason::ALL.iter().map(|reason| (reason.name(), 0)).collect();
    for producer in read.files().flat_map(|(facts, _)| facts.producers.values()) {
        for (reason, lost) in LossReason::ALL.iter().zip(producer.lost) {
            *sum.entry(reason.name()).or_default() += lost;
        }
    }
    sum
}

fn clock(read: &Read<Span>) -> Option<&'static str> {
    let mut clocks = read.files().filter_map(|(_, span)| span.clock());
    let first = clocks.next()?;
    Some(if clocks.all(|clock| clock == first) { first } else { "mixed" })
}

/// The span of the file that has the longest one: runs and hosts have no common time.
fn longest_span(read: &Read<Span>) -> Option<f64> {
    read.files().filter_map(|(facts, span)| span.seconds(facts)).reduce(f64::max)
}

fn to_json(read: &Read<Span>) -> Value {
    let processes: Vec<Value> = read
        .files()
        .map(|(facts, span)| {
            let header = &facts.header;
            json!({
                "file": facts.path.to_string_lossy(),
                "bytes": facts.bytes,
                "host": header.host,
                "pid": header.process_id,
                "process_name": header.process_name,
                "library_version": header.library_version,
                "started_wall_ns": header.started_wall_ns,
                "tick_source": header.tick_source,
                "settings": header.settings.iter().cloned().collect::<BTreeMap<_, _>>(),
                "producers": facts.producers.keys().filter(|producer| **producer != 0).count(),
                "clock": span.clock(),
                "span_seconds": span.seconds(facts),
                "complete": facts.complete,
                "missing": facts.missing_sentences(),
            })
        })
        .collect();
    json!({
        "records": records(read),
        "lost": lost(read),
        "processes": processes,
        "span_seconds": longest_span(read),
        "clock": clock(read),
        "deleted": deleted_files(read.files().map(|(facts, _)| facts)),
        "unreadable": read.unreadable,
    })
}

fn print(read: &Read<Span>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading("Processes"))?;
    let mut table =
        Table::new(&["host", "pid", "process", "threads", "span", "clock", "bytes", "complete"])
            .left(2)
            .left(5);
    for (facts, span) in read.files() {
        table.row(vec![
            facts.header.host.clone(),
            facts.header.process_id.to_string(),
            facts.header.process_name.clone(),
            facts.producers.keys().filter(|producer| **producer != 0).count().to_string(),
            span.seconds(facts).map_or_else(|| "-".into(), seconds),
            span.clock().unwrap_or("-").into(),
            count(facts.bytes),
            if facts.complete { "yes".into() } else { "no".into() },
        ]);
    }
    writeln!(out, "{table}")?;

    writeln!(out, "{}", heading("Records"))?;
    let mut table = Table::new(&["kind", "records"]);
    for (kind, records) in records(read) {
        table.row(vec![kind, count(records)]);
    }
    writeln!(out, "{table}")?;

    let mut lost = lost(read);
    let sampled_out = lost.remove(LossReason::SampledOut.name()).unwrap_or(0);
    let total: u64 = lost.values().sum();
    writeln!(out, "{} {}", heading("Lost"), count(total))?;
    for (reason, lost) in lost.iter().filter(|(_, lost)| **lost > 0) {
        writeln!(out, "  {reason}: {}", count(*lost))?;
    }
    if sampled_out > 0 {
        writeln!(
            out,
            "{} {} block events, as configured",
            heading("Left out"),
            count(sampled_out)
        )?;
    }
    let files = read.files().flat_map(|(facts, _)| facts.missing_sentences());
    let deleted = deleted_files(read.files().map(|(facts, _)| facts));
    let missing: Vec<String> =
        read.unreadable.iter().cloned().chain(deleted).chain(files).collect();
    let nothing = if missing.is_empty() { " nothing" } else { "" };
    writeln!(out, "{}{nothing}", heading("Missing"))?;
    for missing in missing {
        writeln!(out, "{}", sentence(&missing))?;
    }
    Ok(())
}
