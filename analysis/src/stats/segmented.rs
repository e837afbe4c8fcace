//! Two lines that meet: where does the slope change?

use nalgebra::{Matrix3, Vector3};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::bootstrap::Interval;
use super::quantile::mean;
use super::refusal::{Refusal, check};
use super::student::expanded_percentiles;

/// Two lines that meet at a knee.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoLines {
    /// Where they meet.
    pub knee: f64,
    /// The height there.
    pub height: f64,
    /// The slope before it.
    pub slope_before: f64,
    /// The slope behind it.
    pub slope_after: f64,
    /// The residual sum of squares.
    pub residual: f64,
}

/// A knee with what is needed to judge it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knee {
    /// The best two lines.
    pub lines: TwoLines,
    /// 95 % interval of the knee, by resampling points or blocks.
    pub knee: Interval,
    /// 95 % interval of the slope before it.
    pub slope_before: Interval,
    /// 95 % interval of the slope behind it.
    pub slope_after: Interval,
    /// How often one straight line with the same residuals looks as much like two.
    pub p_value: f64,
    /// Resamples that had points enough.
    pub resamples: usize,
}

const RESAMPLES: usize = 1000;
const SEED: u64 = 0x6b6e_6565;

/// Fewest points.
const LEAST: usize = 6;

/// Fit two lines that meet, by least squares over every place of the knee (Hudson 1966), with intervals by the
/// bootstrap of points and a test against one line by the bootstrap of its residuals.
///
/// # Errors
///
/// If there are fewer than six points or four places, or the heights are constant.
///
/// # Panics
///
/// If the slices have different lengths.
pub fn knee(x: &[f64], y: &[f64]) -> Result<Knee, Refusal> {
    assert_eq!(x.len(), y.len(), "points");
    let points = sorted(x.iter().copied().zip(y.iter().copied()).collect());
    let alone: Vec<Vec<(f64, f64)>> = points.iter().map(|point| vec![*point]).collect();
    knee_of(&points, &alone)
}

/// The same of points that come in blocks, each with noise of its own: the intervals are by the bootstrap of whole blocks.
/// Points of a single block are drawn by themselves.
///
/// # Errors
///
/// As [`knee`]; also if the blocks are so small that no resample has four places.
pub fn knee_of_blocks(blocks: &[Vec<(f64, f64)>]) -> Result<Knee, Refusal> {
    let points = sorted(blocks.concat());
    let groups: Vec<Vec<(f64, f64)>> = match blocks {
        [_] => points.iter().map(|point| vec![*point]).collect(),
        blocks => blocks.to_vec(),
    };
    knee_of(&points, &groups)
}

fn sorted(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points
}

/// Of sorted points, with the groups that are drawn together.
fn knee_of(points: &[(f64, f64)], groups: &[Vec<(f64, f64)>]) -> Result<Knee, Refusal> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    check(&x, LEAST)?;
    check(&y, LEAST)?;
    let lines = two_lines(points).ok_or_else(|| {
        Refusal::Setting(
            "a knee needs at least four different places on the horizontal axis".into(),
        )
    })?;
    let mut random = ChaCha12Rng::seed_from_u64(SEED);
    let mut fits = Vec::new();
    let mut drawn = Vec::with_capacity(points.len());
    for _ in 0..RESAMPLES {
        drawn.clear();
        for _ in 0..groups.len() {
            drawn.extend_from_slice(&groups[random.random_range(0..groups.len())]);
        }
        drawn.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
        fits.extend(two_lines(&drawn));
    }
    if fits.is_empty() {
        let reason = "no resample of the blocks has four different places";
        return Err(Refusal::Setting(reason.into()));
    }
    let interval = |pick: fn(&TwoLines) -> f64| {
        let mut values: Vec<f64> = fits.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        expanded_percentiles(&values, groups.len() as f64)
    };
    Ok(Knee {
        lines,
        knee: interval(|lines| lines.knee),
        slope_before: interval(|lines| lines.slope_before),
        slope_after: interval(|lines| lines.slope_after),
        p_value: p_value(points, lines.residual, &mut random),
        resamples: fits.len(),
    })
}

