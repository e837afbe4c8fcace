//! Reading a file of scrapes, also one that still grows.

use std::path::Path;

use serde::Deserialize;

use super::line::{End, Header, Moment, NewSeries, VERSION};
use crate::load::Fault;
use crate::load::measurement::{LoadError, content, lines, of_json};
use crate::load::prometheus::{MetricKind, SeriesName};

/// A series of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSeries {
    /// Its name.
    pub name: SeriesName,
    /// What it measures.
    pub kind: MetricKind,
}

/// A scrape, or a gap where one should be.
#[derive(Debug, Clone, PartialEq)]
pub struct ScrapedMoment {
    /// Seconds since the first scrape was due.
    pub at_s: f64,
    /// Why there is nothing.
    pub gap: Option<String>,
    /// Why the target must have started again since the scrape before.
    pub restarted: Option<String>,
    /// Values by number of the series, in ascending order of the number.
    pub values: Vec<(usize, f64)>,
}

impl ScrapedMoment {
    /// The value of a series.
    #[must_use]
    pub fn value(&self, series: usize) -> Option<f64> {
        let at = self.values.binary_search_by_key(&series, |(number, _)| *number).ok()?;
        Some(self.values[at].1)
    }
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct ScrapeFile {
    /// The target.
    pub url: String,
    /// Seconds between scrapes.
    pub every_s: f64,
    /// When it began, milliseconds since the Unix epoch.
    pub started_unix_ms: f64,
    /// All series, by their numbers.
    pub series: Vec<KnownSeries>,
    /// Scrapes and gaps, in time order.
    pub moments: Vec<ScrapedMoment>,
    /// Whether the scraping came to its end.
    pub complete: bool,
    /// Whether the last line was torn; it is left out.
    pub torn: bool,
}

/// Any line but the first.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Series(NewSeries),
    Moment(Moment),
    End(End),
}

impl ScrapeFile {
    /// Read a file, or standard input if the path is `-`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a line but the last is not what it should be; with the line.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let content = content(path)?;
        Self::of(&content).map_err(|fault| LoadError::faulty(path, fault))
    }

    /// What a file with this content says, see [`ScrapeFile::read`].
    ///
    /// # Errors
    ///
    /// If a line but the last is not what it should be.
    pub fn of(content: &[u8]) -> Result<Self, Fault> {
        // What has no end of line was being written.
        let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let mut lines = lines(&content[..whole]);
        let Some(first) = lines.next() else {
            return Err(Fault::new(1, "there is no whole line in it"));
        };
        let (number, text) = first?;
        let header: Header = of_json(number, text)?;
        if header.nashtrace_scrape != VERSION {
            let what = format!(
                "version {} of scrapes is not known; this reads version {VERSION}",
                header.nashtrace_scrape
            );
            return Err(Fault::new(number, what));
        }
        let mut file = Self {
            url: header.url,
            every_s: header.every_s,
            started_unix_ms: header.started_unix_ms,
            series: Vec::new(),
            moments: Vec::new(),
            complete: false,
            torn: whole < content.len(),
        };
        for line in lines {
            let (number, text) = line?;
            file.line(number, text)?;
        }
        Ok(file)
    }

    fn line(&mut self, number: usize, text: &str) -> Result<(), Fault> {
        if self.complete {
            return Err(Fault::new(number, "a line stands behind the end of the scraping"));
        }
        let line = serde_json::from_str::<Line>(text);
        match line.map_err(|_| self.fault(number, text))? {
            Line::Series(NewSeries { series, name, labels, kind }) => {
                if series != self.series.len() {
                    let what = format!("series {series} follows {} others", self.series.len());
                    return Err(Fault::new(number, what));
                }
                self.series.push(KnownSeries { name: SeriesName { name, labels }, kind });
            }
            Line::Moment(moment) => self.moment(number, moment)?,
            Line::End(end) => self.end(number, &end)?,
        }
        Ok(())
    }

    fn end(&mut self, number: usize, end: &End) -> Result<(), Fault> {
        let gaps = self.gaps();
        let found = [self.moments.len() - gaps, gaps, self.restarts()].map(|count| count as u64);
        if found != [end.scrapes, end.gaps, end.restarts] {
            let what = "it counts other scrapes, gaps or restarts than there are above it";
            return Err(Fault::new(number, what));
        }
        self.complete = true;
        Ok(())
    }

    /// Why a line is none.
    fn fault(&self, number: usize, text: &str) -> Fault {
        match of_json::<Moment>(number, text) {
            Err(fault) => fault,
            Ok(_) => Fault::new(number, "this is no line of a file of scrapes"),
        }
    }

    fn moment(&mut self, number: usize, moment: Moment) -> Result<(), Fault> {
        let before = self.moments.last().map_or(0.0, |before| before.at_s);
        let Moment { at_s, gap, restarted, values, .. } = moment;
        if at_s < before {
            let what = format!("at_s: {at_s} is before the {before} of the line before");
            return Err(Fault::new(number, what));
        }
        let values = values.unwrap_or_default().into_iter();
        let mut values: Vec<(usize, f64)> =
            values.map(|(series, value)| (series, value.0)).collect();
        values.sort_by_key(|(series, _)| *series);
        if let Some((series, _)) = values.last()
            && *series >= self.series.len()
        {
            return Err(Fault::new(number, format!("values: series {series} was not announced")));
        }
        if let Some(twice) = values.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Fault::new(
                number,
                format!("values: series {} is there twice", twice[0].0),
            ));
        }
        self.moments.push(ScrapedMoment { at_s, gap, restarted, values });
        Ok(())
    }

    /// Gaps in it.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.moments.iter().filter(|moment| moment.gap.is_some()).count()
    }

    /// Restarts of the target.
    #[must_use]
    pub fn restarts(&self) -> usize {
        self.moments.iter().filter(|moment| moment.restarted.is_some()).count()
    }
}
