//! The volume between a front and a reference point.

use std::cell::Cell;

use super::pile::{Outline, Pile};

/// The most objectives that the exact volume is computed for.
pub const MOST_OBJECTIVES: usize = 6;

/// The volume of what at least one of the points dominates and the reference point does not exceed. Points
/// that are not better than the reference in every objective have no part in it. Two and three objectives by a
/// sweep; four by the exclusive volumes of points in order of the last objective over the first three (the idea of
/// Guerreiro and Fonseca 2018); more likewise, each over a problem with one objective less (While,
/// Bradstreet and Barone 2012). Exponential in the objectives beyond four.
#[must_use]
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    volume(sizes(points, reference), reference.len(), &Patience::without_end())
}

/// The same, or `None` as soon as `go_on`, which is asked now and then, says no.
#[must_use]
pub fn hypervolume_while(
    points: &[Vec<f64>],
    reference: &[f64],
    go_on: &dyn Fn() -> bool,
) -> Option<f64> {
    let patience = Patience { go_on: Some(go_on), ..Patience::without_end() };
    let volume = volume(sizes(points, reference), reference.len(), &patience);
    (!patience.is_over.get()).then_some(volume)
}

/// How long a computation goes on. When it is over, what is computed is of no use.
pub(super) struct Patience<'a> {
    go_on: Option<&'a dyn Fn() -> bool>,
    asked: Cell<u32>,
    is_over: Cell<bool>,
}

impl Patience<'_> {
    pub(super) fn without_end() -> Self {
        Self { go_on: None, asked: Cell::new(0), is_over: Cell::new(false) }
    }

    /// Whether it is over, by a look at the clock every thousand questions.
    fn has_ended(&self) -> bool {
        let Some(go_on) = self.go_on else { return false };
        self.asked.set(self.asked.get().wrapping_add(1));
        if self.asked.get().is_multiple_of(1024) && !go_on() {
            self.is_over.set(true);
        }
        self.is_over.get()
    }
}

/// By how much each point is better than the reference, for those that are so in every objective.
pub(super) fn sizes(points: &[Vec<f64>], reference: &[f64]) -> Vec<Size> {
    let size = |point: &Vec<f64>| -> Size {
        let mut size = [0.0; MOST_OBJECTIVES];
        for ((size, x), reference) in size.iter_mut().zip(point).zip(reference) {
            *size = reference - x;
        }
        size
    };
    let objectives = reference.len();
    points.iter().map(size).filter(|size| size[..objectives].iter().all(|s| *s > 0.0)).collect()
}

/// The sides of a box; those behind the last objective are zero.
pub(super) type Size = [f64; MOST_OBJECTIVES];

/// The volume of a union of boxes that share a corner.
pub(super) fn volume(mut boxes: Vec<Size>, objectives: usize, patience: &Patience<'_>) -> f64 {
    match objectives {
        0 => 0.0,
        1 => boxes.iter().map(|size| size[0]).fold(0.0, f64::max),
        2 => area(boxes),
        3 => sweep(boxes),
        4 => slices(boxes, patience),
        _ => {
            // The smallest last side first: what the later boxes share with it is as wide there as it is.
            let last = objectives - 1;
            boxes.sort_unstable_by(|a, b| a[last].total_cmp(&b[last]));
            let alone = |index: usize| {
                let (own, later) = (&boxes[index], &boxes[index + 1..]);
                own[last] * exclusive(own, later, last, patience)
            };
            (0..boxes.len()).map(alone).sum()
        }
    }
}

/// The volume of one box that none of the others has, over the first objectives.
pub(super) fn exclusive(
    own: &Size,
    others: &[Size],
    objectives: usize,
    patience: &Patience<'_>,
) -> f64 {
    if patience.has_ended() {
        return 0.0;
    }
    let shared = match objectives {
        4 => outermost::<4>(own, others),
        5 => outermost::<5>(own, others),
        6 => outermost::<6>(own, others),
        _ => others.iter().map(|other| common(own, other)).collect(),
    };
    if shared.iter().any(|size| size[..objectives] == own[..objectives]) {
        return 0.0;
    }
    own[..objectives].iter().product::<f64>() - volume(shared, objectives, patience)
}

