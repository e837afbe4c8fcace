//! The `NASHTRACE_*` variables, read once when a session starts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that shapes a capture session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Directory that receives the trace file. Created if missing.
    pub(crate) directory: PathBuf,
    /// Bytes of each thread's ring; a power of two. A thread loses nothing while its record rate times
    /// the longest stall of the collector stays below it.
    pub(crate) ring_bytes: usize,
    /// Threads that may have a ring.
    pub(crate) max_producers: usize,
    /// Longest time that a record stays in a ring before it is written.
    pub(crate) flush_interval: Duration,
    /// How often the collector looks into the rings.
    pub(crate) poll_interval: Duration,
    /// zstd level of the packets.
    pub(crate) zstd_level: i32,
    /// Lowest level of the messages on standard error.
    pub(crate) log_level: tracing::Level,
}

/// What a host gives in place of variables. Numbers at zero and a missing directory leave the decision
/// to the variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    /// In place of `NASHTRACE_DIR`.
    pub(crate) directory: Option<PathBuf>,
    /// In place of `NASHTRACE_RING_BYTES`.
    pub(crate) ring_bytes: u64,
    /// In place of `NASHTRACE_MAX_PRODUCERS`.
    pub(crate) max_producers: u64,
    /// In place of `NASHTRACE_FLUSH_MS`.
    pub(crate) flush_ms: u64,
    /// In place of `NASHTRACE_POLL_MS`.
    pub(crate) poll_ms: u64,
}

/// A configuration that no session can be started with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// There is nowhere to write to.
    #[error("NASHTRACE_DIR is not set: set it to a directory that may receive trace files")]
    NoDirectory,
    /// The host gave a number that cannot be used.
    #[error("{0} is {1}: give {2}")]
    OutOfRange(&'static str, u64, &'static str),
}

/// A number that has a range, as variables and hosts give it.
struct Range<T> {
    variable: &'static str,
    wanted: &'static str,
    accept: fn(u64) -> Option<T>,
}

const RING_BYTES: Range<usize> = Range {
    variable: "NASHTRACE_RING_BYTES",
    wanted: "a power of two from 4096 to 1073741824",
    accept: |n| {
        let is_good = n.is_power_of_two() && (1 << 12..=1 << 30).contains(&n);
        is_good.then_some(n as usize)
    },
};

const MAX_PRODUCERS: Range<usize> = Range {
    variable: "NASHTRACE_MAX_PRODUCERS",
    wanted: "a number from 1 to 65536",
    accept: |n| (1..=65_536).contains(&n).then_some(n as usize),
};

const FLUSH_MS: Range<Duration> = Range {
    variable: "NASHTRACE_FLUSH_MS",
    wanted: "milliseconds from 1 to 60000",
    accept: |n| (1..=60_000).contains(&n).then(|| Duration::from_millis(n)),
};

const POLL_MS: Range<Duration> = Range {
    variable: "NASHTRACE_POLL_MS",
    wanted: "milliseconds from 1 to 1000",
    accept: |n| (1..=1_000).contains(&n).then(|| Duration::from_millis(n)),
};

