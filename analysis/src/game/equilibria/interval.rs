//! Intervals whose ends are rounded outwards: whatever the true value is, it lies inside.

use std::ops::{Add, Mul, Neg, Sub};

/// All numbers from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Interval {
    pub(super) const ZERO: Self = Self::point(0.0);
    pub(super) const ONE: Self = Self::point(1.0);

    pub(super) const fn point(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// The numbers that differ from a value by at most a radius.
    pub(super) fn around(value: f64, radius: f64) -> Self {
        Self { low: (value - radius).next_down(), high: (value + radius).next_up() }
    }

    pub(super) fn middle(self) -> f64 {
        self.low / 2.0 + self.high / 2.0
    }

    /// The largest absolute value inside.
    pub(super) fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// Whether it lies inside another one without touching its ends. Nothing that is no number does.
    pub(super) fn is_inside(self, other: Self) -> bool {
        other.low < self.low && self.high < other.high
    }
}

impl Add for Interval {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { low: (self.low + other.low).next_down(), high: (self.high + other.high).next_up() }
    }
}

impl Neg for Interval {
    type Output = Self;

    fn neg(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }
}

impl Sub for Interval {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let ends = [
            self.low * other.low,
            self.low * other.high,
            self.high * other.low,
            self.high * other.high,
        ];
        // Infinity times zero is no number, and must not get lost in a minimum.
        if ends.iter().any(|end| end.is_nan()) {
            return Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        let low = ends.into_iter().fold(f64::INFINITY, f64::min);
        let high = ends.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Self { low: low.next_down(), high: high.next_up() }
    }
}

impl std::iter::Sum for Interval {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use num_rational::BigRational;
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn the_true_value_is_inside() {
        let seed = 7;
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let exact = |value: f64| BigRational::from_float(value).unwrap();
        let contains = |interval: Interval, value: &BigRational| {
            exact(interval.low) < *value && *value < exact(interval.high)
        };
        for _ in 0..2_000 {
            let mut value =
                || random.random_range(-1.0..1.0) * 10_f64.powi(random.random_range(-9..9));
            let (a, b, radius) = (value(), value(), value().abs());
            let (x, y) = (Interval::point(a), Interval::point(b));
            assert!(contains(x + y, &(exact(a) + exact(b))), "seed {seed}: {a} + {b}");
            assert!(contains(x - y, &(exact(a) - exact(b))), "seed {seed}: {a} - {b}");
            assert!(contains(x * y, &(exact(a) * exact(b))), "seed {seed}: {a} * {b}");
            let wide = Interval::around(a, radius);
            for end in [exact(a) - exact(radius), exact(a) + exact(radius)] {
                assert!(
                    contains(wide * y, &(end * exact(b))),
                    "seed {seed}: {a} +- {radius} * {b}"
                );
            }
        }
    }
}
