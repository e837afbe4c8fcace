//! Whether a harmonic part is more than noise.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::decomposition::{decompose, harmonic_dimension};
use crate::game::Game;

/// The harmonic part of a measured game against what noise alone would leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HarmonicNoise {
    /// Squared norm of the harmonic part.
    pub squared_norm: f64,
    /// What the noise of the means adds to it on average: the spread of the blocks' harmonic parts.
    pub noise_floor: f64,
    /// Numbers that describe a harmonic game of this shape.
    pub dimension: usize,
    /// How often noise alone would give such a harmonic part.
    pub p_value: f64,
    /// Paired blocks.
    pub blocks: usize,
}

/// Random reflections of the blocks.
const REFLECTIONS: usize = 2000;

/// Compare the harmonic part with the noise of paired blocks, each a measurement of the whole game (payoffs as
/// in [`Game::payoffs`]).
///
/// The p-value is that of a test by reflections: noise that is symmetric about zero gives each block's
/// harmonic part with either sign, so the observed norm is ranked among those with random signs. `None` of
/// fewer than two blocks, or if the shape has no harmonic games.
#[must_use]
pub fn harmonic_noise(game: &Game, blocks: &[Vec<f64>], seed: u64) -> Option<HarmonicNoise> {
    let dimension = harmonic_dimension(&game.shape());
    if blocks.len() < 2 || dimension == 0 {
        return None;
    }
    let shape = game.shape();
    let weights: Vec<f64> = shape.iter().map(|count| (*count as f64).sqrt()).collect();
    let parts: Vec<Vec<f64>> = blocks
        .iter()
        .map(|payoffs| {
            let measured =
                game.with_payoffs(payoffs.clone()).expect("finite payoffs of this shape");
            let part = decompose(&measured).harmonic_part;
            part.iter().zip(weights.iter().cycle()).map(|(value, weight)| value * weight).collect()
        })
        .collect();
    let n = blocks.len() as f64;
    // All that is needed are the products of the blocks' parts with each other.
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let gram: Vec<Vec<f64>> =
        parts.iter().map(|a| parts.iter().map(|b| product(a, b)).collect()).collect();
    let norm = |signs: &[f64]| -> f64 {
        let row = |(row, sign): (&Vec<f64>, &f64)| sign * product(row, signs);
        gram.iter().zip(signs).map(row).sum::<f64>() / (n * n)
    };
    let observed = norm(&vec![1.0; blocks.len()]);
    let own: f64 = (0..blocks.len()).map(|block| gram[block][block]).sum();
    let noise_floor = (own - n * observed).max(0.0) / (n * (n - 1.0));
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let at_least = (0..REFLECTIONS)
        .filter(|_| {
            let signs: Vec<f64> =
                blocks.iter().map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
            norm(&signs) >= observed * (1.0 - 1e-12)
        })
        .count();
    let p_value = (at_least + 1) as f64 / (REFLECTIONS + 1) as f64;
    Some(HarmonicNoise {
        squared_norm: observed.max(0.0),
        noise_floor,
        dimension,
        p_value,
        blocks: blocks.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::test::tests::{battle_of_the_sexes, matching_pennies};
    use super::*;

    fn measured(game: &Game, blocks: usize, noise: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut error = || noise * ((0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0);
        (0..blocks)
            .map(|_| game.payoffs().iter().map(|payoff| payoff + error()).collect())
            .collect()
    }

    fn mean(game: &Game, blocks: &[Vec<f64>]) -> Game {
        let count = blocks.len() as f64;
        let of = |at: usize| blocks.iter().map(|block| block[at]).sum::<f64>() / count;
        game.with_payoffs((0..game.payoffs().len()).map(of).collect()).unwrap()
    }

    #[test]
    fn noise_on_a_potential_game_is_called_noise() {
        let game = battle_of_the_sexes();
        let (mut alarms, mut norms, mut floors) = (0, 0.0, 0.0);
        for seed in 0..300 {
            let blocks = measured(&game, 10, 0.5, seed);
            let found = harmonic_noise(&mean(&game, &blocks), &blocks, seed).unwrap();
            alarms += u32::from(found.p_value < 0.05);
            norms += found.squared_norm;
            floors += found.noise_floor;
        }
        // Binomial(300, 0.05) stays below 29 with probability 0.999.
        assert!(alarms < 29, "{alarms} of 300 false alarms");
        assert!((norms / floors - 1.0).abs() < 0.2, "{norms} against a floor of {floors}");
    }

    #[test]
    fn circling_is_found_under_the_same_noise() {
        let game = matching_pennies();
        let blocks = measured(&game, 10, 0.5, 1);
        let found = harmonic_noise(&mean(&game, &blocks), &blocks, 1).unwrap();
        assert!(found.p_value < 0.01 && found.squared_norm > 10.0 * found.noise_floor);
        assert_eq!((found.dimension, found.blocks), (1, 10));
        assert!(harmonic_noise(&game, &blocks[..1], 1).is_none());
    }
}
