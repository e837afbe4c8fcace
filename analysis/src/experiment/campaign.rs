//! The folder of a campaign.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::design::{Design, Driver};
use super::files;
use super::plan::{Choice, Plan, PlanError, PlannedRun};
use super::record::{Record, RecordError, Status};
use crate::load::TextFileError;

/// Names in a campaign's folder.
const DESIGN: &str = "design.toml";
const SCENARIO: &str = "scenario.toml";
const ORIGIN: &str = "origin.json";
const PLAN: &str = "plan.json";
const CHOSEN: &str = "chosen.json";
const LOCK: &str = "lock";
const RUNS: &str = "runs";

/// A campaign: a design, its plan and the runs that were made.
#[derive(Debug)]
pub struct Campaign {
    root: PathBuf,
    design: Design,
    plan: Plan,
    scenario: Option<String>,
    origin: Origin,
    /// What is locked while runs are made.
    lock: PathBuf,
}

/// Where the campaign comes from. Commands run there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Origin {
    /// The design's folder.
    folder: PathBuf,
    /// The version of the program that began it.
    nashtrace: String,
}

/// Why a campaign cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// The operating system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        error: io::Error,
    },
    /// The design is not one.
    #[error(transparent)]
    Design(#[from] TextFileError),
    /// The plan is not one.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A run's record is not one.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The folder cannot be what is asked of it.
    #[error("{}: {what}", path.display())]
    Refused {
        /// The folder.
        path: PathBuf,
        /// Why, and what to do.
        what: String,
    },
}

/// How far a campaign is, under one load or in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Runs with metrics.
    pub ok: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Runs to be made.
    pub left: usize,
}

