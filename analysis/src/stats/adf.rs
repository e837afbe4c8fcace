//! The augmented Dickey-Fuller test: is there a unit root?

use nalgebra::{Cholesky, DMatrix, DVector};

use super::mackinnon;
use super::quantile::mean;
use super::refusal::{Refusal, check};

/// The deterministic terms of the regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deterministic {
    /// None (`n`).
    None,
    /// A constant (`c`).
    Constant,
    /// A constant and a linear trend (`ct`).
    Trend,
    /// A constant, a linear and a quadratic trend (`ctt`).
    QuadraticTrend,
}

impl Deterministic {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        self as usize
    }
}

/// How many lagged differences the regression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LagChoice {
    /// As many as minimise Akaike's criterion.
    Aic,
    /// As many as minimise the Bayesian criterion.
    Bic,
    /// This many.
    Fixed(usize),
}

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdfTest {
    /// The t statistic of the lagged level.
    pub statistic: f64,
    /// MacKinnon's (1994) approximate p-value. The null hypothesis is a unit root.
    pub p_value: f64,
    /// Lagged differences in the regression.
    pub lags: usize,
    /// Observations in the regression.
    pub observations: usize,
    /// MacKinnon's (2010) critical values at 1, 5 and 10 %.
    pub critical: [f64; 3],
}

/// The longest lag that is tried unless said otherwise, ceil(12 (n/100)^(1/4)) (Schwert 1989), less
/// where the series is too short for it.
#[must_use]
pub fn default_longest_lag(n: usize, terms: Deterministic) -> Option<usize> {
    let schwert = (12.0 * (n as f64 / 100.0).powf(0.25)).ceil() as usize;
    Some(schwert.min((n / 2).checked_sub(terms.count() + 1)?))
}

/// Test for a unit root. With a criterion, lags up to `longest` (or [`default_longest_lag`]) are compared
/// over the observations that all of them have, and the chosen regression is then done over all that it has
/// itself (the procedure of statsmodels).
///
/// # Errors
///
/// If the series is too short, constant or exactly predictable.
pub fn adf(
    series: &[f64],
    terms: Deterministic,
    choice: LagChoice,
    longest: Option<usize>,
) -> Result<AdfTest, Refusal> {
    let n = series.len();
    check(series, terms.count() + 4)?;
    let most = default_longest_lag(n, terms).unwrap_or(0);
    let longest = match choice {
        LagChoice::Fixed(lags) => lags,
        _ => longest.unwrap_or(most),
    };
    let limit = (n / 2).saturating_sub(terms.count() + 1);
    if longest > limit {
        let message = format!("{longest} lags are too many for {n} values; at most {limit}");
        return Err(Refusal::Setting(message));
    }
    let scaled = Scaled::of(series, terms);
    let lags = match choice {
        LagChoice::Fixed(lags) => lags,
        LagChoice::Aic => scaled.best_lag(longest, |_| 2.0)?,
        LagChoice::Bic => scaled.best_lag(longest, |observations| (observations as f64).ln())?,
    };
    let regression = Regression::of(&scaled, lags)?;
    let statistic = regression.level_t()?;
    Ok(AdfTest {
        statistic,
        p_value: mackinnon::p_value(terms, statistic),
        lags,
        observations: regression.observations,
        critical: mackinnon::critical_values(terms, regression.observations),
    })
}

/// A series prepared so that products of its values keep their digits: the statistic does not depend on
/// scale, nor on place where the regression has a constant.
struct Scaled {
    levels: Vec<f64>,
    differences: Vec<f64>,
    terms: Deterministic,
}

impl Scaled {
    fn of(series: &[f64], terms: Deterministic) -> Self {
        let centre = if terms == Deterministic::None { 0.0 } else { mean(series) };
        let spread = series.iter().map(|value| (value - centre).abs()).fold(0.0, f64::max);
        let levels: Vec<f64> = series.iter().map(|value| (value - centre) / spread).collect();
        let differences = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Self { levels, differences, terms }
    }

