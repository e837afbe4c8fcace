//! The parser. Stricter than Prometheus' own, which takes what it can: a page that two readers could
//! understand differently is refused, with the line. Samples of a family may lie apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{MetricKind, Sample, SeriesName};
use crate::load::Fault;

/// The samples of a page, in its order.
///
/// # Errors
///
/// If it is not text of the format's version 0.0.4, a series is on it twice, or a type is declared twice or
/// behind the samples that it is of.
pub fn parse_exposition(page: &[u8]) -> Result<Vec<Sample>, Fault> {
    let mut parser = Parser::default();
    for (index, line) in page.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let line =
            std::str::from_utf8(line).map_err(|_| Fault::new(number, "this is not UTF-8 text"))?;
        parser.line(line).map_err(|what| Fault::new(number, what))?;
    }
    if !page.is_empty() && !page.ends_with(b"\n") {
        let last = page.iter().filter(|byte| **byte == b'\n').count() + 1;
        return Err(Fault::new(last, "the page ends in the middle of a line"));
    }
    Ok(parser.samples)
}

#[derive(Default)]
struct Parser {
    kinds: BTreeMap<String, MetricKind>,
    helped: BTreeSet<String>,
    /// The families that have samples already.
    sampled: BTreeSet<String>,
    seen: BTreeSet<SeriesName>,
    samples: Vec<Sample>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim_matches([' ', '\t']);
        match line.strip_prefix('#') {
            Some(comment) => self.comment(comment),
            None if line.is_empty() => Ok(()),
            None => self.sample(line),
        }
    }

    fn comment(&mut self, comment: &str) -> Result<(), String> {
        let (word, rest) = word(comment.trim_start_matches([' ', '\t']));
        let is_help = match word {
            "HELP" => true,
            "TYPE" => false,
            _ => return Ok(()),
        };
        let (name, rest) = self::word(rest);
        if !is_metric_name(name) {
            return Err(format!("{name:?} is not the name of a metric"));
        }
        if is_help {
            check_help(rest)?;
            return if self.helped.insert(name.into()) {
                Ok(())
            } else {
                Err(format!("{name} has its second HELP"))
            };
        }
        let kind = MetricKind::of(rest.trim_end())
            .ok_or_else(|| format!("{:?} is not a type of metric", rest.trim_end()))?;
        if self.sampled.contains(name) {
            return Err(format!("the type of {name} stands behind its samples"));
        }
        match self.kinds.insert(name.into(), kind) {
            None => Ok(()),
            Some(_) => Err(format!("{name} has its second TYPE")),
        }
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let (series, rest) = series(line)?;
        let mut fields = rest.split([' ', '\t']).filter(|field| !field.is_empty());
        let value = fields.next().ok_or_else(|| format!("{series} has no value"))?;
        let value = number(value).ok_or_else(|| format!("{value:?} is not a number"))?;
        let timestamp_ms = match fields.next() {
            Some(field) => Some(
                field.parse().map_err(|_| format!("{field:?} is not a time in milliseconds"))?,
            ),
            None => None,
        };
        if let Some(more) = fields.next() {
            return Err(format!("{more:?} stands behind the sample"));
        }
        let (family, kind) = self.family(&series)?;
        self.sampled.insert(family);
        if !self.seen.insert(series.clone()) {
            return Err(format!("{series} is on the page twice"));
        }
        self.samples.push(Sample { series, kind, value, timestamp_ms });
        Ok(())
    }

    /// The family of a series and its kind: a histogram's series are called after it.
    fn family(&self, series: &SeriesName) -> Result<(String, MetricKind), String> {
        let name = &series.name;
        for suffix in ["_bucket", "_sum", "_count"] {
            let Some(family) = name.strip_suffix(suffix) else { continue };
            let kind = match self.kinds.get(family) {
                Some(MetricKind::Histogram) => MetricKind::Histogram,
                Some(MetricKind::Summary) if suffix != "_bucket" => MetricKind::Summary,
                _ => continue,
            };
            if suffix == "_bucket" {
                bound(series, "le")?;
            }
            return Ok((family.into(), kind));
        }
        match self.kinds.get(name).copied().unwrap_or(MetricKind::Untyped) {
            MetricKind::Histogram => {
                Err(format!("{name} is a histogram and has no value of its own"))
            }
            MetricKind::Summary => {
                bound(series, "quantile")?;
                Ok((name.clone(), MetricKind::Summary))
            }
            kind => Ok((name.clone(), kind)),
        }
    }
}

/// A label that must be a number.
fn bound(series: &SeriesName, label: &str) -> Result<(), String> {
    let is_number = series.labels.get(label).is_some_and(|value| number(value).is_some());
    if is_number { Ok(()) } else { Err(format!("{series} needs a number as its label {label}")) }
}

/// What stands before the first blank, and what behind it.
fn word(text: &str) -> (&str, &str) {
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start_matches([' ', '\t']))
}

fn check_help(help: &str) -> Result<(), String> {
    let mut characters = help.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && !matches!(characters.next(), Some('\\' | 'n')) {
            return Err(
                "a backslash of the help is followed by neither a backslash nor an n".into()
            );
        }
    }
    Ok(())
}

/// The series that a line begins with, and what is behind it.
pub(super) fn series(line: &str) -> Result<(SeriesName, &str), String> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let ends_well = rest.is_empty() || rest.starts_with([' ', '\t', '{']);
    if !is_metric_name(name) || !ends_well {
        return Err(format!("{:?} does not begin with the name of a metric", shortened(line)));
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    Ok((SeriesName { name: name.into(), labels }, rest))
}

