//! The driver `lab`: a run is a scenario that `nashtrace-lab` plays in simulated time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Deserialize;

use super::campaign::Campaign;
use super::design::LabDriver;
use super::execute::{Made, Measured};
use super::files;
use super::outcomes::{self, Metrics};
use super::plan::PlannedRun;
use super::process::{self, Ended};
use super::series::{self, Intervals};
use super::{scenario, traced};

/// The lab's program.
#[derive(Debug, Clone)]
pub struct LabProgram {
    path: PathBuf,
    /// Asked once.
    version: OnceLock<Option<String>>,
}

/// Why the lab cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// It was named and is not there.
    #[error("{}: there is no such program; {from} names it", path.display())]
    Missing {
        /// The program.
        path: PathBuf,
        /// Who named it.
        from: &'static str,
    },
    /// It was found nowhere.
    #[error(
        "nashtrace-lab was found neither in lab/target/release nor in PATH: build it (scripts/fork-dynamo, then \
         `cargo build --release` in lab/), or name it with --lab or NASHTRACE_LAB"
    )]
    Nowhere,
}

impl LabProgram {
    /// Find the lab: as named, or by `NASHTRACE_LAB`, or in the repository that this program was built in or
    /// that lies around the working directory, or in `PATH`.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub fn find(named: Option<&Path>) -> Result<Self, LabError> {
        let by_environment = std::env::var_os("NASHTRACE_LAB").map(PathBuf::from);
        let given = named
            .map(|path| (path.to_owned(), "--lab"))
            .or_else(|| by_environment.map(|path| (path, "NASHTRACE_LAB")));
        if let Some((path, from)) = given {
            return if path.is_file() {
                Ok(Self::at(std::path::absolute(&path).unwrap_or(path)))
            } else {
                Err(LabError::Missing { path, from })
            };
        }
        let built = Path::new("lab/target/release/nashtrace-lab");
        let program = std::env::current_exe().unwrap_or_default();
        let here = std::env::current_dir().unwrap_or_default();
        let around = program.ancestors().chain(here.ancestors()).map(|folder| folder.join(built));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_path: Vec<PathBuf> =
            std::env::split_paths(&path).map(|folder| folder.join("nashtrace-lab")).collect();
        let mut found = around.chain(in_path).filter(|path| path.is_file());
        found.next().map(Self::at).ok_or(LabError::Nowhere)
    }

    fn at(path: PathBuf) -> Self {
        Self { path, version: OnceLock::new() }
    }

    /// Its version and Dynamo's, in its own words; `None` if it does not tell.
    fn version(&self) -> Option<&str> {
        let ask = || {
            let output = Command::new(&self.path).arg("--version").output().ok()?;
            let said = String::from_utf8(output.stdout).ok()?;
            let (_, version) = said.trim().split_once(' ')?;
            output.status.success().then(|| version.to_owned())
        };
        self.version.get_or_init(ask).as_deref()
    }
}

/// What is used of the simulator's report.
#[derive(Deserialize)]
struct Simulator {
    duration_ms: f64,
    prefill_worker_seconds: f64,
    decode_worker_seconds: f64,
}

/// Makes runs with the lab.
pub(super) struct Lab<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) driver: &'a LabDriver,
    pub(super) program: &'a LabProgram,
}

impl Lab<'_> {
    /// Make a run in a folder.
    pub(super) fn make(
        &self,
        run: &PlannedRun,
        folder: &Path,
        stop: &AtomicBool,
    ) -> std::io::Result<Made> {
        let design = self.campaign.design();
        let settings = design.settings(&run.profile, run.load);
        let asked = match scenario::of_run(self.campaign.scenario(), &settings, &run.run, run.seed)
        {
            Ok(asked) => asked,
            Err(reason) => return Ok(Made::Failed(reason)),
        };
        let asked_file = folder.join("asked.toml");
        files::write(&asked_file, asked.as_bytes())?;
        let mut command = Command::new(&self.program.path);
        command.arg("run").arg(&asked_file).arg("--out").arg(folder).args(["--force", "--json"]);
        // Runs at the same time cannot share an address.
        command.env_remove("NASHTRACE_METRICS_ADDR");
        let limit = Duration::from_secs_f64(self.driver.time_limit_s);
        let log = folder.join("lab.log");
        match process::run(command, &log, limit, stop, None)? {
            Ended::Stopped => return Ok(Made::Stopped),
            Ended::Good => {}
            Ended::Failed(reason) => return Ok(Made::Failed(reason)),
            Ended::TimeLimit => {
                let limit = self.driver.time_limit_s;
                return Ok(Made::Failed(format!("the lab took longer than {limit} s")));
            }
        }
        let measured = match self.measure(folder) {
            Ok(measured) => measured,
            Err(reason) => return Ok(Made::Failed(reason)),
        };
        fs::remove_file(&asked_file)?;
        fs::remove_file(&log)?;
        if !self.driver.keep_traces {
            prune(folder)?;
        }
        Ok(Made::Measured(measured))
    }

    fn measure(&self, folder: &Path) -> Result<Measured, String> {
        let design = self.campaign.design();
        let requests = outcomes::read(&folder.join("requests.jsonl"))?;
        let intervals = Intervals::of(&requests, design.series_step_s);
        let mut metrics = outcomes::metrics(&requests, design);
        let mut series = series::of_requests(&requests, &intervals);
        gpus(folder, &mut metrics)?;
        let duration_s = metrics.get("duration_s").copied().flatten().unwrap_or(f64::NAN);
        let mut traced = traced::read(folder, &intervals, duration_s)?;
        let version =
            self.program.version().map(|version| ("nashtrace-lab".into(), version.into()));
        traced.facts.versions.extend(version);
        metrics.extend(traced.metrics);
        metrics.extend(traced.routes.metrics(&requests));
        series.extend(traced.series);
        Ok(Measured { metrics, series, trace: Some(traced.facts) })
    }
}

/// GPUs: the workers' seconds that the simulator counted, times the GPUs of a worker by the scenario.
fn gpus(folder: &Path, metrics: &mut Metrics) -> Result<(), String> {
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
    };
    let simulator: Simulator = serde_json::from_str(&read("simulator.json")?)
        .map_err(|error| format!("simulator.json: {error}"))?;
    let scenario: toml::Table =
        read("scenario.toml")?.parse().map_err(|error| format!("scenario.toml: {error}"))?;
    let timing = scenario.get("timing");
    let gpus_per_worker = timing
        .and_then(|timing| timing.get("tensor_parallel"))
        .and_then(toml::Value::as_integer)
        .unwrap_or(1) as f64;
    let seconds =
        (simulator.prefill_worker_seconds + simulator.decode_worker_seconds) * gpus_per_worker;
    let count = seconds / (simulator.duration_ms / 1e3);
    let goodput = metrics.get("goodput_requests_per_s").copied().flatten();
    let per_good = goodput.filter(|goodput| *goodput > 0.0).map(|goodput| count / goodput);
    for (name, value) in [
        ("gpu_seconds", Some(seconds)),
        ("gpu_count", Some(count)),
        ("gpu_seconds_per_good_request", per_good),
    ] {
        metrics.insert(name.into(), value.filter(|value| value.is_finite()));
    }
    Ok(())
}

/// Remove what can be played again from the scenario.
fn prune(folder: &Path) -> std::io::Result<()> {
    for name in ["requests.jsonl", "simulator.json", "tiers.json", "scaling.jsonl"] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::remove_dir_all(folder.join("trace"))
}
