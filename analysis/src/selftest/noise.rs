//! Measurements of a known game.

use crate::game::anarchy::{PairedBlocks, Pairing};
use crate::game::{Game, Player, Replicate};
use crate::stats::Normal;

/// How measurements scatter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scatter {
    /// Blocks: each measures every profile once.
    pub(super) blocks: usize,
    /// Standard deviation over mean of one player's cost in one run.
    pub(super) variation: f64,
    /// Share of the variance that all runs of a block have in common.
    pub(super) common: f64,
}

impl Scatter {
    pub(super) fn describe(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let (variation, common) = (percent(self.variation), percent(self.common));
        format!("{} blocks, noise {variation}, {common} in common", self.blocks)
    }
}

/// Measure a game of costs: each player's cost in each run is the true one times 1 + noise, and the social cost
/// is their sum. The game that comes back has the replicates, in named blocks, and their means.
pub(super) fn measure(game: &Game, scatter: Scatter, seed: u64) -> Game {
    let mut normal = Normal::new(seed);
    let mut replicates: Vec<Vec<Replicate>> = vec![Vec::new(); game.profiles()];
    let (together, alone) = (scatter.common.sqrt(), (1.0 - scatter.common).sqrt());
    for block in 0..scatter.blocks {
        let shared = together * normal.draw();
        for (profile, replicates) in replicates.iter_mut().enumerate() {
            let mut noisy = |payoff: &f64| {
                payoff * (1.0 + scatter.variation * (shared + alone * normal.draw()))
            };
            let payoffs: Vec<f64> = game.payoffs_of(profile).iter().map(&mut noisy).collect();
            let cost = Some(-payoffs.iter().sum::<f64>());
            replicates.push(Replicate { block: Some(format!("{block:04}")), payoffs, cost });
        }
    }
    let players: Vec<Player> = (0..game.players()).map(|p| game.player(p).clone()).collect();
    Game::of_replicates(players, replicates).expect("finite measurements of every profile")
}

/// The blocks of a measured game.
pub(super) fn blocks(game: &Game) -> PairedBlocks {
    let blocks = PairedBlocks::of(game).expect("a measured game");
    debug_assert_eq!(blocks.pairing, Pairing::Named);
    blocks
}

/// A game in which nothing matters: every cost is the same.
pub(super) fn indifferent(strategies: &[usize]) -> Game {
    of_costs(strategies, |_| vec![10.0; strategies.len()])
}

/// A game in which all pay the same: less, the more of them have found the first strategy.
pub(super) fn common_interest(strategies: &[usize]) -> Game {
    let cost = |profile: &[usize]| 10.0 + profile.iter().sum::<usize>() as f64;
    of_costs(strategies, |profile| vec![cost(profile); strategies.len()])
}

fn of_costs(strategies: &[usize], costs: impl Fn(&[usize]) -> Vec<f64>) -> Game {
    let players = Player::numbered(strategies);
    let profiles: usize = strategies.iter().product();
    let blank = Game::new(players.clone(), vec![0.0; profiles * strategies.len()]);
    let blank = blank.expect("a game without payoffs");
    let outcomes = (0..profiles).map(|profile| {
        let costs = costs(&blank.profile(profile));
        let payoffs = costs.iter().map(|cost| -cost).collect();
        Some(crate::game::Outcome { payoffs, cost: Some(costs.iter().sum()) })
    });
    Game::of_outcomes(players, outcomes.collect()).expect("finite costs of every profile")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean;

    #[test]
    fn measurements_scatter_as_they_should() {
        let scatter = Scatter { blocks: 4000, variation: 0.1, common: 0.75 };
        let measured = measure(&indifferent(&[2, 2]), scatter, 1);
        let blocks = blocks(&measured);
        let column = |at: usize| blocks.payoffs.iter().map(|p| p[at] + 10.0).collect::<Vec<f64>>();
        let (a, b) = (column(0), column(5));
        let product =
            |x: &[f64], y: &[f64]| mean(&x.iter().zip(y).map(|(x, y)| x * y).collect::<Vec<f64>>());
        assert!((product(&a, &a).sqrt() - 1.0).abs() < 0.05);
        assert!((product(&a, &b) / product(&a, &a) - 0.75).abs() < 0.05);
        assert_eq!(measured, measure(&indifferent(&[2, 2]), scatter, 1));
    }
}