/// What a box shares with others, without what is in another one of these, over the first sides.
fn outermost<const SIDES: usize>(own: &Size, others: &[Size]) -> Vec<Size> {
    let own: [f64; SIDES] = std::array::from_fn(|side| own[side]);
    let first = |other: &Size| common(&own, &std::array::from_fn(|side| other[side]));
    let mut boxes: Vec<[f64; SIDES]> = others.iter().map(first).collect();
    keep_outermost(&mut boxes);
    let size = |sides: &[f64; SIDES]| std::array::from_fn(|side| *sides.get(side).unwrap_or(&0.0));
    boxes.iter().map(size).collect()
}

fn common<const SIDES: usize>(one: &[f64; SIDES], other: &[f64; SIDES]) -> [f64; SIDES] {
    std::array::from_fn(|side| if other[side] < one[side] { other[side] } else { one[side] })
}

/// Leave the boxes that no other one contains. The largest of what is left is never in another one, and contains
/// most.
fn keep_outermost<const SIDES: usize>(boxes: &mut Vec<[f64; SIDES]>) {
    let volume = |size: &[f64; SIDES]| size.iter().product::<f64>();
    let volumes = boxes.iter().map(volume).enumerate();
    let mut largest = volumes.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index);
    let mut kept = 0;
    while kept < boxes.len() {
        boxes.swap(kept, largest);
        let outer = boxes[kept];
        kept += 1;
        let (mut end, mut most) = (kept, 0.0);
        largest = kept;
        for index in kept..boxes.len() {
            let size = boxes[index];
            // Without branches: which ones stay is not to be foreseen.
            let sticks_out = (0..SIDES).fold(false, |out, side| out | (size[side] > outer[side]));
            boxes[end] = size;
            end += usize::from(sticks_out);
        }
        for (index, size) in boxes[kept..end].iter().enumerate() {
            let own = volume(size);
            if own > most {
                (largest, most) = (kept + index, own);
            }
        }
        boxes.truncate(end);
    }
}

fn area(mut boxes: Vec<Size>) -> f64 {
    boxes.sort_unstable_by(|a, b| b[0].total_cmp(&a[0]));
    let (mut area, mut height) = (0.0, 0.0);
    for size in boxes {
        if size[1] > height {
            area += size[0] * (size[1] - height);
            height = size[1];
        }
    }
    area
}

/// Three sides: from the largest third side down, with the outline of the first two.
fn sweep(mut boxes: Vec<Size>) -> f64 {
    boxes.sort_unstable_by(|a, b| b[2].total_cmp(&a[2]));
    let mut outline = Outline::default();
    let mut volume = 0.0;
    for (index, size) in boxes.iter().enumerate() {
        outline.add(size[0], size[1]);
        let below = boxes.get(index + 1).map_or(0.0, |next| next[2]);
        volume += outline.area * (size[2] - below);
    }
    volume
}

