//! The command line: one thin file per subcommand.

mod congestion;
mod decisions;
mod doctor;
mod info;
mod input;
mod regret;
mod selftest;
mod shapley;
mod show;
mod solve;
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
  NASHTRACE_DIR=/var/tmp/traces nashtrace doctor --library /opt/nashtrace/libnashtrace.so

Exit codes: 0 good; 1 the data is bad or a check failed; 2 wrong use or unreadable input.";

#[derive(Parser)]
#[command(
    name = "nashtrace",
    version,
    about = "Answers from recorded Dynamo decisions: which were regretted, which worker is herded",
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
    /// Would a recording started with this environment work, and would it lose anything?
    Doctor(doctor::Arguments),
    /// Which decisions were regretted, why they were taken, and which worker is herded
    Regret(regret::Arguments),
    /// The equilibria of a game, and what follows from them
    Solve(solve::Arguments),
    /// What each member of a coalition brings: Shapley values with intervals, interactions, the core
    Shapley(shapley::Arguments),
    /// Fit latencies to measured loads, and play the congestion game that follows
    Congestion(congestion::Arguments),
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
        Command::Doctor(arguments) => doctor::run(&arguments, out),
        Command::Regret(arguments) => regret::run(&arguments, out),
        Command::Solve(arguments) => solve::run(&arguments, out),
        Command::Shapley(arguments) => shapley::run(&arguments, out),
        Command::Congestion(arguments) => congestion::run(&arguments, out),
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
