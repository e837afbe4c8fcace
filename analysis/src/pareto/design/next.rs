//! The next points: where the dominated volume is expected to grow most.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::process::Process;
use super::sobol::sobol;
use crate::pareto::dominance::front;
use crate::pareto::hypervolume::{Patience, exclusive, sizes};

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The knobs, in the unit cube.
    pub inputs: Vec<Vec<f64>>,
    /// The objectives, towards small.
    pub outputs: Vec<Vec<f64>>,
}

/// A point to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The knobs, in the unit cube.
    pub at: Vec<f64>,
    /// By how much the dominated volume is expected to grow.
    pub improvement: f64,
    /// The expected objectives, towards small.
    pub expected: Vec<f64>,
    /// Their standard deviations.
    pub deviations: Vec<f64>,
}

/// Candidates over the whole cube, and around the best of them.
const CANDIDATES: u32 = 512;
const AROUND: usize = 96;

/// Draws that the expectation is taken over, the same for every candidate.
const DRAWS: u32 = 256;

/// The points with the greatest expected improvement of the dominated volume, each under a Gaussian process for
/// every objective; each further one takes the earlier ones to have turned out as expected (the
/// believer of Ginsbourger, Le Riche and Carraro 2010). Fewer than asked for if `go_on` says no. `None` if a
/// process cannot be learned.
#[must_use]
pub fn suggest(
    measured: &Measured,
    reference: &[f64],
    count: usize,
    seed: u64,
    go_on: &dyn Fn() -> bool,
) -> Option<Vec<Suggestion>> {
    let knobs = measured.inputs.first()?.len();
    let objectives = reference.len();
    let normal = Normal::standard();
    let draws: Vec<Vec<f64>> = sobol(DRAWS, objectives as u32, seed as u32)
        .into_iter()
        .map(|draw| {
            draw.into_iter().map(|x| normal.inverse_cdf(x.clamp(1e-6, 1.0 - 1e-6))).collect()
        })
        .collect();
    let mut known = measured.clone();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut suggestions: Vec<Suggestion> = Vec::new();
    while suggestions.len() < count && (suggestions.is_empty() || go_on()) {
        let processes: Vec<Process> = (0..objectives)
            .map(|side| {
                let outputs: Vec<f64> = known.outputs.iter().map(|output| output[side]).collect();
                Process::learn(&known.inputs, &outputs)
            })
            .collect::<Option<_>>()?;
        let members = front(&known.outputs);
        let members: Vec<Vec<f64>> =
            members.into_iter().map(|index| known.outputs[index].clone()).collect();
        let boxes = sizes(&members, reference);
        let judge = |at: Vec<f64>| {
            let (expected, deviations): (Vec<f64>, Vec<f64>) =
                processes.iter().map(|process| process.predict(&at)).unzip();
            let grown = |draw: &Vec<f64>| {
                let steps = expected.iter().zip(&deviations).zip(draw);
                let output: Vec<f64> = steps.map(|((mean, d), z)| mean + d * z).collect();
                let new = sizes(&[output], reference);
                let alone = |size| exclusive(size, &boxes, objectives, &Patience::without_end());
                new.first().map_or(0.0, alone).max(0.0)
            };
            let improvement = draws.iter().map(grown).sum::<f64>() / f64::from(DRAWS);
            Suggestion { at, improvement, expected, deviations }
        };
        let round = (seed as u32).wrapping_add(1 + suggestions.len() as u32);
        let spread = sobol(CANDIDATES, knobs as u32, round).into_iter().map(judge);
        let mut best = spread.reduce(better)?;
        let mut width = 0.1;
        for step in 0..AROUND {
            let near = best
                .at
                .iter()
                .map(|x| (x + width * (2.0 * random.random::<f64>() - 1.0)).clamp(0.0, 1.0));
            best = better(best.clone(), judge(near.collect()));
            if step % 24 == 23 {
                width /= 3.0;
            }
        }
        known.inputs.push(best.at.clone());
        known.outputs.push(best.expected.clone());
        suggestions.push(best);
    }
    Some(suggestions)
}

fn better(a: Suggestion, b: Suggestion) -> Suggestion {
    if b.improvement > a.improvement { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pareto::design::latin_hypercube;
    use crate::pareto::hypervolume;

    /// Two parabolas: the front is the line from (0.2, 0.5) to (0.8, 0.5).
    fn measure(at: &[f64]) -> Vec<f64> {
        let off = (at[1] - 0.5).powi(2);
        vec![(at[0] - 0.2).powi(2) + off, (at[0] - 0.8).powi(2) + off]
    }

    #[test]
    fn suggestions_grow_the_volume_more_than_chance() {
        let start = latin_hypercube(8, 2, 1);
        let outputs: Vec<Vec<f64>> = start.iter().map(|at| measure(at)).collect();
        let mut measured = Measured { inputs: start.clone(), outputs: outputs.clone() };
        let reference = [0.6, 0.6];
        for round in 0..4 {
            let next = suggest(&measured, &reference, 1, round, &|| true).unwrap().remove(0);
            assert!(next.improvement > 0.0);
            measured.outputs.push(measure(&next.at));
            measured.inputs.push(next.at);
        }
        let mut by_chance = outputs;
        by_chance.extend(latin_hypercube(4, 2, 2).iter().map(|at| measure(at)));
        let (ours, chance) =
            (hypervolume(&measured.outputs, &reference), hypervolume(&by_chance, &reference));
        assert!(ours > chance, "{ours} and by chance {chance}");
    }
}
