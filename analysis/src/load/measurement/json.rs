//! JSON values with the place of what is wrong in them.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny};

use super::Fault;
use super::bytes::{lines, text};

/// The value of a text that begins on a line of its file.
///
/// # Errors
///
/// If it is none; with the line, and the place in the value.
pub(in crate::load) fn of_json<'a, T: Deserialize<'a>>(
    first_line: usize,
    text: &'a str,
) -> Result<T, Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = error.path().to_string();
        fault(first_line, text, &place, error.inner())
    })?;
    json.end().map_err(|error| fault(first_line, text, ".", &error))?;
    Ok(value)
}

/// The JSON values of a text, each with the line that it begins on: one on each line, or a single one on
/// several lines.
pub(super) fn documents(content: &[u8]) -> Result<Vec<(usize, &str)>, Fault> {
    let Some(first) = lines(content).next() else {
        return Err(Fault::new(1, "the file is empty"));
    };
    let (_, first) = first?;
    if serde_json::from_str::<IgnoredAny>(first).is_ok() {
        return lines(content).collect();
    }
    Ok(vec![(1, text(content)?)])
}

fn fault(first_line: usize, text: &str, place: &str, error: &serde_json::Error) -> Fault {
    let line = first_line + error.line().saturating_sub(1);
    let place = if place == "." { String::new() } else { format!("{place}: ") };
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    let what = if error.is_eof() {
        format!("{place}the text ends in the middle of a JSON value; was its writer stopped?")
    } else if let Some(word) = no_number(text, error) {
        format!("{place}{word} is not a JSON number; nothing was measured there")
    } else {
        format!("{place}{said}")
    };
    Fault::new(line, what)
}

/// What Python writes for numbers that JSON does not have.
fn no_number(text: &str, error: &serde_json::Error) -> Option<&'static str> {
    let line = text.lines().nth(error.line().checked_sub(1)?)?;
    let rest = line.get(error.column().checked_sub(1)?..)?;
    ["NaN", "Infinity"].into_iter().find(|word| rest.starts_with(word))
}

/// A duration, or another quantity that is never negative. More than 10^15 of anything is a mistake.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantity(pub(super) f64);

impl Quantity {
    pub(super) const MOST: f64 = 1e15;

    /// The quantity, if it is one.
    pub(super) fn of(value: f64) -> Option<Self> {
        (0.0..=Self::MOST).contains(&value).then_some(Self(value))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::of(value)
            .ok_or_else(|| D::Error::custom(format!("{value:?} is no plausible quantity")))
    }
}

/// A number of tokens or requests: a whole number, also if it is written like 5.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl Count {
    /// The count, if it is one.
    pub(super) fn of(value: f64) -> Option<Self> {
        Quantity::of(value).filter(|value| value.0.fract() == 0.0).map(|value| Self(value.0 as u64))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::of(value).ok_or_else(|| D::Error::custom(format!("{value:?} is no plausible count")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        type Lists = BTreeMap<String, Vec<Quantity>>;
        let fault = |text: &str| of_json::<Lists>(7, text).unwrap_err().to_string();
        assert_eq!(
            fault("{\"a\": [1],\n\"b\": [1, \"x\"]}"),
            "line 8: b[1]: invalid type: string \"x\", expected f64"
        );
        assert_eq!(fault("{\"a\": [-1]}"), "line 7: a[0]: -1.0 is no plausible quantity");
        assert_eq!(fault("{\"a\": [1e300]}"), "line 7: a[0]: 1e300 is no plausible quantity");
        assert_eq!(fault("{\"a\": [1e999]}"), "line 7: a[0]: number out of range");
        assert_eq!(
            fault("{\"a\": [1, NaN]}"),
            "line 7: a[1]: NaN is not a JSON number; nothing was measured there"
        );
        assert_eq!(
            fault("{\"a\": [-Infinity]}"),
            "line 7: a[0]: Infinity is not a JSON number; nothing was measured there"
        );
        let torn = "the text ends in the middle of a JSON value; was its writer stopped?";
        assert_eq!(fault("{\"a\": [1,"), format!("line 7: a: {torn}"));
        assert_eq!(fault(""), format!("line 7: {torn}"));
        assert_eq!(fault("{} {}"), "line 7: trailing characters");
    }

    #[test]
    fn a_count_is_whole() {
        assert_eq!(of_json::<Count>(1, "5.0").unwrap(), Count(5));
        for text in ["5.5", "-1", "1e16", "\"5\"", "true"] {
            assert!(of_json::<Count>(1, text).is_err(), "{text}");
        }
    }
}
