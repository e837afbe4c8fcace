//! `nashtrace-lab`: Dynamo's own router and simulator, patched, playing in simulated time.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use nashtrace_lab::capture::{self, Counts};
use nashtrace_lab::replay::Prepared;
use nashtrace_lab::results::RunFolder;
use nashtrace_lab::scenario::Scenario;
use nashtrace_lab::timing;
use nashtrace_lab::totals::Totals;
use serde_json::json;

const EXAMPLES: &str = "Examples:
  nashtrace-lab run scenarios/herding.toml --out /tmp/herding
  nashtrace-lab run scenarios/calm.toml --out /tmp/calm --json
  NASHTRACE_METRICS_ADDR=9464 nashtrace-lab run scenarios/calm.toml --out /tmp/calm --linger 60
  nashtrace-lab models

Exit codes: 0 good, 1 the run failed, 2 wrong use or unreadable input.";

/// Its own version, and that of the Dynamo whose crates it is built from, as Cargo.toml names it.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (Dynamo 1.6.1)");

#[derive(Parser)]
#[command(name = "nashtrace-lab", version = VERSION, about = "Play a scenario through Dynamo's own KV router and simulator, in simulated time", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play a scenario and record what the router decides
    Run(Run),
    /// List the models and GPUs that a scenario may name
    Models,
}

#[derive(clap::Args)]
struct Run {
    /// The scenario (TOML)
    scenario: PathBuf,
    /// Folder for the trace, the simulator's report and the outcomes
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the run that the folder holds
    #[arg(long)]
    force: bool,
    /// The library that records [default: NASHTRACE_LIB, or the repository's release build]
    #[arg(long, value_name = "FILE", conflicts_with = "no_capture")]
    library: Option<PathBuf>,
    /// Record nothing
    #[arg(long)]
    no_capture: bool,
    /// Keep the session, and with it its metrics, for so long after the run
    #[arg(long, value_name = "SECONDS", default_value_t = 0, conflicts_with = "no_capture")]
    linger: u64,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Models => {
            let _ = print_models(&mut std::io::stdout().lock());
            ExitCode::SUCCESS
        }
        Command::Run(run) => play(&run),
    }
}

fn play(run: &Run) -> ExitCode {
    match prepare(run) {
        Ok((prepared, folder)) => match play_prepared(run, prepared, &folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 1),
        },
        Err(error) => fail(&error, 2),
    }
}

/// Everything that can be wrong is found before the folder is touched.
fn prepare(run: &Run) -> anyhow::Result<(Prepared, RunFolder)> {
    let prepared = Prepared::new(Scenario::load(&run.scenario)?)?;
    let library = library(run)?;
    let folder = RunFolder::prepare(&run.out, prepared.scenario(), run.force)?;
    match library {
        Some(library) => {
            let trace = std::path::absolute(folder.trace())?;
            capture::enable(&library, &trace, prepared.scenario().block_sample);
        }
        None => capture::disable(),
    }
    Ok((prepared, folder))
}

fn library(run: &Run) -> anyhow::Result<Option<PathBuf>> {
    if run.no_capture {
        return Ok(None);
    }
    match (&run.library, std::env::var_os("NASHTRACE_LIB")) {
        (Some(library), _) => capture::find(library).map(Some),
        // Taken as it is, even if it is not there: then the shim says so, as in any other process.
        (None, Some(library)) => Ok(Some(library.into())),
        (None, None) => capture::find(&capture::default_library()).map(Some),
    }
}

fn play_prepared(run: &Run, prepared: Prepared, folder: &RunFolder) -> anyhow::Result<()> {
    let name = prepared.scenario().name.clone();
    let spinner = spinner(&name);
    let began = Instant::now();
    let played = prepared.play();
    let took = began.elapsed();
    std::thread::sleep(Duration::from_secs(run.linger));
    // The trace is completed even if the simulator fails.
    let counts = capture::finish();
    spinner.finish_and_clear();
    let played = played?;
    folder.write(&played)?;
    let totals = Totals::of(&played);
    let summary = Summary { run, name: &name, totals, counts: counts?, took };
    // Nobody who closes the pipe wants to hear that the summary could not be written.
    let _ = summary.print(&mut std::io::stdout().lock());
    let Totals { requests, completed, .. } = totals;
    if completed < requests {
        bail!(
            "only {completed} of {requests} requests completed; does a request fit into a worker's KV \
             cache (engine.kv_blocks)?"
        );
    }
    Ok(())
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "nashtrace-lab: {error:#}");
    ExitCode::from(code)
}

fn spinner(name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    let style =
        ProgressStyle::with_template("{spinner} {msg} [{elapsed}]").expect("a valid template");
    spinner.set_style(style);
    spinner.set_message(format!("playing {name}"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

struct Summary<'a> {
    run: &'a Run,
    name: &'a str,
    totals: Totals,
    counts: Option<Counts>,
    took: Duration,
}

impl Summary<'_> {
    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Self { run, name, totals, counts, took } = self;
        if run.json {
            let mut summary = json!(totals);
            summary["scenario"] = json!(name);
            summary["out"] = json!(run.out);
            summary["wall_seconds"] = json!(took.as_secs_f64());
            summary["capture"] = json!(counts);
            return writeln!(out, "{summary}");
        }
        let Totals { requests, completed, routed, simulated_seconds, .. } = totals;
        writeln!(
            out,
            "{name}: {completed} of {requests} requests completed, {routed} routed, \
             {simulated_seconds:.1} s simulated in {:.1} s",
            took.as_secs_f64(),
        )?;
        writeln!(
            out,
            "  TTFT mean {:.1} ms, p99 {:.1} ms; cache hit rate {:.3}; {:.1} requests/s",
            totals.ttft_mean_ms,
            totals.ttft_p99_ms,
            totals.cache_hit_rate,
            *completed as f64 / simulated_seconds,
        )?;
        match counts {
            Some(counts) => writeln!(
                out,
                "  recorded {} events, {} lost, in {}",
                counts.written,
                counts.lost,
                run.out.join("trace").display()
            ),
            None => writeln!(out, "  nothing was recorded"),
        }
    }
}

fn print_models(out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "models:")?;
    for model in timing::MODELS {
        writeln!(
            out,
            "  {:<16} {:>6.1} B parameters, {} layers",
            model.name,
            model.parameters / 1e9,
            model.layers
        )?;
    }
    writeln!(out, "gpus:")?;
    for gpu in timing::GPUS {
        writeln!(
            out,
            "  {:<16} {:>6.0} TFLOP/s bf16, {:.2} TB/s",
            gpu.name,
            gpu.flops / 1e12,
            gpu.bandwidth / 1e12
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::VERSION;

    #[test]
    fn the_version_names_the_dynamo_that_is_built_in() {
        let (_, dynamo) = VERSION.trim_end_matches(')').split_once("(Dynamo ").unwrap();
        let wanted = format!("dynamo-mocker = {{ version = \"={dynamo}\"");
        assert!(include_str!("../Cargo.toml").contains(&wanted), "{wanted}");
    }
}
