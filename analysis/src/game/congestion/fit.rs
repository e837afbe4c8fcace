//! Fitting latencies to measurements.

use nalgebra::{DMatrix, DVector};
use thiserror::Error;

use super::latency::Latency;
use crate::stats::{Interval, mean, student_quantile};

/// The kind of latency that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A polynomial of this degree; 1 is affine.
    Polynomial(usize),
    /// [`Latency::Mm1`].
    Mm1,
    /// [`Latency::Step`].
    Step,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Load on the resource.
    pub load: f64,
    /// Its latency under that load.
    pub latency: f64,
}

/// One fitted parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The estimate by least squares.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// A latency with what is needed to judge it.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedLatency {
    /// The fit.
    pub latency: Latency,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Measurements.
    pub observations: usize,
    /// Standard deviation of the measurements about the fit.
    pub residual: f64,
    /// Share of the latency's variance that the fit explains; NaN if the latency does not vary.
    pub explained: f64,
}

/// Why nothing could be fitted.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FitError {
    /// Not more measurements than parameters.
    #[error("{found} measurements are too few for {parameters} parameters and their intervals; give at least {}", parameters + 1)]
    TooFew {
        /// Measurements.
        found: usize,
        /// Parameters.
        parameters: usize,
    },
    /// Too few different loads.
    #[error("the measurements have too few different loads to tell the parameters apart")]
    SameLoads,
    /// A negative or infinite measurement.
    #[error(
        "a load of {load} with a latency of {latency}: both must be finite, the load not negative, the latency above zero"
    )]
    Unusable {
        /// The load.
        load: f64,
        /// The latency.
        latency: f64,
    },
    /// The best fit is no latency.
    #[error(
        "the best fit has {name} = {value}: a latency that falls with load or is below zero; try another model"
    )]
    NotALatency {
        /// The parameter that is wrong.
        name: String,
        /// Its value.
        value: f64,
    },
}

/// Fit a latency by least squares.
///
/// Intervals are Student's t for polynomials, and by linearisation at the optimum for M/M/1; the batch of a
/// step latency has the interval of those values whose sum of squares is not significantly larger by the F
/// test, its other parameters are taken at the best batch. Measurements count as independent and equally
/// uncertain.
///
/// # Errors
///
/// If there are too few measurements or different loads, one is not usable, or the best fit is no latency.
pub fn fit_latency(
    observations: &[Observation],
    family: Family,
) -> Result<FittedLatency, FitError> {
    for Observation { load, latency } in observations.iter().copied() {
        if !(load.is_finite() && load >= 0.0 && latency.is_finite() && latency > 0.0) {
            return Err(FitError::Unusable { load, latency });
        }
    }
    let parameters = match family {
        Family::Polynomial(degree) => degree + 1,
        Family::Mm1 => 2,
        Family::Step => 3,
    };
    if observations.len() <= parameters {
        return Err(FitError::TooFew { found: observations.len(), parameters });
    }
    let fitted = match family {
        Family::Polynomial(degree) => polynomial(observations, degree),
        Family::Mm1 => mm1(observations),
        Family::Step => step(observations),
    }?;
    match fitted.parameters.iter().find(|parameter| parameter.value < 0.0) {
        Some(Parameter { name, value, .. }) => {
            Err(FitError::NotALatency { name: name.clone(), value: *value })
        }
        None => Ok(fitted),
    }
}

/// A linear least-squares fit.
struct LeastSquares {
    coefficients: Vec<f64>,
    /// The inverse of the normal matrix: covariances in units of the residual variance.
    covariance: DMatrix<f64>,
    sum_of_squares: f64,
}

impl LeastSquares {
    /// Regress values on rows of regressors. `None` if the regressors are not independent.
    fn of(rows: &[Vec<f64>], values: &[f64]) -> Option<Self> {
        let design = DMatrix::from_fn(rows.len(), rows[0].len(), |row, column| rows[row][column]);
        let values = DVector::from_column_slice(values);
        // Columns of equal length, so that the test of rank does not depend on units.
        let lengths: Vec<f64> = design.column_iter().map(|column| column.norm()).collect();
        if lengths.contains(&0.0) {
            return None;
        }
        let mut scaled = design.clone();
        scaled.column_iter_mut().zip(&lengths).for_each(|(mut column, l)| column /= *l);
        let triangle = scaled.clone().qr();
        let r = triangle.r();
        if r.diagonal().iter().any(|pivot| pivot.abs() < 1e-10) {
            return None;
        }
        let projected = triangle.q().transpose() * &values;
        let mut solution = r.solve_upper_triangular(&projected)?;
        // What is left of a zero after rounding has no sign.
        let rounding = 1e-12 * values.norm();
        solution.iter_mut().filter(|part| part.abs() <= rounding).for_each(|part| *part = 0.0);
        let inverse = r.try_inverse()?;
        let covariance = &inverse * inverse.transpose();
        let residuals = &values - &scaled * &solution;
        Some(Self {
            coefficients: solution.iter().zip(&lengths).map(|(c, length)| c / length).collect(),
            covariance: DMatrix::from_fn(lengths.len(), lengths.len(), |i, j| {
                covariance[(i, j)] / lengths[i] / lengths[j]
            }),
            sum_of_squares: residuals.norm_squared(),
        })
    }

