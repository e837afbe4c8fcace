//! A campaign with what its runs gave.

use std::path::Path;

use crate::experiment::{Campaign, CampaignError, Design, Plan, Record};

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

impl CampaignData {
    /// Read a campaign's folder.
    ///
    /// # Errors
    ///
    /// If a file is damaged, or design, plan and runs do not belong together.
    pub fn read(folder: &Path) -> Result<Self, CampaignError> {
        Self::of(&Campaign::open(folder)?)
    }

    /// Read what a campaign's runs gave.
    ///
    /// # Errors
    ///
    /// If a record is damaged or that of another run.
    pub fn of(campaign: &Campaign) -> Result<Self, CampaignError> {
        let runs = campaign.plan().runs.iter();
        let records = runs.map(|run| campaign.record(run)).collect::<Result<_, _>>()?;
        Ok(Self { design: campaign.design().clone(), plan: campaign.plan().clone(), records })
    }
}
