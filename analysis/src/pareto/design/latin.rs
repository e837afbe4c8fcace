//! Latin hypercubes.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// A random Latin hypercube (McKay, Beckman and Conover 1979): each knob's range is divided into as many
/// parts as there are points, and each part has one point.
#[must_use]
pub fn latin_hypercube(points: usize, knobs: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut design = vec![vec![0.0; knobs]; points];
    for knob in 0..knobs {
        let mut parts: Vec<usize> = (0..points).collect();
        parts.shuffle(&mut random);
        for (point, part) in design.iter_mut().zip(parts) {
            point[knob] = (part as f64 + random.random::<f64>()) / points as f64;
        }
    }
    design
}

/// The distance of the two closest points.
#[must_use]
pub fn least_distance(design: &[Vec<f64>]) -> f64 {
    let from = |index: usize| {
        let others = design[index + 1..].iter();
        others.map(|other| squared(&design[index], other)).fold(f64::INFINITY, f64::min)
    };
    (0..design.len()).map(from).fold(f64::INFINITY, f64::min).sqrt()
}

/// Move the points of a Latin hypercube apart: coordinates of two points are exchanged where that lowers the
/// sum of d^-15 over all distances d, which the smallest distance governs (Morris and Mitchell 1995). It
/// remains a Latin hypercube, and its least distance does not shrink. `go_on` is asked now and then.
#[must_use]
pub fn spread_out(design: Vec<Vec<f64>>, seed: u64, go_on: &dyn Fn() -> bool) -> Vec<Vec<f64>> {
    const EXCHANGES_PER_COORDINATE: usize = 60;
    let (points, knobs) = (design.len(), design.first().map_or(0, Vec::len));
    if points < 3 || knobs < 2 {
        return design;
    }
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let (mut best, mut current) = (design.clone(), design);
    let mut best_distance = least_distance(&best);
    for exchange in 0..EXCHANGES_PER_COORDINATE * points * knobs {
        if exchange % 256 == 0 {
            let distance = least_distance(&current);
            if distance > best_distance {
                (best_distance, best) = (distance, current.clone());
            }
            if !go_on() {
                break;
            }
        }
        let (a, b) = (random.random_range(0..points), random.random_range(0..points));
        let knob = random.random_range(0..knobs);
        if a == b {
            continue;
        }
        let crowding = |design: &[Vec<f64>]| crowding(design, a) + self::crowding(design, b);
        let before = crowding(&current);
        exchange_coordinate(&mut current, a, b, knob);
        if crowding(&current) >= before {
            exchange_coordinate(&mut current, a, b, knob);
        }
    }
    if least_distance(&current) > best_distance { current } else { best }
}

fn exchange_coordinate(design: &mut [Vec<f64>], a: usize, b: usize, knob: usize) {
    let kept = design[a][knob];
    design[a][knob] = design[b][knob];
    design[b][knob] = kept;
}

/// How close others are to a point.
fn crowding(design: &[Vec<f64>], index: usize) -> f64 {
    let others = design.iter().enumerate().filter(|(other, _)| *other != index);
    others.map(|(_, other)| squared(&design[index], other).powf(-7.5)).sum()
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_latin(design: &[Vec<f64>]) -> bool {
        (0..design[0].len()).all(|knob| {
            let part = |point: &Vec<f64>| (point[knob] * design.len() as f64) as usize;
            let mut parts: Vec<usize> = design.iter().map(part).collect();
            parts.sort_unstable();
            parts == (0..design.len()).collect::<Vec<_>>()
        })
    }

    #[test]
    fn spreading_out_keeps_it_latin_and_widens_it() {
        for seed in 0..5 {
            let plain = latin_hypercube(20, 3, seed);
            let spread = spread_out(plain.clone(), seed, &|| true);
            assert!(is_latin(&plain) && is_latin(&spread), "seed {seed}");
            let (before, after) = (least_distance(&plain), least_distance(&spread));
            assert!(after > 1.5 * before, "seed {seed}: {before} {after}");
        }
        let few = latin_hypercube(2, 2, 1);
        assert_eq!(spread_out(few.clone(), 1, &|| true), few);
    }
}
