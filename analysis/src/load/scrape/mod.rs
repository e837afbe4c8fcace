//! Pages of metrics read again and again, and the series that come of it.
//!
//! A file of scrapes is JSON lines, and each says all that was known when it was written:
//!
//! ```json
//! {"nashtrace_scrape":1,"url":"http://host/metrics","every_s":1.0,"started_unix_ms":1760000000000}
//! {"series":0,"name":"requests_total","labels":{"model":"m"},"kind":"counter"}
//! {"at_s":0.0,"took_ms":2.5,"values":[[0,17.0]]}
//! {"at_s":1.0,"gap":"connection refused"}
//! {"at_s":2.0,"took_ms":2.1,"restarted":"requests_total{model=\"m\"} fell from 17 to 3","values":[[0,3.0]]}
//! {"ended_s":3.0,"scrapes":2,"gaps":1,"restarts":1}
//! ```
//!
//! Values that are no finite number are the strings `NaN`, `+Inf` and `-Inf`. A file without the last line
//! was interrupted and is whole up to there; its last line may be torn.

mod file;
mod line;
mod recorder;
mod restart;
mod series;

pub use self::file::{KnownSeries, ScrapeFile, ScrapedMoment};
pub use self::recorder::{ScrapeError, ScrapeOptions, ScrapeSummary, scrape};
pub use self::series::{ScrapedSeries, SeriesError};
