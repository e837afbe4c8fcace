//! The driver `command`: a run is a sequence of commands on a real cluster.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::campaign::Campaign;
use super::design::{CommandDriver, Design, Restart, ResultsFormat, ServiceLevel, Step};
use super::execute::{Made, Measured};
use super::files;
use super::leftover::{self, Place};
use super::metric::{metric, unknown};
use super::outcomes::{self, Metrics, RequestOutcome};
use super::plan::PlannedRun;
use super::process::{self, Ended, rest};
use super::series::{self, Intervals};
use crate::load::{Format, Measurement, ReadOptions, Slo, measurement_of};

/// The variables of a command, by name.
type Variables = BTreeMap<String, String>;

/// Makes runs with commands, one at a time.
pub(super) struct Commands<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) driver: &'a CommandDriver,
    /// The profile and load whose configuration is up.
    deployed: Option<(Vec<usize>, Variables)>,
}

/// Why a step did not end well.
enum Trouble {
    Failed(String),
    Stopped,
    System(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl<'a> Commands<'a> {
    /// End first what an interrupted campaign left running, and take down what it left behind.
    ///
    /// # Errors
    ///
    /// If the marker of what was deployed cannot be read or removed.
    pub(super) fn new(campaign: &'a Campaign, driver: &'a CommandDriver) -> io::Result<Self> {
        let mut commands = Self { campaign, driver, deployed: None };
        leftover::end(&commands.group())?;
        match fs::read(commands.marker()) {
            Ok(text) => {
                let variables: Variables = serde_json::from_slice(&text)?;
                commands.deployed = Some((Vec::new(), variables));
                commands.tear_down()?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(commands)
    }

    /// Make a run in a folder. After a failure the configuration is taken down.
    pub(super) fn make(
        &mut self,
        run: &PlannedRun,
        folder: &Path,
        stop: &AtomicBool,
    ) -> io::Result<Made> {
        let made = self.steps(run, folder, stop);
        if made.is_err() {
            self.tear_down()?;
        }
        match made {
            Ok(()) => {}
            Err(Trouble::Failed(reason)) => return Ok(Made::Failed(reason)),
            Err(Trouble::Stopped) => return Ok(Made::Stopped),
            Err(Trouble::System(error)) => return Err(error),
        }
        Ok(match self.measure(folder) {
            Ok(measured) => Made::Measured(measured),
            Err(reason) => Made::Failed(reason),
        })
    }

    fn steps(&mut self, run: &PlannedRun, folder: &Path, stop: &AtomicBool) -> Result<(), Trouble> {
        let driver = self.driver;
        let variables = self.variables(run, folder);
        let is_up = self.deployed.as_ref().is_some_and(|(profile, _)| *profile == run.profile);
        if !is_up || driver.restart == Restart::EveryRun {
            self.tear_down()?;
            if !rest(Duration::from_secs_f64(driver.cooling_s), stop) {
                return Err(Trouble::Stopped);
            }
            // Before anything is deployed: whatever happens from here on, it is taken down.
            files::write_json(&self.marker(), &variables)?;
            self.deployed = Some((run.profile.clone(), variables.clone()));
            self.step("deploy", driver.deploy.as_ref(), &variables, folder, stop)?;
            self.wait_ready(&variables, folder, stop)?;
        } else if !rest(Duration::from_secs_f64(driver.cooling_s), stop) {
            return Err(Trouble::Stopped);
        }
        self.step("warm_up", driver.warm_up.as_ref(), &variables, folder, stop)?;
        self.step("drive", Some(&driver.drive), &variables, folder, stop)?;
        self.step("collect", driver.collect.as_ref(), &variables, folder, stop)
    }

    fn variables(&self, run: &PlannedRun, folder: &Path) -> Variables {
        let design = self.campaign.design();
        let settings = design.settings(&run.profile, run.load).into_iter().map(|(key, value)| {
            let value = match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            (key, value)
        });
        // The commands work in the design's folder.
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let own = [
            ("NASHTRACE_RUN", run.run.clone()),
            ("NASHTRACE_OUT", folder.to_string_lossy().into_owned()),
            ("NASHTRACE_BLOCK", run.block.to_string()),
            ("NASHTRACE_SEED", run.seed.to_string()),
            ("NASHTRACE_LOAD", design.loads[run.load].name.clone()),
        ];
        settings.chain(own.map(|(name, value)| (name.to_owned(), value))).collect()
    }

    fn step(
        &self,
        name: &str,
        step: Option<&Step>,
        variables: &Variables,
        folder: &Path,
        stop: &AtomicBool,
    ) -> Result<(), Trouble> {
        let Some(step) = step else { return Ok(()) };
        let limit = Duration::from_secs_f64(step.time_limit_s);
        let log = folder.join(format!("{name}.log"));
        match self.command(&step.command, variables, &log, limit, stop)? {
            Ended::Good => Ok(()),
            Ended::Stopped => Err(Trouble::Stopped),
            Ended::Failed(reason) => Err(Trouble::Failed(format!("{name}: {reason}"))),
            Ended::TimeLimit => {
                Err(Trouble::Failed(format!("{name} took longer than {} s", step.time_limit_s)))
            }
        }
    }

    /// Ask until the answer is yes.
    fn wait_ready(
        &self,
        variables: &Variables,
        folder: &Path,
        stop: &AtomicBool,
    ) -> Result<(), Trouble> {
        let Some(ready) = &self.driver.ready else { return Ok(()) };
        let (began, limit) = (Instant::now(), Duration::from_secs_f64(ready.time_limit_s));
        let log = folder.join("ready.log");
        loop {
            let left = limit.saturating_sub(began.elapsed());
            let asked = self.command(&ready.command, variables, &log, left, stop)?;
            let last = match asked {
                Ended::Good => return Ok(()),
                Ended::Stopped => return Err(Trouble::Stopped),
                Ended::Failed(reason) => reason,
                Ended::TimeLimit => "no answer".into(),
            };
            let pause = Duration::from_secs_f64(self.driver.ready_poll_s);
            if began.elapsed() + pause >= limit {
                let limit = ready.time_limit_s;
                return Err(Trouble::Failed(format!("not ready within {limit} s: {last}")));
            }
            if !rest(pause, stop) {
                return Err(Trouble::Stopped);
            }
        }
    }

    /// Take the configuration down, if one is up; an interrupt does not keep us from it.
    ///
    /// # Errors
    ///
    /// If the command cannot be started or the marker cannot be removed. A command that fails is tried again
    /// before the next configuration.
    pub(super) fn tear_down(&mut self) -> io::Result<()> {
        let Some((_, variables)) = self.deployed.take() else { return Ok(()) };
        if let Some(step) = &self.driver.tear_down {
            let limit = Duration::from_secs_f64(step.time_limit_s);
            let log = self.campaign.root().join("tear_down.log");
            let stop = AtomicBool::new(false);
            let ended = self.command(&step.command, &variables, &log, limit, &stop)?;
            if ended != Ended::Good {
                return Err(io::Error::other(format!(
                    "tear_down did not end well ({ended:?}); its words are in {}; take the configuration \
                     down by hand, and resume",
                    log.display()
                )));
            }
            fs::remove_file(log)?;
        }
        fs::remove_file(self.marker())
    }

    fn command(
        &self,
        script: &str,
        variables: &Variables,
        log: &Path,
        limit: Duration,
        stop: &AtomicBool,
    ) -> io::Result<Ended> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).current_dir(self.campaign.origin()).envs(variables);
        let mark = format!("NASHTRACE_OUT={}", variables["NASHTRACE_OUT"]);
        let place = Place { file: &self.group(), mark: &mark };
        process::run(command, log, limit, stop, Some(place))
    }

    fn group(&self) -> PathBuf {
        self.campaign.root().join("running.json")
    }

    fn marker(&self) -> PathBuf {
        self.campaign.root().join("deployed.json")
    }

    fn measured(&self, metrics: Metrics, requests: &[RequestOutcome]) -> Measured {
        if requests.is_empty() {
            return Measured { metrics, series: Vec::new(), trace: None };
        }
        let intervals = Intervals::of(requests, self.campaign.design().series_step_s);
        Measured { metrics, series: series::of_requests(requests, &intervals), trace: None }
    }

    fn measure(&self, folder: &Path) -> Result<Measured, String> {
        let results = &self.driver.results;
        let file = folder.join(&results.path);
        match results.format {
            ResultsFormat::Metrics => {
                Ok(Measured { metrics: given_metrics(&file)?, series: Vec::new(), trace: None })
            }
            ResultsFormat::Requests => {
                let requests = outcomes::read(&file)?;
                let metrics = outcomes::metrics(&requests, self.campaign.design());
                Ok(self.measured(metrics, &requests))
            }
            ResultsFormat::Of(format) => {
                let measurement = measurement(&file, format, self.campaign.design())?;
                let metrics = measurement.metrics.iter();
                let metrics =
                    metrics.map(|(name, metric)| ((*name).to_owned(), Some(metric.value)));
                Ok(self.measured(metrics.collect(), &outcomes::of_measurement(&measurement)))
            }
        }
    }
}

/// What a load generator or the server says of a run.
fn measurement(path: &Path, format: Format, design: &Design) -> Result<Measurement, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let content = fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    let ServiceLevel { ttft_ms, itl_ms, e2e_ms } = design.slo;
    let slo = Slo { ttft_ms, itl_ms, e2e_ms };
    let options = ReadOptions { discard: design.discard, slo, ..ReadOptions::default() };
    measurement_of(&content, Some(format), &options)
        .map_err(|fault| format!("{name}, line {}: {}", fault.line, fault.what))
}

/// A JSON object of numbers by metric.
fn given_metrics(path: &Path) -> Result<Metrics, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let metrics: Metrics = serde_json::from_str(&text)
        .map_err(|error| format!("{name}, line {}: {error}", error.line()))?;
    match metrics.keys().find(|key| metric(key).is_none()) {
        Some(key) => Err(format!("{name}: {}", unknown(key))),
        None => Ok(metrics),
    }
}

impl Drop for Commands<'_> {
    fn drop(&mut self) {
        // Only after an error is something still up here, and that error is the one to report.
        let _ = self.tear_down();
    }
}