    /// Half the width of a coefficient's 95 % interval, given the residual variance.
    fn half_width(&self, index: usize, variance: f64, degrees: f64) -> f64 {
        student_quantile(0.975, degrees) * (variance * self.covariance[(index, index)]).sqrt()
    }
}

fn latencies(observations: &[Observation]) -> Vec<f64> {
    observations.iter().map(|observation| observation.latency).collect()
}

fn fitted(
    observations: &[Observation],
    latency: Latency,
    parameters: Vec<Parameter>,
    sum_of_squares: f64,
    fitted_parameters: usize,
) -> FittedLatency {
    let n = observations.len() as f64;
    let centre = mean(&latencies(observations));
    let total: f64 = observations.iter().map(|o| (o.latency - centre).powi(2)).sum();
    FittedLatency {
        latency,
        parameters,
        observations: observations.len(),
        residual: (sum_of_squares / (n - fitted_parameters as f64)).sqrt(),
        explained: if total > 0.0 { 1.0 - sum_of_squares / total } else { f64::NAN },
    }
}

fn around(name: String, value: f64, half: f64) -> Parameter {
    Parameter { name, value, interval: Interval { low: value - half, high: value + half } }
}

fn polynomial(observations: &[Observation], degree: usize) -> Result<FittedLatency, FitError> {
    let row = |o: &Observation| (0..=degree).map(|power| o.load.powi(power as i32)).collect();
    let rows: Vec<Vec<f64>> = observations.iter().map(row).collect();
    let fit = LeastSquares::of(&rows, &latencies(observations)).ok_or(FitError::SameLoads)?;
    let degrees = (observations.len() - degree - 1) as f64;
    let variance = fit.sum_of_squares / degrees;
    let parameters = fit.coefficients.iter().enumerate().map(|(power, value)| {
        around(format!("c{power}"), *value, fit.half_width(power, variance, degrees))
    });
    let parameters = parameters.collect();
    let latency = Latency::Polynomial(fit.coefficients.clone());
    Ok(fitted(observations, latency, parameters, fit.sum_of_squares, degree + 1))
}

/// Gauss-Newton steps, at most; each is halved until it improves.
const STEPS: usize = 200;

/// Nonlinear least squares in (unloaded, 1 / capacity), by Gauss and Newton with step halving.
fn mm1(observations: &[Observation]) -> Result<FittedLatency, FitError> {
    let values = latencies(observations);
    let heaviest = observations.iter().map(|o| o.load).fold(0.0, f64::max);
    if heaviest == 0.0 {
        return Err(FitError::SameLoads);
    }
    let predicted = |[unloaded, rate]: [f64; 2], load: f64| unloaded / (1.0 - rate * load);
    let squares = |at: [f64; 2]| -> f64 {
        if at[1] * heaviest >= 1.0 {
            return f64::INFINITY;
        }
        observations.iter().map(|o| (o.latency - predicted(at, o.load)).powi(2)).sum()
    };
    let linear = |at: [f64; 2]| {
        let row = |o: &Observation| {
            let free = 1.0 - at[1] * o.load;
            vec![1.0 / free, at[0] * o.load / (free * free)]
        };
        let rows: Vec<Vec<f64>> = observations.iter().map(row).collect();
        let residuals: Vec<f64> = observations
            .iter()
            .zip(&values)
            .map(|(o, latency)| latency - predicted(at, o.load))
            .collect();
        LeastSquares::of(&rows, &residuals)
    };
    let mut at = mm1_start(observations, heaviest);
    let mut least = squares(at);
    for _ in 0..STEPS {
        let fit = linear(at).ok_or(FitError::SameLoads)?;
        let mut scale = 1.0;
        let better = loop {
            let next = [0, 1].map(|index| at[index] + scale * fit.coefficients[index]);
            if squares(next) < least {
                break Some(next);
            }
            scale /= 2.0;
            if scale < 1e-12 {
                break None;
            }
        };
        let Some(next) = better else { break };
        (at, least) = (next, squares(next));
    }
    if at[1] <= 0.0 {
        return Err(FitError::NotALatency { name: "capacity".to_owned(), value: 1.0 / at[1] });
    }
    let fit = linear(at).ok_or(FitError::SameLoads)?;
    let degrees = (observations.len() - 2) as f64;
    let [unloaded_half, rate_half] =
        [0, 1].map(|index| fit.half_width(index, least / degrees, degrees));
    // The interval of the capacity is that of its inverse, turned over: it may have no upper end.
    let (slow, fast) = (at[1] - rate_half, at[1] + rate_half);
    let high = if slow > 0.0 { 1.0 / slow } else { f64::INFINITY };
    let capacity = Parameter {
        name: "capacity".to_owned(),
        value: 1.0 / at[1],
        interval: Interval { low: 1.0 / fast, high },
    };
    let latency = Latency::Mm1 { unloaded: at[0], capacity: capacity.value };
    let parameters = vec![around("unloaded".to_owned(), at[0], unloaded_half), capacity];
    Ok(fitted(observations, latency, parameters, least, 2))
}

