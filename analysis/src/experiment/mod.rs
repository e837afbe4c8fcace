//! Experiments: a design says which profiles of strategies are measured under which loads; a campaign is the
//! folder in which the runs of a design lie.
//!
//! ```text
//! CAMPAIGN/design.toml          the design, as it was given
//! CAMPAIGN/plan.json            every run that the design asks for, in the order in which they are made
//! CAMPAIGN/chosen.json          runs beyond it, which an adaptive plan chose
//! CAMPAIGN/runs/RUN/run.json    what one run gave; the run exists when this file does
//! CAMPAIGN/runs/RUN/...         what its driver kept
//! CAMPAIGN/running.json         the command that runs now, for whoever must end what it leaves
//! CAMPAIGN/hold-out/...         the claims of an analysis, and runs that check them on fresh blocks
//! ```

mod campaign;
mod commands;
mod design;
mod execute;
pub(crate) mod files;
mod hold_out;
mod lab;
mod leftover;
mod metric;
mod outcomes;
mod plan;
mod process;
mod record;
mod regretted;
mod routing;
mod scenario;
mod series;
mod traced;

pub use campaign::{Campaign, CampaignError, Counts};
pub use execute::{Choose, ExecuteError, Finished, Options, Progress, execute, trial};
pub use hold_out::HeldOut;
pub use lab::{LabError, LabProgram};

pub use design::{
    CommandDriver, Design, Direction, Driver, LabDriver, Load, Objective, Player, Restart, Results,
    ResultsFormat, SamplePlan, ServiceLevel, Step, Strategy, Welfare,
};
pub use metric::{METRICS, MetricFacts, metric};
pub use plan::{Choice, Plan, PlanError, PlannedLoad, PlannedPlayer, PlannedRun, SCHEMA_VERSION};
pub use record::{
    OfferedWorker, Record, RecordError, RecordSeries, RegrettedDecision, Status, TraceFacts,
};
pub(crate) use routing::LEAST_EXPLAINED;
