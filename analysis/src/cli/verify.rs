//! `nashtrace verify`: is the trace whole, are the recorded costs what the published formula gives, and do
//! the lives of KV blocks obey their laws?

use std::io::{self, Write};

use nashtrace::trace::{PacketHeader, RawRecord};
use serde_json::{Value, json};

use super::input::{Input, Read, read};
use super::{Answered, Ending, write_json};
use crate::load::Visitor;
use crate::report::{count, heading, sentence};
use crate::tables::{FileBlocks, by_process};
use crate::verify::{BlockLaws, Checks, Conservation, block_laws, conservation};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
}

/// What is gathered from a file.
#[derive(Default)]
struct Gathered {
    checks: Checks,
    blocks: FileBlocks,
}

impl Visitor for Gathered {
    fn record(&mut self, packet: &PacketHeader, record: &RawRecord<'_>) {
        self.checks.record(packet, record);
        self.blocks.record(packet, record);
    }
}

/// The verdict over all files.
struct Verdict {
    problems: Vec<String>,
    conserved: bool,
    checks: Checks,
    block_events_checked: u64,
    /// Why the laws of blocks could not be checked, by process.
    blocks_unchecked: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let read = read(&arguments.input, Gathered::default);
    let verdict = judge(&read);
    let written = if arguments.input.json {
        write_json(&to_json(&verdict, &read), out)
    } else if read.runs.is_empty() {
        Ok(())
    } else {
        print(&verdict, &read, out)
    };
    let ending = if !read.unreadable.is_empty() || read.is_torn() {
        Ending::Unreadable
    } else if verdict.problems.is_empty() {
        Ending::Good
    } else {
        Ending::BadData
    };
    (ending, written)
}

fn judge(read: &Read<Gathered>) -> Verdict {
    let mut verdict = Verdict {
        problems: read.unreadable.clone(),
        conserved: !read.runs.is_empty(),
        checks: Checks::default(),
        block_events_checked: 0,
        blocks_unchecked: Vec::new(),
    };
    for (facts, Gathered { checks, .. }) in read.files() {
        verdict.problems.extend(facts.damage_sentences());
        let missing = facts.missing_packets();
        if missing > 0 {
            let path = facts.path.display();
            verdict.problems.push(format!("{path}: {missing} packets are missing"));
        }
        let Conservation { holds, problems } = conservation(facts, checks);
        verdict.conserved &= holds;
        verdict.problems.extend(problems);
        verdict.problems.extend(checks.problems(&facts.path));
        verdict.checks.add(checks);
    }
    for run in &read.runs {
        let files = run.files.iter().map(|(facts, gathered)| (facts, &gathered.blocks));
        for BlockLaws { checked, unchecked, problems } in by_process(files).iter().map(block_laws) {
            verdict.block_events_checked += checked;
            verdict.blocks_unchecked.extend(unchecked);
            verdict.problems.extend(problems);
        }
    }
    verdict
}

fn to_json(verdict: &Verdict, read: &Read<Gathered>) -> Value {
    let checks = &verdict.checks;
    json!({
        "ok": verdict.problems.is_empty(),
        "conserved": verdict.conserved,
        "decisions_checked": checks.decisions_checked,
        "cost_mismatches": checks.cost_mismatches,
        "candidates_checked": checks.candidates_checked,
        "costs_equal_bit_for_bit": checks.costs_bit_equal,
        "decisions_not_recomputable": checks.not_recomputable(),
        "block_events_checked": verdict.block_events_checked,
        "blocks_unchecked": verdict.blocks_unchecked,
        "files": read.files().count(),
        "problems": verdict.problems,
    })
}

fn print(verdict: &Verdict, read: &Read<Gathered>, out: &mut dyn Write) -> io::Result<()> {
    let checks = &verdict.checks;
    let yes_no = |yes: bool| if yes { "yes" } else { "NO" };
    writeln!(out, "{} {}", heading("Files"), read.files().count())?;
    writeln!(
        out,
        "{} {} (produced = written + lost, for every producer and kind)",
        heading("Conserved"),
        yes_no(verdict.conserved)
    )?;
    writeln!(
        out,
        "{} {} of {} tracked decisions recomputed, {} mismatches",
        heading("Costs"),
        count(checks.decisions_checked),
        count(checks.tracked),
        count(checks.cost_mismatches),
    )?;
    writeln!(
        out,
        "  {} candidates, {} of them equal bit for bit",
        count(checks.candidates_checked),
        count(checks.costs_bit_equal)
    )?;
    for (why, decisions) in checks.not_recomputable() {
        writeln!(out, "  {} not recomputable: {why}", count(decisions))?;
    }
    if verdict.block_events_checked > 0 {
        writeln!(
            out,
            "{} {} block events: only what is present is used or taken, and no pool is fuller than full",
            heading("Blocks"),
            count(verdict.block_events_checked)
        )?;
    }
    for why in &verdict.blocks_unchecked {
        writeln!(out, "{} not checked: {why}", heading("Blocks"))?;
    }
    let none = if verdict.problems.is_empty() { " none" } else { "" };
    writeln!(out, "{}{none}", heading("Problems"))?;
    for problem in &verdict.problems {
        writeln!(out, "{}", sentence(problem))?;
    }
    Ok(())
}
