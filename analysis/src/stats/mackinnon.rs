//! Critical values and p-values of the Dickey-Fuller distribution by response surfaces.

use statrs::function::erf::erfc;

use super::adf::Deterministic;

/// Coefficients of 1, 1/T, 1/T^2, 1/T^3 at 1, 5 and 10 % (MacKinnon 2010, one variable).
const CRITICAL: [[[f64; 4]; 3]; 4] = [
    [
        [-2.56574, -2.2358, -3.627, 0.0],
        [-1.94100, -0.2686, -3.365, 31.223],
        [-1.61682, 0.2656, -2.714, 25.364],
    ],
    [
        [-3.43035, -6.5393, -16.786, -79.433],
        [-2.86154, -2.8903, -4.234, -40.040],
        [-2.56677, -1.5384, -2.809, 0.0],
    ],
    [
        [-3.95877, -9.0531, -28.428, -134.155],
        [-3.41049, -4.3904, -9.036, -45.374],
        [-3.12705, -2.5856, -3.925, -22.380],
    ],
    [
        [-4.37113, -11.5882, -35.819, -334.047],
        [-3.83239, -5.9057, -12.490, -118.284],
        [-3.55326, -3.6596, -5.293, -63.559],
    ],
];

/// One response surface of MacKinnon (1994): the normal quantile of p as a polynomial of the statistic.
struct Surface {
    /// p is 0 below.
    least: f64,
    /// The polynomial for small p holds up to here.
    turn: f64,
    /// p is 1 above.
    greatest: f64,
    small: [f64; 3],
    large: [f64; 4],
}

const SURFACES: [Surface; 4] = [
    Surface {
        least: -19.04,
        turn: -1.04,
        greatest: f64::INFINITY,
        small: [0.6344, 1.2378, 0.032496],
        large: [0.4797, 0.93557, -0.06999, 0.033066],
    },
    Surface {
        least: -18.83,
        turn: -1.61,
        greatest: 2.74,
        small: [2.1659, 1.4412, 0.038269],
        large: [1.7339, 0.93202, -0.12745, -0.010368],
    },
    Surface {
        least: -16.18,
        turn: -2.89,
        greatest: 0.70,
        small: [3.2512, 1.6047, 0.049588],
        large: [2.5261, 0.61654, -0.37956, -0.060285],
    },
    Surface {
        least: -17.17,
        turn: -3.21,
        greatest: 0.54,
        small: [4.0003, 1.658, 0.048288],
        large: [3.0778, 0.49529, -0.41477, -0.059359],
    },
];

/// The critical values at 1, 5 and 10 % for a regression over so many observations.
#[must_use]
pub(super) fn critical_values(terms: Deterministic, observations: usize) -> [f64; 3] {
    let inverse = 1.0 / observations as f64;
    CRITICAL[terms.count()].map(|coefficients| polynomial(&coefficients, inverse))
}

/// The approximate p-value of a statistic.
#[must_use]
pub(super) fn p_value(terms: Deterministic, statistic: f64) -> f64 {
    let surface = &SURFACES[terms.count()];
    if statistic > surface.greatest {
        return 1.0;
    }
    if statistic < surface.least {
        return 0.0;
    }
    let quantile = if statistic <= surface.turn {
        polynomial(&surface.small, statistic)
    } else {
        polynomial(&surface.large, statistic)
    };
    0.5 * erfc(-quantile / std::f64::consts::SQRT_2)
}

fn polynomial(coefficients: &[f64], at: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * at + coefficient)
}
