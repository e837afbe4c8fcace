//! Start systems whose roots are known: every equation a product of linear forms, one per group that it depends on.

use num_complex::Complex64;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::linear::Factors;
use super::system::System;

/// A random linear-product system of the same shape as a [`System`].
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// Per block, per other group: (equation, coordinate of that group), row-major.
    pub(crate) forms: Vec<Vec<Vec<Complex64>>>,
}

/// A point on the unit circle.
pub(crate) fn unit(random: &mut ChaCha8Rng) -> Complex64 {
    Complex64::from_polar(1.0, random.random_range(0.0..std::f64::consts::TAU))
}

impl Start {
    /// Random forms. The first factor of every equation carries a random phase of its own, which keeps the
    /// paths away from singularities with probability one.
    pub(crate) fn random(system: &System, random: &mut ChaCha8Rng) -> Self {
        let forms = system.blocks.iter().map(|block| {
            let of_group = block.others.iter().map(|group| {
                let size = system.sizes[*group];
                let entries = (0..block.equations * size).map(|_| {
                    let length: f64 = random.random_range(0.5..1.5);
                    unit(random) * length / (size as f64).sqrt()
                });
                entries.collect()
            });
            of_group.collect()
        });
        Self { forms: forms.collect() }
    }

    /// Visit every root until the visitor says no. A root takes from every equation one factor that vanishes,
    /// such that every group gets as many as it has unknowns; there are [`path_count`] of them.
    pub(crate) fn roots(&self, system: &System, mut visit: impl FnMut(&[Complex64]) -> bool) {
        let mut walk = Walk {
            start: self,
            system,
            chosen: vec![Vec::new(); system.sizes.len()],
            point: vec![Complex64::ZERO; system.coordinates()],
            going_on: true,
        };
        walk.choose(0, 0, &mut visit);
    }
}

/// A walk through the assignments of equations to groups.
struct Walk<'a> {
    start: &'a Start,
    system: &'a System,
    /// The forms that vanish, per group: block, position of the group in the block, equation.
    chosen: Vec<Vec<[usize; 3]>>,
    point: Vec<Complex64>,
    going_on: bool,
}

impl Walk<'_> {
    fn choose(
        &mut self,
        block: usize,
        equation: usize,
        visit: &mut dyn FnMut(&[Complex64]) -> bool,
    ) {
        if !self.going_on {
            return;
        }
        let system = self.system;
        if block == system.blocks.len() {
            self.going_on = visit(&self.point);
            return;
        }
        if equation == system.blocks[block].equations {
            self.choose(block + 1, 0, visit);
            return;
        }
        for (position, &group) in system.blocks[block].others.iter().enumerate() {
            let wanted = system.sizes[group] - 1;
            if self.chosen[group].len() == wanted || !self.can_fill(block, equation) {
                continue;
            }
            self.chosen[group].push([block, position, equation]);
            let is_full = self.chosen[group].len() == wanted;
            if !is_full || self.solve(group) {
                self.choose(block, equation + 1, visit);
            }
            self.chosen[group].pop();
        }
    }

    /// Whether the equations from here on can still fill every group.
    fn can_fill(&self, block: usize, equation: usize) -> bool {
        let blocks = self.system.blocks.iter().enumerate().skip(block);
        let left =
            |index: usize, count: usize| if index == block { count - equation } else { count };
        self.system.sizes.iter().enumerate().all(|(group, size)| {
            let able = blocks.clone().filter(|(_, block)| block.others.contains(&group));
            let able: usize = able.map(|(index, block)| left(index, block.equations)).sum();
            self.chosen[group].len() + able >= size - 1
        })
    }

    /// The point of a group where its chosen forms vanish. A random matrix is never singular.
    fn solve(&mut self, group: usize) -> bool {
        let (begin, size) = (self.system.begins[group], self.system.sizes[group]);
        let mut factors = Factors::new(size);
        let mut right = vec![Complex64::ZERO; size];
        for (row, [block, position, equation]) in self.chosen[group].iter().enumerate() {
            let forms = &self.start.forms[*block][*position];
            factors.matrix()[row * size..][..size]
                .copy_from_slice(&forms[equation * size..][..size]);
        }
        // The factor that homogeneous coordinates leave open is settled by one more form.
        factors.matrix()[(size - 1) * size..].fill(Complex64::ONE);
        right[size - 1] = Complex64::ONE;
        if factors.factor() == 0.0 {
            return false;
        }
        factors.solve(&right, &mut self.point[begin..begin + size]);
        true
    }
}

/// How many roots the indifference system of supports with so many strategies has in general, counted with
/// complex ones: its multihomogeneous Bezout number, the coefficient of prod x_i^(k_i - 1) in
/// prod_i (sum_(j != i) x_j)^(k_i - 1), which is the mixed volume (McKelvey and McLennan 1997).
pub(crate) fn path_count(sizes: &[usize]) -> u64 {
    let wanted: Vec<usize> = sizes.iter().map(|size| size - 1).collect();
    let mut ways = std::collections::BTreeMap::from([(wanted.clone(), 1_u64)]);
    for (player, equations) in wanted.iter().enumerate() {
        for _ in 0..*equations {
            let mut next = std::collections::BTreeMap::new();
            for (left, count) in &ways {
                for group in (0..sizes.len()).filter(|group| *group != player && left[*group] > 0) {
                    let mut left = left.clone();
                    left[group] -= 1;
                    let sum = next.entry(left).or_insert(0_u64);
                    *sum = sum.saturating_add(*count);
                }
            }
            ways = next;
        }
    }
    ways.values().copied().next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_counts_are_the_published_ones() {
        // Franel numbers.
        let full: Vec<u64> = (2..=7).map(|size| path_count(&[size; 3])).collect();
        assert_eq!(full, [2, 10, 56, 346, 2252, 15184]);
        assert_eq!(path_count(&[1, 1, 1]), 1);
        assert_eq!(path_count(&[1, 2, 3]), 0);
        assert_eq!(path_count(&[3, 3]), 1);
        // Derangements of the two strategies of every player.
        assert_eq!(path_count(&[2; 4]), 9);
        let total = |size: usize| -> u64 {
            let choose =
                |k: usize| (0..k).fold(1, |sum, i| sum * (size - i) as u64 / (i as u64 + 1));
            let sizes = 1..=size;
            let all = sizes.clone().flat_map(|a| sizes.clone().map(move |b| (a, b)));
            let all = all.flat_map(|(a, b)| sizes.clone().map(move |c| [a, b, c]));
            all.map(|s| path_count(&s) * s.iter().map(|k| choose(*k)).product::<u64>()).sum()
        };
        assert_eq!([total(3), total(4), total(5)], [271, 5_248, 110_251]);
    }
}
