//! How near the game is to one with a potential, with the noise floor.

use super::answer::PotentialAnswer;
use super::tensor::WholeGame;
use crate::game::potential::{decompose, exact_potential, harmonic_noise, has_ordinal_potential};
use crate::report::{percent, probability};

/// The level of the test against noise.
const LEVEL: f64 = 0.05;

/// Potential, harmonic part and its noise.
pub(super) fn potential(whole: &WholeGame, seed: u64) -> PotentialAnswer {
    let game = &whole.game;
    let exact = exact_potential(game);
    let parts = decompose(game);
    let shares = parts.shares();
    let finite = |value: f64| value.is_finite().then_some(value);
    let noise = harmonic_noise(game, &whole.blocks.payoffs, seed);
    let is_exact = exact.potential.is_some();
    let sentence = match (is_exact, noise) {
        (true, _) => "The means have an exact potential.".to_owned(),
        (false, None) => {
            "The means have no exact potential; without two whole blocks it is not known whether noise explains that."
                .to_owned()
        }
        (false, Some(noise)) if noise.p_value > LEVEL => format!(
            "The means have no exact potential, but noise explains what is missing (p {}).",
            probability(noise.p_value)
        ),
        (false, Some(noise)) => format!(
            "It is no potential game: {} of what players can influence goes round in circles, more than noise explains (p {}).",
            percent(shares.harmonic),
            probability(noise.p_value)
        ),
    };
    PotentialAnswer {
        exact: is_exact,
        violation: exact.violation,
        violating_cycle: exact.cycle.map(|corners| whole.profiles(&corners)),
        ordinal: has_ordinal_potential(game),
        potential_share: finite(shares.potential),
        harmonic_share: finite(shares.harmonic),
        harmonic_norm: noise.map(|noise| noise.squared_norm),
        noise_floor: noise.map(|noise| noise.noise_floor),
        harmonic_p: noise.map(|noise| noise.p_value),
        potential: parts.potential,
        sentence,
    }
}
