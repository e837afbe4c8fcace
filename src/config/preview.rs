//! What a session would be started with, for a person who asks before starting one.

use std::ffi::OsString;
use std::path::PathBuf;

use super::variables::Variables;
use super::{Config, ConfigError, Overrides};

/// One variable as a session would take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The variable's name.
    pub variable: String,
    /// The value in force; empty for none.
    pub value: String,
    /// Whether the variable is set. A value that cannot be used is ignored, with a warning.
    pub is_set: bool,
}

/// What a session that is started with an environment would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The directory that would receive the trace files.
    pub directory: Option<PathBuf>,
    /// Every variable that shapes a session.
    pub in_force: Vec<InForce>,
    /// Bytes of each recording thread's ring.
    pub ring_bytes: usize,
    /// Why no session could be started.
    pub error: Option<String>,
    /// What would be said on standard error.
    pub warnings: Vec<String>,
}

/// Read an environment as a session would.
#[must_use]
pub fn preview(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Preview {
    let environment: Vec<_> = environment.into_iter().collect();
    let read = |overrides: &Overrides| Config::read(overrides, environment.iter().cloned());
    let (error, config, warnings) = match read(&Overrides::default()) {
        Ok((config, warnings)) => (None, config, warnings),
        Err(error) => {
            // The rest can be told all the same.
            let somewhere =
                Overrides { directory: Some(PathBuf::from(".")), ..Overrides::default() };
            let (config, warnings) =
                read(&somewhere).unwrap_or_else(|_| (Config::new(PathBuf::from(".")), Vec::new()));
            (Some(error), config, warnings)
        }
    };
    let variables = Variables::of(environment.iter().cloned());
    let in_force = config.describe().into_iter().map(|(name, value)| {
        let variable = format!("NASHTRACE_{}", name.to_uppercase());
        InForce { is_set: variables.path(&variable).is_some(), variable, value }
    });
    Preview {
        in_force: in_force.collect(),
        directory: (error != Some(ConfigError::NoDirectory)).then_some(config.directory),
        ring_bytes: config.ring_bytes,
        error: error.map(|error| error.to_string()),
        warnings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Preview {
        preview(pairs.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn every_variable_is_shown_with_the_value_in_force() {
        let preview = of(&[("NASHTRACE_DIR", "/d"), ("NASHTRACE_RING_BYTES", "8192")]);
        assert_eq!((preview.directory, preview.error), (Some("/d".into()), None));
        assert_eq!(preview.ring_bytes, 8192);
        let ring = &preview.in_force[1];
        assert_eq!((ring.variable.as_str(), ring.value.as_str()), ("NASHTRACE_RING_BYTES", "8192"));
        assert!(ring.is_set && !preview.in_force[0].is_set);
        // What is shown is read, and what is read is shown, but for the two that name places.
        let known: Vec<String> = preview.in_force.into_iter().map(|shown| shown.variable).collect();
        let pairs: Vec<(&str, &str)> = known.iter().map(|name| (name.as_str(), "?")).collect();
        let unknown = of(&pairs).warnings.into_iter().filter(|text| text.contains("no effect"));
        assert_eq!(unknown.count(), 0);
        assert_eq!(known.len() + 2, Variables::KNOWN.len());
    }

    #[test]
    fn without_a_directory_the_rest_is_told() {
        let preview = of(&[("NASHTRACE_RING_BYTES", "5000")]);
        assert_eq!(preview.directory, None);
        assert!(preview.error.unwrap().starts_with("NASHTRACE_DIR is not set"));
        assert_eq!(preview.warnings.len(), 1);
    }
}
