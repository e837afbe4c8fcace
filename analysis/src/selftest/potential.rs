//! The test of a harmonic part against noise.

use super::noise::{Scatter, blocks, common_interest, measure};
use super::{Check, Measure, Plan, count};
use crate::game::potential::harmonic_noise;
use crate::game::{Game, Player};

pub(super) fn checks(plan: Plan) -> Vec<Check> {
    let scatter = Scatter { blocks: 10, variation: 0.05, common: 0.5 };
    let significant = |game: &Game, seed: u64| {
        let measured = measure(game, scatter, seed);
        let found = harmonic_noise(&measured, &blocks(&measured).payoffs, seed);
        vec![found.map(|found| found.p_value < 0.05)]
    };
    let describe = |name: &str| format!("{name}: {}", scatter.describe());
    let potential = common_interest(&[3, 3, 2]);
    let circling = pennies();
    let mut checks = count(
        plan,
        &describe("common interest"),
        &[("harmonic part", Measure::FalseAlarm)],
        |seed| significant(&potential, seed),
    );
    checks.extend(count(
        plan,
        &describe("matching pennies of costs 9 and 11"),
        &[("harmonic part", Measure::Detection)],
        |seed| significant(&circling, seed),
    ));
    checks
}

/// Matching pennies in which a player pays 9 or 11.
fn pennies() -> Game {
    let payoffs = vec![-9., -11., -11., -9., -11., -9., -9., -11.];
    Game::new(Player::numbered(&[2, 2]), payoffs).expect("a game")
}
