//! The costliest correlated and coarse correlated equilibria.

use super::super::linear_program::{LinearProgram, LinearProgramError};
use crate::game::Game;

/// What a coordinator must respect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordination {
    /// Nobody gains by answering a recommendation with another strategy (Aumann 1974).
    Correlated,
    /// Nobody gains by deciding for one strategy before hearing the recommendation (Moulin and Vial 1978).
    Coarse,
}

/// The largest expectation of a value per profile over all (coarse) correlated equilibria.
///
/// # Errors
///
/// If the linear program is not solved to its accuracy.
pub fn worst_coordinated(
    game: &Game,
    values: &[f64],
    coordination: Coordination,
) -> Result<f64, LinearProgramError> {
    let gain = |player: usize, from: usize, to: usize| {
        (game.payoff(to, player) - game.payoff(from, player)) / game.payoff_scale(player)
    };
    extreme(game, values, coordination, gain)
}

/// The largest expectation over correlated equilibria with gains of one's own, see [`extreme`].
pub(in crate::game) fn correlated_extreme(
    game: &Game,
    values: &[f64],
    gain: impl Fn(usize, usize, usize) -> f64,
) -> Result<f64, LinearProgramError> {
    extreme(game, values, Coordination::Correlated, gain)
}

/// The same with gains of one's own, at (player, from profile, to profile): a lower bound of each gain
/// gives a larger set, which has the true one in it.
fn extreme(
    game: &Game,
    values: &[f64],
    coordination: Coordination,
    gain: impl Fn(usize, usize, usize) -> f64,
) -> Result<f64, LinearProgramError> {
    let profiles = game.profiles();
    let mut rows = Vec::new();
    for player in 0..game.players() {
        for to in 0..game.strategies(player) {
            let row_of = |is_asked: &dyn Fn(usize) -> bool| -> Vec<f64> {
                let weight = |profile: usize| {
                    let own = game.strategy(profile, player);
                    let moved = game.deviation(profile, player, to);
                    if own != to && is_asked(own) { gain(player, profile, moved) } else { 0.0 }
                };
                (0..profiles).map(weight).collect()
            };
            match coordination {
                Coordination::Coarse => rows.push((row_of(&|_| true), 0.0)),
                Coordination::Correlated => {
                    let others = (0..game.strategies(player)).filter(|from| *from != to);
                    rows.extend(others.map(|asked| (row_of(&|own| own == asked), 0.0)));
                }
            }
        }
    }
    let scale = values.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let program = LinearProgram {
        objective: values.iter().map(|value| value / scale).collect(),
        at_most: rows,
        equal: vec![(vec![1.0; profiles], 1.0)],
    };
    Ok(program.maximise()?.value * scale)
}

#[cfg(test)]
mod tests {
    use super::super::point::least;
    use super::super::smoothness::smoothness;
    use super::*;
    use crate::game::congestion::tests::{
        braess, random_congestion, singletons, tight_five_halves,
    };
    use crate::game::potential::tests::game;
    use crate::game::pure_equilibria;

    #[test]
    fn costs_of_the_literature() {
        let worst = |game: &Game, coordination| {
            worst_coordinated(game, game.costs().unwrap(), coordination).unwrap()
        };
        let tight = tight_five_halves().to_game().unwrap();
        assert!((worst(&tight, Coordination::Coarse) - 15.0).abs() < 1e-9);
        let singles = singletons().to_game().unwrap();
        assert!((worst(&singles, Coordination::Coarse) - 8.0).abs() < 1e-9);
        let bridge = braess(true).to_game().unwrap();
        assert!((worst(&bridge, Coordination::Correlated) - 18.0).abs() < 1e-9);
    }

    #[test]
    fn welfare_of_chicken() {
        let chicken = game(&[2, 2], &[6., 6., 2., 7., 7., 2., 0., 0.]);
        let welfare: Vec<f64> = (0..4).map(|profile| chicken.welfare(profile)).collect();
        let loss: Vec<f64> = welfare.iter().map(|value| -value).collect();
        let best = worst_coordinated(&chicken, &welfare, Coordination::Correlated).unwrap();
        let worst = -worst_coordinated(&chicken, &loss, Coordination::Correlated).unwrap();
        assert!((best - 10.5).abs() < 1e-9 && (worst - 7.2).abs() < 1e-9, "{best} {worst}");
    }

    #[test]
    fn every_wider_concept_costs_at_least_as_much() {
        for seed in 0..60 {
            let game = random_congestion(seed).to_game().unwrap();
            let costs = game.costs().unwrap();
            let optimum = costs[least(costs)];
            let pure: Vec<f64> =
                pure_equilibria(&game).iter().map(|p| costs[*p] / optimum).collect();
            let stability = pure.iter().copied().fold(f64::INFINITY, f64::min);
            let anarchy = pure.iter().copied().fold(0.0, f64::max);
            let [correlated, coarse] = [Coordination::Correlated, Coordination::Coarse]
                .map(|kind| worst_coordinated(&game, costs, kind).unwrap() / optimum);
            let robust = smoothness(&game).unwrap().unwrap().bound;
            let rising = [1.0, stability, anarchy, correlated, coarse, robust];
            assert!(
                rising.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-7)),
                "seed {seed}: {rising:?}"
            );
        }
    }
}
