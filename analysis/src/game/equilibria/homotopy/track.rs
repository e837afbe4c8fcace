//! Following one root of the start system to a root of the system of interest.
//!
//! The homotopy is (1 - t) G + t F with G the start system. Coordinates are homogeneous: in each group the one
//! that was largest when a step began is kept at one, so no path goes to infinity. The predictor is a Taylor
//! polynomial whose coefficients need one factorisation together; the corrector is Newton's method.

use num_complex::Complex64;

use super::linear::Factors;
use super::start::Start;
use super::system::{Expansion, Scratch, System};

/// Terms of the predictor.
const ORDER: usize = 8;

/// How carefully a path is followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Care {
    /// Largest error that the predictor may be expected to make.
    pub(crate) prediction: f64,
    /// Most steps.
    pub(crate) steps: usize,
}

/// Where a path ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// At a root with an invertible Jacobian.
    Regular(Vec<Complex64>),
    /// Close to a root where the Jacobian is singular: a multiple root, or a point of a continuum.
    Singular(Vec<Complex64>),
    /// It could not be followed to its end.
    Lost,
}

/// Where paths of one support are followed.
pub(crate) struct Tracker<'a> {
    system: &'a System,
    start: &'a Start,
    care: Care,
    /// Per group: the coordinate that is kept at one.
    charts: Vec<usize>,
    factors: Factors,
    values: Vec<Complex64>,
    step: Vec<Complex64>,
    scratch: Scratch,
    /// Taylor coefficients of the path, order 0 is the point.
    curve: Vec<Vec<Complex64>>,
    expansions: Vec<Expansion>,
    /// Per block, per other group, per order: the start system's forms along the path.
    forms: Vec<Vec<Vec<Vec<Complex64>>>>,
    /// Per block, per number of factors, per order: the products of the first of those forms.
    products: Vec<Vec<Vec<Vec<Complex64>>>>,
}

/// Below this distance from its end a path that still needs small steps is called singular.
const SINGULAR_BEFORE_END: f64 = 1e-9;
/// A correction this small, relative to coordinates of size one, ends Newton's method along the way.
const CONVERGED: f64 = 1e-8;
/// A corrector whose first correction is larger than this is not trusted to be on its own path.
const TRUSTED: f64 = 3e-2;
/// A Jacobian whose pivots differ by more than this is called singular.
const LEAST_PIVOT: f64 = 1e-11;

impl<'a> Tracker<'a> {
    pub(crate) fn new(system: &'a System, start: &'a Start, care: Care) -> Self {
        let unknowns = system.unknowns();
        let zeros = |size: usize| vec![Complex64::ZERO; size];
        let by_factor =
            |factors: usize, equations: usize| vec![vec![zeros(equations); ORDER + 1]; factors];
        let blocks = &system.blocks;
        let expansion = |block| Expansion::new(block, &system.sizes, ORDER);
        let series: Vec<_> =
            blocks.iter().map(|block| by_factor(block.others.len(), block.equations)).collect();
        Self {
            system,
            start,
            care,
            charts: vec![0; system.sizes.len()],
            factors: Factors::new(unknowns),
            values: zeros(unknowns),
            step: zeros(unknowns),
            scratch: Scratch::default(),
            curve: vec![zeros(system.coordinates()); ORDER + 1],
            expansions: blocks.iter().map(expansion).collect(),
            forms: series.clone(),
            products: series,
        }
    }

    /// Follow the path that begins at a root of the start system.
    pub(crate) fn follow(&mut self, begin: &[Complex64]) -> End {
        self.curve[0].copy_from_slice(begin);
        self.choose_charts(0.0);
        let mut point = vec![Complex64::ZERO; begin.len()];
        let mut t = 0.0;
        if self.factor_at(&self.curve[0].clone(), t) == 0.0 {
            return End::Lost;
        }
        for _ in 0..self.care.steps {
            self.expand(t);
            let mut length = self.predicted_length().min(1.0 - t);
            let reached = loop {
                if t + length > 1.0 - SINGULAR_BEFORE_END {
                    length = 1.0 - t;
                }
                self.predict(length, &mut point);
                if self.correct(&mut point, t + length) {
                    break true;
                }
                length /= 2.0;
                if 1.0 - t < SINGULAR_BEFORE_END.sqrt() && length < SINGULAR_BEFORE_END {
                    return End::Singular(self.curve[0].clone());
                }
                if length < 1e-14 {
                    break false;
                }
            };
            if !reached {
                return End::Lost;
            }
            t = if length >= 1.0 - t { 1.0 } else { t + length };
            self.curve[0].copy_from_slice(&point);
            if t == 1.0 {
                return self.finish();
            }
            if self.choose_charts(2.0) && self.factor_at(&self.curve[0].clone(), t) == 0.0 {
                return End::Lost;
            }
        }
        End::Lost
    }