    /// The lag with the least criterion, given the price of a parameter; the shortest of equal ones.
    fn best_lag(&self, longest: usize, price: impl Fn(usize) -> f64) -> Result<usize, Refusal> {
        let regression = Regression::of(self, longest)?;
        let first = self.terms.count() + 1;
        let n = regression.observations as f64;
        let criterion = |lags: usize| {
            let parameters = first + lags;
            let residual = regression.residual_sum(parameters);
            n * (residual / n).ln() + price(regression.observations) * parameters as f64
        };
        let all = (0..=longest).map(|lags| (lags, criterion(lags)));
        let best = all.reduce(|best, next| if next.1 < best.1 { next } else { best });
        Ok(best.map_or(0, |(lags, _)| lags))
    }
}

/// The regression of the differences on deterministic terms, the level before, and the differences before
/// that, in this order, by the Cholesky factor of its normal equations: the factor of every shorter one
/// is a corner of it.
struct Regression {
    factor: DMatrix<f64>,
    /// The factor's solution of the right-hand side; its squares are what each column explains.
    explained: DVector<f64>,
    total: f64,
    observations: usize,
    level: usize,
}

impl Regression {
    fn of(scaled: &Scaled, lags: usize) -> Result<Self, Refusal> {
        let differences = &scaled.differences;
        let response = &differences[lags..];
        let observations = response.len();
        let trends = scaled.terms.count();
        let columns = trends + 1 + lags;
        if observations <= columns {
            return Err(Refusal::TooShort {
                found: scaled.levels.len(),
                needed: columns + lags + 2,
            });
        }
        let mut outer: Vec<Vec<f64>> =
            (0..trends).map(|degree| legendre(degree, observations)).collect();
        outer.push(scaled.levels[lags..lags + observations].to_vec());
        let lagged = |lag: usize| &differences[lags - lag..lags - lag + observations];
        let mut gram = DMatrix::zeros(columns, columns);
        let mut right = DVector::zeros(columns);
        for (i, column) in outer.iter().enumerate() {
            right[i] = dot(column, response);
            for (j, other) in outer.iter().enumerate().skip(i) {
                gram[(j, i)] = dot(column, other);
            }
            for lag in 1..=lags {
                gram[(trends + lag, i)] = dot(column, lagged(lag));
            }
        }
        for lag in 1..=lags {
            right[trends + lag] = dot(lagged(lag), response);
            gram[(trends + lag, trends + 1)] = dot(lagged(lag), lagged(1));
        }
        // Products of lagged differences differ from those one lag earlier by their ends only.
        for late in 2..=lags {
            for early in 2..=late {
                let before = gram[(trends + late - 1, trends + early - 1)];
                let entering = differences[lags - late] * differences[lags - early];
                let last = lags + observations;
                let leaving = differences[last - late] * differences[last - early];
                gram[(trends + late, trends + early)] = before + entering - leaving;
            }
        }
        let diagonal = gram.diagonal();
        let factor = Cholesky::new(gram).ok_or(Refusal::Singular)?.l();
        let is_singular = (0..columns).any(|i| factor[(i, i)].powi(2) < 1e-13 * diagonal[i]);
        if is_singular {
            return Err(Refusal::Singular);
        }
        let explained = factor.solve_lower_triangular(&right).ok_or(Refusal::Singular)?;
        let total = dot(response, response);
        Ok(Self { factor, explained, total, observations, level: trends })
    }

    /// The residual sum of squares of the regression on the first columns.
    fn residual_sum(&self, columns: usize) -> f64 {
        (self.total - self.explained.rows(0, columns).norm_squared()).max(0.0)
    }

    /// The t statistic of the level.
    fn level_t(&self) -> Result<f64, Refusal> {
        let columns = self.explained.len();
        let residual = self.residual_sum(columns);
        if residual <= 1e-13 * self.total {
            return Err(Refusal::Singular);
        }
        let upper = self.factor.transpose();
        let coefficients =
            upper.solve_upper_triangular(&self.explained).ok_or(Refusal::Singular)?;
        let mut unit = DVector::zeros(columns);
        unit[self.level] = 1.0;
        let inverse = self.factor.solve_lower_triangular(&unit).ok_or(Refusal::Singular)?;
        let variance = residual / (self.observations - columns) as f64;
        Ok(coefficients[self.level] / (variance * inverse.norm_squared()).sqrt())
    }
}

