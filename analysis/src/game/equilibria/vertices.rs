//! The vertices of a best-response polytope, in integers, by the double description method.

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

/// A set of small numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels(Vec<u64>);

impl Labels {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, label: usize) {
        self.0[label / 64] |= 1 << (label % 64);
    }

    pub(super) fn contains(&self, label: usize) -> bool {
        self.0[label / 64] >> (label % 64) & 1 == 1
    }

    fn both(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn holds(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| b & !a == 0)
    }

    /// Whether together they hold every label below a number.
    pub(super) fn complete(&self, other: &Self, count: usize) -> bool {
        let words = self.0.iter().zip(&other.0).map(|(a, b)| (a | b).count_ones() as usize);
        words.sum::<usize>() == count
    }

    /// Whether no label is in both.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        self.both(other).count() == 0
    }
}

/// A vertex of the polytope of a player's mixed strategies, scaled: weights that are not yet divided by their sum.
#[derive(Debug, Clone)]
pub(super) struct Vertex {
    /// One weight per own strategy, and the height that makes the ray homogeneous.
    ray: Vec<BigInt>,
    /// Own strategies that are not played, and those of the opponent, counted from the number of own ones, that
    /// are best replies.
    pub(super) labels: Labels,
}

impl Vertex {
    /// One weight per own strategy.
    pub(super) fn weights(&self) -> &[BigInt] {
        &self.ray[..self.ray.len() - 1]
    }
}

/// The vertices, but for the origin, of {x >= 0 : payoffs' x <= 1}, where `payoffs[own][other]`, all positive,
/// is what the opponent gets. None if it was stopped.
pub(super) fn vertices(payoffs: &[Vec<BigInt>], stop: &dyn Fn() -> bool) -> Option<Vec<Vertex>> {
    let own = payoffs.len();
    let others = payoffs[0].len();
    let mut rays = first_rays(payoffs, own + others);
    for other in 1..others {
        let slack = |ray: &Vertex| -> BigInt {
            let paid: BigInt = ray.ray.iter().zip(payoffs).map(|(x, row)| x * &row[other]).sum();
            &ray.ray[own] - paid
        };
        if stop() {
            return None;
        }
        let slacks: Vec<BigInt> = rays.iter().map(slack).collect();
        let mut next = Vec::new();
        for (above, ray) in
            rays.iter().enumerate().filter(|(index, _)| slacks[*index].is_positive())
        {
            for (below, under) in rays.iter().enumerate().filter(|(i, _)| slacks[*i].is_negative())
            {
                if stop() {
                    return None;
                }
                let common = ray.labels.both(&under.labels);
                let is_edge = common.count() + 1 >= own
                    && rays.iter().enumerate().all(|(third, other)| {
                        third == above || third == below || !other.labels.holds(&common)
                    });
                if is_edge {
                    let mut labels = common;
                    labels.insert(own + other);
                    let ray = between(ray, &slacks[above], under, &slacks[below]);
                    next.push(Vertex { ray, labels });
                }
            }
        }
        let kept = rays.into_iter().zip(slacks).filter(|(_, slack)| !slack.is_negative());
        rays = kept
            .map(|(mut ray, slack)| {
                if slack.is_zero() {
                    ray.labels.insert(own + other);
                }
                ray
            })
            .collect();
        rays.append(&mut next);
    }
    rays.retain(|ray| ray.weights().iter().any(|x| !x.is_zero()));
    Some(rays)
}

/// The rays of the cone over {x >= 0 : the first inequality}.
fn first_rays(payoffs: &[Vec<BigInt>], labels: usize) -> Vec<Vertex> {
    let own = payoffs.len();
    let ray = |played: Option<usize>| {
        let mut ray = vec![BigInt::zero(); own + 1];
        let mut tight = Labels::none(labels);
        (0..own).filter(|strategy| Some(*strategy) != played).for_each(|s| tight.insert(s));
        match played {
            Some(strategy) => {
                ray[strategy] = BigInt::one();
                ray[own] = payoffs[strategy][0].clone();
                tight.insert(own);
            }
            None => ray[own] = BigInt::one(),
        }
        Vertex { ray, labels: tight }
    };
    (0..own).map(Some).chain([None]).map(ray).collect()
}

/// The point where the edge between two rays meets the hyperplane of which they are on different sides.
fn between(above: &Vertex, up: &BigInt, below: &Vertex, down: &BigInt) -> Vec<BigInt> {
    let mut ray: Vec<BigInt> =
        above.ray.iter().zip(&below.ray).map(|(a, b)| b * up - a * down).collect();
    let divisor = ray.iter().fold(BigInt::zero(), |divisor, x| gcd(divisor, x.abs()));
    if !divisor.is_zero() && !divisor.is_one() {
        ray.iter_mut().for_each(|x| *x /= &divisor);
    }
    ray
}

fn gcd(mut a: BigInt, mut b: BigInt) -> BigInt {
    while !b.is_zero() {
        (a, b) = (b.clone(), a % b);
    }
    a
}

impl Labels {
    /// The same labels when the first so many are put behind the rest.
    pub(super) fn rotated(&self, first: usize, rest: usize) -> Self {
        let mut rotated = Self::none(first + rest);
        for label in (0..first + rest).filter(|label| self.contains(*label)) {
            rotated.insert((label + rest) % (first + rest));
        }
        rotated
    }
}