/// A place to begin: 1 / latency is linear in the load.
fn mm1_start(observations: &[Observation], heaviest: f64) -> [f64; 2] {
    let rows: Vec<Vec<f64>> = observations.iter().map(|o| vec![1.0, o.load]).collect();
    let inverse: Vec<f64> = observations.iter().map(|o| 1.0 / o.latency).collect();
    let lightest = observations.iter().map(|o| o.latency).fold(f64::INFINITY, f64::min);
    match LeastSquares::of(&rows, &inverse) {
        Some(fit) if fit.coefficients[0] > 0.0 && fit.coefficients[1] < 0.0 => {
            let rate = -fit.coefficients[1] / fit.coefficients[0];
            [1.0 / fit.coefficients[0], rate.min(0.999 / heaviest)]
        }
        _ => [lightest, 0.5 / heaviest],
    }
}

/// Batches that the heaviest load takes, at most: smaller batches are not told apart from a straight line.
const MOST_BATCHES: u32 = 64;

/// Least squares in (base, step) for every batch size. The fit changes only where a load is a whole number of
/// batches, so it is constant between neighbouring sizes of that kind and one try for each is exact.
fn step(observations: &[Observation]) -> Result<FittedLatency, FitError> {
    let values = latencies(observations);
    let further =
        |batch: f64| observations.iter().map(move |o| ((o.load / batch).ceil() - 1.0).max(0.0));
    let changes = changes(observations);
    let tried: Vec<([f64; 2], f64)> = changes
        .windows(2)
        .filter_map(|ends| {
            let squares = rising_line(&further(ends[0]).collect::<Vec<f64>>(), &values)?;
            Some(([ends[0], ends[1]], squares))
        })
        .collect();
    let least = tried.iter().map(|(_, squares)| *squares).fold(f64::INFINITY, f64::min);
    let degrees = (observations.len() - 3) as f64;
    let variance = least / degrees;
    let rounding = 1e-12 * values.iter().map(|value| value * value).sum::<f64>();
    let within = |limit: f64| {
        let close = tried.iter().filter(|(_, squares)| *squares <= limit + rounding);
        let sizes = close.map(|(ends, _)| *ends);
        sizes.reduce(|all, ends| [all[0].min(ends[0]), all[1].max(ends[1])])
    };
    // The data do not tell the sizes apart that fit best: take the middle.
    let [first, last] = within(least).ok_or(FitError::SameLoads)?;
    let chosen = tried.iter().filter(|(_, squares)| *squares <= least + rounding);
    let middle = f64::midpoint(first, last);
    let apart = |ends: &[f64; 2]| (f64::midpoint(ends[0], ends[1]) - middle).abs();
    let ends = chosen.map(|(ends, _)| ends).min_by(|a, b| apart(a).total_cmp(&apart(b)));
    let batch = ends.map_or(middle, |ends| f64::midpoint(ends[0], ends[1]));
    let rows: Vec<Vec<f64>> = further(batch).map(|number| vec![1.0, number]).collect();
    let fit = LeastSquares::of(&rows, &values).ok_or(FitError::SameLoads)?;
    // F with one degree of freedom in the numerator is the square of Student's t.
    let bound = least + variance * student_quantile(0.975, degrees).powi(2);
    let [low, high] = within(bound).unwrap_or([first, last]);
    let [base, step] = [("base", 0), ("step", 1)].map(|(name, index)| {
        let half = fit.half_width(index, variance, degrees);
        around(name.to_owned(), fit.coefficients[index], half)
    });
    let latency = Latency::Step { base: base.value, step: step.value, batch };
    let batch =
        Parameter { name: "batch".to_owned(), value: batch, interval: Interval { low, high } };
    Ok(fitted(observations, latency, vec![base, step, batch], least, 3))
}

