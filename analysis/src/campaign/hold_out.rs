//! Claims chosen on some blocks and valued on others: without the winner's curse.

use super::answer::{HoldOut, HoldOutWay};
use super::equilibria::mean_game;
use super::tensor::WholeGame;
use crate::game::pure_equilibria;
use crate::stats::mean;

/// Fewest whole blocks of a half.
const FEWEST: usize = 2;

/// Choose the optimum and the costliest pure equilibrium on every other block, and value both on the rest; and the
/// other way round. `None` of less than four whole blocks, or without a social cost.
pub(super) fn hold_out(whole: &WholeGame) -> Option<HoldOut> {
    let blocks = &whole.blocks;
    if blocks.len() < 2 * FEWEST || blocks.costs.len() != blocks.len() {
        return None;
    }
    let half = |parity: usize| -> Vec<usize> { (parity..blocks.len()).step_by(2).collect() };
    let ways: Vec<HoldOutWay> =
        [(0, 1), (1, 0)].map(|(own, other)| way(whole, &half(own), &half(other))).into();
    let held_out: Option<Vec<f64>> = ways.iter().map(|way| way.anarchy_held_out).collect();
    Some(HoldOut { ways, anarchy: held_out.map(|ratios| mean(&ratios)) })
}

fn way(whole: &WholeGame, own: &[usize], other: &[usize]) -> HoldOutWay {
    let [here, there] = [own, other].map(|half| mean_game(&whole.game, &whole.blocks, half));
    let [costs_here, costs_there] = [own, other].map(|half| mean_costs(whole, half));
    let by_cost = |a: &usize, b: &usize| costs_here[*a].total_cmp(&costs_here[*b]);
    let optimum = (0..here.profiles()).min_by(by_cost).unwrap_or(0);
    let worst = pure_equilibria(&here).into_iter().rev().max_by(by_cost);
    let ratio =
        |costs: &[f64], worst: usize| (costs[optimum] > 0.0).then(|| costs[worst] / costs[optimum]);
    HoldOutWay {
        chosen_on: own.iter().map(|place| whole.block_numbers[*place]).collect(),
        optimum: whole.profile(optimum),
        worst: worst.map(|worst| whole.profile(worst)),
        anarchy_there: worst.and_then(|worst| ratio(&costs_here, worst)),
        anarchy_held_out: worst.and_then(|worst| ratio(&costs_there, worst)),
        regret_held_out: worst.map(|worst| {
            let regrets = (0..there.players()).map(|player| there.pure_regret(worst, player));
            regrets.fold(0.0, f64::max)
        }),
    }
}

fn mean_costs(whole: &WholeGame, half: &[usize]) -> Vec<f64> {
    let of_profile = |profile: usize| {
        mean(&half.iter().map(|block| whole.blocks.costs[*block][profile]).collect::<Vec<f64>>())
    };
    (0..whole.game.profiles()).map(of_profile).collect()
}
