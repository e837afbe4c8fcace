//! Choosing series: a name, and labels that must be equal.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::SeriesName;
use super::parse::series;

/// `NAME` or `NAME{label="value", ...}`: the series of that name that have these labels, and any others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    name: String,
    labels: BTreeMap<String, String>,
}

impl Selector {
    /// Whether a series is chosen.
    #[must_use]
    pub fn chooses(&self, series: &SeriesName) -> bool {
        self.name == series.name
            && self.labels.iter().all(|(label, value)| series.labels.get(label) == Some(value))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SeriesName { name: self.name.clone(), labels: self.labels.clone() }.fmt(f)
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (SeriesName { name, labels }, rest) = series(text.trim())?;
        if rest.trim().is_empty() {
            Ok(Self { name, labels })
        } else {
            Err(format!(
                "{:?} stands behind the series; only NAME{{label=\"value\"}} can be asked for",
                rest.trim()
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_named_must_be_equal() {
        let (series, _) = series("a_total{x=\"1\",y=\"2\"}").unwrap();
        for (selector, chosen) in [
            ("a_total", true),
            ("a_total{y=\"2\"}", true),
            ("a_total{y=\"3\"}", false),
            ("a_total{z=\"\"}", false),
            ("a", false),
        ] {
            let selector: Selector = selector.parse().unwrap();
            assert_eq!(selector.chooses(&series), chosen, "{selector:?}");
        }
        assert!("rate(a)".parse::<Selector>().is_err());
        assert!("a{x=~\"1\"}".parse::<Selector>().is_err());
    }
}
