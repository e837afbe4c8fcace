//! A campaign's folder, read.

use std::path::Path;

use crate::experiment::{Design, Plan, PlanError, Record, RecordError};
use crate::load::TextFileError;

/// A design, its plan and what its runs gave.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignData {
    /// The design.
    pub design: Design,
    /// The plan.
    pub plan: Plan,
    /// What each planned run gave; `None` if it was not made.
    pub records: Vec<Option<Record>>,
}

/// Why a campaign cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CampaignReadError {
    /// The design.
    #[error(transparent)]
    Design(#[from] TextFileError),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A run.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Files that do not belong together.
    #[error("{0}")]
    Mixed(String),
}

impl CampaignData {
    /// Read `design.toml`, `plan.json` and every `runs/RUN/run.json`.
    ///
    /// # Errors
    ///
    /// If a file is damaged, or design, plan and runs do not belong together.
    pub fn read(folder: &Path) -> Result<Self, CampaignReadError> {
        let design = Design::load(&folder.join("design.toml"))?;
        let plan = Plan::load(&folder.join("plan.json"))?;
        let strategies = plan.players.iter().map(|player| player.strategies.len());
        let is_planned = strategies.eq(design.players.iter().map(|p| p.strategies.len()))
            && plan.loads.len() == design.loads.len();
        if !is_planned {
            return Err(CampaignReadError::Mixed(format!(
                "{}: plan.json was made from another design.toml; put that one back",
                folder.display()
            )));
        }
        let read = |run: &crate::experiment::PlannedRun| {
            let path = folder.join("runs").join(&run.run).join("run.json");
            if !path.exists() {
                return Ok(None);
            }
            let record = Record::load(&path)?;
            let is_its =
                (record.load, record.block, &record.profile) == (run.load, run.block, &run.profile);
            if is_its {
                return Ok(Some(record));
            }
            let path = path.display();
            Err(CampaignReadError::Mixed(format!(
                "{path}: this is the record of another run; delete the run's folder and resume the campaign"
            )))
        };
        let records = plan.runs.iter().map(read).collect::<Result<_, CampaignReadError>>()?;
        Ok(Self { design, plan, records })
    }
}