fn p_value(points: &[(f64, f64)], residual: f64, random: &mut ChaCha12Rng) -> f64 {
    let all = Sums::of(points);
    let (intercept, slope) = all.line();
    let residuals: Vec<f64> = points.iter().map(|(x, y)| y - intercept - slope * x).collect();
    let gain = |line: f64, two: f64| (line - two) / two.max(f64::MIN_POSITIVE);
    let observed = gain(all.residual(), residual);
    let mut drawn = points.to_vec();
    let mut above = 0;
    for _ in 0..RESAMPLES {
        for (point, (x, _)) in drawn.iter_mut().zip(points) {
            let error = residuals[random.random_range(0..residuals.len())];
            *point = (*x, intercept + slope * x + error);
        }
        let two = two_lines(&drawn).map_or(f64::INFINITY, |lines| lines.residual);
        above += usize::from(gain(Sums::of(&drawn).residual(), two) >= observed);
    }
    (above + 1) as f64 / (RESAMPLES + 1) as f64
}

/// The best two lines through points sorted by x; `None` of fewer than four different x.
fn two_lines(points: &[(f64, f64)]) -> Option<TwoLines> {
    let n = points.len();
    let centre = mean(&points.iter().map(|point| point.0).collect::<Vec<_>>());
    let mut before = vec![Sums::default()];
    for (x, y) in points {
        let mut sums = before[before.len() - 1];
        sums.add(x - centre, *y);
        before.push(sums);
    }
    let all = before[n];
    // The first point of every different x.
    let places: Vec<usize> =
        (0..n).filter(|i| *i == 0 || points[*i].0 > points[*i - 1].0).collect();
    if places.len() < 4 {
        return None;
    }
    let mut best: Option<TwoLines> = None;
    let mut offer = |lines: TwoLines| {
        if best.is_none_or(|best| lines.residual < best.residual) {
            best = Some(lines);
        }
    };
    for (place, first) in places.iter().copied().enumerate().take(places.len() - 1).skip(1) {
        let (left, right) = (before[first], all.without(&before[first]));
        let (low, high) = (points[first - 1].0 - centre, points[first].0 - centre);
        // Two free lines, if they happen to meet between the points that they part.
        if place >= 2 {
            let ((a, b), (c, d)) = (left.line(), right.line());
            let knee = (a - c) / (d - b);
            if (low..=high).contains(&knee) {
                offer(TwoLines {
                    knee,
                    height: a + b * knee,
                    slope_before: b,
                    slope_after: d,
                    residual: left.residual() + right.residual(),
                });
            }
        }
        // Or a hinge at a point.
        offer_hinge(&all, &right, high, &mut offer);
    }
    best.map(|lines| TwoLines { knee: lines.knee + centre, ..lines })
}

fn offer_hinge(all: &Sums, right: &Sums, knee: f64, offer: &mut impl FnMut(TwoLines)) {
    // Least squares on 1, x and max(x - knee, 0).
    let hinge = right.x - right.n * knee;
    let x_hinge = right.xx - right.x * knee;
    let hinge_hinge = right.xx - 2.0 * knee * right.x + right.n * knee * knee;
    let y_hinge = right.xy - knee * right.y;
    let normal =
        Matrix3::new(all.n, all.x, hinge, all.x, all.xx, x_hinge, hinge, x_hinge, hinge_hinge);
    let side = Vector3::new(all.y, all.xy, y_hinge);
    if let Some(fit) = normal.lu().solve(&side) {
        offer(TwoLines {
            knee,
            height: fit[0] + fit[1] * knee,
            slope_before: fit[1],
            slope_after: fit[1] + fit[2],
            residual: (all.yy - fit.dot(&side)).max(0.0),
        });
    }
}

