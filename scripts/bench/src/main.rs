//! What recording a routing decision costs: nashtrace, LTTng-ust, tracing, fastrace and prometheus, in turn,
//! on the same decision. A measurement: it never fails because something is slow.

mod collector;
mod instructions;
mod library;
mod measure;
mod names;
mod report;
mod results;
mod sample;
mod subjects;
mod trace_file;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Parser;
use nashtrace::record::Clock;

use crate::collector::Load;
use crate::library::Library;
use crate::measure::{Repeat, Subject};
use crate::results::{Calls, Machine, Missing, Results};
use crate::subjects::fastrace::Fastrace;
use crate::subjects::hook::Hook;
use crate::subjects::lttng::Lttng;
use crate::subjects::nashtrace::Nashtrace;
use crate::subjects::prometheus::Prometheus;
use crate::subjects::tracing_json::TracingJson;

/// Started by `scripts/bench/run`, which builds what this needs.
#[derive(Parser)]
struct Arguments {
    /// The release build of libnashtrace.so.
    #[arg(long)]
    library: PathBuf,
    /// The shared object with LTTng's tracepoints.
    #[arg(long)]
    lttng: Option<PathBuf>,
    /// Why there is none.
    #[arg(long, default_value = "no provider was given")]
    no_lttng: String,
    /// A trace, or a folder of traces, to size and to read.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Where the results go, as JSON.
    #[arg(long)]
    out: PathBuf,
    /// Repeats of everything.
    #[arg(long, default_value_t = 7)]
    repeats: usize,
    /// Only the subject with this name.
    #[arg(long)]
    only: Option<String>,
    /// Only the costs of calls.
    #[arg(long)]
    calls_only: bool,
    /// Count instructions too.
    #[arg(long)]
    instructions: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::tempdir()?;
    let library = Library::load(&arguments.library)?;
    let mut results = Results { machine: Machine::here(), ..Results::default() };
    let subjects = subjects(&arguments, library, scratch.path(), &mut results.missing)?;
    results.calls = measure_calls(subjects, arguments.repeats)?;
    if !arguments.calls_only {
        measure_beside(&arguments, library, scratch.path(), &mut results)?;
    }
    if arguments.instructions {
        count_instructions(&arguments, scratch.path(), &mut results);
    }
    results.machine.load_after = results::load_average();
    std::fs::write(&arguments.out, serde_json::to_string(&results)? + "\n")?;
    print!("{}", report::text(&results));
    Ok(())
}

/// Those that were asked for.
fn subjects(
    arguments: &Arguments,
    library: Library,
    scratch: &Path,
    missing: &mut Vec<Missing>,
) -> Result<Vec<Box<dyn Subject>>> {
    let decisions = |name, rows, clock| Nashtrace::decisions(name, library, scratch, rows, clock);
    let requests = |name, clock| Nashtrace::requests(name, library, scratch, clock);
    let (ticks, caller) = (Clock::Ticks, Clock::Caller);
    let mut subjects: Vec<Box<dyn Subject>> = vec![
        Box::new(Hook::empty(names::EMPTY)),
        Box::new(Hook::absent(names::HOOK)),
        Box::new(requests(names::REQUEST, ticks)),
        Box::new(requests(names::REQUEST_NO_CLOCK, caller)),
        Box::new(requests(names::FULL, ticks).with_full_ring()),
        Box::new(requests(names::FULL_NO_CLOCK, caller).with_full_ring()),
        Box::new(requests(names::SWITCHED_OFF, caller).switched_off()),
        Box::new(decisions(names::DECISION, sample::CANDIDATES, ticks)),
        Box::new(decisions(names::DECISION_NO_CLOCK, sample::CANDIDATES, caller)),
        Box::new(decisions(names::DECISION_64, 64, ticks)),
    ];
    let wants = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    if wants(names::LTTNG_COLUMNS) || wants(names::LTTNG_BYTES) {
        let lttng_names = [names::LTTNG_COLUMNS, names::LTTNG_BYTES];
        let made = match &arguments.lttng {
            Some(provider) => Lttng::both(lttng_names, provider, scratch),
            None => Err(anyhow::anyhow!("{}", arguments.no_lttng)),
        };
        match made {
            Ok(both) => both.into_iter().for_each(|one| subjects.push(Box::new(one))),
            Err(error) => {
                missing.push(Missing { what: "LTTng-ust".into(), why: format!("{error:#}") });
            }
        }
    }
    subjects.push(Box::new(TracingJson::new(names::TRACING, scratch)));
    subjects.push(Box::new(Fastrace::new(names::FASTRACE)));
    subjects.push(Box::new(Prometheus::all(names::PROMETHEUS)?));
    subjects.push(Box::new(Prometheus::costs(names::PROMETHEUS_COSTS)?));
    subjects.retain(|subject| wants(subject.name()));
    Ok(subjects)
}

/// All subjects in turn, so that a busy minute of the machine meets all of them.
fn measure_calls(mut subjects: Vec<Box<dyn Subject>>, repeats: usize) -> Result<Vec<Calls>> {
    let mut all: Vec<Vec<Repeat>> = subjects.iter().map(|_| Vec::new()).collect();
    for number in 1..=repeats {
        for (subject, done) in subjects.iter_mut().zip(&mut all) {
            progress(&format!("repeat {number} of {repeats}: {}", subject.name()));
            done.push(measure::repeat(subject.as_mut())?);
        }
    }
    progress("");
    let calls = subjects.iter().zip(all).map(|(subject, repeats)| Calls {
        name: subject.name().to_owned(),
        calls_made: repeats.len() as u64 * measure::calls_in_a_repeat(subject.as_ref()),
        instructions: None,
        repeats,
    });
    Ok(calls.collect())
}

/// The collector and the files.
fn measure_beside(
    arguments: &Arguments,
    library: Library,
    scratch: &Path,
    results: &mut Results,
) -> Result<()> {
    let trace = arguments.trace.as_deref().map(trace_file::files).transpose()?;
    for number in 1..=arguments.repeats {
        progress(&format!("repeat {number} of {}: collector and reader", arguments.repeats));
        let run = |load| collector::run(library, scratch, load);
        results.collector_requests.push(run(Load::Requests)?);
        results.collector_decisions.push(run(Load::Decisions)?);
        if let Some(files) = &trace {
            results.readings.push(trace_file::read(files)?);
        }
    }
    progress("");
    if trace.is_none() {
        let why = "no trace was given: scripts/quickstart makes some".to_owned();
        results.missing.push(Missing { what: "reader, bytes per candidate row".into(), why });
    }
    Ok(())
}

/// Under a profiler, one subject at a time. A rival that cannot run there goes without.
fn count_instructions(arguments: &Arguments, scratch: &Path, results: &mut Results) {
    for calls in &mut results.calls {
        // LTTng-ust talks to daemons that would have to be run under the profiler too.
        if [names::LTTNG_COLUMNS, names::LTTNG_BYTES].contains(&calls.name.as_str()) {
            continue;
        }
        progress(&format!("instructions: {}", calls.name));
        match instructions::count(&calls.name, &arguments.library, scratch) {
            Ok(count) => calls.instructions = Some(count),
            Err(error) => results.missing.push(Missing {
                what: format!("instructions of {}", calls.name),
                why: format!("{error:#}"),
            }),
        }
    }
    progress("");
}

/// One line that is written over by the next, for those who watch.
fn progress(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
    }
}