/// The batch sizes at which the fit changes, rising.
fn changes(observations: &[Observation]) -> Vec<f64> {
    let loads = observations.iter().map(|o| o.load).filter(|load| *load > 0.0);
    let heaviest = loads.clone().fold(0.0, f64::max);
    let sizes = loads.flat_map(|load| (1..=MOST_BATCHES).map(move |n| load / f64::from(n)));
    let mut sizes: Vec<f64> =
        sizes.filter(|size| size * f64::from(MOST_BATCHES) >= heaviest).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

/// The sum of squares about the best line that does not fall. `None` if the regressor does not vary.
fn rising_line(regressor: &[f64], values: &[f64]) -> Option<f64> {
    let (x_mean, y_mean) = (mean(regressor), mean(values));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in regressor.iter().zip(values) {
        let (x, y) = (x - x_mean, y - y_mean);
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    (xx > 0.0).then(|| if xy > 0.0 { (yy - xy * xy / xx).max(0.0) } else { yy })
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn measured(latency: &Latency, loads: &[f64], noise: f64, seed: u64) -> Vec<Observation> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut one = |load: f64| {
            // The sum of twelve uniform numbers is close enough to normal.
            let error: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            Observation { load, latency: latency.at(load) + noise * error }
        };
        loads.iter().map(|load| one(*load)).collect()
    }

    fn loads(n: usize) -> Vec<f64> {
        (1..=n).map(|i| 10.0 * i as f64 / n as f64).collect()
    }

    fn cases() -> Vec<(Latency, Family, Vec<f64>)> {
        vec![
            (Latency::affine(2.0, 3.0), Family::Polynomial(1), vec![3.0, 2.0]),
            (Latency::Polynomial(vec![5.0, 1.0, 0.5]), Family::Polynomial(2), vec![5.0, 1.0, 0.5]),
            (Latency::Mm1 { unloaded: 4.0, capacity: 13.0 }, Family::Mm1, vec![4.0, 13.0]),
            (Latency::Step { base: 6.0, step: 2.0, batch: 2.5 }, Family::Step, vec![6.0, 2.0, 2.5]),
        ]
    }

    #[test]
    fn exact_measurements_give_the_parameters_back() {
        for (latency, family, truth) in cases() {
            let fit = fit_latency(&measured(&latency, &loads(40), 0.0, 1), family).unwrap();
            for (parameter, truth) in fit.parameters.iter().zip(&truth) {
                let (value, tolerance) = if parameter.name == "batch" {
                    (parameter.value, 0.13)
                } else {
                    (parameter.value, 1e-6)
                };
                assert!((value - truth).abs() < tolerance, "{family:?}: {parameter:?}");
            }
            assert!(fit.explained > 1.0 - 1e-9);
        }
    }

    #[test]
    fn intervals_cover_the_truth_about_as_often_as_they_say() {
        for (latency, family, truth) in cases() {
            let mut covered = vec![0; truth.len()];
            for seed in 0..300 {
                let fit = fit_latency(&measured(&latency, &loads(40), 0.3, seed), family).unwrap();
                for (count, (parameter, truth)) in
                    covered.iter_mut().zip(fit.parameters.iter().zip(&truth))
                {
                    *count += usize::from(
                        parameter.interval.low <= *truth && *truth <= parameter.interval.high,
                    );
                }
            }
            // Binomial(300, 0.95) is at least 273 with probability 0.999.
            assert!(covered.iter().all(|count| *count >= 273), "{family:?}: {covered:?} of 300");
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_said() {
        let flat = |n: usize| vec![Observation { load: 1.0, latency: 2.0 }; n];
        let affine = Family::Polynomial(1);
        assert_eq!(
            fit_latency(&flat(2), affine),
            Err(FitError::TooFew { found: 2, parameters: 2 })
        );
        for family in [affine, Family::Mm1, Family::Step] {
            assert_eq!(fit_latency(&flat(9), family), Err(FitError::SameLoads), "{family:?}");
        }
        let falling: Vec<Observation> =
            loads(9).into_iter().map(|load| Observation { load, latency: 20.0 - load }).collect();
        for family in [affine, Family::Mm1] {
            let error = fit_latency(&falling, family).unwrap_err();
            assert!(matches!(error, FitError::NotALatency { .. }), "{family:?}: {error}");
        }
        let mut broken = flat(9);
        broken[3].latency = f64::NAN;
        let error = fit_latency(&broken, affine).unwrap_err();
        assert!(matches!(error, FitError::Unusable { .. }));
    }
}
