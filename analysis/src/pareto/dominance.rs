//! Dominance, fronts and ranks.

use std::cmp::Ordering;

/// Whether a point is nowhere worse than another and somewhere better.
#[must_use]
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    let mut better = false;
    for (x, y) in a.iter().zip(b) {
        if x > y {
            return false;
        }
        better |= x < y;
    }
    better
}

/// The points that none dominates, by index in order. Equal points are all on the front.
#[must_use]
pub fn front(points: &[Vec<f64>]) -> Vec<usize> {
    let ranks = ranks(points);
    (0..points.len()).filter(|index| ranks[*index] == 0).collect()
}

/// The non-dominated sorting: points that none dominates have rank 0, those that only these dominate
/// rank 1, and so on. In order of the first objective every point is compared with the fronts found so far, which
/// are searched by halving (Zhang, Tian, Cheng and Jin 2015); with two objectives one comparison
/// decides for a front.
#[must_use]
pub fn ranks(points: &[Vec<f64>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| lexicographic(&points[*a], &points[*b]));
    let mut fronts: Vec<Front> = Vec::new();
    let mut ranks = vec![0; points.len()];
    let mut before: Option<usize> = None;
    for index in order {
        let point = &points[index];
        let rank = match before.filter(|before| points[*before] == *point) {
            Some(equal) => ranks[equal],
            None => {
                let rank = fronts.partition_point(|front| front.dominates(point));
                if rank == fronts.len() {
                    fronts.push(Front::default());
                }
                fronts[rank].add(point);
                rank
            }
        };
        ranks[index] = rank;
        before = Some(index);
    }
    ranks
}

fn lexicographic(a: &[f64], b: &[f64]) -> Ordering {
    let unequal = a.iter().zip(b).map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne());
    unequal.unwrap_or(Ordering::Equal)
}

/// The points of one rank, added in lexicographic order: none of them can be dominated by a later one, and an
/// earlier one dominates if it is nowhere worse in the objectives behind the first.
#[derive(Default)]
struct Front {
    /// Up to three objectives: the second and third of the points that none of the front covers in both, by
    /// the second; the third falls.
    stair: Vec<(f64, f64)>,
    /// More objectives: all behind the first, a column for each, without the points that another one covers.
    rest: Vec<Vec<f64>>,
}

/// Points that are compared together.
const BLOCK: usize = 16;

impl Front {
    fn add(&mut self, point: &[f64]) {
        let rest = &point[1..];
        if rest.len() > 2 {
            self.rest.resize_with(rest.len(), Vec::new);
            self.forget_covered(rest);
            self.rest.iter_mut().zip(rest).for_each(|(column, value)| column.push(*value));
            return;
        }
        let new = on_stair(rest);
        if self.covers(new) {
            return;
        }
        let from = self.stair.partition_point(|step| step.0 < new.0);
        let covered = self.stair[from..].iter().take_while(|step| step.1 >= new.1).count();
        self.stair.splice(from..from + covered, [new]);
    }

    fn forget_covered(&mut self, new: &[f64]) {
        let mut kept = 0;
        for at in 0..self.rest[0].len() {
            let is_covered = self.rest.iter().zip(new).all(|(column, new)| *new <= column[at]);
            if !is_covered {
                self.rest.iter_mut().for_each(|column| column[kept] = column[at]);
                kept += 1;
            }
        }
        self.rest.iter_mut().for_each(|column| column.truncate(kept));
    }

    fn dominates(&self, point: &[f64]) -> bool {
        let rest = &point[1..];
        if rest.len() <= 2 {
            return self.covers(on_stair(rest));
        }
        // The latest points are the likeliest to be close. Whole blocks without a branch: several at once.
        let mut end = self.rest.first().map_or(0, Vec::len);
        while end >= BLOCK {
            let mut is_nowhere_worse = [1_u64; BLOCK];
            for (column, new) in self.rest.iter().zip(rest) {
                for (all, kept) in is_nowhere_worse.iter_mut().zip(&column[end - BLOCK..end]) {
                    *all &= u64::from(kept <= new);
                }
            }
            if is_nowhere_worse.iter().fold(0, |any, one| any | one) == 1 {
                return true;
            }
            end -= BLOCK;
        }
        (0..end).any(|at| self.rest.iter().zip(rest).all(|(column, new)| column[at] <= *new))
    }

    fn covers(&self, (second, third): (f64, f64)) -> bool {
        let behind = self.stair.partition_point(|step| step.0 <= second);
        behind > 0 && self.stair[behind - 1].1 <= third
    }
}

fn on_stair(rest: &[f64]) -> (f64, f64) {
    (rest.first().copied().unwrap_or(0.0), rest.get(1).copied().unwrap_or(0.0))
}

/// The points that no other one is sure to beat: those that none dominates by more than `epsilon` in at
/// least one objective. With an epsilon of two standard errors this is the front as far as measurement
/// can tell.
#[must_use]
pub fn epsilon_front(points: &[Vec<f64>], epsilon: &[f64]) -> Vec<usize> {
    let ordinary = front(points);
    let beats = |a: &[f64], b: &[f64]| {
        let surely = a.iter().zip(b).zip(epsilon).any(|((x, y), width)| x + width < *y);
        surely && dominates(a, b)
    };
    (0..points.len())
        .filter(|index| !ordinary.iter().any(|other| beats(&points[*other], &points[*index])))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    /// Ranks by their definition.
    fn peeled(points: &[Vec<f64>]) -> Vec<usize> {
        let mut ranks = vec![usize::MAX; points.len()];
        for rank in 0..points.len() {
            let left: Vec<usize> =
                (0..points.len()).filter(|index| ranks[*index] == usize::MAX).collect();
            let free =
                |index: &&usize| !left.iter().any(|o| dominates(&points[*o], &points[**index]));
            let free: Vec<usize> = left.iter().filter(free).copied().collect();
            free.into_iter().for_each(|index| ranks[index] = rank);
        }
        ranks
    }

    #[test]
    fn ranks_are_those_of_peeling_fronts_off() {
        const SEED: u64 = 31;
        let mut random = ChaCha12Rng::seed_from_u64(SEED);
        for case in 0..400 {
            let objectives = random.random_range(1..6);
            let levels = random.random_range(2..12);
            let count = random.random_range(0..40);
            let points: Vec<Vec<f64>> = (0..count)
                .map(|_| {
                    (0..objectives).map(|_| f64::from(random.random_range(0..levels))).collect()
                })
                .collect();
            assert_eq!(ranks(&points), peeled(&points), "seed {SEED}, case {case}: {points:?}");
            let exact = epsilon_front(&points, &vec![0.0; objectives]);
            assert_eq!(exact, front(&points), "seed {SEED}, case {case}");
        }
    }

    #[test]
    fn what_measurement_cannot_tell_apart_stays() {
        let points = [vec![1.0, 1.0], vec![1.1, 1.1], vec![1.1, 1.3], vec![0.0, 9.0]];
        assert_eq!(front(&points), [0, 3]);
        assert_eq!(epsilon_front(&points, &[0.2, 0.2]), [0, 1, 3]);
    }
}
