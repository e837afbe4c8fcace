//! `nashtrace blocks`: the life of KV blocks in every tier, what was evicted where to, what was computed
//! twice, and who paid.

mod json;
mod tables;

use std::io::{self, Write};
use std::path::PathBuf;

use nashtrace::trace::{PacketHeader, RawRecord};

use super::input::{Input, ReadRun, read};
use super::regret::OutcomeFiles;
use super::{Answered, Ending, complain, write_runs_json};
use crate::answers::BlocksAnswer;
use crate::load::Visitor;
use crate::report::heading;
use crate::tables::{DecisionTable, FileBlocks, FileDecisions, by_process};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Show this many of the requests that computed most blocks again
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Show every pool, not only the tiers
    #[arg(long)]
    pools: bool,
    /// Outcomes of the requests (JSON lines) [default: requests.jsonl of the lab run]
    #[arg(long, value_name = "FILE")]
    outcomes: Option<PathBuf>,
}

/// What is gathered from a file: decisions tell why a request came to a worker.
#[derive(Default)]
struct Gathered {
    blocks: FileBlocks,
    decisions: FileDecisions,
}

impl Visitor for Gathered {
    fn record(&mut self, packet: &PacketHeader, record: &RawRecord<'_>) {
        self.blocks.record(packet, record);
        self.decisions.record(packet, record);
    }
}

/// What is said about one run.
struct Report {
    run: String,
    answer: BlocksAnswer,
    /// What a reader must know before he believes the numbers.
    warnings: Vec<String>,
    /// Whether the outcomes, where there are some, could be used.
    is_whole: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let read = read(&arguments.input, Gathered::default);
    let is_whole = read.is_whole();
    let mut outcomes = OutcomeFiles::default();
    let reports: Vec<Report> =
        read.runs.into_iter().map(|run| Report::of(run, arguments, &mut outcomes)).collect();
    let is_whole = is_whole && reports.iter().all(|report| report.is_whole);
    let without = reports.iter().filter(|report| report.answer.events == 0);
    without.for_each(|report| complain(&no_blocks(&report.run)));
    let written = if arguments.input.json {
        write_runs_json(reports.iter().map(json::report), out)
    } else {
        print(&reports, arguments.pools, out)
    };
    (Ending::of_reading(is_whole), written)
}

fn no_blocks(run: &str) -> String {
    format!(
        "{run}: no block events; is a KV block manager patched, or does the simulator have a KV capacity?"
    )
}

impl Report {
    fn of(run: ReadRun<Gathered>, arguments: &Arguments, outcomes: &mut OutcomeFiles) -> Self {
        let started = run.files.iter().map(|(facts, _)| facts.header.started_wall_ns).min();
        let files = run.files.iter().map(|(facts, gathered)| (facts, &gathered.blocks));
        let processes = by_process(files);
        let mut warnings: Vec<String> = processes
            .iter()
            .filter_map(|process| process.incomplete.clone())
            .map(|why| format!("{why}: counts are too low, and lives may contradict themselves"))
            .collect();
        let blind = processes.iter().filter(|process| !process.has_device_memory());
        warnings.extend(blind.map(|process| {
            format!(
                "{}: no pool of device memory (G1) is recorded, so that what was computed twice there is not \
                 known: the engine's own may have held a block that comes back to a lower tier",
                process.label
            )
        }));
        let mut decisions = DecisionTable::keeping(0);
        let mut is_whole = true;
        for (facts, Gathered { decisions: of_file, .. }) in run.files {
            let given = arguments.outcomes.as_ref();
            let outcomes =
                outcomes.of_trace(given, &facts.path, &of_file).unwrap_or_else(|error| {
                    complain(&error.to_string());
                    warnings.push(format!("{error}; they are left out"));
                    is_whole = false;
                    None
                });
            decisions.add(of_file, &facts, outcomes, started.unwrap_or(0));
        }
        let answer = BlocksAnswer::of(&processes, &decisions.rows, arguments.top);
        if answer.recorded_sample > 1 {
            let sample = answer.recorded_sample;
            warnings.push(format!(
                "one in {sample} hashes was recorded: numbers of blocks are estimates, {sample} times those of \
                 the sample"
            ));
        }
        if answer.contradictions > 0 {
            let count = answer.contradictions;
            warnings
                .push(format!("{count} events contradict those before them; see nashtrace verify"));
        }
        Self { run: run.folder.to_string_lossy().into_owned(), answer, warnings, is_whole }
    }
}

fn print(reports: &[Report], pools: bool, out: &mut dyn Write) -> io::Result<()> {
    for (index, report) in reports.iter().filter(|report| report.answer.events > 0).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        if reports.len() > 1 {
            writeln!(out, "{} {}\n", heading("Run"), report.run)?;
        }
        tables::print(report, pools, out)?;
    }
    Ok(())
}
