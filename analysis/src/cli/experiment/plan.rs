//! What a design would run.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::{Refusal, run::jobs};
use crate::cli::{Answered, Ending, complain, write_json};
use crate::experiment::{Campaign, Driver, LabProgram, PlannedRun, SamplePlan, Step, trial};
use crate::report::{Table, count, heading, number, seconds, sentence};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The design (TOML)
    design: PathBuf,
    /// Begin the campaign in this folder, without making a run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// The lab's program [default: NASHTRACE_LAB, lab/target/release/nashtrace-lab, or the one in PATH]
    #[arg(long, value_name = "FILE")]
    lab: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How long the runs of each load take.
enum Takes {
    /// By one run of the default profile under each load.
    Tried(Vec<f64>),
    /// At most this in all, by the time limits.
    AtMost(f64),
    /// Why it is not known.
    Unknown(String),
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Answered, Refusal> {
    let campaign = match &arguments.out {
        Some(folder) => Campaign::create(&arguments.design, folder)?,
        None => Campaign::plan_only(&arguments.design, &arguments.design)?,
    };
    let jobs = jobs(arguments.jobs, &campaign.design().driver)?;
    let takes = takes(&campaign, arguments);
    let written = if arguments.json {
        write_json(&to_json(&campaign, &takes, jobs), out)
    } else {
        print(&campaign, &takes, jobs, out)
    };
    Ok((Ending::Good, written))
}

fn takes(campaign: &Campaign, arguments: &Arguments) -> Takes {
    let driver = match &campaign.design().driver {
        Driver::Lab(_) => {
            let tried = LabProgram::find(arguments.lab.as_deref())
                .map_err(|error| error.to_string())
                .and_then(|lab| trial(campaign, &lab, &AtomicBool::new(false)));
            return tried.map_or_else(Takes::Unknown, Takes::Tried);
        }
        Driver::Command(driver) => driver,
    };
    let steps =
        [&driver.deploy, &driver.ready, &driver.warm_up, &driver.collect, &driver.tear_down];
    let limits = steps.into_iter().flatten().chain([&driver.drive]);
    let run: f64 = limits.map(|step: &Step| step.time_limit_s).sum();
    Takes::AtMost((run + driver.cooling_s) * campaign.plan().runs.len() as f64)
}

fn of_load(campaign: &Campaign, load: usize) -> impl Iterator<Item = &PlannedRun> {
    campaign.plan().runs.iter().filter(move |run| run.load == load)
}

/// Runs that are chosen once the planned ones are made.
fn adaptive_runs(campaign: &Campaign) -> usize {
    match campaign.design().plan {
        SamplePlan::Adaptive { runs } => runs,
        SamplePlan::Factorial | SamplePlan::Latin { .. } => 0,
    }
}

fn profiles(campaign: &Campaign) -> usize {
    let profiles: BTreeSet<&Vec<usize>> =
        campaign.plan().runs.iter().map(|run| &run.profile).collect();
    profiles.len()
}

/// Seconds of the runs under a load, one after the other.
fn load_seconds(campaign: &Campaign, takes: &Takes, load: usize) -> Option<f64> {
    let Takes::Tried(tried) = takes else { return None };
    Some(tried[load] * of_load(campaign, load).count() as f64)
}

fn to_json(campaign: &Campaign, takes: &Takes, jobs: usize) -> serde_json::Value {
    let (design, plan) = (campaign.design(), campaign.plan());
    let loads = plan.loads.iter().enumerate().map(|(number, load)| {
        json!({
            "name": load.name,
            "value": load.value,
            "runs": of_load(campaign, number).count(),
            "seconds": load_seconds(campaign, takes, number).map(|seconds| seconds / jobs as f64),
        })
    });
    let at_most = match takes {
        Takes::AtMost(seconds) => Some(*seconds),
        _ => None,
    };
    json!({
        "design": design.name,
        "design_hash": plan.design_hash,
        "players": plan.players,
        "profiles": plan.profiles,
        "planned_profiles": profiles(campaign),
        "blocks": plan.blocks,
        "loads": loads.collect::<Vec<_>>(),
        "runs": plan.runs.len(),
        "adaptive_runs": adaptive_runs(campaign),
        "jobs": jobs,
        "at_most_seconds": at_most,
    })
}

fn print(campaign: &Campaign, takes: &Takes, jobs: usize, out: &mut dyn Write) -> io::Result<()> {
    let (design, plan) = (campaign.design(), campaign.plan());
    writeln!(out, "{}", heading(&design.name))?;
    if !design.description.is_empty() {
        writeln!(out, "{}", sentence(&design.description))?;
    }
    writeln!(out)?;
    let mut players = Table::new(&["player", "strategies", "default"]).left(1).left(2);
    for player in &plan.players {
        let default = player.strategies[player.default].clone();
        players.row(vec![player.name.clone(), player.strategies.join(", "), default]);
    }
    writeln!(out, "{players}")?;
    let mut loads = Table::new(&["load", &design.load_unit, "profiles", "blocks", "runs", "time"]);
    for (number, load) in plan.loads.iter().enumerate() {
        let time = load_seconds(campaign, takes, number);
        loads.row(vec![
            load.name.clone(),
            self::number(load.value),
            format!("{} of {}", count(profiles(campaign) as u64), count(plan.profiles as u64)),
            count(plan.blocks as u64),
            count(of_load(campaign, number).count() as u64),
            time.map_or_else(|| "-".into(), |time| seconds(time / jobs as f64)),
        ]);
    }
    writeln!(out, "{loads}")?;
    let runs = count(plan.runs.len() as u64);
    let time = match takes {
        Takes::Tried(_) => {
            let all = (0..plan.loads.len()).filter_map(|load| load_seconds(campaign, takes, load));
            let all = seconds(all.sum::<f64>() / jobs as f64);
            format!("{runs} runs, about {all} with {jobs} at a time, by one trial under each load.")
        }
        Takes::AtMost(most) => {
            format!("{runs} runs, at most {} by their time limits.", seconds(*most))
        }
        Takes::Unknown(why) => {
            complain(&format!("how long it takes is not known: {why}"));
            format!("{runs} runs.")
        }
    };
    writeln!(out, "{}", sentence(&time))?;
    match adaptive_runs(campaign) {
        0 => Ok(()),
        more => writeln!(
            out,
            "{}",
            sentence(&format!("{} more are chosen by what these give.", count(more as u64)))
        ),
    }
}
