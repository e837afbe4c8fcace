//! The indifference conditions of one support as a multilinear system, and its expansion along a path.

use num_complex::Complex64;

/// Conditions under which players mix over given supports, each player indifferent between its strategies.
///
/// One group of unknowns per player that mixes: homogeneous coordinates, one per strategy of its support, known
/// up to a factor. There are as many equations as unknowns, and each is linear in every group it depends on.
#[derive(Debug, Clone)]
pub(crate) struct System {
    /// How many coordinates each group has, at least two.
    pub(crate) sizes: Vec<usize>,
    /// Where the coordinates of each group begin, and their number behind the last.
    pub(crate) begins: Vec<usize>,
    /// The equations of one player each.
    pub(crate) blocks: Vec<Block>,
}

/// The equations of one player.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The groups of the other players that mix, ascending; at least one.
    pub(crate) others: Vec<usize>,
    /// How many equations.
    pub(crate) equations: usize,
    /// Row-major: equation, then one coordinate of each of the others, the last one fastest.
    pub(crate) tensor: Vec<f64>,
}

impl System {
    pub(crate) fn new(sizes: Vec<usize>, blocks: Vec<Block>) -> Self {
        let mut begins = vec![0];
        begins.extend(sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        }));
        Self { sizes, begins, blocks }
    }

    /// Coordinates of all groups together.
    pub(crate) fn coordinates(&self) -> usize {
        self.begins[self.sizes.len()]
    }

    /// Unknowns, which are as many as equations.
    pub(crate) fn unknowns(&self) -> usize {
        self.coordinates() - self.sizes.len()
    }

    /// The coordinates of a group.
    pub(crate) fn group<'a, T>(&self, point: &'a [T], group: usize) -> &'a [T] {
        &point[self.begins[group]..self.begins[group + 1]]
    }
}

impl Block {
    /// The sizes of the axes behind the equations.
    fn axes<'a>(&'a self, sizes: &'a [usize]) -> impl DoubleEndedIterator<Item = usize> + 'a {
        self.others.iter().map(|group| sizes[*group])
    }
}

/// Sum an axis out: `tensor` is (outer, axis, inner), the result (outer, inner).
pub(crate) fn contract<T>(
    tensor: &[T],
    vector: &[Complex64],
    inner: usize,
    result: &mut Vec<Complex64>,
) where
    T: Copy,
    Complex64: std::ops::Mul<T, Output = Complex64>,
{
    result.clear();
    if inner == 1 {
        let rows = tensor.chunks_exact(vector.len());
        result.extend(
            rows.map(|row| row.iter().zip(vector).map(|(entry, x)| *x * *entry).sum::<Complex64>()),
        );
        return;
    }
    for chunk in tensor.chunks_exact(vector.len() * inner) {
        let begin = result.len();
        result.resize(begin + inner, Complex64::ZERO);
        let sums = &mut result[begin..];
        for (row, x) in chunk.chunks_exact(inner).zip(vector) {
            for (sum, entry) in sums.iter_mut().zip(row) {
                *sum += *x * *entry;
            }
        }
    }
}

/// Buffers for values and derivatives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    first: Vec<Complex64>,
    second: Vec<Complex64>,
}

impl Block {
    /// The derivative of every equation by the coordinates of one of the other groups, (equation, coordinate),
    /// which is at the same time the linear form that gives its value.
    pub(crate) fn gradient<'a>(
        &self,
        system: &System,
        point: &[Complex64],
        by: usize,
        scratch: &'a mut Scratch,
    ) -> &'a [Complex64] {
        let Scratch { first, second } = scratch;
        let mut inner = 1;
        let mut is_copied = false;
        // From the last axis to the first: what is behind an axis is summed out, but for the one we want.
        for group in self.others.iter().rev() {
            if *group == by {
                inner = system.sizes[by];
                continue;
            }
            let vector = system.group(point, *group);
            if is_copied {
                contract(first, vector, inner, second);
            } else {
                contract(&self.tensor, vector, inner, second);
                is_copied = true;
            }
            std::mem::swap(first, second);
        }
        if !is_copied {
            first.clear();
            first.extend(self.tensor.iter().map(|entry| Complex64::from(*entry)));
        }
        first
    }
}

/// The Taylor coefficients of a block's values along a curve, found order by order.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    /// Per number of axes that are left (none first), per order: the tensor with the others summed out.
    levels: Vec<Vec<Vec<Complex64>>>,
    buffer: Vec<Complex64>,
    change: Vec<Complex64>,
}

impl Expansion {
    pub(crate) fn new(block: &Block, sizes: &[usize], orders: usize) -> Self {
        let mut size = block.equations;
        let mut levels = Vec::new();
        for axis in block.axes(sizes) {
            levels.push(vec![vec![Complex64::ZERO; size]; orders + 1]);
            size *= axis;
        }
        Self { levels, buffer: Vec::new(), change: Vec::new() }
    }

    /// The values' coefficient of an order.
    pub(crate) fn values(&self, order: usize) -> &[Complex64] {
        &self.levels[0][order]
    }

    /// Compute the coefficient of an order from those of the curve, taking the curve's own coefficient of that
    /// order as zero; [`Expansion::settle`] adds what belongs to it.
    pub(crate) fn expand(
        &mut self,
        block: &Block,
        system: &System,
        curve: &[Vec<Complex64>],
        order: usize,
    ) {
        let last = block.others.len() - 1;
        self.levels[last][order].fill(Complex64::ZERO);
        for level in (0..last).rev() {
            let mut sum = std::mem::take(&mut self.levels[level][order]);
            sum.fill(Complex64::ZERO);
            // The highest order of the level behind is not zero where that one depends on several groups.
            let first = usize::from(level + 1 == last);
            for (share, coefficients) in curve.iter().enumerate().take(order).skip(first) {
                let vector = system.group(coefficients, block.others[level]);
                add_rows(&self.levels[level + 1][order - share], vector, &mut sum);
            }
            self.levels[level][order] = sum;
        }
    }

    /// Add to the coefficient of an order what the curve's coefficient of that order contributes.
    pub(crate) fn settle(
        &mut self,
        block: &Block,
        system: &System,
        curve: &[Vec<Complex64>],
        order: usize,
    ) {
        let last = block.others.len() - 1;
        let vector = system.group(&curve[order], block.others[last]);
        let mut change = std::mem::take(&mut self.change);
        contract(&block.tensor, vector, 1, &mut change);
        add(&change, &mut self.levels[last][order]);
        for level in (0..last).rev() {
            let group = block.others[level];
            // What the level behind has gained, at order zero of this group ...
            let mut gain = std::mem::take(&mut self.buffer);
            contract(&change, system.group(&curve[0], group), 1, &mut gain);
            if order > 0 {
                // ... and what this group has gained, at order zero of the level behind.
                add_rows(&self.levels[level + 1][0], system.group(&curve[order], group), &mut gain);
            }
            add(&gain, &mut self.levels[level][order]);
            self.buffer = std::mem::replace(&mut change, gain);
        }
        self.change = change;
    }
}

/// Add the sums of the rows of a matrix, weighted by a vector.
fn add_rows(matrix: &[Complex64], vector: &[Complex64], sums: &mut [Complex64]) {
    for (sum, row) in sums.iter_mut().zip(matrix.chunks_exact(vector.len())) {
        for (entry, x) in row.iter().zip(vector) {
            *sum += entry * x;
        }
    }
}

fn add(terms: &[Complex64], sums: &mut [Complex64]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}
