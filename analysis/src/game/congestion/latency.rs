//! How long a resource takes under a load.

use thiserror::Error;

/// The latency of a resource as a function of its load. Every one is nondecreasing and not negative.
#[derive(Debug, Clone, PartialEq)]
pub enum Latency {
    /// c0 + c1 x + c2 x^2 + ...; affine with two coefficients.
    Polynomial(Vec<f64>),
    /// `unloaded` / (1 - x / `capacity`), infinite from the capacity on: the sojourn time of an M/M/1
    /// queue if `unloaded` is 1 / `capacity`, and of several stations in a row otherwise.
    Mm1 {
        /// Latency without load.
        unloaded: f64,
        /// The load that is never reached.
        capacity: f64,
    },
    /// `base` for a load of at most one batch, and `step` more for each further batch that is begun.
    Step {
        /// Latency of the first batch.
        base: f64,
        /// What each further batch adds.
        step: f64,
        /// Load that one batch takes.
        batch: f64,
    },
}

/// Why something is no latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LatencyError {
    /// The parameters are not finite, or one is negative.
    #[error("a latency needs finite parameters that are not negative")]
    Parameter,
    /// A capacity or a batch that is not above zero.
    #[error("a latency needs a capacity or a batch size above zero")]
    Scale,
}

impl Latency {
    /// a x + b.
    #[must_use]
    pub fn affine(slope: f64, constant: f64) -> Self {
        Self::Polynomial(vec![constant, slope])
    }

    /// Whether the parameters make a nondecreasing latency that is not negative.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn check(&self) -> Result<(), LatencyError> {
        let sound = |value: f64| value.is_finite() && value >= 0.0;
        let (parameters, scale) = match self {
            Self::Polynomial(coefficients) => (coefficients.clone(), 1.0),
            Self::Mm1 { unloaded, capacity } => (vec![*unloaded], *capacity),
            Self::Step { base, step, batch } => (vec![*base, *step], *batch),
        };
        if !parameters.into_iter().all(sound) {
            return Err(LatencyError::Parameter);
        }
        if !(scale.is_finite() && scale > 0.0) {
            return Err(LatencyError::Scale);
        }
        Ok(())
    }

    /// The latency at a load.
    #[must_use]
    pub fn at(&self, load: f64) -> f64 {
        match self {
            Self::Polynomial(coefficients) => {
                coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * load + coefficient)
            }
            Self::Mm1 { unloaded, capacity } if load < *capacity => {
                unloaded / (1.0 - load / capacity)
            }
            Self::Mm1 { .. } => f64::INFINITY,
            Self::Step { base, step, batch } => base + step * further_batches(load, *batch),
        }
    }

    /// The latencies of all who are on the resource together: load x latency.
    #[must_use]
    pub fn total(&self, load: f64) -> f64 {
        if load == 0.0 { 0.0 } else { load * self.at(load) }
    }

    /// What a little more load costs everyone: the derivative of load x latency. `None` where it has
    /// jumps.
    #[must_use]
    pub fn marginal(&self, load: f64) -> Option<f64> {
        match self {
            Self::Polynomial(coefficients) => {
                let powers = (1..=coefficients.len()).rev();
                let terms = coefficients.iter().rev().zip(powers);
                Some(terms.fold(0.0, |sum, (c, power)| sum * load + power as f64 * c))
            }
            Self::Mm1 { unloaded, capacity } if load < *capacity => {
                Some(unloaded / (1.0 - load / capacity).powi(2))
            }
            Self::Mm1 { .. } => Some(f64::INFINITY),
            Self::Step { .. } => None,
        }
    }

    /// The integral of the latency from no load to this one, of which a Wardrop equilibrium minimises the
    /// sum over resources (Beckmann, McGuire and Winsten 1956).
    #[must_use]
    pub fn integral(&self, load: f64) -> f64 {
        match self {
            Self::Polynomial(coefficients) => {
                let powers = (1..=coefficients.len()).rev();
                let terms = coefficients.iter().rev().zip(powers);
                load * terms.fold(0.0, |sum, (c, power)| sum * load + c / power as f64)
            }
            Self::Mm1 { unloaded, capacity } if load < *capacity => {
                -unloaded * capacity * (-load / capacity).ln_1p()
            }
            Self::Mm1 { .. } => f64::INFINITY,
            Self::Step { base, step, batch } => {
                let whole = further_batches(load, *batch);
                let before = batch * step * whole * (whole - 1.0) / 2.0;
                base * load + before + step * whole * (load - whole * batch)
            }
        }
    }

    /// The largest load at which the latency is at most this; infinite if it never grows beyond, and 0
    /// if it begins above.
    #[must_use]
    pub fn largest_load(&self, latency: f64) -> f64 {
        if self.at(0.0) > latency {
            return 0.0;
        }
        match self {
            Self::Polynomial(coefficients) if coefficients.iter().skip(1).all(|c| *c == 0.0) => {
                f64::INFINITY
            }
            Self::Polynomial(_) => {
                super::line_search::last_at_most(|load| self.at(load), latency, 1.0)
            }
            Self::Mm1 { unloaded, .. } if *unloaded == 0.0 => f64::INFINITY,
            Self::Mm1 { unloaded, capacity } => capacity * (1.0 - unloaded / latency),
            Self::Step { step, .. } if *step == 0.0 => f64::INFINITY,
            Self::Step { base, step, batch } => (((latency - base) / step).floor() + 1.0) * batch,
        }
    }
}

