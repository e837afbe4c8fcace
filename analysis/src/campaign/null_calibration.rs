//! What the same code says of data in which nothing differs.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

use super::Settings;
use super::answer::NullCalibration;
use super::tensor::WholeGame;
use crate::game::anarchy::{PairedBlocks, anarchy_point, simultaneous_bounds};
use crate::game::{Game, Outcome, pure_equilibria};
use crate::stats::{mean, quantile_sorted};

/// Data sets, at most.
const MOST: usize = 500;

/// Profiles up to which so many are made; fewer of larger games, because each is bounded anew.
const WORK: usize = 27 * MOST;

/// Take the profiles' means out of every block, deal what is left out anew to the profiles of the block, and put the
/// grand mean back: strategies then make no difference, and blocks keep their noise and their common part. Costs
/// are dealt as ratios, so that they stay above zero. `None` with less than two whole blocks or without costs
/// above zero.
pub(super) fn null_calibration(
    whole: &WholeGame,
    settings: &Settings<'_>,
) -> Option<NullCalibration> {
    let WholeGame { game, blocks, .. } = whole;
    let is_positive =
        !blocks.costs.is_empty() && blocks.costs.iter().flatten().all(|cost| *cost > 0.0);
    if blocks.len() < 2 || !is_positive {
        return None;
    }
    let noise = Noise::of(game, blocks);
    let count = settings.resamples.min(MOST).min((WORK / game.profiles()).max(20));
    let found: Vec<(Option<f64>, Option<bool>)> = (0..count)
        .into_par_iter()
        .map(|number| {
            if (settings.stop)() {
                return (None, None);
            }
            let mut random = ChaCha12Rng::seed_from_u64(settings.seed);
            random.set_stream(number as u64);
            let (null, blocks) = noise.deal(game, &mut random);
            let claims = simultaneous_bounds(&null, &blocks, None).ok();
            (naive(&null), claims.map(|bounds| bounds.anarchy.low > 1.0))
        })
        .collect();
    if (settings.stop)() {
        return None;
    }
    let mut prices: Vec<f64> = found.iter().filter_map(|(price, _)| *price).collect();
    prices.sort_by(f64::total_cmp);
    let observed = naive(game);
    let at_least = |observed: f64| prices.iter().filter(|price| **price >= observed).count();
    let claims: Vec<bool> = found.iter().filter_map(|(_, claims)| *claims).collect();
    let has_bounds = blocks.len() >= 3;
    Some(NullCalibration {
        data_sets: count,
        identified: prices.len(),
        median: (!prices.is_empty()).then(|| quantile_sorted(&prices, 0.5)),
        quantile_95: (!prices.is_empty()).then(|| quantile_sorted(&prices, 0.95)),
        false_claims: has_bounds
            .then(|| claims.iter().filter(|claims| **claims).count() as f64 / count as f64),
        p_value: observed.map(|price| (at_least(price) + 1) as f64 / (prices.len() + 1) as f64),
    })
}

/// The costliest pure equilibrium of the means over their optimum.
fn naive(game: &Game) -> Option<f64> {
    let pure: Vec<_> =
        pure_equilibria(game).into_iter().map(|profile| game.pure_profile(profile)).collect();
    anarchy_point(game, &pure).ok().map(|point| point.anarchy)
}

/// What is left of every block without the profiles' means.
struct Noise {
    players: usize,
    grand_payoffs: Vec<f64>,
    grand_cost: f64,
    /// By block and profile: payoffs of all players, and the ratio of the cost.
    residuals: Vec<Vec<(Vec<f64>, f64)>>,
}

impl Noise {
    fn of(game: &Game, blocks: &PairedBlocks) -> Self {
        let players = game.players();
        let profiles = game.profiles();
        let count = blocks.len() as f64;
        let average = |values: &[Vec<f64>], at: usize| {
            values.iter().map(|block| block[at]).sum::<f64>() / count
        };
        let payoffs: Vec<f64> =
            (0..profiles * players).map(|at| average(&blocks.payoffs, at)).collect();
        let costs: Vec<f64> = (0..profiles).map(|at| average(&blocks.costs, at)).collect();
        let residual = |block: usize, profile: usize| {
            let own = &blocks.payoffs[block][profile * players..(profile + 1) * players];
            let means = &payoffs[profile * players..(profile + 1) * players];
            let left = own.iter().zip(means).map(|(own, mean)| own - mean).collect();
            (left, blocks.costs[block][profile] / costs[profile])
        };
        let of_player = |player: usize| {
            mean(&payoffs.iter().skip(player).step_by(players).copied().collect::<Vec<f64>>())
        };
        Self {
            players,
            grand_payoffs: (0..players).map(of_player).collect(),
            grand_cost: mean(&costs),
            residuals: (0..blocks.len())
                .map(|block| (0..profiles).map(|profile| residual(block, profile)).collect())
                .collect(),
        }
    }

    /// A game in which nothing differs, with its blocks.
    fn deal(&self, game: &Game, random: &mut impl Rng) -> (Game, PairedBlocks) {
        let profiles = game.profiles();
        let mut null = PairedBlocks {
            payoffs: Vec::new(),
            costs: Vec::new(),
            pairing: crate::game::anarchy::Pairing::Named,
            left_out: 0,
        };
        let mut order: Vec<usize> = (0..profiles).collect();
        for residuals in &self.residuals {
            order.shuffle(random);
            let dealt = || order.iter().map(|profile| &residuals[*profile]);
            let payoffs = dealt().flat_map(|(left, _)| {
                left.iter().zip(&self.grand_payoffs).map(|(left, grand)| left + grand)
            });
            null.payoffs.push(payoffs.collect());
            null.costs.push(dealt().map(|(_, ratio)| ratio * self.grand_cost).collect());
        }
        let count = null.len() as f64;
        let sum =
            |values: &[Vec<f64>], at: usize| values.iter().map(|block| block[at]).sum::<f64>();
        let outcome = |profile: usize| {
            let payoff = |player| sum(&null.payoffs, profile * self.players + player) / count;
            let payoffs = (0..self.players).map(payoff).collect();
            Some(Outcome { payoffs, cost: Some(sum(&null.costs, profile) / count) })
        };
        let players = (0..game.players()).map(|player| game.player(player).clone()).collect();
        let means = Game::of_outcomes(players, (0..profiles).map(outcome).collect());
        (means.expect("finite means of the same players"), null)
    }
}
