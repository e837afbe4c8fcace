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
pub(crate) fn contract<T>(tensor: &[T], vector: &[Complex64], inner: usize, result: &mut Vec<Complex64>)
where
    T: Copy,
    Complex64: std::ops::Mul<T, Output = Complex64>,
{
    result.clear();
    if inner == 1 {
        let rows = tensor.chunks_exact(vector.len());
        result.extend(rows.map(|row| {
            row.iter().zip(vector).map(|(entry, x)| *x * *entry).sum::<Complex64>()
        }));
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
}

impl Expansion {
    pub(crate) fn new(block: &Block, sizes: &[usize], orders: usize) -> Self {
        let mut size = block.equations;
        let mut levels = Vec::new();
        for axis in block.axes(sizes) {
            levels.push(vec![vec![Complex64::ZERO; size]; orders + 1]);
            size *= axis;
        }
        Self { levels, buffer: Vec::new() }
    }

    /// The values' coefficient of an order.
    pub(crate) fn values(&self, order: usize) -> &[Complex64] {
        &self.levels[0][order]
    }

    /// Compute the coefficient of an order from those of the curve; that of the same order is taken as zero
    /// unless it is `known`.
    pub(crate) fn expand(
        &mut self,
        block: &Block,
        system: &System,
        curve: &[Vec<Complex64>],
        order: usize,
        known: bool,
    ) {
        let last = block.others.len() - 1;
        for level in (0..=last).rev() {
            let group = block.others[level];
            let mut sum = std::mem::take(&mut self.levels[level][order]);
            sum.fill(Complex64::ZERO);
            if level == last {
                if known {
                    let vector = system.group(&curve[order], group);
                    contract(&block.tensor, vector, 1, &mut sum);
                }
            } else {
                for share in 0..=order {
                    if share == order && !known {
                        continue;
                    }
                    let vector = system.group(&curve[share], group);
                    let tensor = &self.levels[level + 1][order - share];
                    contract(tensor, vector, 1, &mut self.buffer);
                    for (sum, term) in sum.iter_mut().zip(&self.buffer) {
                        *sum += term;
                    }
                }
            }
            self.levels[level][order] = sum;
        }
    }
}
