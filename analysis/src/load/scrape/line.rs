//! The lines of a file of scrapes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::load::prometheus::MetricKind;

/// The version of the lines.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) nashtrace_scrape: u32,
    pub(super) url: String,
    pub(super) every_s: f64,
    pub(super) started_unix_ms: f64,
}

/// A series that is scraped for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NewSeries {
    pub(super) series: usize,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) kind: MetricKind,
}

/// A scrape, or a gap where one should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Moment {
    pub(super) at_s: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) took_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restarted: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Vec<(usize, Value)>>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) ended_s: f64,
    pub(super) scrapes: u64,
    pub(super) gaps: u64,
    pub(super) restarts: u64,
}

/// Any floating-point number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value(pub(super) f64);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("+Inf"),
            f64::NEG_INFINITY => serializer.serialize_str("-Inf"),
            value => serializer.serialize_f64(value),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number, NaN, +Inf or -Inf")]
        enum Written {
            Finite(f64),
            Other(Other),
        }
        #[derive(Deserialize)]
        enum Other {
            #[serde(rename = "NaN")]
            Nan,
            #[serde(rename = "+Inf")]
            Infinity,
            #[serde(rename = "-Inf")]
            NegativeInfinity,
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::Finite(value) => value,
            Written::Other(Other::Nan) => f64::NAN,
            Written::Other(Other::Infinity) => f64::INFINITY,
            Written::Other(Other::NegativeInfinity) => f64::NEG_INFINITY,
        }))
    }
}
