//! Student's t: the interval of a mean of a few independent values.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::bootstrap::Interval;
use super::quantile::mean;

/// The quantile of Student's t distribution at `p` in (0, 1), with so many degrees of freedom. Infinite
/// without any.
#[must_use]
pub fn student_quantile(p: f64, degrees: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, degrees) {
        Ok(distribution) => distribution.inverse_cdf(p),
        Err(_) => f64::INFINITY,
    }
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
    fn the_interval_of_five_values() {
        let interval = student_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let half = 2.776_445 * (2.5_f64 / 5.0).sqrt();
        assert!((interval.low - (3.0 - half)).abs() < 1e-5);
        assert!((interval.high - (3.0 + half)).abs() < 1e-5);
        assert!(student_interval(&[1.0]).is_none());
    }
}