/// The Legendre polynomial of degree 0, 1 or 2 over equally spaced points of [-1, 1]: it spans what the
/// powers of time span, and is nearly orthogonal.
fn legendre(degree: usize, points: usize) -> Vec<f64> {
    let step = 2.0 / (points - 1) as f64;
    let at = (0..points).map(|index| -1.0 + step * index as f64);
    match degree {
        0 => vec![1.0; points],
        1 => at.collect(),
        _ => at.map(|x| 1.5 * x * x - 0.5).collect(),
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    sum_over_pairs(a, b, |x, y| x * y)
}

/// The sum of a term of each pair.
pub(super) fn sum_over_pairs(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    // Several sums at once: the compiler may not reorder one.
    const LANES: usize = 8;
    let (mut sums, mut rest) = ([0.0; LANES], 0.0);
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (x, y) in a.remainder().iter().zip(b.remainder()) {
        rest += term(*x, *y);
    }
    for (x, y) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    /// The t statistic of the level by the orthogonal factor of the whole design.
    fn by_decomposition(series: &[f64], trends: usize, lags: usize) -> f64 {
        let differences: Vec<f64> = series.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let observations = differences.len() - lags;
        let design = DMatrix::from_fn(observations, 1 + trends + lags, |row, column| {
            let t = row + lags;
            match column {
                0 => series[t],
                _ if column <= trends => {
                    (row as f64 / observations as f64 - 0.5).powi(column as i32 - 1)
                }
                _ => differences[t - (column - trends)],
            }
        });
        let response = DVector::from_column_slice(&differences[lags..]);
        let decomposition = design.clone().qr();
        let (q, r) = (decomposition.q(), decomposition.r());
        let coefficients = r.solve_upper_triangular(&(q.transpose() * &response)).unwrap();
        let residual = (&response - &design * &coefficients).norm_squared();
        let inverse = r.try_inverse().unwrap();
        let variance = residual / (observations - design.ncols()) as f64;
        coefficients[0] / (variance * inverse.row(0).norm_squared()).sqrt()
    }

    #[test]
    fn the_statistic_is_that_of_the_regression() {
        const SEED: u64 = 1979;
        let mut random = ChaCha12Rng::seed_from_u64(SEED);
        for case in 0..60 {
            let n = random.random_range(30..120);
            let memory = random.random::<f64>();
            let place = [0.0, 1.0, 1e3][case % 3];
            let mut level = 0.0;
            let series: Vec<f64> = (0..n)
                .map(|_| {
                    level = memory * level + random.random::<f64>() - 0.5;
                    place + level
                })
                .collect();
            for (trends, terms) in [
                Deterministic::None,
                Deterministic::Constant,
                Deterministic::Trend,
                Deterministic::QuadraticTrend,
            ]
            .into_iter()
            .enumerate()
            {
                let lags = random.random_range(0..6);
                let found = adf(&series, terms, LagChoice::Fixed(lags), None).unwrap();
                let expected = by_decomposition(&series, trends, lags);
                let off = (found.statistic - expected).abs() / (1.0 + expected.abs());
                assert!(off < 1e-7, "seed {SEED}, case {case}, {terms:?}: {found:?} {expected}");
            }
        }
    }

    #[test]
    fn a_criterion_chooses_what_a_search_over_fits_chooses() {
        let mut random = ChaCha12Rng::seed_from_u64(3);
        let mut last = [0.0; 3];
        let series: Vec<f64> = (0..300)
            .map(|_| {
                let next = 0.5 * last[0] - 0.4 * last[2] + random.random::<f64>();
                last = [next, last[0], last[1]];
                next
            })
            .collect();
        let found = adf(&series, Deterministic::Constant, LagChoice::Bic, Some(8)).unwrap();
        assert_eq!(found.lags, 2, "an autoregression of order 3 has two lagged differences");
    }

    #[test]
    fn series_without_a_regression_are_refused() {
        let line: Vec<f64> = (0..50).map(f64::from).collect();
        let test = |series: &[f64]| adf(series, Deterministic::Constant, LagChoice::Aic, None);
        assert_eq!(test(&line), Err(Refusal::Singular));
        assert_eq!(test(&[1.0; 50]), Err(Refusal::Constant(50)));
        assert!(matches!(test(&line[..4]), Err(Refusal::TooShort { .. })));
        assert_eq!(test(&[1.0, 2.0, f64::NAN, 3.0, 4.0, 5.0]), Err(Refusal::NotFinite(2)));
        assert!(matches!(
            adf(&line, Deterministic::Constant, LagChoice::Fixed(30), None),
            Err(Refusal::Setting(_))
        ));
    }
}
