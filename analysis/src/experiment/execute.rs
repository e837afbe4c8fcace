//! Making the runs of a campaign that are not there yet.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;

use super::campaign::{Campaign, CampaignError};
use super::commands::Commands;
use super::design::Driver;
use super::files;
use super::lab::{Lab, LabProgram};
use super::outcomes::Metrics;
use super::plan::{Choice, PlannedRun, SCHEMA_VERSION};
use super::record::{Record, RecordSeries, Status, TraceFacts};

/// What an adaptive plan makes next, from what its campaign's runs gave; nothing if it is done.
pub type Choose<'a> = &'a dyn Fn(&Campaign) -> Result<Vec<Choice>, CampaignError>;

/// How runs are made.
pub struct Options<'a> {
    /// So many at the same time; commands drive one cluster and are made one after the other.
    pub jobs: usize,
    /// Make runs again that failed.
    pub retry_failed: bool,
    /// The lab, for designs whose driver it is.
    pub lab: Option<&'a LabProgram>,
    /// What comes after the runs that are planned.
    pub choose: Choose<'a>,
    /// Becomes true when we are asked to stop.
    pub stop: &'a AtomicBool,
}

/// What is told after every run.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// So many runs are to be made now.
    Begin(usize),
    /// One was made, with this reason if it failed.
    Made(&'a PlannedRun, Option<&'a str>),
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Runs with metrics that were made now.
    pub ok: usize,
    /// Runs that failed now.
    pub failed: usize,
    /// Whether we were asked to stop before the end.
    pub stopped: bool,
}

/// Why no more runs can be made.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The campaign cannot be used.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// There is no room.
    #[error(
        "{}: the disk is full; the runs that were made are kept: make room, and continue with `nashtrace \
         experiment resume`",
        .0.display()
    )]
    DiskFull(PathBuf),
    /// The operating system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The run's folder.
        path: PathBuf,
        /// The operating system's reason.
        error: io::Error,
    },
    /// The design's driver is the lab and there is none.
    #[error("the design's driver is the lab: name nashtrace-lab with --lab")]
    NoLab,
}

/// How an attempt at a run ended.
pub(super) enum Made {
    Measured(Measured),
    Failed(String),
    Stopped,
}

/// What a run gave.
pub(super) struct Measured {
    pub(super) metrics: Metrics,
    pub(super) series: Vec<RecordSeries>,
    pub(super) trace: Option<TraceFacts>,
}

/// Makes runs, in one way or the other.
enum Maker<'a> {
    Lab(Lab<'a>),
    // One cluster: one run at a time.
    Commands(Mutex<Commands<'a>>),
}

impl Maker<'_> {
    fn make(&self, run: &PlannedRun, folder: &Path, stop: &AtomicBool) -> io::Result<Made> {
        match self {
            Self::Lab(lab) => lab.make(run, folder, stop),
            Self::Commands(commands) => {
                commands.lock().expect("a single thread makes runs").make(run, folder, stop)
            }
        }
    }
}

/// Make the runs that are not there yet, and those that an adaptive plan chooses then. A run that fails is kept as failed
/// and does not stop the others.
///
/// # Errors
///
/// If somebody else makes runs in the folder, the disk is full, or the operating system refuses.
pub fn execute(
    campaign: &mut Campaign,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Finished, ExecuteError> {
    let _lock = campaign.lock()?;
    let mut finished = planned(campaign, options, options.retry_failed, progress)?;
    while !finished.stopped {
        let chosen = (options.choose)(campaign)?;
        if chosen.is_empty() {
            break;
        }
        campaign.choose(&chosen)?;
        let more = planned(campaign, options, false, progress)?;
        finished.ok += more.ok;
        finished.failed += more.failed;
        finished.stopped = more.stopped;
    }
    Ok(finished)
}

/// Make the planned runs that are not there yet.
fn planned(
    campaign: &Campaign,
    options: &Options,
    retry_failed: bool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Finished, ExecuteError> {
    remove_leftovers(campaign)?;
    let left = left(campaign, retry_failed)?;
    // The options are not shared with the threads as a whole: choosing is for one thread.
    let stop = options.stop;
    let system = |error| ExecuteError::Io { path: campaign.root().to_owned(), error };
    let (maker, jobs) = match &campaign.design().driver {
        Driver::Lab(driver) => {
            let program = options.lab.ok_or(ExecuteError::NoLab)?;
            (Maker::Lab(Lab { campaign, driver, program }), options.jobs.max(1))
        }
        Driver::Command(driver) => {
            let commands = Commands::new(campaign, driver).map_err(system)?;
            (Maker::Commands(Mutex::new(commands)), 1)
        }
    };
    progress(Progress::Begin(left.len()));
    let next = AtomicUsize::new(0);
    // Nobody begins another run once one could not be made.
    let halt = AtomicBool::new(false);
    let done: Mutex<(Finished, Option<ExecuteError>)> =
        Mutex::new((Finished { ok: 0, failed: 0, stopped: false }, None));
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(left.len()) {
            scope.spawn(|| {
                while !halt.load(Ordering::Relaxed) {
                    let Some(run) = left.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    let made = make(campaign, &maker, run, stop);
                    let mut done = done.lock().expect("no thread panics");
                    match made {
                        Ok(Some(None)) => done.0.ok += 1,
                        Ok(Some(Some(_))) => done.0.failed += 1,
                        Ok(None) => {
                            done.0.stopped = true;
                            halt.store(true, Ordering::Relaxed);
                        }
                        Err(ref error) => {
                            let path = campaign.run_folder(run);
                            let error = if is_full(error) {
                                ExecuteError::DiskFull(campaign.root().to_owned())
                            } else {
                                ExecuteError::Io {
                                    path,
                                    error: io::Error::other(error.to_string()),
                                }
                            };
                            done.1.get_or_insert(error);
                            halt.store(true, Ordering::Relaxed);
                        }
                    }
                    if let Ok(Some(reason)) = &made {
                        progress(Progress::Made(run, reason.as_deref()));
                    }
                }
            });
        }
    });
    if let Maker::Commands(commands) = &maker {
        commands.lock().expect("no thread panics").tear_down().map_err(system)?;
    }
    let (finished, error) = done.into_inner().expect("no thread panics");
    error.map_or(Ok(finished), Err)
}

