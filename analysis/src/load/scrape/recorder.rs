//! Scraping a target on a schedule.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::line::{End, Header, Moment, NewSeries, VERSION, Value};
use super::restart::Restarts;
use crate::load::prometheus::{Sample, SeriesName, parse_exposition};

/// More than any page of metrics has.
const LARGEST_PAGE: u64 = 64 << 20;

/// What to scrape, and how often.
#[derive(Debug, Clone)]
pub struct ScrapeOptions {
    /// A page of metrics, `http://...`.
    pub url: String,
    /// Time between scrapes. One that takes longer is a gap.
    pub every: Duration,
    /// How long; without it until `stop` says so.
    pub length: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ScrapeSummary {
    /// Pages read.
    pub scrapes: u64,
    /// Scrapes that failed, or that were due while another one took too long.
    pub gaps: u64,
    /// How often the target must have started again.
    pub restarts: u64,
    /// Different series.
    pub series: usize,
}

/// Why a target cannot be scraped into a file.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// There is such a file: measurements are not written over.
    #[error("{}: it exists; choose another file, or remove it", .0.display())]
    Exists(PathBuf),
    /// Only plain HTTP is spoken.
    #[error("{0}: only http:// can be scraped; put a proxy before a target that wants TLS")]
    NotHttp(String),
}

/// Scrape a target until the time is up or `stop` says so. While it goes on the lines stand in
/// `FILE.partial`, readable at any time; at the end it gets its name. `seen` is told of every scrape and gap.
///
/// # Errors
///
/// If the file cannot be written. A target that does not answer is no error but gaps.
pub fn scrape(
    options: &ScrapeOptions,
    out: &Path,
    stop: &dyn Fn() -> bool,
    seen: &mut dyn FnMut(&ScrapeSummary, Option<&str>),
) -> Result<ScrapeSummary, ScrapeError> {
    if !options.url.starts_with("http://") {
        return Err(ScrapeError::NotHttp(options.url.clone()));
    }
    if out.exists() {
        return Err(ScrapeError::Exists(out.into()));
    }
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let file = OpenOptions::new().write(true).create_new(true).open(&partial);
    let file = file.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => ScrapeError::Exists(partial.clone()),
        _ => ScrapeError::Io { path: partial.clone(), source },
    })?;
    let mut recorder = Recorder::new(file);
    let recorded = recorder.record(options, stop, seen);
    recorded.map_err(|source| ScrapeError::Io { path: partial.clone(), source })?;
    std::fs::rename(&partial, out)
        .map_err(|source| ScrapeError::Io { path: out.into(), source })?;
    Ok(recorder.summary)
}

struct Recorder {
    out: BufWriter<File>,
    numbers: HashMap<SeriesName, usize>,
    restarts: Restarts,
    summary: ScrapeSummary,
}

impl Recorder {
    fn new(file: File) -> Self {
        Self {
            out: BufWriter::new(file),
            numbers: HashMap::new(),
            restarts: Restarts::default(),
            summary: ScrapeSummary::default(),
        }
    }

    fn record(
        &mut self,
        options: &ScrapeOptions,
        stop: &dyn Fn() -> bool,
        seen: &mut dyn FnMut(&ScrapeSummary, Option<&str>),
    ) -> io::Result<()> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.write(&Header {
            nashtrace_scrape: VERSION,
            url: options.url.clone(),
            every_s: options.every.as_secs_f64(),
            started_unix_ms: since_epoch.as_secs_f64() * 1e3,
        })?;
        self.out.flush()?;
        let agent = agent(options.every);
        let started = Instant::now();
        let mut due = Duration::ZERO;
        while options.length.is_none_or(|length| due < length) && wait_until(started + due, stop) {
            let at = started.elapsed();
            let gap = match page(&agent, &options.url) {
                Ok(samples) => {
                    self.scraped(at, started.elapsed() - at, &samples)?;
                    None
                }
                Err(reason) => Some(reason),
            };
            if let Some(reason) = &gap {
                self.gap(at, reason)?;
            }
            seen(&self.summary, gap.as_deref());
            due += options.every;
            while started.elapsed() >= due + options.every
                && options.length.is_none_or(|length| due < length)
            {
                self.gap(due, "the scrape before took too long")?;
                due += options.every;
            }
        }
        let summary = self.summary;
        self.write(&End {
            ended_s: started.elapsed().as_secs_f64(),
            scrapes: summary.scrapes,
            gaps: summary.gaps,
            restarts: summary.restarts,
        })?;
        self.out.flush()?;
        self.out.get_ref().sync_all()
    }

    fn scraped(&mut self, at: Duration, took: Duration, page: &[Sample]) -> io::Result<()> {
        let restarted = self.restarts.look_at(page);
        self.summary.scrapes += 1;
        self.summary.restarts += u64::from(restarted.is_some());
        let mut values = Vec::with_capacity(page.len());
        for sample in page {
            values.push((self.number(sample)?, Value(sample.value)));
        }
        self.write(&Moment {
            at_s: at.as_secs_f64(),
            took_ms: Some(took.as_secs_f64() * 1e3),
            gap: None,
            restarted,
            values: Some(values),
        })?;
        self.out.flush()
    }

    fn gap(&mut self, at: Duration, reason: &str) -> io::Result<()> {
        self.summary.gaps += 1;
        self.write(&Moment {
            at_s: at.as_secs_f64(),
            took_ms: None,
            gap: Some(reason.into()),
            restarted: None,
            values: None,
        })?;
        self.out.flush()
    }

    /// The number of a series, which is announced when it is first seen.
    fn number(&mut self, sample: &Sample) -> io::Result<usize> {
        if let Some(number) = self.numbers.get(&sample.series) {
            return Ok(*number);
        }
        let number = self.numbers.len();
        self.numbers.insert(sample.series.clone(), number);
        self.summary.series = number + 1;
        let SeriesName { name, labels } = sample.series.clone();
        self.write(&NewSeries { series: number, name, labels, kind: sample.kind })?;
        Ok(number)
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")
    }
}

/// A client that gives up before the next scrape is due.
fn agent(timeout: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .user_agent(concat!("nashtrace/", env!("CARGO_PKG_VERSION")))
        .build();
    config.into()
}

/// The samples of a page, or in one sentence why there are none.
fn page(agent: &ureq::Agent, url: &str) -> Result<Vec<Sample>, String> {
    let accept = "text/plain;version=0.0.4";
    let answer = agent.get(url).header("Accept", accept).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(LARGEST_PAGE).read_to_vec();
    let body = body.map_err(|error| error.to_string())?;
    parse_exposition(&body).map_err(|fault| format!("the page is not as it should be: {fault}"))
}

/// Sleep until a moment; false if `stop` says so before.
fn wait_until(moment: Instant, stop: &dyn Fn() -> bool) -> bool {
    const LOOK: Duration = Duration::from_millis(50);
    loop {
        if stop() {
            return false;
        }
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
}