impl Config {
    /// The default configuration for a directory.
    #[must_use]
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            ring_bytes: 1 << 20,
            max_producers: 1024,
            flush_interval: Duration::from_secs(1),
            poll_interval: Duration::from_millis(5),
            zstd_level: 1,
            log_level: tracing::Level::WARN,
        }
    }

    /// Read the configuration from variables, where the host has not overridden them. Variables that
    /// cannot be used are reported in the second part of the result, one sentence each, and the default
    /// is kept.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoDirectory`] if there is no directory, [`ConfigError::OutOfRange`] if the host
    /// gave a number that cannot be used.
    pub(crate) fn read(
        overrides: &Overrides,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let from_variable = || variable("NASHTRACE_DIR").map(PathBuf::from);
        let directory = overrides.directory.clone().or_else(from_variable);
        let directory = directory.filter(|path| !path.as_os_str().is_empty());
        let mut config = Self::new(directory.ok_or(ConfigError::NoDirectory)?);
        let text =
            |name: &str| variable(name).map(|value| value.to_string_lossy().trim().to_owned());
        let mut warnings = Vec::new();
        RING_BYTES.read(&mut config.ring_bytes, overrides.ring_bytes, text, &mut warnings)?;
        MAX_PRODUCERS.read(
            &mut config.max_producers,
            overrides.max_producers,
            text,
            &mut warnings,
        )?;
        FLUSH_MS.read(&mut config.flush_interval, overrides.flush_ms, text, &mut warnings)?;
        POLL_MS.read(&mut config.poll_interval, overrides.poll_ms, text, &mut warnings)?;
        if let Some(value) = text("NASHTRACE_ZSTD_LEVEL") {
            match value.parse().ok().filter(|n| (-7..=19).contains(n)) {
                Some(level) => config.zstd_level = level,
                None => {
                    warnings.push(ignored("NASHTRACE_ZSTD_LEVEL", &value, "a level from -7 to 19"))
                }
            }
        }
        if let Some(value) = text("NASHTRACE_LOG") {
            match value.parse() {
                Ok(level) => config.log_level = level,
                Err(_) => {
                    let wanted = "one of error, warn, info, debug, trace";
                    warnings.push(ignored("NASHTRACE_LOG", &value, wanted));
                }
            }
        }
        Ok((config, warnings))
    }

    /// The settings as they are written into the file header.
    #[must_use]
    pub(crate) fn describe(&self) -> Vec<(String, String)> {
        [
            ("ring_bytes", self.ring_bytes.to_string()),
            ("max_producers", self.max_producers.to_string()),
            ("flush_ms", self.flush_interval.as_millis().to_string()),
            ("poll_ms", self.poll_interval.as_millis().to_string()),
            ("zstd_level", self.zstd_level.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

impl<T> Range<T> {
    fn read(
        &self,
        slot: &mut T,
        given: u64,
        text: impl Fn(&str) -> Option<String>,
        warnings: &mut Vec<String>,
    ) -> Result<(), ConfigError> {
        if given != 0 {
            let error = ConfigError::OutOfRange(self.variable, given, self.wanted);
            *slot = (self.accept)(given).ok_or(error)?;
        } else if let Some(value) = text(self.variable) {
            match value.parse().ok().and_then(self.accept) {
                Some(number) => *slot = number,
                None => warnings.push(ignored(self.variable, &value, self.wanted)),
            }
        }
        Ok(())
    }
}

fn ignored(variable: &str, value: &str, wanted: &str) -> String {
    format!("{variable}={value} is ignored: give {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<(Config, Vec<String>), ConfigError> {
        read_with(&Overrides::default(), pairs)
    }

    fn read_with(
        overrides: &Overrides,
        pairs: &[(&str, &str)],
    ) -> Result<(Config, Vec<String>), ConfigError> {
        Config::read(overrides, |name| {
            pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_directory_is_required() {
        assert_eq!(read(&[]).unwrap_err(), ConfigError::NoDirectory);
        assert_eq!(read(&[("NASHTRACE_DIR", "")]).unwrap_err(), ConfigError::NoDirectory);
    }

    #[test]
    fn values_are_taken() {
        let (config, warnings) = read(&[
            ("NASHTRACE_DIR", "/d"),
            ("NASHTRACE_RING_BYTES", "8192"),
            ("NASHTRACE_MAX_PRODUCERS", "3"),
            ("NASHTRACE_FLUSH_MS", "20"),
            ("NASHTRACE_POLL_MS", "2"),
            ("NASHTRACE_ZSTD_LEVEL", "-1"),
            ("NASHTRACE_LOG", "debug"),
        ])
        .unwrap();
        assert!(warnings.is_empty());
        assert_eq!(config.directory, PathBuf::from("/d"));
        assert_eq!((config.ring_bytes, config.max_producers, config.zstd_level), (8192, 3, -1));
        assert_eq!(config.flush_interval, Duration::from_millis(20));
        assert_eq!(config.poll_interval, Duration::from_millis(2));
        assert_eq!(config.log_level, tracing::Level::DEBUG);
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named_and_the_default_kept() {
        let (config, warnings) =
            read(&[("NASHTRACE_DIR", "/d"), ("NASHTRACE_RING_BYTES", "5000")]).unwrap();
        assert_eq!(config, Config::new("/d".into()));
        assert_eq!(
            warnings,
            ["NASHTRACE_RING_BYTES=5000 is ignored: give a power of two from 4096 to 1073741824"]
        );
    }

    #[test]
    fn what_the_host_gives_goes_before_the_variables() {
        let variables = [("NASHTRACE_DIR", "/d"), ("NASHTRACE_FLUSH_MS", "20")];
        let overrides = Overrides {
            directory: Some("/e".into()),
            flush_ms: 30,
            max_producers: 2,
            ..Overrides::default()
        };
        let (config, _) = read_with(&overrides, &variables).unwrap();
        assert_eq!(config.directory, PathBuf::from("/e"));
        assert_eq!((config.flush_interval, config.max_producers), (Duration::from_millis(30), 2));
        assert_eq!(config.ring_bytes, Config::new("/e".into()).ring_bytes);
    }

    #[test]
    fn a_number_of_the_host_that_cannot_be_used_is_refused() {
        let overrides = Overrides { ring_bytes: 5000, ..Overrides::default() };
        let error = read_with(&overrides, &[("NASHTRACE_DIR", "/d")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "NASHTRACE_RING_BYTES is 5000: give a power of two from 4096 to 1073741824"
        );
    }
}
