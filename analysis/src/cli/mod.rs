//! The command line: one thin file per subcommand.

mod blocks;
mod congestion;
mod decisions;
mod design;
mod doctor;
mod equilibrium;
mod experiment;
mod info;
mod input;
mod load;
mod objectives;
mod pareto;
mod planner;
mod progress;
mod regret;
mod report;
mod scrape;
mod selftest;
mod shapley;
mod show;
mod solve;
mod stats;
mod time_limit;
mod transfers;
mod verify;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::Value;

const EXAMPLES: &str = "\
A PATH is a trace file, a directory of trace files, or the folder of a lab run.

Examples:
  nashtrace info target/quickstart/calm
  nashtrace verify target/quickstart/calm target/quickstart/herding
  nashtrace decisions run/ --reason cache_hit --limit 5 --candidates
  nashtrace regret run/ --json | jq .herding
  nashtrace solve game.json
  nashtrace equilibrium run/
  nashtrace stats pelt series.csv --column ttft_ms
  nashtrace load profile_export.jsonl --discard 0.1 --trace run/
  NASHTRACE_DIR=/var/tmp/traces nashtrace doctor --library /opt/nashtrace/libnashtrace.so

Exit codes: 0 good; 1 the data is bad or a check failed; 2 wrong use or unreadable input.";

#[derive(Parser)]
#[command(
    name = "nashtrace",
    version,
    about = "Answers from recorded Dynamo traces: regret, herding, evictions, plans, equilibria",
    after_help = EXAMPLES
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What is in a trace, and what is missing from it
    Info(info::Arguments),
    /// Check a trace: checksums, gaps, clocks, the conservation law, and every recorded cost
    Verify(verify::Arguments),
    /// List decisions, with their candidates if wanted
    Decisions(decisions::Arguments),
    /// The life of KV blocks: tiers, evictions, reuse, what was computed twice and who paid
    Blocks(blocks::Arguments),
    /// Copies of KV blocks between tiers, with their times
    Transfers(transfers::Arguments),
    /// What planners saw, decided and brought about
    Planner(planner::Arguments),
    /// Would a recording started with this environment work, and would it lose anything?
    Doctor(doctor::Arguments),
    /// Which decisions were regretted, why they were taken, and which worker is herded
    Regret(regret::Arguments),
    /// The equilibria of a game, and what follows from them
    Solve(solve::Arguments),
    /// Which points are best in several objectives, and what volume they dominate
    Pareto(pareto::Arguments),
    /// Is it in equilibrium: stationary, settled, steady, and nobody would move?
    Equilibrium(equilibrium::Arguments),
    /// Campaigns: every profile of strategies under every load, paired, resumable
    Experiment(experiment::Arguments),
    /// Where to measure: designs of experiments, and the next points
    Design(design::Arguments),
    /// Is a series stationary, when did it change, does it oscillate, where is its knee?
    Stats(stats::Arguments),
    /// What each member of a coalition brings: Shapley values with intervals, interactions, the core
    Shapley(shapley::Arguments),
    /// Fit latencies to measured loads, and play the congestion game that follows
    Congestion(congestion::Arguments),
    /// What a load generator or a server measured, by the same names whatever wrote it
    Load(load::Arguments),
    /// Read a page of Prometheus metrics again and again, with every gap and restart marked
    Scrape(scrape::Arguments),
    /// What a campaign's runs say, in the terminal and as one HTML page that opens offline
    Report(report::Arguments),
    /// Do the intervals and tests keep their promises on data whose truth is known?
    Selftest(selftest::Arguments),
}

/// How a command ended, and whether its answer could be written.
type Answered = (Ending, io::Result<()>);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Good,
    BadData,
    Unreadable,
}

impl Ending {
    /// The ending of a command that read what it was given, as far as it could.
    fn of_reading(is_whole: bool) -> Self {
        if is_whole { Self::Good } else { Self::Unreadable }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Good => 0,
            Ending::BadData => 1,
            Ending::Unreadable => 2,
        })
    }
}

/// Run the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let mut out = BufWriter::new(anstream::stdout().lock());
    let answer = |out: &mut dyn Write| match Arguments::parse().command {
        Command::Info(arguments) => info::run(&arguments, out),
        Command::Verify(arguments) => verify::run(&arguments, out),
        Command::Decisions(arguments) => decisions::run(&arguments, out),
        Command::Blocks(arguments) => blocks::run(&arguments, out),
        Command::Transfers(arguments) => transfers::run(&arguments, out),
        Command::Planner(arguments) => planner::run(&arguments, out),
        Command::Doctor(arguments) => doctor::run(&arguments, out),
        Command::Regret(arguments) => regret::run(&arguments, out),
        Command::Solve(arguments) => solve::run(&arguments, out),
        Command::Pareto(arguments) => pareto::run(&arguments, out),
        Command::Equilibrium(arguments) => equilibrium::run(&arguments, out),
        Command::Experiment(arguments) => experiment::run(&arguments, out),
        Command::Design(arguments) => design::run(&arguments, out),
        Command::Stats(arguments) => stats::run(&arguments, out),
        Command::Shapley(arguments) => shapley::run(&arguments, out),
        Command::Congestion(arguments) => congestion::run(&arguments, out),
        Command::Load(arguments) => load::run(&arguments, out),
        Command::Scrape(arguments) => scrape::run(&arguments, out),
        Command::Report(arguments) => report::run(&arguments, out),
        Command::Selftest(arguments) => selftest::run(&arguments, out),
    };
    let (ending, written) = answer(&mut out);
    match written.and_then(|()| out.flush()) {
        Ok(()) => ending.into(),
        // A reader that stops early (`nashtrace ... | head`) is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ending.into(),
        Err(error) => {
            complain(&format!("standard output: {error}"));
            Ending::BadData.into()
        }
    }
}

/// Say what is wrong, in one sentence on standard error. If that is broken, nobody can be told.
fn complain(sentence: &str) {
    let _ = writeln!(io::stderr(), "nashtrace: {sentence}");
}

/// Write a JSON value and end the line.
fn write_json(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// Write what is said about each run: of one run, that alone; of several, a list under `runs`.
fn write_runs_json(runs: impl Iterator<Item = Value>, out: &mut dyn Write) -> io::Result<()> {
    let mut runs: Vec<Value> = runs.collect();
    let value = if runs.len() == 1 { runs.remove(0) } else { serde_json::json!({ "runs": runs }) };
    write_json(&value, out)
}
