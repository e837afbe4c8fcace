//! Student's t: the interval of a mean of a few independent values.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::bootstrap::Interval;
use super::quantile::{mean, quantile_sorted};

/// The quantile of Student's t distribution at `p` in (0, 1), with so many degrees of freedom. Infinite
/// without any.
#[must_use]
pub fn student_quantile(p: f64, degrees: f64) -> f64 {
    /// From here on it is the normal quantile to four digits, and statrs loses them.
    const MANY: f64 = 1e5;
    if degrees > MANY {
        return Normal::standard().inverse_cdf(p);
    }
    match StudentsT::new(0.0, 1.0, degrees) {
        Ok(distribution) => distribution.inverse_cdf(p),
        Err(_) => f64::INFINITY,
    }
}

/// How many standard deviations of a bootstrap's resamples a 95 % interval reaches when so many independent pieces
/// are drawn: Student's quantile, and what their spread lacks because a resample's own pieces vary less than the true
/// ones (Hesterberg 2015). The normal quantile of many; infinite of one.
#[must_use]
pub(super) fn bootstrap_reach(pieces: f64) -> f64 {
    if pieces <= 1.0 {
        return f64::INFINITY;
    }
    student_quantile(0.975, pieces - 1.0) * (pieces / (pieces - 1.0)).sqrt()
}

/// The 95 % interval of percentiles of rising resamples of so many independent pieces, expanded as they need it.
#[must_use]
pub fn expanded_percentiles(rising: &[f64], pieces: f64) -> Interval {
    let level = Normal::standard().cdf(-bootstrap_reach(pieces));
    Interval { low: quantile_sorted(rising, level), high: quantile_sorted(rising, 1.0 - level) }
}

/// The standard error of the mean of independent values: their standard deviation, with n - 1 in its
/// denominator, over the root of n. NaN of fewer than two.
#[must_use]
pub fn standard_error(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (n - 1.0) / n).sqrt()
}

/// The 95 % interval of the mean of independent, roughly normal values by Student's t. `None` of fewer
/// than two.
#[must_use]
pub fn student_interval(values: &[f64]) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let half = student_quantile(0.975, values.len() as f64 - 1.0) * standard_error(values);
    let centre = mean(values);
    Some(Interval { low: centre - half, high: centre + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_textbook() {
        for (degrees, expected) in [(1.0, 12.7062), (4.0, 2.7764), (9.0, 2.2622), (29.0, 2.0452)] {
            let found = student_quantile(0.975, degrees);
            assert!((found - expected).abs() < 5e-5, "{degrees}: {found}");
        }
        // Far out, where simultaneous bounds live.
        let far = student_quantile(1.0 - 1e-6, 9.0);
        assert!((far - 10.7).abs() < 0.2, "{far}");
        assert_eq!(student_quantile(0.975, 0.0), f64::INFINITY);
    }

    #[test]
    fn percentiles_of_few_pieces_reach_as_far_as_student() {
        assert_eq!(bootstrap_reach(1.0), f64::INFINITY);
        assert!((bootstrap_reach(10.0) - 2.262_157 * (10.0_f64 / 9.0).sqrt()).abs() < 1e-5);
        assert!((bootstrap_reach(1e7) - 1.959_964).abs() < 1e-5);
        assert!((bootstrap_reach(1e5) - 1.959_998).abs() < 1e-5);
        let rising: Vec<f64> = (0..=1000).map(f64::from).collect();
        let many = expanded_percentiles(&rising, 1e7);
        assert!((many.low - 25.0).abs() < 0.01 && (many.high - 975.0).abs() < 0.01, "{many:?}");
        let few = expanded_percentiles(&rising, 10.0);
        assert!(few.low < 10.0 && few.high > 990.0, "{few:?}");
        assert_eq!(expanded_percentiles(&rising, 1.0), Interval { low: 0.0, high: 1000.0 });
    }

    #[test]
    fn the_interval_of_five_values() {
        let interval = student_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let half = 2.776_445 * (2.5_f64 / 5.0).sqrt();
        assert!((interval.low - (3.0 - half)).abs() < 1e-5);
        assert!((interval.high - (3.0 + half)).abs() < 1e-5);
        assert!(student_interval(&[1.0]).is_none());
    }
}
