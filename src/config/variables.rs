//! The `NASHTRACE_*` variables of a process, and how single ones are taken.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::ConfigError;

/// The variables of ours that are set.
pub(super) struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// Every variable that the library or the shim reads.
    pub(super) const KNOWN: [&str; 17] = [
        "NASHTRACE_LIB",
        "NASHTRACE_DIR",
        "NASHTRACE_MODE",
        "NASHTRACE_RING_BYTES",
        "NASHTRACE_MAX_PRODUCERS",
        "NASHTRACE_FLUSH_MS",
        "NASHTRACE_POLL_MS",
        "NASHTRACE_ZSTD_LEVEL",
        "NASHTRACE_LOG",
        "NASHTRACE_FILE_BYTES",
        "NASHTRACE_FILE_SECONDS",
        "NASHTRACE_TOTAL_BYTES",
        "NASHTRACE_METRICS_ADDR",
        "NASHTRACE_METRICS_WORKERS",
        "NASHTRACE_BLOCK_SAMPLE",
        "NASHTRACE_CUDA",
        "NASHTRACE_TRANSFER_TIMEOUT_MS",
    ];

    /// Those of an environment.
    pub(super) fn of(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let ours = environment.into_iter().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with("NASHTRACE_").then_some((name, value))
        });
        Self(ours.collect())
    }

    /// A path, whatever its bytes.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).map(PathBuf::from)
    }

    /// A sentence for each variable that nothing reads: it is likely a slip of the pen.
    pub(super) fn unknown(&self) -> Vec<String> {
        let unknown = self.0.keys().filter(|name| !Self::KNOWN.contains(&name.as_str()));
        unknown
            .map(|name| format!("{name} is not a variable of this library and has no effect"))
            .collect()
    }

    /// Set a value from a variable that is set and can be used.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        slot: &mut T,
        ignored: &mut impl FnMut(String),
    ) {
        let Some(value) = self.0.get(name) else { return };
        let value = value.to_string_lossy();
        match parse(value.trim()) {
            Some(parsed) => *slot = parsed,
            None => ignored(format!("{name}={} is ignored: give {wanted}", value.trim())),
        }
    }
}

/// A number that has a range, as variables and hosts give it.
pub(super) struct Range<T> {
    pub(super) variable: &'static str,
    pub(super) wanted: &'static str,
    pub(super) accept: fn(u64) -> Option<T>,
}

impl<T> Range<T> {
    /// Set a value from what the host gives (0 for nothing), otherwise from the variable.
    pub(super) fn set(
        &self,
        slot: &mut T,
        given: u64,
        variables: &Variables,
        ignored: &mut impl FnMut(String),
    ) -> Result<(), ConfigError> {
        if given != 0 {
            let error = ConfigError::OutOfRange(self.variable, given, self.wanted);
            *slot = (self.accept)(given).ok_or(error)?;
        } else {
            let parse = |text: &str| text.parse().ok().and_then(self.accept);
            variables.parse(self.variable, self.wanted, parse, slot, ignored);
        }
        Ok(())
    }
}
