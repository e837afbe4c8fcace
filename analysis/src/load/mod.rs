//! Readers: trace files, what the lab knows about the outcomes, games, coalitions, latencies and tables of numbers.

mod clock;
mod coalitions;
mod columns;
mod game;
mod latencies;
mod outcomes;
mod paths;
mod scan;
mod session;
mod text;

pub use clock::Timeline;
pub use coalitions::{coalitions_of_file, coalitions_of_text};
pub use columns::{ColumnError, Columns};
pub use game::{game_of_file, game_of_text};
pub use latencies::{latencies_of_file, latencies_of_text};
pub use outcomes::{Outcome, OutcomeError, Outcomes};
pub use paths::{PathError, Run, outcomes_beside, runs};
pub use scan::{FileFacts, Ledgers, Names, ProducerFacts, Visitor, scan};
pub use session::deleted_files;
pub(crate) use text::of_file;
pub use text::{Fault, TextFileError};
