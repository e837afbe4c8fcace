//! The `NASHTRACE_*` variables, read once when a session starts.

mod address;
mod preview;
mod variables;

pub use self::preview::{InForce, Preview, preview};

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use self::variables::{Range, Variables};

/// Where a session keeps what it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionMode {
    /// On disk, as it comes.
    Stream,
    /// In memory, the newest of it, until somebody asks for it or the session stops.
    Flight,
}

impl SessionMode {
    fn parse(text: &str) -> Option<Self> {
        [Self::Stream, Self::Flight].into_iter().find(|mode| mode.name() == text)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Flight => "flight",
        }
    }
}

/// Everything that shapes a capture session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Directory that receives the trace file. Created if missing.
    pub(crate) directory: PathBuf,
    /// Where the records are kept.
    pub(crate) mode: SessionMode,
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
    /// A file of this size is followed by another one.
    pub(crate) file_bytes: Option<u64>,
    /// A file of this age is followed by another one.
    pub(crate) file_age: Option<Duration>,
    /// Bytes that all files of a session may take; the oldest are deleted.
    pub(crate) total_bytes: Option<u64>,
    /// Where Prometheus finds the metrics, if the library is to listen itself.
    pub(crate) metrics_address: Option<SocketAddr>,
    /// Workers with metrics of their own.
    pub(crate) metrics_workers: usize,
    /// One in so many block hashes has its events recorded; a power of two, or 0 for no block events.
    pub(crate) block_sample: u64,
    /// Whether copies on CUDA streams are timed by events.
    pub(crate) cuda: bool,
    /// How long a copy may be under way before it is given up.
    pub(crate) transfer_timeout: Duration,
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

const FILE_BYTES: Range<Option<u64>> = Range {
    variable: "NASHTRACE_FILE_BYTES",
    wanted: "bytes from 65536",
    accept: |n| (n >= 1 << 16).then_some(Some(n)),
};

const FILE_SECONDS: Range<Option<Duration>> = Range {
    variable: "NASHTRACE_FILE_SECONDS",
    wanted: "seconds from 1",
    accept: |n| (n >= 1).then(|| Some(Duration::from_secs(n))),
};

const TOTAL_BYTES: Range<Option<u64>> = Range {
    variable: "NASHTRACE_TOTAL_BYTES",
    wanted: "bytes from 524288",
    accept: |n| (n >= 1 << 19).then_some(Some(n)),
};

/// What a flight recorder remembers if nothing else is said.
const FLIGHT_BYTES: u64 = 64 << 20;

/// Without a size of its own, a file may take this part of what all files may take.
const FILES_IN_TOTAL: u64 = 8;

const METRICS_WORKERS: Range<usize> = Range {
    variable: "NASHTRACE_METRICS_WORKERS",
    wanted: "a number from 1 to 65536",
    accept: |n| (1..=65_536).contains(&n).then_some(n as usize),
};

const BLOCK_SAMPLE: Range<u64> = Range {
    variable: "NASHTRACE_BLOCK_SAMPLE",
    wanted: "0 or a power of two up to 65536",
    accept: |n| (n == 0 || n.is_power_of_two() && n <= 65_536).then_some(n),
};

