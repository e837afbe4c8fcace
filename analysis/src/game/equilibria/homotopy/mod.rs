//! All complex roots of multilinear systems, by following as many paths as there can be roots.

mod linear;
mod start;
mod system;
mod track;

use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use start::Start;
use track::{Care, End, Tracker};

pub(crate) use start::path_count;
pub(crate) use system::{Block, System};

/// One complex weight per coordinate of each group.
pub(crate) type Point = Vec<Vec<Complex64>>;

/// Where the paths of one system ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots {
    /// Roots with an invertible Jacobian; each group's weights sum to one.
    pub(crate) regular: Vec<Point>,
    /// Points near roots with a singular one.
    pub(crate) singular: Vec<Point>,
    /// Paths that were followed in the attempt that counts.
    pub(crate) paths: u64,
    /// Paths that could not be followed, or that two others ended at the same root as.
    pub(crate) lost: u64,
    /// Whether there was no time for all paths.
    pub(crate) stopped: bool,
}

/// Attempts per system: with more care, and a start system of its own each.
const CARES: [Care; 4] = [
    Care { prediction: 1e-3, steps: 200 },
    Care { prediction: 1e-6, steps: 1_000 },
    Care { prediction: 1e-7, steps: 2_000 },
    Care { prediction: 1e-9, steps: 10_000 },
];

/// Two roots closer than this, relative to their size, are one.
const SAME: f64 = 1e-7;

/// Find the roots of a system. The same seed and stream give the same roots in the same order.
pub(crate) fn roots(system: &System, seed: u64, stream: u64, stop: &dyn Fn() -> bool) -> Roots {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    let mut best: Option<Roots> = None;
    for care in CARES {
        let found = attempt(system, care, &mut random, stop);
        let is_done = found.lost == 0 || found.stopped;
        if best.as_ref().is_none_or(|best| found.lost < best.lost) {
            best = Some(found);
        }
        if is_done {
            break;
        }
    }
    best.unwrap_or_default()
}

fn attempt(system: &System, care: Care, random: &mut ChaCha8Rng, stop: &dyn Fn() -> bool) -> Roots {
    let start = Start::random(system, random);
    let mut tracker = Tracker::new(system, &start, care);
    let mut roots = Roots::default();

    start.roots(system, |begin| {
        if stop() {
            roots.stopped = true;
            return false;
        }
        roots.paths += 1;
        match tracker.follow(begin) {
            End::Regular(end) => roots.regular.extend(affine(system, &end)),
            End::Singular(end) => roots.singular.extend(affine(system, &end)),
            End::Lost => roots.lost += 1,
        }
        true
    });
    roots.lost += duplicates(&mut roots.regular);
    roots
}

/// The point in which every group's coordinates sum to one; none if it is at infinity.
fn affine(system: &System, end: &[Complex64]) -> Option<Point> {
    const NOTHING: f64 = 1e-9;
    let group = |group: usize| {
        let coordinates = system.group(end, group);
        let sum: Complex64 = coordinates.iter().sum();
        (sum.norm() > NOTHING).then(|| coordinates.iter().map(|x| x / sum).collect())
    };
    (0..system.sizes.len()).map(group).collect()
}

/// Sort the roots and remove those that are there already: a path that arrived there has left its own.
fn duplicates(roots: &mut Vec<Point>) -> u64 {
    let key = |root: &Point| root[0][0].re;
    roots.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let before = roots.len();
    let mut kept: Vec<Point> = Vec::with_capacity(before);
    for root in roots.drain(..) {
        let near = |other: &&Point| key(&root) - key(other) <= SAME * (1.0 + key(&root).abs());
        let is_known = kept.iter().rev().take_while(near).any(|other| are_same(&root, other));
        if !is_known {
            kept.push(root);
        }
    }
    *roots = kept;
    (before - roots.len()) as u64
}

fn are_same(a: &Point, b: &Point) -> bool {
    a.iter()
        .flatten()
        .zip(b.iter().flatten())
        .all(|(a, b)| (a - b).norm() <= SAME * (1.0 + a.norm()))
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// A system with random coefficients in which each group's player has one equation less than strategies.
    fn random_system(sizes: &[usize], seed: u64) -> System {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let block = |group: usize| {
            let others: Vec<usize> = (0..sizes.len()).filter(|other| *other != group).collect();
            let equations = sizes[group] - 1;
            let entries = equations * others.iter().map(|other| sizes[*other]).product::<usize>();
            let tensor = (0..entries).map(|_| random.random_range(-1.0..1.0)).collect();
            Block { others, equations, tensor }
        };
        let blocks = (0..sizes.len()).map(block).collect();
        System::new(sizes.to_vec(), blocks)
    }

    fn residual(system: &System, root: &Point) -> f64 {
        let mut worst = 0.0_f64;
        for block in &system.blocks {
            let mut tensor: Vec<Complex64> = block.tensor.iter().map(|x| (*x).into()).collect();
            let mut result = Vec::new();
            for group in block.others.iter().rev() {
                system::contract(&tensor, &root[*group], 1, &mut result);
                std::mem::swap(&mut tensor, &mut result);
            }
            let scale: f64 = block
                .others
                .iter()
                .map(|group| root[*group].iter().map(|x| x.norm()).fold(1.0, f64::max))
                .product();
            worst = tensor.iter().map(|x| x.norm() / scale).fold(worst, f64::max);
        }
        worst
    }

    #[test]
    fn random_systems_have_as_many_roots_as_paths() {
        for (sizes, seed) in [
            (vec![2, 2, 2], 1),
            (vec![3, 3, 3], 2),
            (vec![4, 3, 2], 3),
            (vec![4, 4, 4], 4),
            (vec![2, 2, 2, 2, 2], 5),
            (vec![3, 2, 3, 2], 6),
            (vec![4, 4], 7),
        ] {
            let system = random_system(&sizes, seed);
            let roots = roots(&system, 0, 0, &|| false);
            let expected = path_count(&sizes);
            assert_eq!((roots.lost, roots.paths), (0, expected), "{sizes:?}");
            assert_eq!(roots.regular.len() as u64, expected, "{sizes:?}");
            for root in &roots.regular {
                assert!(residual(&system, root) < 1e-11, "{sizes:?}: {}", residual(&system, root));
            }
        }
    }
}
