//! Readers: trace files, what the lab knows about the outcomes, and tables of numbers.

mod clock;
mod columns;
mod outcomes;
mod paths;
mod scan;
mod session;

pub use clock::Timeline;
pub use columns::{ColumnError, Columns};
pub use outcomes::{Outcome, OutcomeError, Outcomes};
pub use paths::{PathError, Run, outcomes_beside, runs};
pub use scan::{FileFacts, Ledgers, Names, ProducerFacts, Visitor, scan};
pub use session::deleted_files;
