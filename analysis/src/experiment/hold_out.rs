//! `CAMPAIGN/hold-out`: claims of a campaign, played again on blocks that none of its runs has seen.

use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use super::campaign::{Campaign, CampaignError};
use super::files;
use super::plan::{Plan, PlannedRun, SCHEMA_VERSION, later_run};
use super::record::Record;
use crate::campaign::HeldOutRun;

/// Names in a campaign's folder.
const FOLDER: &str = "hold-out";
const CLAIMS: &str = "claims.json";

/// What is to be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    schema_version: u32,
    claims: Vec<HeldOutRun>,
}

/// Claims, and what their runs gave.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// What was claimed when the hold-out began.
    pub claims: Vec<HeldOutRun>,
    /// Runs on fresh blocks, in the order in which they are made.
    pub planned: Vec<PlannedRun>,
    /// What those gave that were made.
    pub records: Vec<Record>,
}

impl Campaign {
    /// The runs that check claims, as a campaign of their own in this one's folder. Claims that were written down before
    /// stay the ones that are checked, whatever is claimed now.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written, or what is there is damaged.
    pub fn hold_out(&self, claims: &[HeldOutRun]) -> Result<Self, CampaignError> {
        let root = self.root().join(FOLDER);
        let path = root.join(CLAIMS);
        if !path.exists() {
            let io_error = |error| CampaignError::Io { path: path.clone(), error };
            fs::create_dir_all(&root).map_err(io_error)?;
            let claims = Claims { schema_version: SCHEMA_VERSION, claims: claims.to_vec() };
            files::write_json(&path, &claims).map_err(io_error)?;
        }
        let claims = claims_of(&path)?;
        Ok(self.within(root, planned(self, &claims)))
    }

    /// What the hold-out gave; `None` if none was begun.
    ///
    /// # Errors
    ///
    /// If a file is damaged.
    pub fn held_out(&self) -> Result<Option<HeldOut>, CampaignError> {
        let path = self.root().join(FOLDER).join(CLAIMS);
        if !path.exists() {
            return Ok(None);
        }
        let claims = claims_of(&path)?;
        let campaign = self.hold_out(&claims)?;
        Ok(Some(HeldOut {
            records: campaign.records()?,
            planned: campaign.plan().runs.clone(),
            claims,
        }))
    }
}

fn claims_of(path: &Path) -> Result<Vec<HeldOutRun>, CampaignError> {
    let refused = |what: String| CampaignError::Refused { path: path.to_owned(), what };
    let text = fs::read_to_string(path)
        .map_err(|error| CampaignError::Io { path: path.to_owned(), error })?;
    let claims: Claims = serde_json::from_str(&text)
        .map_err(|error| refused(format!("line {}: {error}", error.line())))?;
    match claims.schema_version {
        SCHEMA_VERSION => Ok(claims.claims),
        version => {
            Err(refused(format!("version {version} is not {SCHEMA_VERSION}, which is read here")))
        }
    }
}

/// Every claimed profile in its blocks, in an order of the design's seed.
fn planned(campaign: &Campaign, claims: &[HeldOutRun]) -> Plan {
    let mut cells: Vec<(usize, usize, &Vec<usize>)> = Vec::new();
    for claim in claims {
        cells.extend(claim.blocks.iter().map(|block| (*block, claim.load, &claim.profile)));
    }
    cells.sort_unstable();
    cells.dedup();
    let mut random = ChaCha12Rng::seed_from_u64(campaign.design().seed);
    random.set_stream(2);
    cells.shuffle(&mut random);
    // Blocks one after the other.
    cells.sort_by_key(|(block, _, _)| *block);
    let run = |(order, (block, load, profile)): (usize, (usize, usize, &Vec<usize>))| {
        later_run(campaign.design(), load, block, profile.clone(), order)
    };
    Plan { runs: cells.into_iter().enumerate().map(run).collect(), ..campaign.plan().clone() }
}
