//! Numbers as people read them.

/// A count with a separator every three digits.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A measured value with a sensible number of digits; a dash if there is none.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        "-".to_owned()
    } else if value == 0.0 {
        "0".to_owned()
    } else if value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else if value.abs() >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// A share of one as a percentage; a dash if there is none. What is not quite nothing or all is not
/// rounded to it.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if !percent.is_finite() {
        "-".to_owned()
    } else if percent > 0.0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent > 99.9 && percent < 100.0 {
        "> 99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A probability; one that would be rounded to nothing is not.
#[must_use]
pub fn probability(value: f64) -> String {
    if (0.0..0.0001).contains(&value) { "< 0.0001".to_owned() } else { number(value) }
}

/// A duration.
#[must_use]
pub fn seconds(value: f64) -> String {
    if !value.is_finite() { "-".to_owned() } else { format!("{value:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }

    #[test]
    fn numbers_keep_what_matters() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.012_34), "0.0123");
        assert_eq!(number(-3.456), "-3.46");
        assert_eq!(number(123.45), "123.5");
        assert_eq!(number(1234.5), "1234");
        assert_eq!(number(f64::NAN), "-");
        assert_eq!([probability(1e-9), probability(0.05)], ["< 0.0001", "0.0500"]);
        assert_eq!(percent(0.125), "12.5 %");
        assert_eq!([percent(0.0), percent(1.0)], ["0.0 %", "100.0 %"]);
        assert_eq!([percent(0.0004), percent(0.9996)], ["< 0.1 %", "> 99.9 %"]);
    }
}