/// Seconds that one run of the default profile takes under each load, tried in a folder that is removed again.
///
/// # Errors
///
/// A sentence if a run fails.
pub fn trial(
    campaign: &Campaign,
    program: &LabProgram,
    stop: &AtomicBool,
) -> Result<Vec<f64>, String> {
    let Driver::Lab(driver) = &campaign.design().driver else {
        return Err("only the lab's runs can be tried".into());
    };
    let lab = Lab { campaign, driver, program };
    let default = campaign.design().default_profile();
    let tried = (0..campaign.plan().loads.len()).map(|load| {
        let is_default = |run: &&PlannedRun| run.load == load && run.profile == default;
        let run = campaign.plan().runs.iter().find(is_default);
        let run = run.ok_or("the default profile is not planned")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let began = Instant::now();
        match lab.make(run, folder.path(), stop).map_err(|error| error.to_string())? {
            Made::Measured(_) => Ok(began.elapsed().as_secs_f64()),
            Made::Failed(reason) => Err(format!(
                "the trial of {} failed: {}",
                run.run,
                portable(&reason, folder.path())
            )),
            Made::Stopped => Err("interrupted".into()),
        }
    });
    tried.collect()
}

fn left(campaign: &Campaign, retry_failed: bool) -> Result<Vec<&PlannedRun>, CampaignError> {
    let mut left = Vec::new();
    for run in &campaign.plan().runs {
        match campaign.record(run)?.map(|record| record.status) {
            None => left.push(run),
            Some(Status::Failed) if retry_failed => left.push(run),
            Some(_) => {}
        }
    }
    Ok(left)
}

/// The folder in which a run is made, beside the one where it will lie.
fn beside(campaign: &Campaign, run: &PlannedRun) -> PathBuf {
    campaign.run_folder(run).with_file_name(format!("{}.partial", run.run))
}

/// Remove the folders of runs that were not finished.
fn remove_leftovers(campaign: &Campaign) -> Result<(), ExecuteError> {
    for run in &campaign.plan().runs {
        let folder = beside(campaign, run);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| ExecuteError::Io { path: folder.clone(), error })?;
        }
    }
    Ok(())
}

/// Make one run. `None` if we were asked to stop; otherwise why it failed, if it did.
fn make(
    campaign: &Campaign,
    maker: &Maker,
    run: &PlannedRun,
    stop: &AtomicBool,
) -> io::Result<Option<Option<String>>> {
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let (folder, place) = (beside(campaign, run), campaign.run_folder(run));
    fs::create_dir_all(&folder)?;
    let began = Instant::now();
    let made = maker.make(run, &folder, stop).and_then(|made| match made {
        Made::Failed(reason) if speaks_of_full_disk(&reason) => {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        made => Ok(made),
    });
    let (measured, reason) = match made {
        Ok(Made::Measured(measured)) => (Some(measured), None),
        Ok(Made::Failed(reason)) => (None, Some(portable(&reason, &folder))),
        Ok(Made::Stopped) => {
            fs::remove_dir_all(&folder)?;
            return Ok(None);
        }
        Err(error) => {
            // The first error is the one to report.
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    files::write_json(&folder.join("took.json"), &json!({"seconds": seconds}))?;
    let record = record(campaign, run, measured, reason.clone());
    files::write_json_line(&folder.join("run.json"), &record)?;
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::rename(&folder, &place)?;
    Ok(Some(reason))
}

fn record(
    campaign: &Campaign,
    run: &PlannedRun,
    measured: Option<Measured>,
    reason: Option<String>,
) -> Record {
    let status = if measured.is_some() { Status::Ok } else { Status::Failed };
    let (metrics, series, trace) = measured.map_or_else(Default::default, |measured| {
        (measured.metrics, measured.series, measured.trace)
    });
    Record {
        schema_version: SCHEMA_VERSION,
        run: run.run.clone(),
        load: run.load,
        block: run.block,
        profile: run.profile.clone(),
        seed: run.seed,
        driver: campaign.design().driver.kind().into(),
        status,
        reason,
        metrics,
        series,
        trace,
    }
}

/// A reason without the folder in which the run was made.
fn portable(reason: &str, folder: &Path) -> String {
    reason
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), "RUN")
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether a command says that the disk is full.
fn speaks_of_full_disk(reason: &str) -> bool {
    reason.contains("No space left on device") || reason.contains("os error 28")
}
