//! Readers: trace files, what the lab knows about the outcomes, games, and tables of numbers.

mod clock;
mod columns;
mod game;
mod outcomes;
mod paths;
mod scan;
mod session;

pub use clock::Timeline;
pub use columns::{ColumnError, Columns};
pub use game::{Fault, GameFileError, game_of_file, game_of_text};
pub use outcomes::{Outcome, OutcomeError, Outcomes};
pub use paths::{PathError, Run, outcomes_beside, runs};
pub use scan::{FileFacts, Ledgers, Names, ProducerFacts, Visitor, scan};
pub use session::deleted_files;
