//! Making runs.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Refusal;
use crate::cli::{Answered, Ending, complain, write_json};
use crate::experiment::{Campaign, Driver, Finished, LabProgram, Options, Progress, execute};

#[derive(clap::Args)]
pub(super) struct Begin {
    /// The design (TOML)
    design: PathBuf,
    /// Folder of the campaign; it must be empty or not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
pub(super) struct Resume {
    /// Folder of the campaign
    campaign: PathBuf,
    /// Make the runs again that failed
    #[arg(long)]
    retry_failed: bool,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
struct How {
    /// Runs at the same time [default: one per core; commands are run one after the other]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// The lab's program [default: NASHTRACE_LAB, lab/target/release/nashtrace-lab, or the one in PATH]
    #[arg(long, value_name = "FILE")]
    lab: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// So many at the same time.
pub(super) fn jobs(asked: Option<u16>, driver: &Driver) -> Result<usize, Refusal> {
    match (driver, asked) {
        (Driver::Lab(_), Some(jobs)) => Ok(jobs.into()),
        (Driver::Lab(_), None) => Ok(available_parallelism().map_or(1, usize::from)),
        (Driver::Command(_), None | Some(1)) => Ok(1),
        (Driver::Command(_), Some(jobs)) => Err(Refusal {
            sentence: format!(
                "--jobs {jobs}: the commands of a design drive one cluster, one run after the other; leave \
                 --jobs out"
            ),
            ending: Ending::Unreadable,
        }),
    }
}

pub(super) fn begin(arguments: &Begin, out: &mut dyn Write) -> Result<Answered, Refusal> {
    // What is wrong with the way is found before the folder is touched.
    let planned = Campaign::plan_only(&arguments.design, &arguments.out)?;
    let way = Way::of(&arguments.how, &planned)?;
    let campaign = Campaign::create(&arguments.design, &arguments.out)?;
    make(&campaign, &way, &arguments.how, false, out)
}

pub(super) fn resume(arguments: &Resume, out: &mut dyn Write) -> Result<Answered, Refusal> {
    let campaign = Campaign::open(&arguments.campaign)?;
    let way = Way::of(&arguments.how, &campaign)?;
    make(&campaign, &way, &arguments.how, arguments.retry_failed, out)
}

/// What runs need.
struct Way {
    jobs: usize,
    lab: Option<LabProgram>,
}

impl Way {
    fn of(how: &How, campaign: &Campaign) -> Result<Self, Refusal> {
        let driver = &campaign.design().driver;
        let lab = match driver {
            Driver::Lab(_) => Some(LabProgram::find(how.lab.as_deref())?),
            Driver::Command(_) => None,
        };
        Ok(Self { jobs: jobs(how.jobs, driver)?, lab })
    }
}

fn make(
    campaign: &Campaign,
    way: &Way,
    how: &How,
    retry_failed: bool,
    out: &mut dyn Write,
) -> Result<Answered, Refusal> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(&stop)) {
            complain(&format!(
                "signals cannot be caught ({error}): an interrupt leaves runs unfinished"
            ));
        }
    }
    let options = Options { jobs: way.jobs, retry_failed, lab: way.lab.as_ref(), stop: &stop };
    let bar = progress_bar();
    let finished = execute(campaign, &options, &|progress| show(&bar, progress));
    bar.finish_and_clear();
    let finished = finished?;
    let ending =
        if finished.stopped || finished.failed > 0 { Ending::BadData } else { Ending::Good };
    let written = if how.json {
        let answer = json!({
            "campaign": campaign.root(),
            "ok": finished.ok,
            "failed": finished.failed,
            "interrupted": finished.stopped,
        });
        write_json(&answer, out)
    } else {
        writeln!(out, "{}", sentence(campaign, &finished))
    };
    Ok((ending, written))
}

fn sentence(campaign: &Campaign, finished: &Finished) -> String {
    let folder = campaign.root().display();
    let failed = match finished.failed {
        0 => String::new(),
        failed => format!(", {failed} failed (`nashtrace experiment status {folder}` says why)"),
    };
    let interrupted = if finished.stopped {
        format!("; interrupted: continue with `nashtrace experiment resume {folder}`")
    } else {
        String::new()
    };
    let runs = if finished.ok == 1 { "run" } else { "runs" };
    format!("{} {runs} made{failed}{interrupted}", finished.ok)
}

/// A bar with the time that is left, on a terminal only.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} left  {msg}");
    ProgressBar::new(0).with_style(style.expect("a valid template"))
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Begin(runs) => bar.set_length(runs as u64),
        Progress::Made(run, reason) => {
            if let Some(reason) = reason {
                bar.suspend(|| complain(&format!("run {} failed: {reason}", run.run)));
            }
            bar.set_message(run.run.clone());
            bar.inc(1);
        }
    }
}