/// Four sides: from the largest fourth side down, with what each box adds over the first three.
fn slices(mut boxes: Vec<Size>, patience: &Patience<'_>) -> f64 {
    boxes.sort_unstable_by(|a, b| b[3].total_cmp(&a[3]));
    let mut pile = Pile::default();
    let mut added = |size: &Size| size[3] * pile.add([size[0], size[1], size[2]]);
    boxes.iter().map(|size| if patience.has_ended() { 0.0 } else { added(size) }).sum()
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::super::{contributions, sampled_hypervolume};
    use super::*;

    /// By inclusion and exclusion over all subsets.
    fn by_definition(points: &[Vec<f64>], reference: &[f64]) -> f64 {
        let boxes = sizes(points, reference);
        (1_u32..1 << boxes.len())
            .map(|subset| {
                let members = boxes.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1);
                let sides = members.fold([f64::INFINITY; MOST_OBJECTIVES], |mut all, (_, size)| {
                    all.iter_mut().zip(size).for_each(|(a, b)| *a = a.min(*b));
                    all
                });
                let volume: f64 = sides[..reference.len()].iter().product();
                if subset.count_ones() % 2 == 1 { volume } else { -volume }
            })
            .sum()
    }

    fn random_points(random: &mut ChaCha12Rng, count: usize, objectives: usize) -> Vec<Vec<f64>> {
        let coarse = random.random_bool(0.3);
        let mut value = || {
            let value: f64 = random.random();
            if coarse { (value * 4.0).floor() / 4.0 } else { value }
        };
        (0..count).map(|_| (0..objectives).map(|_| value()).collect()).collect()
    }

    #[test]
    fn it_is_the_volume_of_the_union() {
        const SEED: u64 = 7;
        let mut random = ChaCha12Rng::seed_from_u64(SEED);
        for case in 0..300 {
            let (count, objectives) = (random.random_range(0..9), random.random_range(1..=6));
            let mut points = random_points(&mut random, count, objectives);
            let reference = vec![0.9; objectives];
            let expected = by_definition(&points, &reference);
            let place = format!("seed {SEED}, case {case}: {points:?}");
            let found = hypervolume(&points, &reference);
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}, {place}");
            // Neither order, nor copies, nor what is dominated matter.
            points.shuffle(&mut random);
            points.extend(points.clone());
            if let Some(point) = points.first() {
                points.push(point.iter().map(|x| x + 0.01).collect());
            }
            let again = hypervolume(&points, &reference);
            assert!((found - again).abs() < 1e-12, "{found} and {again}, {place}");
        }
    }

    #[test]
    fn contributions_are_what_is_lost_without_a_point() {
        const SEED: u64 = 8;
        let mut random = ChaCha12Rng::seed_from_u64(SEED);
        for case in 0..100 {
            let objectives = random.random_range(2..=5);
            let points = random_points(&mut random, 12, objectives);
            let reference = vec![1.1; objectives];
            let whole = hypervolume(&points, &reference);
            let shares = contributions(&points, &reference);
            for (index, share) in shares.iter().enumerate() {
                let mut without = points.clone();
                without.remove(index);
                let lost = whole - hypervolume(&without, &reference);
                assert!((share - lost).abs() < 1e-12, "seed {SEED}, case {case}: {share} {lost}");
                assert!(*share >= 0.0);
            }
            assert!(shares.iter().sum::<f64>() <= whole + 1e-12);
        }
    }

    /// Points on the front of DTLZ2: the positive part of the unit sphere.
    fn sphere(random: &mut ChaCha12Rng, count: usize, objectives: usize) -> Vec<Vec<f64>> {
        let mut normal = || {
            let (a, b): (f64, f64) = (random.random::<f64>().max(1e-300), random.random());
            ((-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()).abs()
        };
        let mut point = || {
            let raw: Vec<f64> = (0..objectives).map(|_| normal()).collect();
            let length = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
            raw.iter().map(|x| x / length).collect()
        };
        (0..count).map(|_| point()).collect()
    }

    #[test]
    fn samples_of_known_fronts_come_close_from_below() {
        let mut random = ChaCha12Rng::seed_from_u64(9);
        for (objectives, count, limit, near) in [
            (2, 2_000, 0.424_601_8, 0.002),
            (3, 1_000, 0.807_401_2, 0.04),
            (4, 200, 1.155_674_9, 0.25),
        ] {
            let found =
                hypervolume(&sphere(&mut random, count, objectives), &vec![1.1; objectives]);
            assert!(found < limit && found > limit - near, "{objectives}: {found}");
        }
        let zdt1 = |i: u32| vec![f64::from(i) / 1e5, 1.0 - (f64::from(i) / 1e5).sqrt()];
        let found = hypervolume(&(0..=100_000).map(zdt1).collect::<Vec<_>>(), &[1.1, 1.1]);
        assert!(found < 0.876_666_7 && found > 0.876_660, "{found}");
    }

    #[test]
    fn the_sampled_volume_is_within_its_error() {
        let mut random = ChaCha12Rng::seed_from_u64(10);
        for objectives in 2..=5 {
            let points = sphere(&mut random, 40, objectives);
            let reference = vec![1.1; objectives];
            let exact = hypervolume(&points, &reference);
            let sampled = sampled_hypervolume(&points, &reference, 20_000, 1);
            assert!((sampled.volume - exact).abs() < 5.0 * sampled.error, "{sampled:?} {exact}");
            assert!(sampled.error < 0.02 * exact);
        }
    }
}
