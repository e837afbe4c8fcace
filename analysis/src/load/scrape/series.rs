//! Series of a file of scrapes, as columns.

use std::collections::BTreeSet;

use super::ScrapeFile;
use crate::load::prometheus::Selector;

/// A series with a value, or none, for each moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ScrapedSeries {
    /// Its name, as Prometheus writes it; in `rate(...)` if it is a rate.
    pub name: String,
    /// Seconds since the first scrape was due, of each value.
    pub at_s: Vec<f64>,
    /// The values; `None` in a gap, where the target did not have the series, and where a rate would reach
    /// over a gap or a restart.
    pub values: Vec<Option<f64>>,
}

/// Why there is no series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// Nothing has this name.
    #[error("no series is called {wanted}; there are {known}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Names that there are.
        known: String,
    },
}

impl ScrapeFile {
    /// The series that a selector chooses, in the order in which they were first seen: the values as they
    /// were scraped, or with `rate` their growth per second since the scrape before.
    ///
    /// # Errors
    ///
    /// If it chooses none.
    pub fn chosen(
        &self,
        selector: &Selector,
        rate: bool,
    ) -> Result<Vec<ScrapedSeries>, SeriesError> {
        let numbered = self.series.iter().enumerate();
        let chosen = numbered.filter(|(_, series)| selector.chooses(&series.name));
        let series: Vec<ScrapedSeries> = chosen
            .map(|(number, series)| {
                let name = series.name.to_string();
                let at_s = self.moments.iter().map(|moment| moment.at_s);
                if rate {
                    let name = format!("rate({name})");
                    ScrapedSeries { name, at_s: at_s.skip(1).collect(), values: self.rates(number) }
                } else {
                    let values = self.moments.iter().map(|moment| moment.value(number));
                    ScrapedSeries { name, at_s: at_s.collect(), values: values.collect() }
                }
            })
            .collect();
        if series.is_empty() {
            return Err(self.unknown(selector));
        }
        Ok(series)
    }

    fn rates(&self, series: usize) -> Vec<Option<f64>> {
        let pairs = self.moments.windows(2);
        pairs
            .map(|pair| {
                if pair[1].restarted.is_some() {
                    return None;
                }
                let grown = pair[1].value(series)? - pair[0].value(series)?;
                let seconds = pair[1].at_s - pair[0].at_s;
                Some(grown / seconds).filter(|rate| rate.is_finite())
            })
            .collect()
    }

    fn unknown(&self, wanted: &Selector) -> SeriesError {
        const SHOWN: usize = 12;
        let names = self.series.iter().map(|series| series.name.name.as_str());
        let names: Vec<&str> = names.collect::<BTreeSet<&str>>().into_iter().collect();
        let more = names.len().saturating_sub(SHOWN);
        let mut known = names[..names.len() - more].join(", ");
        if more > 0 {
            known = format!("{known} and {more} more");
        }
        SeriesError::Unknown { wanted: wanted.to_string(), known }
    }
}

impl ScrapedSeries {
    /// Cut series of one file to the longest stretch in which every value of every one of them is known and
    /// finite; the first one of several.
    pub fn cut_to_longest_stretch(series: &mut [Self]) {
        let Some(first) = series.first() else { return };
        let is_known = |row: usize| {
            let mut values = series.iter().map(|column| column.values.get(row).copied().flatten());
            values.all(|value| value.is_some_and(f64::is_finite))
        };
        let (mut best, mut start) = (0..0, 0);
        for end in 0..=first.values.len() {
            if is_known(end) {
                continue;
            }
            if end - start > best.len() {
                best = start..end;
            }
            start = end + 1;
        }
        for column in series {
            column.at_s = column.at_s[best.clone()].to_vec();
            column.values = column.values[best.clone()].to_vec();
        }
    }
}
