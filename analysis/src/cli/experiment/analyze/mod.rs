//! What a campaign's runs say.

mod tables;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::Refusal;
use crate::campaign::{CampaignData, Settings, analyze, fresh_blocks};
use crate::cli::time_limit::seconds;
use crate::cli::{Answered, Ending};
use crate::experiment::{Campaign, files};
use crate::game::Deadline;

const EXAMPLES: &str = "\
The answers are written to CAMPAIGN/analysis.json, which `nashtrace report` turns into a page; the same runs and seed
give the same bytes on any machine, unless --time-limit cuts them short.

Examples:
  nashtrace experiment analyze /tmp/campaign
  nashtrace experiment analyze /tmp/campaign --json | jq -r '.doubts[].sentence'
  nashtrace experiment analyze /tmp/campaign --resamples 10000 --seed 2 --out again.json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder of the campaign
    campaign: PathBuf,
    /// Resamples of the blocks
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    resamples: u32,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Answer after so many seconds with what there is by then: not repeatable, and the answers say so
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time_limit: Option<f64>,
    /// Write the answers here instead of CAMPAIGN/analysis.json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the answers as JSON, too
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Answered, Refusal> {
    let campaign = Campaign::open(&arguments.campaign)?;
    let data = CampaignData::of(&campaign)?;
    let after = |limit| Deadline::after(Duration::from_secs_f64(limit));
    let deadline = arguments.time_limit.map_or(Deadline::NEVER, after);
    let settings = Settings {
        resamples: arguments.resamples as usize,
        seed: arguments.seed,
        stop: &|| deadline.has_passed(),
    };
    let mut analysis = analyze(&data, &settings);
    if let Some(held_out) = campaign.held_out()? {
        analysis.fresh_blocks = fresh_blocks(&analysis, &held_out);
    }
    let path = arguments.out.clone().unwrap_or_else(|| arguments.campaign.join("analysis.json"));
    files::write_json_line(&path, &analysis).map_err(|error| Refusal {
        sentence: format!("{}: {error}", path.display()),
        ending: Ending::BadData,
    })?;
    let written = if arguments.json {
        serde_json::to_writer(&mut *out, &analysis)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        tables::print(&analysis, out)
    };
    Ok((Ending::Good, written))
}
