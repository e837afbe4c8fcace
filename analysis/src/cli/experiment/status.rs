//! How far a campaign is.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use super::{Refusal, run::jobs};
use crate::cli::{Answered, Ending, write_json};
use crate::experiment::{Campaign, Counts, Record, Status};
use crate::report::{Table, count, heading, seconds, sentence};
use crate::stats::mean;

/// Failed runs that are shown in tables.
const SHOWN: usize = 10;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Folder of the campaign
    campaign: PathBuf,
    /// Runs at the same time, for the time that is left [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Answered, Refusal> {
    let campaign = Campaign::open(&arguments.campaign)?;
    let counts = campaign.counts()?;
    let jobs = jobs(arguments.jobs, &campaign.design().driver)?;
    let mut failed = campaign.records()?;
    failed.retain(|record| record.status == Status::Failed);
    let taken = campaign.seconds_taken();
    let left: usize = counts.iter().map(|counts| counts.left).sum();
    let time_left = (left == 0)
        .then_some(0.0)
        .or((!taken.is_empty()).then(|| mean(&taken) * left as f64 / jobs as f64));
    let written = if arguments.json {
        let loads = campaign.plan().loads.iter().zip(&counts).map(|(load, counts)| {
            json!({"name": load.name, "value": load.value, "ok": counts.ok, "failed": counts.failed,
                   "left": counts.left})
        });
        let failed =
            failed.iter().map(|record| json!({"run": record.run, "reason": record.reason}));
        let answer = json!({
            "design": campaign.design().name,
            "design_hash": campaign.plan().design_hash,
            "loads": loads.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "seconds_left": time_left,
            "jobs": jobs,
        });
        write_json(&answer, out)
    } else {
        print(&campaign, &counts, &failed, time_left, out)
    };
    Ok((Ending::Good, written))
}

fn print(
    campaign: &Campaign,
    counts: &[Counts],
    failed: &[Record],
    time_left: Option<f64>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", heading(&campaign.design().name))?;
    let mut table = Table::new(&["load", "ok", "failed", "left"]);
    for (load, counts) in campaign.plan().loads.iter().zip(counts) {
        let numbers = [counts.ok, counts.failed, counts.left].map(|number| count(number as u64));
        table.row(std::iter::once(load.name.clone()).chain(numbers).collect());
    }
    writeln!(out, "{table}")?;
    for record in failed.iter().take(SHOWN) {
        let names = campaign.design().strategy_names(&record.profile).join(", ");
        let reason = record.reason.as_deref().unwrap_or("no reason was given");
        writeln!(out, "{}", sentence(&format!("{} ({names}) failed: {reason}", record.run)))?;
    }
    if failed.len() > SHOWN {
        writeln!(
            out,
            "{}",
            sentence(&format!("{} more failed: see --json.", failed.len() - SHOWN))
        )?;
    }
    let time = match time_left {
        Some(0.0) => "Every run is made.".to_owned(),
        Some(left) => format!("About {} of runs are left.", seconds(left)),
        None => "No run is made yet.".to_owned(),
    };
    writeln!(out, "{}", sentence(&time))
}
