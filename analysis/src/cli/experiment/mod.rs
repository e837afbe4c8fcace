//! `nashtrace experiment`: campaigns of runs under every profile of strategies.

mod analyze;
mod plan;
mod run;
mod status;

use std::io::Write;

use clap::Subcommand;

use super::{Answered, Ending, complain};
use crate::experiment::{CampaignError, ExecuteError, LabError};

const EXAMPLES: &str = "\
A design (TOML) names players with their strategies, loads, blocks and a driver; see lab/designs.

Examples:
  nashtrace experiment plan lab/designs/quickstart.toml
  nashtrace experiment run lab/designs/quickstart.toml --out /tmp/campaign --jobs 2
  nashtrace experiment status /tmp/campaign --json
  nashtrace experiment resume /tmp/campaign
  nashtrace experiment analyze /tmp/campaign
  nashtrace experiment hold-out /tmp/campaign";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    experiment: Experiment,
}

#[derive(Subcommand)]
enum Experiment {
    /// What a design would run, and how long that would take
    Plan(plan::Arguments),
    /// Begin a campaign and make its runs
    Run(run::Begin),
    /// How far a campaign is
    Status(status::Arguments),
    /// Make the runs of a campaign that are not there yet
    Resume(run::Resume),
    /// What a campaign's runs say: equilibria, regret, anarchy, fronts, and every doubt
    Analyze(analyze::Arguments),
    /// Play the claimed optimum, the claimed worst equilibrium and the default on fresh blocks; analyze then says what
    /// the claims came to
    HoldOut(run::HoldOut),
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let answered = match &arguments.experiment {
        Experiment::Plan(arguments) => plan::run(arguments, out),
        Experiment::Run(arguments) => run::begin(arguments, out),
        Experiment::Status(arguments) => status::run(arguments, out),
        Experiment::Resume(arguments) => run::resume(arguments, out),
        Experiment::Analyze(arguments) => analyze::run(arguments, out),
        Experiment::HoldOut(arguments) => run::hold_out(arguments, out),
    };
    answered.unwrap_or_else(|refusal| {
        complain(&refusal.sentence);
        (refusal.ending, Ok(()))
    })
}

/// Why a command has no answer.
struct Refusal {
    sentence: String,
    ending: Ending,
}

impl From<CampaignError> for Refusal {
    fn from(error: CampaignError) -> Self {
        Self { sentence: error.to_string(), ending: Ending::Unreadable }
    }
}

impl From<LabError> for Refusal {
    fn from(error: LabError) -> Self {
        Self { sentence: error.to_string(), ending: Ending::Unreadable }
    }
}

impl From<ExecuteError> for Refusal {
    fn from(error: ExecuteError) -> Self {
        let ending = match error {
            ExecuteError::Campaign(_) | ExecuteError::NoLab => Ending::Unreadable,
            ExecuteError::DiskFull(_) | ExecuteError::Io { .. } => Ending::BadData,
        };
        Self { sentence: error.to_string(), ending }
    }
}
