//! The equilibria of the means, and how they survive when blocks are drawn anew.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

use super::Settings;
use super::answer::{Continuum, EquilibriaAnswer, EquilibriumAnswer};
use super::tensor::WholeGame;
use crate::game::anarchy::{AnarchyBounds, AnarchyResamples, PairedBlocks};
use crate::game::{Certificate, Equilibria, Equilibrium, Game, MixedProfile, Search, equilibria};
use crate::stats::{mean, standard_error};

/// Resamples in which mixed equilibria are looked for again, at most.
const MOST_SOLVED: usize = 100;

/// Profiles up to which that is done.
const MOST_PROFILES: usize = 64;

/// All equilibria, and every list of points that costs are taken over.
pub(super) struct Solved {
    /// As the solver gives them.
    pub(super) found: Equilibria,
    /// Equilibria, and then the points of continua.
    pub(super) points: Vec<MixedProfile>,
}

impl Solved {
    /// Solve a game.
    pub(super) fn of(game: &Game, settings: &Settings<'_>) -> Self {
        let found = equilibria(game, settings.search());
        let isolated = found.equilibria.iter().map(|found| found.profile.clone());
        let continua = found.components.iter().flat_map(|c| c.points.iter().cloned());
        let points = isolated.chain(continua).collect();
        Self { found, points }
    }
}

/// How often each support comes back.
struct Supports {
    /// By resample, the supports of its equilibria.
    drawn: Vec<Vec<Vec<Vec<usize>>>>,
}

impl Supports {
    /// `None` if the game is large, has one block, or time ran out.
    fn of(whole: &WholeGame, settings: &Settings<'_>) -> Option<Self> {
        let blocks = &whole.blocks;
        if whole.game.profiles() > MOST_PROFILES || blocks.len() < 2 {
            return None;
        }
        let stopped = AtomicBool::new(false);
        let solve = |resample: usize| {
            if (settings.stop)() {
                stopped.store(true, Ordering::Relaxed);
                return Vec::new();
            }
            let mut random = ChaCha12Rng::seed_from_u64(settings.seed);
            random.set_stream(resample as u64);
            let drawn = (0..blocks.len()).map(|_| random.random_range(0..blocks.len()));
            let game = mean_game(&whole.game, blocks, &drawn.collect::<Vec<usize>>());
            let search = Search { seed: settings.seed, stop: settings.stop };
            equilibria(&game, search).equilibria.iter().map(Equilibrium::support).collect()
        };
        let count = settings.resamples.min(MOST_SOLVED);
        let drawn = (0..count).into_par_iter().map(solve).collect();
        let is_cut = stopped.into_inner() || (settings.stop)();
        (!is_cut).then_some(Self { drawn })
    }

    fn share(&self, equilibrium: &Equilibrium) -> f64 {
        let support = equilibrium.support();
        let kept = self.drawn.iter().filter(|supports| supports.contains(&support)).count();
        kept as f64 / self.drawn.len() as f64
    }
}

/// The game whose payoffs are the means of some blocks.
pub(super) fn mean_game(game: &Game, blocks: &PairedBlocks, chosen: &[usize]) -> Game {
    let mut payoffs = vec![0.0; game.payoffs().len()];
    for block in chosen {
        payoffs.iter_mut().zip(&blocks.payoffs[*block]).for_each(|(sum, value)| *sum += value);
    }
    payoffs.iter_mut().for_each(|sum| *sum /= chosen.len() as f64);
    game.with_payoffs(payoffs).expect("means of finite payoffs of this game")
}

/// The equilibria with everything that is known about them.
pub(super) fn answer(
    whole: &WholeGame,
    solved: &Solved,
    bounds: Option<&AnarchyBounds>,
    resamples: Option<&AnarchyResamples>,
    settings: &Settings<'_>,
) -> EquilibriaAnswer {
    let Equilibria { equilibria, components, completeness, reasons, .. } = &solved.found;
    let has_mixed = equilibria.iter().any(|found| pure_number(&whole.game, found).is_none());
    let supports = if has_mixed { Supports::of(whole, settings) } else { None };
    let survival = resamples.map_or(&[][..], |resamples| &resamples.survival);
    let list = equilibria.iter().map(|found| {
        let number = pure_number(&whole.game, found);
        let frequency = match number {
            Some(number) => survival.iter().find(|(profile, _)| *profile == number).map(|s| s.1),
            None => supports.as_ref().map(|supports| supports.share(found)),
        };
        one(whole, found, number, frequency)
    });
    let continuum = |component: &crate::game::Component| Continuum {
        dimension: component.dimension,
        points: component.points.iter().map(|point| real(whole, point)).collect(),
        is_hull: component.is_hull,
    };
    EquilibriaAnswer {
        list: list.collect(),
        continua: components.iter().map(continuum).collect(),
        completeness: completeness.to_string(),
        reasons: reasons.clone(),
        possible: bounds.map(|bounds| whole.profiles(&bounds.possible)),
        certain: bounds.map(|bounds| whole.profiles(&bounds.certain)),
        within_one_standard_error: (whole.blocks.len() > 1)
            .then(|| whole.profiles(&within_one_standard_error(whole))),
        without_pure: match resamples {
            Some(resamples) => Some(resamples.without_equilibrium),
            // No resample had one.
            None => (whole.blocks.len() > 1).then_some(1.0),
        },
    }
}

fn one(
    whole: &WholeGame,
    found: &Equilibrium,
    number: Option<usize>,
    frequency: Option<f64>,
) -> EquilibriumAnswer {
    let certificate = match found.certificate {
        Certificate::Exact => "exact",
        Certificate::Interval => "interval",
        Certificate::IntervalTied => "interval_tied",
        Certificate::Numerical => "numerical",
    };
    EquilibriumAnswer {
        mixture: real(whole, &found.profile),
        pure: number.map(|number| whole.profile(number)),
        payoffs: found.payoffs[..whole.players].to_vec(),
        cost: whole.game.costs().map(|costs| whole.game.expectation(costs, &found.profile)),
        regret: found.regret,
        certificate: certificate.to_owned(),
        index: found.index,
        is_strict: found.is_strict,
        continuum: found.component,
        frequency,
    }
}

/// What the real players play.
fn real(whole: &WholeGame, mixture: &MixedProfile) -> MixedProfile {
    mixture[..whole.players].to_vec()
}

/// The number of the profile, if the equilibrium is pure.
pub(super) fn pure_number(game: &Game, found: &Equilibrium) -> Option<usize> {
    let support = found.support();
    let strategies: Option<Vec<usize>> = support
        .iter()
        .map(|played| match played.as_slice() {
            [strategy] => Some(*strategy),
            _ => None,
        })
        .collect();
    strategies.map(|strategies| game.profile_index(&strategies))
}

fn within_one_standard_error(whole: &WholeGame) -> Vec<usize> {
    let WholeGame { game, blocks, .. } = whole;
    let players = game.players();
    let gains_little = |from: usize, player: usize, to: usize| {
        let gain =
            |payoffs: &Vec<f64>| payoffs[to * players + player] - payoffs[from * players + player];
        let gains: Vec<f64> = blocks.payoffs.iter().map(gain).collect();
        mean(&gains) <= standard_error(&gains)
    };
    let rests = |profile: &usize| {
        (0..players).all(|player| {
            game.deviations(*profile, player).all(|to| gains_little(*profile, player, to))
        })
    };
    (0..game.profiles()).filter(rests).collect()
}
