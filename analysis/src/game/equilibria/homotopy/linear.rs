//! Small dense linear systems over the complex numbers.
//!
//! Path tracking solves millions of systems of at most a few dozen unknowns; the factors live in a buffer that
//! is used again, which general libraries do not offer.

use num_complex::Complex64;

/// An LU factorisation with row exchanges, of a matrix that is written into it.
#[derive(Debug, Clone)]
pub(crate) struct Factors {
    size: usize,
    /// Row-major; after [`Factors::factor`] the factors.
    entries: Vec<Complex64>,
    rows: Vec<usize>,
    inverse_pivots: Vec<Complex64>,
}

impl Factors {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            entries: vec![Complex64::ZERO; size * size],
            rows: (0..size).collect(),
            inverse_pivots: vec![Complex64::ZERO; size],
        }
    }

    /// The matrix to be factored, row-major.
    pub(crate) fn matrix(&mut self) -> &mut [Complex64] {
        &mut self.entries
    }

    /// Factor the matrix in place. Gives the smallest pivot relative to the largest, 0 of a singular matrix.
    pub(crate) fn factor(&mut self) -> f64 {
        let n = self.size;
        let (mut least, mut largest) = (f64::INFINITY, 0.0_f64);
        for (index, row) in self.rows.iter_mut().enumerate() {
            *row = index;
        }
        for column in 0..n {
            let size_of = |row: usize| self.entries[row * n + column].l1_norm();
            let mut pivot = column;
            let mut size = size_of(column);
            for row in column + 1..n {
                let other = size_of(row);
                if other > size {
                    (pivot, size) = (row, other);
                }
            }
            if size == 0.0 || !size.is_finite() {
                return 0.0;
            }
            least = least.min(size);
            largest = largest.max(size);
            if pivot != column {
                self.rows.swap(pivot, column);
                let (above, below) = self.entries.split_at_mut(pivot * n);
                above[column * n..][..n].swap_with_slice(&mut below[..n]);
            }
            let inverse = self.entries[column * n + column].inv();
            self.inverse_pivots[column] = inverse;
            let (above, below) = self.entries.split_at_mut((column + 1) * n);
            let pivot_row = &above[column * n + column + 1..column * n + n];
            for row in below.chunks_exact_mut(n) {
                let factor = row[column] * inverse;
                row[column] = factor;
                if factor != Complex64::ZERO {
                    for (entry, above) in row[column + 1..].iter_mut().zip(pivot_row) {
                        *entry -= factor * above;
                    }
                }
            }
        }
        if n == 0 { 1.0 } else { least / largest }
    }

    /// Solve for a right-hand side.
    pub(crate) fn solve(&self, right: &[Complex64], solution: &mut [Complex64]) {
        let n = self.size;
        for row in 0..n {
            let factors = &self.entries[row * n..row * n + row];
            let sum: Complex64 = factors.iter().zip(&solution[..row]).map(|(a, b)| a * b).sum();
            solution[row] = right[self.rows[row]] - sum;
        }
        for row in (0..n).rev() {
            let factors = &self.entries[row * n + row + 1..row * n + n];
            let sum: Complex64 = factors.iter().zip(&solution[row + 1..]).map(|(a, b)| a * b).sum();
            solution[row] = (solution[row] - sum) * self.inverse_pivots[row];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_satisfy_their_equations() {
        let n = 7;
        let value = |seed: usize| (seed * 7919 % 101) as f64 / 50.0 - 1.0;
        let matrix: Vec<Complex64> =
            (0..n * n).map(|index| Complex64::new(value(index), value(index + 1000))).collect();
        let right: Vec<Complex64> = (0..n).map(|row| Complex64::new(1.0, value(row))).collect();
        let mut factors = Factors::new(n);
        factors.matrix().copy_from_slice(&matrix);
        assert!(factors.factor() > 1e-3);
        let mut solution = vec![Complex64::ZERO; n];
        factors.solve(&right, &mut solution);
        for row in 0..n {
            let sum: Complex64 =
                matrix[row * n..][..n].iter().zip(&solution).map(|(a, b)| a * b).sum();
            assert!((sum - right[row]).norm() < 1e-12);
        }
        factors.matrix().fill(Complex64::ZERO);
        assert_eq!(factors.factor(), 0.0);
    }
}