/// Batches that are begun beyond the first.
fn further_batches(load: f64, batch: f64) -> f64 {
    ((load / batch).ceil() - 1.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Latency; 4] {
        [
            Latency::affine(2.0, 3.0),
            Latency::Polynomial(vec![1.0, 0.0, 0.5, 0.25]),
            Latency::Mm1 { unloaded: 0.5, capacity: 8.0 },
            Latency::Step { base: 1.0, step: 0.5, batch: 1.5 },
        ]
    }

    #[test]
    fn integrals_and_marginals_are_those_of_the_latency() {
        for latency in all() {
            let (mut sum, steps) = (0.0, 200_000);
            for index in 0..steps {
                sum += latency.at(5.0 * (f64::from(index) + 0.5) / f64::from(steps));
            }
            let numeric = sum * 5.0 / f64::from(steps);
            let exact = latency.integral(5.0);
            assert!((numeric - exact).abs() < 1e-4, "{latency:?}: {numeric} {exact}");
            if let Some(marginal) = latency.marginal(2.0) {
                let slope = (latency.total(2.0 + 1e-6) - latency.total(2.0 - 1e-6)) / 2e-6;
                assert!((slope - marginal).abs() < 1e-6, "{latency:?}");
            }
        }
    }

    #[test]
    fn the_largest_load_is_the_inverse() {
        for latency in all() {
            for load in [0.25, 1.0, 2.5, 4.0] {
                let largest = latency.largest_load(latency.at(load));
                assert!(largest >= load - 1e-9, "{latency:?} at {load}: {largest}");
                assert!(latency.at(largest - 1e-9) <= latency.at(load) + 1e-9, "{latency:?}");
                assert!(latency.at(largest + 1e-6) > latency.at(load), "{latency:?}");
            }
            assert_eq!(latency.largest_load(0.1), 0.0);
        }
    }

    #[test]
    fn a_batch_boundary_belongs_to_the_batch_before_it() {
        let latency = Latency::Step { base: 10.0, step: 4.0, batch: 8.0 };
        assert_eq!(
            [0.0, 1.0, 8.0, 8.5, 16.0, 17.0].map(|x| latency.at(x)),
            [10., 10., 10., 14., 14., 18.]
        );
    }

    #[test]
    fn parameters_are_checked() {
        assert!(all().iter().all(|latency| latency.check().is_ok()));
        assert_eq!(Latency::affine(-1.0, 1.0).check(), Err(LatencyError::Parameter));
        let full = Latency::Mm1 { unloaded: 1.0, capacity: 0.0 };
        assert_eq!(full.check(), Err(LatencyError::Scale));
    }
}