/// A campaign that nobody else makes runs in as long as this lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Campaign {
    /// Begin a campaign in a folder that has none.
    ///
    /// # Errors
    ///
    /// If the design or its scenario cannot be read, or the folder holds something else.
    pub fn create(design: &Path, root: &Path) -> Result<Self, CampaignError> {
        let planned = Self::plan_only(design, root)?;
        let io_error = |path: &Path| {
            let path = path.to_owned();
            move |error| CampaignError::Io { path, error }
        };
        fs::create_dir_all(root).map_err(io_error(root))?;
        let _lock = planned.lock()?;
        for entry in fs::read_dir(root).map_err(io_error(root))? {
            let name = entry.map_err(io_error(root))?.file_name();
            let name = name.to_string_lossy();
            if name == PLAN {
                let what = "a campaign lies here already: continue it with `nashtrace experiment \
                            resume`, or choose another folder";
                return Err(planned.refused(what));
            }
            // What an attempt leaves that was killed before the plan was there.
            let known = [DESIGN, SCENARIO, ORIGIN, LOCK, PLAN];
            let is_begun = name == RUNS && is_empty(&root.join(RUNS)).map_err(io_error(root))?;
            if !is_begun && !known.contains(&name.trim_end_matches(".partial")) {
                let what = format!("{name} lies here: a campaign begins in a folder of its own");
                return Err(planned.refused(&what));
            }
        }
        let text = fs::read_to_string(design).map_err(io_error(design))?;
        let written =
            |name: &str, written: io::Result<()>| written.map_err(io_error(&root.join(name)));
        written(DESIGN, files::write(&root.join(DESIGN), text.as_bytes()))?;
        if let Some(scenario) = &planned.scenario {
            written(SCENARIO, files::write(&root.join(SCENARIO), scenario.as_bytes()))?;
        }
        written(ORIGIN, files::write_json(&root.join(ORIGIN), &planned.origin))?;
        written(RUNS, fs::create_dir_all(root.join(RUNS)))?;
        // The campaign exists when its plan does.
        written(PLAN, files::write_json(&root.join(PLAN), &planned.plan))?;
        Ok(planned)
    }

    /// What [`Self::create`] would begin; nothing is written.
    ///
    /// # Errors
    ///
    /// If the design or its scenario cannot be read.
    pub fn plan_only(design_file: &Path, root: &Path) -> Result<Self, CampaignError> {
        let text = fs::read_to_string(design_file)
            .map_err(|error| CampaignError::Io { path: design_file.to_owned(), error })?;
        let design = Design::load(design_file)?;
        let absolute = std::path::absolute(design_file)
            .map_err(|error| CampaignError::Io { path: design_file.to_owned(), error })?;
        let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let scenario = match &design.driver {
            Driver::Lab(lab) => Some(super::scenario::base(&folder.join(&lab.scenario))?),
            Driver::Command(_) => None,
        };
        let plan = Plan::of(&design, hash(&text, scenario.as_deref()));
        let origin = Origin { folder, nashtrace: env!("CARGO_PKG_VERSION").into() };
        let lock = root.join(LOCK);
        Ok(Self { root: root.to_owned(), design, plan, scenario, origin, lock })
    }

    /// Open a campaign.
    ///
    /// # Errors
    ///
    /// If the folder holds none, or its design is no longer the one that was planned.
    pub fn open(root: &Path) -> Result<Self, CampaignError> {
        let refused =
            |what: &str| CampaignError::Refused { path: root.to_owned(), what: what.to_owned() };
        if !root.join(PLAN).is_file() {
            return Err(refused(
                "no campaign lies here: begin one with `nashtrace experiment run`",
            ));
        }
        let read = |name: &str| {
            let path = root.join(name);
            fs::read_to_string(&path).map_err(|error| CampaignError::Io { path, error })
        };
        let design = Design::load(&root.join(DESIGN))?;
        let text = read(DESIGN)?;
        let scenario = match design.driver {
            Driver::Lab(_) => Some(read(SCENARIO)?),
            Driver::Command(_) => None,
        };
        let mut plan = Plan::load(&root.join(PLAN))?;
        if plan != Plan::of(&design, hash(&text, scenario.as_deref())) {
            return Err(refused(
                "design.toml or scenario.toml was changed since plan.json was written: put them back, \
                 or begin another campaign with the changed design",
            ));
        }
        let origin = serde_json::from_str(&read(ORIGIN)?)
            .map_err(|error| CampaignError::Io { path: root.join(ORIGIN), error: error.into() })?;
        let chosen = match read(CHOSEN) {
            Err(CampaignError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Vec::new()
            }
            text => chosen(&text?, &design)
                .map_err(|what| CampaignError::Refused { path: root.join(CHOSEN), what })?,
        };
        plan.add(&design, &chosen);
        let lock = root.join(LOCK);
        Ok(Self { root: root.to_owned(), design, plan, scenario, origin, lock })
    }

    /// Add runs that an adaptive plan chose, for good.
    pub(super) fn choose(&mut self, more: &[Choice]) -> Result<(), CampaignError> {
        let is_later = |run: &&PlannedRun| run.block >= self.design.blocks;
        let before = self.plan.runs.iter().filter(is_later).map(|run| Choice {
            load: run.load,
            block: run.block,
            profile: run.profile.clone(),
        });
        let all: Vec<Choice> = before.chain(more.iter().cloned()).collect();
        let path = self.root.join(CHOSEN);
        files::write_json(&path, &all).map_err(|error| CampaignError::Io { path, error })?;
        self.plan.add(&self.design, more);
        Ok(())
    }

    /// The same design with other runs, in a folder in this one's. Both are locked together.
    pub(super) fn within(&self, root: PathBuf, plan: Plan) -> Self {
        Self {
            root,
            plan,
            design: self.design.clone(),
            scenario: self.scenario.clone(),
            origin: self.origin.clone(),
            lock: self.lock.clone(),
        }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The design.
    #[must_use]
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// Every run that the design asks for.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The folder of a run.
    #[must_use]
    pub fn run_folder(&self, run: &PlannedRun) -> PathBuf {
        self.root.join(RUNS).join(&run.run)
    }

    /// What a run gave; `None` as long as it was not made.
    ///
    /// # Errors
    ///
    /// If the record is damaged or that of another run.
    pub fn record(&self, run: &PlannedRun) -> Result<Option<Record>, CampaignError> {
        let path = self.run_folder(run).join("run.json");
        if !path.exists() {
            return Ok(None);
        }
        let record = Record::load(&path)?;
        let is_of = (&record.run, record.load, record.block, &record.profile, record.seed)
            == (&run.run, run.load, run.block, &run.profile, run.seed);
        if !is_of {
            let what = "this is the record of another run; delete the run's folder and resume the \
                        campaign";
            return Err(CampaignError::Refused { path, what: what.into() });
        }
        Ok(Some(record))
    }

    /// What the runs gave that were made, in the order of the plan.
    ///
    /// # Errors
    ///
    /// See [`Self::record`].
    pub fn records(&self) -> Result<Vec<Record>, CampaignError> {
        self.plan.runs.iter().filter_map(|run| self.record(run).transpose()).collect()
    }

    /// How far it is under each load.
    ///
    /// # Errors
    ///
    /// See [`Self::record`].
    pub fn counts(&self) -> Result<Vec<Counts>, CampaignError> {
        let mut counts = vec![Counts::default(); self.plan.loads.len()];
        for run in &self.plan.runs {
            let of_load = &mut counts[run.load];
            match self.record(run)?.map(|record| record.status) {
                Some(Status::Ok) => of_load.ok += 1,
                Some(Status::Failed) => of_load.failed += 1,
                None => of_load.left += 1,
            }
        }
        Ok(counts)
    }

    /// Seconds that each run took which was made here.
    #[must_use]
    pub fn seconds_taken(&self) -> Vec<f64> {
        let taken = |run: &PlannedRun| {
            let text = fs::read_to_string(self.run_folder(run).join("took.json")).ok()?;
            serde_json::from_str::<serde_json::Value>(&text).ok()?["seconds"].as_f64()
        };
        self.plan.runs.iter().filter_map(taken).collect()
    }

    /// The scenario that strategies and loads change.
    pub(super) fn scenario(&self) -> &str {
        self.scenario.as_deref().unwrap_or_default()
    }

    /// The folder in which commands run.
    pub(super) fn origin(&self) -> &Path {
        &self.origin.folder
    }

    /// Refuse all others.
    pub(super) fn lock(&self) -> Result<Lock, CampaignError> {
        let path = self.lock.clone();
        let open = File::options().create(true).append(true).open(&path);
        let file = open.map_err(|error| CampaignError::Io { path: path.clone(), error })?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(self.refused(
                "another nashtrace makes runs here; wait for it, or choose another folder",
            )),
            Err(TryLockError::Error(error)) => Err(CampaignError::Io { path, error }),
        }
    }

    fn refused(&self, what: &str) -> CampaignError {
        CampaignError::Refused { path: self.root.clone(), what: what.to_owned() }
    }
}

/// The runs that were chosen.
fn chosen(text: &str, design: &Design) -> Result<Vec<Choice>, String> {
    let chosen: Vec<Choice> =
        serde_json::from_str(text).map_err(|error| format!("line {}: {error}", error.line()))?;
    match chosen.iter().all(|choice| choice.is_of(design)) {
        true => Ok(chosen),
        false => Err("a run in it is none of the design's; put the file back as it was".into()),
    }
}

/// Whether a folder has nothing in it.
fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

fn hash(design: &str, scenario: Option<&str>) -> String {
    let mut hash = Xxh3::new();
    for text in [design, scenario.unwrap_or_default()] {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    format!("{:032x}", hash.digest128())
}