/// Labels up to the closing brace, and what is behind it.
fn labels(mut text: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    loop {
        text = text.trim_start_matches([' ', '\t']);
        if let Some(rest) = text.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        if !is_label_name(name) {
            return Err(format!("{:?} does not begin with the name of a label", shortened(text)));
        }
        let rest = rest.trim_start_matches([' ', '\t']).strip_prefix('=');
        let rest = rest.map(|rest| rest.trim_start_matches([' ', '\t']));
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix('"')) else {
            return Err(format!("label {name} is not followed by =\""));
        };
        let (value, rest) = label_value(rest).map_err(|what| format!("label {name}: {what}"))?;
        if labels.insert(name.into(), value).is_some() {
            return Err(format!("label {name} is there twice"));
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        text = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.starts_with('}') => rest,
            None => return Err(format!("label {name} is followed by neither a comma nor a brace")),
        };
    }
}

/// A label's value up to the closing quote, and what is behind it.
fn label_value(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match characters.next() {
                Some((_, '\\')) => '\\',
                Some((_, '"')) => '"',
                Some((_, 'n')) => '\n',
                _ => return Err("a backslash is followed by neither \\, \" nor n".into()),
            }),
            other => value.push(other),
        }
    }
    Err("the closing quote is missing".into())
}

/// A number as Go reads it, without hexadecimal digits and underscores.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn is_metric_name(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':') && name != "__name__"
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(page: &str) -> Result<Vec<Sample>, String> {
        parse_exposition(page.as_bytes()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_page_is_read() {
        let page = "# HELP a_total What \\\\ it\\nis.\n# TYPE a_total counter\n# a comment\n\n\
                    a_total{x=\"a\\\\b\\\"c\\nd}\", y = \"\",} 1e3 1700000000000\na_total 2\n\
                    \t free  +Inf \nnan NaN\n\
                    # TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 1.5\nh_count 3\n\
                    # TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 2\n";
        let samples = parse(page).unwrap();
        assert_eq!(samples.len(), 10);
        assert_eq!(samples[0].series.labels["x"], "a\\b\"c\nd}");
        assert_eq!(samples[0].series.to_string(), "a_total{x=\"a\\\\b\\\"c\\nd}\",y=\"\"}");
        assert_eq!((samples[0].value, samples[0].timestamp_ms), (1e3, Some(1_700_000_000_000)));
        assert_eq!((samples[2].value, samples[2].kind), (f64::INFINITY, MetricKind::Untyped));
        assert!(samples[3].value.is_nan());
        let grow: Vec<bool> = samples.iter().map(Sample::only_grows).collect();
        assert_eq!(grow, [true, true, false, false, true, false, true, false, false, true]);
    }

    #[test]
    fn what_could_be_understood_in_two_ways_is_refused_with_its_line() {
        let cases = [
            ("a 1\na 2\n", "line 2: a is on the page twice"),
            ("a{x=\"1\",x=\"2\"} 1\n", "line 1: label x is there twice"),
            ("# TYPE a gauge\n# TYPE a gauge\n", "line 2: a has its second TYPE"),
            ("# HELP a b\n# HELP a b\n", "line 2: a has its second HELP"),
            ("a 1\n# TYPE a gauge\n", "line 2: the type of a stands behind its samples"),
            ("# TYPE a guage\n", "line 1: \"guage\" is not a type of metric"),
            ("# TYPE h histogram\nh 1\n", "line 2: h is a histogram and has no value of its own"),
            ("# TYPE h histogram\nh_bucket 1\n", "line 2: h_bucket needs a number as its label le"),
            ("# TYPE s summary\ns 1\n", "line 2: s needs a number as its label quantile"),
            ("a\n", "line 1: a has no value"),
            ("a 1,5\n", "line 1: \"1,5\" is not a number"),
            ("a 0x10\n", "line 1: \"0x10\" is not a number"),
            ("a 1_000\n", "line 1: \"1_000\" is not a number"),
            ("a 1 2.5\n", "line 1: \"2.5\" is not a time in milliseconds"),
            ("a 1 2 3\n", "line 1: \"3\" stands behind the sample"),
            ("a{x=1} 1\n", "line 1: label x is not followed by =\""),
            ("a{x=\"1\"\n", "line 1: label x is followed by neither a comma nor a brace"),
            ("a{x=\"1\n", "line 1: label x: the closing quote is missing"),
            (
                "a{x=\"\\t\"} 1\n",
                "line 1: label x: a backslash is followed by neither \\, \" nor n",
            ),
            (
                "a{__name__=\"b\"} 1\n",
                "line 1: \"__name__=\\\"b\\\"} 1\" does not begin with the name of a label",
            ),
            (
                "{\"a.b\"} 1\n",
                "line 1: \"{\\\"a.b\\\"} 1\" does not begin with the name of a metric",
            ),
            ("1a 1\n", "line 1: \"1a 1\" does not begin with the name of a metric"),
            ("a 1\nb 2", "line 2: the page ends in the middle of a line"),
            ("<html>\n", "line 1: \"<html>\" does not begin with the name of a metric"),
        ];
        for (page, expected) in cases {
            assert_eq!(parse(page).unwrap_err(), expected, "{page:?}");
        }
        let fault = parse_exposition(b"a 1\nb{x=\"\xff\"} 1\n").unwrap_err();
        assert_eq!(fault.to_string(), "line 2: this is not UTF-8 text");
        assert_eq!(parse("").unwrap(), []);
    }
}
