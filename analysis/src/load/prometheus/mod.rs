//! Prometheus' text format, version 0.0.4: parsed strictly, and series of it chosen.

mod parse;
mod selector;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::parse::parse_exposition;
pub use self::selector::Selector;

/// What a family of metrics measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// It only grows, until the process starts again.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts of observations in buckets, with their number and sum.
    Histogram,
    /// Quantiles of observations, with their number and sum.
    Summary,
    /// The page does not say.
    Untyped,
}

impl MetricKind {
    /// The word of the text format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }

    fn of(word: &str) -> Option<Self> {
        let all = [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary, Self::Untyped];
        all.into_iter().find(|kind| kind.name() == word)
    }
}

/// A series: a name and labels, which are unique on a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesName {
    /// The name of the samples, with the suffix that a histogram or summary adds.
    pub name: String,
    /// Label values by label name.
    pub labels: BTreeMap<String, String>,
}

impl fmt::Display for SeriesName {
    /// As the text format writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (index, (label, value)) in self.labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(f, "{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' })?;
        }
        f.write_str(if self.labels.is_empty() { "" } else { "}" })
    }
}

/// One number on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What it is of.
    pub series: SeriesName,
    /// The kind of its family.
    pub kind: MetricKind,
    /// Any number, also NaN and infinities.
    pub value: f64,
    /// When the target says that it was so, milliseconds since the Unix epoch.
    pub timestamp_ms: Option<i64>,
}

impl Sample {
    /// Whether it can only fall if the process starts again: counters, and the counts of histograms and
    /// summaries.
    #[must_use]
    pub fn only_grows(&self) -> bool {
        let is_count =
            self.series.name.ends_with("_count") || self.series.name.ends_with("_bucket");
        match self.kind {
            MetricKind::Counter => true,
            MetricKind::Histogram | MetricKind::Summary => is_count,
            MetricKind::Gauge | MetricKind::Untyped => false,
        }
    }
}
