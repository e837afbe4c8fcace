//! Formats of files, their names, and how they are told apart by what stands in them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Fault;
use super::bytes::{lines, text};
use super::json::of_json;

/// What wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `vllm bench serve --save-result`, with `--save-detailed` or without, with `--append-result` or without.
    VllmBenchServe,
    /// `vllm bench throughput --output-json`.
    VllmBenchThroughput,
    /// `vllm bench latency --output-json`.
    VllmBenchLatency,
    /// AIPerf's `profile_export.jsonl`: one line per request.
    AiperfRecords,
    /// AIPerf's `profile_export_aiperf.json`: a summary.
    AiperfJson,
    /// AIPerf's `profile_export_aiperf.csv`: the same summary.
    AiperfCsv,
    /// `dynamo.request.trace.v1`, which `DYN_REQUEST_TRACE=1` writes.
    DynamoRequestTrace,
    /// A workload in Mooncake's JSON lines.
    Mooncake,
    /// `requests.jsonl` of a lab run.
    Lab,
    /// What `nashtrace scrape` writes.
    Scrape,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 10] = [
        Self::VllmBenchServe,
        Self::VllmBenchThroughput,
        Self::VllmBenchLatency,
        Self::AiperfRecords,
        Self::AiperfJson,
        Self::AiperfCsv,
        Self::DynamoRequestTrace,
        Self::Mooncake,
        Self::Lab,
        Self::Scrape,
    ];

    /// The name that people and files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VllmBenchServe => "vllm-bench-serve",
            Self::VllmBenchThroughput => "vllm-bench-throughput",
            Self::VllmBenchLatency => "vllm-bench-latency",
            Self::AiperfRecords => "aiperf-records",
            Self::AiperfJson => "aiperf-json",
            Self::AiperfCsv => "aiperf-csv",
            Self::DynamoRequestTrace => "dynamo-request-trace",
            Self::Mooncake => "mooncake",
            Self::Lab => "lab",
            Self::Scrape => "scrape",
        }
    }

    /// The format of a file with this content.
    ///
    /// # Errors
    ///
    /// If it is none that is known.
    pub fn of_content(content: &[u8]) -> Result<Self, Fault> {
        let Some(first) = lines(content).next() else {
            return Err(Fault::new(1, "the file is empty"));
        };
        let (line, first) = first?;
        if first.starts_with("Metric,") {
            return Ok(Self::AiperfCsv);
        }
        if !first.starts_with('{') {
            return Err(Fault::new(line, unknown(first)));
        }
        // JSON lines have a whole object on the first line; other files may spread theirs.
        let keys: Keys = match of_json(line, first) {
            Ok(keys) => keys,
            Err(_) => {
                let text = text(content)?;
                of_json(1, text)?
            }
        };
        Self::of_keys(&keys).ok_or_else(|| {
            let shown: Vec<&str> = keys.0.iter().take(8).map(String::as_str).collect();
            let what = format!(
                "an object with the keys {} is of no known format; say which with --format ({})",
                shown.join(", "),
                Self::names()
            );
            Fault::new(line, what)
        })
    }

    fn of_keys(keys: &Keys) -> Option<Self> {
        let has = |wanted: &[&str]| wanted.iter().all(|key| keys.0.contains(*key));
        let any = |wanted: &[&str]| wanted.iter().any(|key| keys.0.contains(*key));
        if has(&["nashtrace_scrape"]) {
            Some(Self::Scrape)
        } else if has(&["schema", "event_type"]) || has(&["timestamp", "event"]) {
            Some(Self::DynamoRequestTrace)
        } else if has(&["request_key"]) {
            Some(Self::Lab)
        } else if has(&["metadata", "metrics"]) {
            Some(Self::AiperfRecords)
        } else if any(&["input_length", "input_tokens"])
            && any(&["timestamp", "created_time", "session_id", "delay", "delay_ms", "hash_ids"])
        {
            Some(Self::Mooncake)
        } else if has(&["duration", "completed", "request_throughput"]) {
            Some(Self::VllmBenchServe)
        } else if has(&["elapsed_time", "requests_per_second"]) {
            Some(Self::VllmBenchThroughput)
        } else if has(&["avg_latency", "latencies"]) {
            Some(Self::VllmBenchLatency)
        } else if any(&["aiperf_version", "input_config"])
            || has(&["request_latency", "request_count"])
        {
            Some(Self::AiperfJson)
        } else {
            None
        }
    }

    /// The names of all formats, for sentences.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

fn unknown(first: &str) -> String {
    if first.starts_with("# HELP") || first.starts_with("# TYPE") {
        return "this is a page of metrics at one moment; `nashtrace scrape` makes series of them"
            .into();
    }
    let shown: String = first.chars().take(40).collect();
    format!("{shown:?} begins no known format; say which with --format ({})", Format::names())
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| format!("there is no format {name:?}; there are {}", Self::names()))
    }
}

/// The keys of an object.
struct Keys(BTreeSet<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Gather;
        impl<'de> Visitor<'de> for Gather {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = BTreeSet::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    keys.insert(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Gather)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>(), Ok(format));
        }
        assert!("vllm".parse::<Format>().unwrap_err().contains("vllm-bench-serve, "));
    }

    #[test]
    fn what_is_no_known_format_is_said() {
        let fault = |text: &str| Format::of_content(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault(" \n\n"), "line 1: the file is empty");
        assert!(fault("\n{\"a\": 1}\n").starts_with("line 2: an object with the keys a is of no"));
        assert!(fault("# HELP a b\n").contains("nashtrace scrape"));
        assert!(fault("hello\n").starts_with("line 1: \"hello\" begins no known format"));
        assert!(fault("{\"a\": ").contains("the text ends in the middle"));
        assert_eq!(
            Format::of_content(b"\xff\xfe{").unwrap_err().to_string(),
            "line 1: this is not UTF-8 text"
        );
    }
}