    /// Newton's method at the end of the path until it gains nothing.
    fn finish(&mut self) -> End {
        let mut point = self.curve[0].clone();
        let mut last = f64::INFINITY;
        for _ in 0..8 {
            let pivot = self.factor_at(&point, 1.0);
            if pivot < LEAST_PIVOT {
                return End::Singular(self.curve[0].clone());
            }
            let size = self.newton(&mut point);
            if size < 1e-13 || size >= last && size < 1e-10 {
                return End::Regular(point);
            }
            if size > 0.5 * last {
                return End::Singular(self.curve[0].clone());
            }
            last = size;
        }
        End::Regular(point)
    }

    /// Take in each group a large coordinate as the one that is kept at one: the largest, if it is more than
    /// `factor` times as large as the present one. Gives whether anything changed.
    fn choose_charts(&mut self, factor: f64) -> bool {
        let mut changed = false;
        for (group, chart) in self.charts.iter_mut().enumerate() {
            let coordinates = self.system.begins[group]..self.system.begins[group + 1];
            let coordinates = &mut self.curve[0][coordinates];
            let size = |index: usize| coordinates[index].norm_sqr();
            let largest =
                (0..coordinates.len()).fold(0, |a, b| if size(b) > size(a) { b } else { a });
            if largest != *chart && size(largest) > factor * factor * size(*chart) || factor == 0.0
            {
                *chart = largest;
                changed = true;
                let scale = coordinates[largest].inv();
                coordinates.iter_mut().for_each(|x| *x *= scale);
                coordinates[largest] = Complex64::ONE;
            }
        }
        changed
    }

    /// Compute the homotopy's values and factor its Jacobian at a point.
    fn factor_at(&mut self, point: &[Complex64], t: f64) -> f64 {
        let system = self.system;
        let unknowns = system.unknowns();
        let matrix = self.factors.matrix();
        matrix.fill(Complex64::ZERO);
        let s = 1.0 - t;
        let mut first_row = 0;
        for (index, block) in system.blocks.iter().enumerate() {
            // The forms of the start system at this point.
            for (position, group) in block.others.iter().enumerate() {
                let x = system.group(point, *group);
                let rows = self.start.forms[index][position].chunks_exact(x.len());
                for (value, form) in self.forms[index][position][0].iter_mut().zip(rows) {
                    *value = form.iter().zip(x).map(|(a, x)| a * x).sum();
                }
            }
            for (position, &group) in block.others.iter().enumerate() {
                let x = system.group(point, group);
                let size = x.len();
                let chart = self.charts[group];
                let first_column = system.begins[group] - group;
                let gradient = block.gradient(system, point, group, &mut self.scratch);
                for equation in 0..block.equations {
                    let forms = &self.forms[index];
                    let others = (0..block.others.len()).filter(|other| *other != position);
                    let product: Complex64 =
                        others.map(|other| forms[other][0][equation]).product();
                    let product = product * s;
                    let form = &self.start.forms[index][position][equation * size..][..size];
                    let gradient = &gradient[equation * size..][..size];
                    let row = &mut matrix[(first_row + equation) * unknowns..][..unknowns];
                    let mut column = first_column;
                    for coordinate in 0..size {
                        if coordinate != chart {
                            row[column] = gradient[coordinate] * t + product * form[coordinate];
                            column += 1;
                        }
                    }
                    if position == 0 {
                        let value: Complex64 = gradient.iter().zip(x).map(|(a, x)| a * x).sum();
                        self.values[first_row + equation] =
                            value * t + product * forms[0][0][equation];
                    }
                }
            }
            first_row += block.equations;
        }
        self.factors.factor()
    }

    /// Apply the Newton step of the last factorisation; gives its size.
    fn newton(&mut self, point: &mut [Complex64]) -> f64 {
        self.factors.solve(&self.values, &mut self.step);
        let mut steps = self.step.iter();
        let mut size = 0.0_f64;
        for (group, chart) in self.charts.iter().enumerate() {
            let coordinates = self.system.begins[group]..self.system.begins[group + 1];
            for (index, x) in point[coordinates].iter_mut().enumerate() {
                if index != *chart {
                    let step = steps.next().copied().unwrap_or_default();
                    size = size.max(step.norm_sqr());
                    *x -= step;
                }
            }
        }
        if size.is_nan() { f64::INFINITY } else { size.sqrt() }
    }

    /// Bring a prediction onto the path. The factors are those of a point within [`CONVERGED`] of it.
    fn correct(&mut self, point: &mut [Complex64], t: f64) -> bool {
        let mut last = f64::INFINITY;
        for round in 0..4 {
            if self.factor_at(point, t) == 0.0 {
                return false;
            }
            let size = self.newton(point);
            if round == 0 && size > TRUSTED || size > 0.1 * last {
                return false;
            }
            if size < CONVERGED {
                return true;
            }
            last = size;
        }
        false
    }