const TRANSFER_TIMEOUT_MS: Range<Duration> = Range {
    variable: "NASHTRACE_TRANSFER_TIMEOUT_MS",
    wanted: "milliseconds from 10 to 3600000",
    accept: |n| (10..=3_600_000).contains(&n).then(|| Duration::from_millis(n)),
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
            mode: SessionMode::Stream,
            ring_bytes: 1 << 20,
            max_producers: 1024,
            flush_interval: Duration::from_secs(1),
            poll_interval: Duration::from_millis(5),
            zstd_level: 3,
            log_level: tracing::Level::WARN,
            file_bytes: None,
            file_age: None,
            total_bytes: None,
            metrics_address: None,
            metrics_workers: 1024,
            block_sample: 1,
            cuda: true,
            transfer_timeout: Duration::from_secs(60),
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
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let variables = Variables::of(environment);
        let directory = overrides.directory.clone().or_else(|| variables.path("NASHTRACE_DIR"));
        let directory = directory.filter(|path| !path.as_os_str().is_empty());
        let mut config = Self::new(directory.ok_or(ConfigError::NoDirectory)?);
        let mut warnings = variables.unknown();
        let mut ignored = |sentence| warnings.push(sentence);
        RING_BYTES.set(&mut config.ring_bytes, overrides.ring_bytes, &variables, &mut ignored)?;
        let (producers, workers) = (&mut config.max_producers, &mut config.metrics_workers);
        MAX_PRODUCERS.set(producers, overrides.max_producers, &variables, &mut ignored)?;
        FLUSH_MS.set(&mut config.flush_interval, overrides.flush_ms, &variables, &mut ignored)?;
        POLL_MS.set(&mut config.poll_interval, overrides.poll_ms, &variables, &mut ignored)?;
        METRICS_WORKERS.set(workers, 0, &variables, &mut ignored)?;
        BLOCK_SAMPLE.set(&mut config.block_sample, 0, &variables, &mut ignored)?;
        TRANSFER_TIMEOUT_MS.set(&mut config.transfer_timeout, 0, &variables, &mut ignored)?;
        FILE_BYTES.set(&mut config.file_bytes, 0, &variables, &mut ignored)?;
        FILE_SECONDS.set(&mut config.file_age, 0, &variables, &mut ignored)?;
        TOTAL_BYTES.set(&mut config.total_bytes, 0, &variables, &mut ignored)?;
        let mode = |text: &str| SessionMode::parse(text);
        variables.parse("NASHTRACE_MODE", "stream or flight", mode, &mut config.mode, &mut ignored);
        let switch =
            |text: &str| ["off", "on"].iter().position(|word| *word == text).map(|n| n == 1);
        variables.parse("NASHTRACE_CUDA", "on or off", switch, &mut config.cuda, &mut ignored);
        if config.mode == SessionMode::Flight {
            config.total_bytes = config.total_bytes.or(Some(FLIGHT_BYTES));
        }
        config.file_bytes = config.file_bytes.or(config.total_bytes.map(|n| n / FILES_IN_TOTAL));
        variables.parse(
            "NASHTRACE_ZSTD_LEVEL",
            "a level from -7 to 19",
            |text| text.parse().ok().filter(|level| (-7..=19).contains(level)),
            &mut config.zstd_level,
            &mut ignored,
        );
        variables.parse(
            "NASHTRACE_LOG",
            "one of error, warn, info, debug, trace",
            |text| text.parse().ok(),
            &mut config.log_level,
            &mut ignored,
        );
        variables.parse(
            "NASHTRACE_METRICS_ADDR",
            address::WANTED,
            |text| address::parse(text).map(Some),
            &mut config.metrics_address,
            &mut ignored,
        );
        Ok((config, warnings))
    }

    /// The settings as they are written into the file header.
    #[must_use]
    pub(crate) fn describe(&self) -> Vec<(String, String)> {
        [
            ("mode", self.mode.name().to_owned()),
            ("ring_bytes", self.ring_bytes.to_string()),
            ("max_producers", self.max_producers.to_string()),
            ("flush_ms", self.flush_interval.as_millis().to_string()),
            ("poll_ms", self.poll_interval.as_millis().to_string()),
            ("zstd_level", self.zstd_level.to_string()),
            ("log", self.log_level.to_string().to_lowercase()),
            ("file_bytes", or_empty(self.file_bytes)),
            ("file_seconds", or_empty(self.file_age.map(|age| age.as_secs()))),
            ("total_bytes", or_empty(self.total_bytes)),
            ("metrics_addr", or_empty(self.metrics_address)),
            ("metrics_workers", self.metrics_workers.to_string()),
            ("block_sample", self.block_sample.to_string()),
            ("cuda", if self.cuda { "on" } else { "off" }.to_owned()),
            ("transfer_timeout_ms", self.transfer_timeout.as_millis().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
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
        Config::read(overrides, pairs.iter().map(|(name, value)| (name.into(), value.into())))
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
    fn a_variable_that_does_not_exist_is_named() {
        let variables = [
            ("NASHTRACE_DIR", "/d"),
            ("NASHTRACE_RING_BITES", "1"),
            ("PATH", "/"),
            ("NASHTRACE_LIB", "/l"),
        ];
        let (config, warnings) = read(&variables).unwrap();
        assert_eq!(config, Config::new("/d".into()));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("NASHTRACE_RING_BITES is not a variable of this library"));
    }

    #[test]
    fn metrics_are_listened_for_at_loopback_unless_an_address_is_given() {
        let address = |text: &str| {
            let variables = [("NASHTRACE_DIR", "/d"), ("NASHTRACE_METRICS_ADDR", text)];
            let (config, warnings) = read(&variables).unwrap();
            assert_eq!(warnings.is_empty(), config.metrics_address.is_some());
            config.metrics_address.map(|at| at.to_string())
        };
        assert_eq!(address("9464").as_deref(), Some("127.0.0.1:9464"));
        assert_eq!(address(":9464").as_deref(), Some("127.0.0.1:9464"));
        assert_eq!(address("0.0.0.0:80").as_deref(), Some("0.0.0.0:80"));
        assert_eq!(address("[::1]:80").as_deref(), Some("[::1]:80"));
        assert_eq!(address("localhost"), None);
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
