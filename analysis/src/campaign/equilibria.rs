//! The equilibria of the means, and how they survive when blocks are drawn anew.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

use super::Settings;
use super::answer::{Continuum, EquilibriaAnswer, EquilibriumAnswer};
use super::tensor::WholeGame;
use crate::game::anarchy::{AnarchyBounds, PairedBlocks, pure_survival};
use crate::game::{Certificate, Equilibria, Equilibrium, Game, MixedProfile, equilibria};
use crate::stats::{mean, standard_error};

/// Resamples in which mixed equilibria are looked for again, at most.
const MOST_SOLVED: usize = 100;

/// Profiles of a mixed equilibrium's support up to which that is done.
const MOST_PROFILES: usize = 64;

/// Share of the payoffs' scale that a gain may have by rounding.
const TIED: f64 = 1e-9;

/// Work for the whole game, as [`crate::game::Search::budget`] counts it: games of three players with five strategies each take a tenth.
pub(super) const WHOLE_WORK: u64 = 1_000_000;

/// Work for each of the games with fewer strategies, of which there are many.
pub(super) const SUBGAME_WORK: u64 = 200_000;

/// All equilibria, and every list of points that costs are taken over.
pub(super) struct Solved {
    /// As the solver gives them.
    pub(super) found: Equilibria,
    /// Equilibria, and then the points of continua.
    pub(super) points: Vec<MixedProfile>,
}

impl Solved {
    /// Solve a game, with so much work at most (see [`crate::game::Search::budget`]).
    pub(super) fn of(game: &Game, settings: &Settings<'_>, budget: u64) -> Self {
        let found = equilibria(game, settings.search(budget));
        let isolated = found.equilibria.iter().map(|found| found.profile.clone());
        let continua = found.components.iter().flat_map(|c| c.points.iter().cloned());
        let points = isolated.chain(continua).collect();
        Self { found, points }
    }
}

/// How often an equilibrium with this support comes back when blocks are drawn anew. Only the strategies of the support are
/// solved for, and the others are then tried as ways out, so that this takes no longer in a large game. `None` if there is
/// one block, the support is large, or time ran out.
fn share(whole: &WholeGame, support: &[Vec<usize>], settings: &Settings<'_>) -> Option<f64> {
    let blocks = &whole.blocks;
    let profiles: usize = support.iter().map(Vec::len).product();
    if profiles > MOST_PROFILES || blocks.len() < 2 {
        return None;
    }
    let stopped = AtomicBool::new(false);
    let comes_back = |resample: &usize| {
        if (settings.stop)() {
            stopped.store(true, Ordering::Relaxed);
            return false;
        }
        let mut random = ChaCha12Rng::seed_from_u64(settings.seed);
        random.set_stream(*resample as u64);
        let drawn = (0..blocks.len()).map(|_| random.random_range(0..blocks.len()));
        let game = mean_game(&whole.game, blocks, &drawn.collect::<Vec<usize>>());
        has_equilibrium(&game, support, settings)
    };
    let count = settings.resamples.min(MOST_SOLVED);
    let kept = (0..count).into_par_iter().filter(comes_back).count();
    let is_cut = stopped.into_inner() || (settings.stop)();
    (!is_cut && count > 0).then(|| kept as f64 / count as f64)
}

/// Whether a game has an equilibrium in which exactly these strategies are played.
fn has_equilibrium(game: &Game, support: &[Vec<usize>], settings: &Settings<'_>) -> bool {
    let played = game.restricted(support);
    let spread = |found: &Equilibrium| -> MixedProfile {
        let mut whole: MixedProfile = game.shape().iter().map(|count| vec![0.0; *count]).collect();
        for (player, strategies) in support.iter().enumerate() {
            for (place, strategy) in strategies.iter().enumerate() {
                whole[player][*strategy] = found.profile[player][place];
            }
        }
        whole
    };
    let rests = |profile: &MixedProfile| {
        let regrets = game.regrets(profile);
        regrets.iter().enumerate().all(|(p, regret)| *regret <= TIED * game.payoff_scale(p))
    };
    let found = equilibria(&played, settings.search(SUBGAME_WORK)).equilibria;
    let full = |found: &&Equilibrium| {
        found.support().iter().zip(support).all(|(own, all)| own.len() == all.len())
    };
    found.iter().filter(full).any(|found| rests(&spread(found)))
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
    settings: &Settings<'_>,
) -> EquilibriaAnswer {
    let Equilibria { equilibria, components, completeness, reasons, .. } = &solved.found;
    let survival = pure_survival(&whole.game, &whole.blocks, settings.resamples, settings.seed);
    let list = equilibria.iter().map(|found| {
        let number = pure_number(&whole.game, found);
        let frequency = match number {
            Some(number) => survival.as_ref().map(|survival| survival.shares[number]),
            None => share(whole, &found.support(), settings),
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
        without_pure: survival.as_ref().map(|survival| survival.without_equilibrium),
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
