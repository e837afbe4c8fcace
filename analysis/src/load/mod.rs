//! Readers: trace files, what load generators and servers measured, scraped metrics, games, coalitions, latencies and
//! tables of numbers.

mod clock;
mod coalitions;
mod columns;
mod game;
mod latencies;
mod measurement;
mod outcomes;
mod paths;
mod prometheus;
mod scan;
mod scrape;
mod session;
mod text;

pub use clock::Timeline;
pub use coalitions::{coalitions_of_file, coalitions_of_text};
pub use columns::{ColumnError, Columns};
pub use game::{game_of_file, game_of_text};
pub use latencies::{latencies_of_file, latencies_of_text};
pub use measurement::{
    Format, LoadError, METRICS, Measurement, Metric, MooncakeWritten, Origin, ReadOptions,
    RequestRow, Slo, measurement_of, read_measurement, write_mooncake,
};
pub(crate) use measurement::{content, source_of};
pub use outcomes::{Outcome, OutcomeError, Outcomes};
pub use paths::{PathError, Run, STANDARD_INPUT, outcomes_beside, runs};
pub use prometheus::{MetricKind, Sample, Selector, SeriesName, parse_exposition};
pub use scan::{FileFacts, Ledgers, Names, ProducerFacts, Visitor, scan};
pub use scrape::{
    KnownSeries, ScrapeError, ScrapeFile, ScrapeOptions, ScrapeSummary, ScrapedMoment,
    ScrapedSeries, SeriesError, scrape,
};
pub use session::{deleted_files, session_of};
pub use text::{Fault, TextFileError};
pub(crate) use text::{name_of, of_file};
