//! Making runs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;

use indicatif::ProgressBar;
use serde_json::json;

use super::Refusal;
use crate::campaign::{CampaignData, HeldOutRun, Settings, analyze, next_runs};
use crate::cli::{Answered, Ending, complain, progress, write_json};
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
pub(super) struct HoldOut {
    /// Folder of the campaign, whose runs are made
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
    let mut campaign = Campaign::create(&arguments.design, &arguments.out)?;
    make(&mut campaign, &way, &arguments.how, &Words::of_campaign(&arguments.out), out)
}

pub(super) fn resume(arguments: &Resume, out: &mut dyn Write) -> Result<Answered, Refusal> {
    let mut campaign = Campaign::open(&arguments.campaign)?;
    let mut way = Way::of(&arguments.how, &campaign)?;
    way.retry_failed = arguments.retry_failed;
    make(&mut campaign, &way, &arguments.how, &Words::of_campaign(&arguments.campaign), out)
}

pub(super) fn hold_out(arguments: &HoldOut, out: &mut dyn Write) -> Result<Answered, Refusal> {
    let folder = &arguments.campaign;
    let campaign = Campaign::open(folder)?;
    let mut way = Way::of(&arguments.how, &campaign)?;
    way.retry_failed = arguments.retry_failed;
    let claims = match campaign.held_out()? {
        Some(begun) => begun.claims,
        None => claims(folder, &campaign)?,
    };
    let mut hold_out = campaign.hold_out(&claims)?;
    let words = Words {
        again: format!("nashtrace experiment hold-out {}", folder.display()),
        why: format!("{}/runs/RUN/run.json", hold_out.root().display()),
    };
    make(&mut hold_out, &way, &arguments.how, &words, out)
}

/// What the runs of a whole campaign claim.
fn claims(folder: &Path, campaign: &Campaign) -> Result<Vec<HeldOutRun>, Refusal> {
    let refused = |why: String| Refusal {
        sentence: format!("{}: {why}", folder.display()),
        ending: Ending::Unreadable,
    };
    let data = CampaignData::read(folder)?;
    let left: usize = campaign.counts()?.iter().map(|counts| counts.left).sum();
    if left + next_runs(&data).len() > 0 {
        let again = format!("`nashtrace experiment resume {}`", folder.display());
        return Err(refused(format!(
            "not all runs are made that claims rest on; make them first with {again}"
        )));
    }
    // What is claimed does not hang on resamples.
    let settings = Settings { resamples: 2, seed: 0, stop: &|| false };
    let claims = analyze(&data, &settings).held_out_runs;
    if claims.is_empty() {
        return Err(refused(
            "nothing is claimed that fresh blocks could check: no load has a Price of Anarchy"
                .to_owned(),
        ));
    }
    Ok(claims)
}

/// What runs need.
struct Way {
    jobs: usize,
    lab: Option<LabProgram>,
    retry_failed: bool,
}

/// What to do if not all went well.
struct Words {
    /// The command that continues.
    again: String,
    /// What says why a run failed.
    why: String,
}

impl Words {
    fn of_campaign(folder: &Path) -> Self {
        let folder = folder.display();
        Self {
            again: format!("nashtrace experiment resume {folder}"),
            why: format!("nashtrace experiment status {folder}"),
        }
    }
}

impl Way {
    fn of(how: &How, campaign: &Campaign) -> Result<Self, Refusal> {
        let driver = &campaign.design().driver;
        let lab = match driver {
            Driver::Lab(_) => Some(LabProgram::find(how.lab.as_deref())?),
            Driver::Command(_) => None,
        };
        Ok(Self { jobs: jobs(how.jobs, driver)?, lab, retry_failed: false })
    }
}

fn make(
    campaign: &mut Campaign,
    way: &Way,
    how: &How,
    words: &Words,
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
    let options = Options {
        jobs: way.jobs,
        retry_failed: way.retry_failed,
        lab: way.lab.as_ref(),
        choose: &|campaign| Ok(next_runs(&CampaignData::of(campaign)?)),
        stop: &stop,
    };
    // The runs to make are told when they are known.
    let bar = progress::bar(Some(0), "{bar:40} {pos}/{len} runs, {eta} left  {msg}");
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
        writeln!(out, "{}", sentence(words, &finished))
    };
    Ok((ending, written))
}

fn sentence(words: &Words, finished: &Finished) -> String {
    let failed = match finished.failed {
        0 => String::new(),
        failed => format!(", {failed} failed (`{}` says why)", words.why),
    };
    let interrupted = if finished.stopped {
        format!("; interrupted: continue with `{}`", words.again)
    } else {
        String::new()
    };
    let runs = if finished.ok == 1 { "run" } else { "runs" };
    format!("{} {runs} made{failed}{interrupted}", finished.ok)
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Begin(runs) => bar.inc_length(runs as u64),
        Progress::Made(run, reason) => {
            if let Some(reason) = reason {
                bar.suspend(|| complain(&format!("run {} failed: {reason}", run.run)));
            }
            bar.set_message(run.run.clone());
            bar.inc(1);
        }
    }
}
