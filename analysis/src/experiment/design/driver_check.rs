//! The rules of a design's driver.

use std::ops::Range;

use toml::Spanned;

use super::check::{Text, within};
use super::file::{DriverFile, ResultsFile, StepFile};
use super::{CommandDriver, Driver, LabDriver, Restart, Results, ResultsFormat, Step};
use crate::load::Fault;

/// Time limits of the steps, in seconds, if the design has none.
const LAB_LIMIT_S: f64 = 3600.0;
const STEP_LIMIT_S: f64 = 1800.0;

pub(super) fn driver(source: &Text, file: Spanned<DriverFile>) -> Result<Driver, Fault> {
    let place = file.span();
    let file = file.into_inner();
    match file.kind.get_ref().as_str() {
        "lab" => lab(source, file, place).map(Driver::Lab),
        "command" => command(source, file, place).map(Box::new).map(Driver::Command),
        other => {
            let what = format!("\"{other}\" is no kind of driver; these are lab and command");
            Err(source.fault(file.kind.span(), what))
        }
    }
}

/// The first of several keys that is there.
fn stray(keys: &[(&'static str, Option<Range<usize>>)]) -> Option<(&'static str, Range<usize>)> {
    keys.iter().find_map(|(key, place)| place.clone().map(|place| (*key, place)))
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Range<usize>> {
    value.map(Spanned::span)
}

fn lab(source: &Text, file: DriverFile, place: Range<usize>) -> Result<LabDriver, Fault> {
    let foreign = [
        ("deploy", span(file.deploy.as_ref())),
        ("ready", span(file.ready.as_ref())),
        ("warm_up", span(file.warm_up.as_ref())),
        ("drive", span(file.drive.as_ref())),
        ("collect", span(file.collect.as_ref())),
        ("tear_down", span(file.tear_down.as_ref())),
        ("cooling_seconds", span(file.cooling_seconds.as_ref())),
        ("restart", span(file.restart.as_ref())),
        ("results", span(file.results.as_ref())),
    ];
    if let Some((key, place)) = stray(&foreign) {
        let what = format!("{key} belongs to the driver \"command\"; the driver is \"lab\"");
        return Err(source.fault(place, what));
    }
    let missing = || source.fault(place, "the driver \"lab\" needs scenario = \"FILE\"");
    Ok(LabDriver {
        scenario: file.scenario.ok_or_else(missing)?.into_inner().into(),
        keep_traces: file.keep_traces.is_some_and(Spanned::into_inner),
        time_limit_s: seconds(source, file.time_limit_seconds, LAB_LIMIT_S)?,
    })
}

fn command(source: &Text, file: DriverFile, place: Range<usize>) -> Result<CommandDriver, Fault> {
    let foreign = [
        ("scenario", span(file.scenario.as_ref())),
        ("keep_traces", span(file.keep_traces.as_ref())),
        ("time_limit_seconds", span(file.time_limit_seconds.as_ref())),
    ];
    if let Some((key, place)) = stray(&foreign) {
        let what = format!("{key} belongs to the driver \"lab\"; the driver is \"command\"");
        return Err(source.fault(place, what));
    }
    let restart = match file.restart {
        None => Restart::OnChange,
        Some(restart) => match restart.get_ref().as_str() {
            "on_change" => Restart::OnChange,
            "every_run" => Restart::EveryRun,
            _ => {
                let what = "restart is \"on_change\" or \"every_run\"";
                return Err(source.fault(restart.span(), what));
            }
        },
    };
    let poll = file.ready.as_ref().and_then(|ready| ready.get_ref().poll_seconds.clone());
    let ready_poll_s = poll.map_or(Ok(1.0), |poll| {
        within(source, poll, |poll| poll > 0.0, "poll_seconds is above 0")
    })?;
    let others = [&file.deploy, &file.warm_up, &file.drive, &file.collect, &file.tear_down];
    if let Some(poll) =
        others.into_iter().flatten().find_map(|step| step.get_ref().poll_seconds.as_ref())
    {
        return Err(source.fault(poll.span(), "poll_seconds belongs to ready alone"));
    }
    let optional = |file: Option<Spanned<StepFile>>| {
        file.map(|file| step(source, file.into_inner())).transpose()
    };
    let needs =
        |key: &str| source.fault(place.clone(), format!("the driver \"command\" needs {key}"));
    let cooling_s = file.cooling_seconds.map_or(Ok(0.0), |cooling| {
        within(source, cooling, |cooling| cooling >= 0.0, "cooling_seconds is 0 or more")
    })?;
    Ok(CommandDriver {
        deploy: optional(file.deploy)?,
        ready: optional(file.ready)?,
        ready_poll_s,
        warm_up: optional(file.warm_up)?,
        drive: optional(file.drive)?.ok_or_else(|| {
            needs("[driver.drive] with the command that puts load on the cluster")
        })?,
        collect: optional(file.collect)?,
        tear_down: optional(file.tear_down)?,
        cooling_s,
        restart,
        results: file
            .results
            .ok_or_else(|| needs("[driver.results] with format and path of what drive writes"))
            .and_then(|results| self::results(source, results.into_inner()))?,
    })
}

fn step(source: &Text, file: StepFile) -> Result<Step, Fault> {
    if file.command.get_ref().trim().is_empty() {
        return Err(source.fault(file.command.span(), "a command is empty; leave the step out"));
    }
    let time_limit_s = seconds(source, file.time_limit_seconds, STEP_LIMIT_S)?;
    Ok(Step { command: file.command.into_inner(), time_limit_s })
}

fn seconds(source: &Text, limit: Option<Spanned<f64>>, usual: f64) -> Result<f64, Fault> {
    let above = |limit| within(source, limit, |limit| limit > 0.0, "a time limit is above 0");
    limit.map_or(Ok(usual), above)
}

fn results(source: &Text, file: ResultsFile) -> Result<Results, Fault> {
    let named = ResultsFormat::NAMES.iter().find(|(name, _)| name == file.format.get_ref());
    let names = ResultsFormat::NAMES.map(|(name, _)| name);
    let what = || {
        let format = file.format.get_ref();
        format!("\"{format}\" is no format of results; these are {}", names.join(", "))
    };
    let format = named.ok_or_else(|| source.fault(file.format.span(), what()))?.1;
    Ok(Results { format, path: file.path.into() })
}