    /// Taylor coefficients of the path at its present point, whose Jacobian is factored.
    fn expand(&mut self, t: f64) {
        let system = self.system;
        self.settle(0);
        for order in 1..=ORDER {
            self.curve[order].fill(Complex64::ZERO);
            let mut row = 0;
            for (index, block) in system.blocks.iter().enumerate() {
                self.expansions[index].expand(block, system, &self.curve, order);
                multiply(&self.forms[index], &mut self.products[index], order);
                let f = &self.expansions[index];
                let g = &self.products[index][block.others.len() - 1];
                let now = f.values(order).iter().zip(&g[order]);
                let before = f.values(order - 1).iter().zip(&g[order - 1]);
                for ((f, g), (f_before, g_before)) in now.zip(before).take(block.equations) {
                    self.values[row] = -((f * t + g * (1.0 - t)) + (f_before - g_before));
                    row += 1;
                }
            }
            self.factors.solve(&self.values, &mut self.step);
            let mut steps = self.step.iter();
            for (group, chart) in self.charts.iter().enumerate() {
                let coordinates = system.begins[group]..system.begins[group + 1];
                for (index, x) in self.curve[order][coordinates].iter_mut().enumerate() {
                    if index != *chart {
                        *x = steps.next().copied().unwrap_or_default();
                    }
                }
            }
            self.settle(order);
        }
    }

    /// Compute everything of an order whose coefficients of the path are known.
    fn settle(&mut self, order: usize) {
        let system = self.system;
        for (index, block) in system.blocks.iter().enumerate() {
            if order == 0 {
                self.expansions[index].expand(block, system, &self.curve, 0);
                multiply(&self.forms[index], &mut self.products[index], 0);
            }
            self.expansions[index].settle(block, system, &self.curve, order);
            for (position, group) in block.others.iter().enumerate() {
                let x = system.group(&self.curve[order], *group);
                let rows = self.start.forms[index][position].chunks_exact(x.len());
                for (value, form) in self.forms[index][position][order].iter_mut().zip(rows) {
                    *value = form.iter().zip(x).map(|(a, x)| a * x).sum();
                }
            }
            settle_products(&self.forms[index], &mut self.products[index], order);
        }
    }

    /// How far the Taylor polynomial is good enough.
    fn predicted_length(&self) -> f64 {
        let size = |order: usize| {
            self.curve[order].iter().map(Complex64::norm_sqr).fold(0.0, f64::max).sqrt()
        };
        let length = |order: usize| (self.care.prediction / size(order)).powf(1.0 / order as f64);
        length(ORDER).min(length(ORDER - 1))
    }

    fn predict(&self, length: f64, point: &mut [Complex64]) {
        point.copy_from_slice(&self.curve[ORDER]);
        for coefficients in self.curve[..ORDER].iter().rev() {
            for (x, coefficient) in point.iter_mut().zip(coefficients) {
                *x = *x * length + coefficient;
            }
        }
    }
}

/// The coefficient of an order of the products of power series, one product per number of factors, as if the
/// series' own coefficients of that order were zero.
fn multiply(forms: &[Vec<Vec<Complex64>>], products: &mut [Vec<Vec<Complex64>>], order: usize) {
    products[0][order].fill(Complex64::ZERO);
    for factor in 1..forms.len() {
        let (shorter, longer) = products.split_at_mut(factor);
        let sums = &mut longer[0][order];
        sums.fill(Complex64::ZERO);
        for share in 1..=order {
            add_products(&shorter[factor - 1][share], &forms[factor][order - share], sums);
        }
    }
}

/// Add to the coefficient of an order what the series' coefficients of that order contribute.
fn settle_products(
    forms: &[Vec<Vec<Complex64>>],
    products: &mut [Vec<Vec<Complex64>>],
    order: usize,
) {
    let mut gain = forms[0][order].clone();
    for (sum, term) in products[0][order].iter_mut().zip(&gain) {
        *sum += term;
    }
    for factor in 1..forms.len() {
        let (shorter, longer) = products.split_at_mut(factor);
        for (gain, form) in gain.iter_mut().zip(&forms[factor][0]) {
            *gain *= form;
        }
        if order > 0 {
            add_products(&shorter[factor - 1][0], &forms[factor][order], &mut gain);
        }
        for (sum, term) in longer[0][order].iter_mut().zip(&gain) {
            *sum += term;
        }
    }
}

fn add_products(a: &[Complex64], b: &[Complex64], sums: &mut [Complex64]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}