/// Sums over points.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Sums {
    fn of(points: &[(f64, f64)]) -> Self {
        let mut sums = Self::default();
        points.iter().for_each(|(x, y)| sums.add(*x, *y));
        sums
    }

    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.yy += y * y;
    }

    fn without(&self, other: &Self) -> Self {
        Self {
            n: self.n - other.n,
            x: self.x - other.x,
            y: self.y - other.y,
            xx: self.xx - other.xx,
            xy: self.xy - other.xy,
            yy: self.yy - other.yy,
        }
    }

    /// Intercept and slope of the least-squares line.
    fn line(&self) -> (f64, f64) {
        let slope = (self.n * self.xy - self.x * self.y) / (self.n * self.xx - self.x * self.x);
        ((self.y - slope * self.x) / self.n, slope)
    }

    fn residual(&self) -> f64 {
        let (intercept, slope) = self.line();
        (self.yy - intercept * self.y - slope * self.xy).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_block_has_in_common_does_not_blur_the_knee() {
        // Every block has the same knee, on a level of its own.
        let block = |level: f64| -> Vec<(f64, f64)> {
            let at = |x: f64| (x, level + f64::max(x - 1.75, 0.0));
            (0..8).map(|x| at(f64::from(x) / 2.0)).collect()
        };
        let blocks: Vec<Vec<(f64, f64)>> = [0.0, 0.4, -0.3, 0.1].map(block).into();
        let (x, y): (Vec<f64>, Vec<f64>) = blocks.concat().into_iter().unzip();
        let (apart, together) = (knee(&x, &y).unwrap(), knee_of_blocks(&blocks).unwrap());
        assert_eq!(apart.lines, together.lines);
        let width = |knee: Knee| knee.knee.high - knee.knee.low;
        assert!(width(together) < 1e-6 && width(apart) > 0.1, "{together:?} {apart:?}");
        let alone = knee_of_blocks(&blocks[..1]).unwrap();
        let (x, y): (Vec<f64>, Vec<f64>) = blocks[0].iter().copied().unzip();
        assert_eq!(alone, knee(&x, &y).unwrap());
    }

    fn bent(n: u32, knee: f64, noise: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let x: Vec<f64> = (0..n).map(|i| f64::from(i) / 10.0).collect();
        let height = |x: f64| 1.0 + 0.2 * x + 3.0 * (x - knee).max(0.0);
        let y = x.iter().map(|x| height(*x) + noise * (random.random::<f64>() - 0.5)).collect();
        (x, y)
    }

    #[test]
    fn an_exact_knee_is_found_exactly() {
        let (x, y) = bent(40, 2.34, 0.0, 1);
        let found = knee(&x, &y).unwrap();
        assert!((found.lines.knee - 2.34).abs() < 1e-6, "{found:?}");
        assert!((found.lines.slope_before - 0.2).abs() < 1e-6);
        assert!((found.lines.slope_after - 3.2).abs() < 1e-6);
        assert!((found.lines.height - (1.0 + 0.2 * 2.34)).abs() < 1e-6);
        assert!(found.p_value < 0.01);
    }

    #[test]
    fn no_place_of_a_fine_grid_is_better() {
        const SEED: u64 = 11;
        let mut random = ChaCha12Rng::seed_from_u64(SEED);
        for case in 0..100 {
            let n = random.random_range(6..30);
            let mut points: Vec<(f64, f64)> = (0..n)
                .map(|_| (f64::from(random.random_range(0..12)), random.random::<f64>()))
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let Some(found) = two_lines(&points) else { continue };
            for step in 1..220 {
                let place = f64::from(step) * 0.05;
                if place <= points[0].0 || place >= points[n - 1].0 {
                    continue;
                }
                let right: Vec<(f64, f64)> =
                    points.iter().copied().filter(|point| point.0 > place).collect();
                let mut best = f64::INFINITY;
                offer_hinge(&Sums::of(&points), &Sums::of(&right), place, &mut |lines| {
                    best = best.min(lines.residual);
                });
                assert!(found.residual <= best + 1e-9, "seed {SEED}, case {case}, {place}: {best}");
            }
        }
    }

    #[test]
    fn the_interval_covers_the_knee_about_as_often_as_it_says() {
        let covers = |seed: &u64| {
            let (x, y) = bent(40, 2.34, 1.0, *seed);
            let found = knee(&x, &y).unwrap();
            found.knee.low <= 2.34 && 2.34 <= found.knee.high
        };
        let covered = (0..20).filter(covers).count();
        assert!(covered >= 17, "{covered} of 20");
    }

    #[test]
    fn a_straight_line_has_no_knee() {
        let straight = |seed: &u64| {
            let (x, y) = bent(40, 100.0, 1.0, *seed);
            knee(&x, &y).unwrap().p_value > 0.05
        };
        let kept = (100..120).filter(straight).count();
        assert!(kept >= 17, "{kept} of 20");
        assert!(knee(&[1.0; 8], &[1.0; 8]).is_err());
        assert!(knee(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 1.0, 2.0, 4.0]).is_err());
    }
}
