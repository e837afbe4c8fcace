//! Commitment by the leader.

use super::answer::{self, Stackelberg};
use super::cells::estimate;
use super::paired_means::Basis;
use super::tensor::WholeGame;
use crate::experiment::Design;
use crate::game::stackelberg::{Commitment, mixed_optimistic, pure_commitment};
use crate::game::{Deadline, pure_equilibria};

/// What the leader can commit to, or why that is not known.
pub(super) fn stackelberg(design: &Design, whole: &WholeGame) -> Result<Stackelberg, String> {
    let leader = design.leader.ok_or("nobody commits first: the design names no leader")?;
    if whole.players < 2 {
        return Err("there is nobody to follow: the design has one player".to_owned());
    }
    let game = &whole.game;
    let found = pure_commitment(game, leader);
    let commitment = |found: Option<Commitment>| found.and_then(|f| of_profile(whole, leader, f));
    let equilibria = pure_equilibria(game).into_iter().map(|profile| game.payoff(profile, leader));
    Ok(Stackelberg {
        leader,
        optimistic: commitment(found.optimistic),
        pessimistic: commitment(found.pessimistic),
        unanswered: found.unanswered,
        mixed_optimistic: mixed_optimistic(game, leader, Deadline::NEVER)
            .ok()
            .flatten()
            .map(|found| found.value),
        best_equilibrium: equilibria.reduce(f64::max),
    })
}

fn of_profile(whole: &WholeGame, leader: usize, found: Commitment) -> Option<answer::Commitment> {
    let replicates = &whole.game.replicates()?[found.profile];
    let values: Vec<f64> = replicates.iter().map(|replicate| replicate.payoffs[leader]).collect();
    let value = estimate(&values)?;
    let interval = value.interval.filter(|_| whole.basis == Basis::WholeBlocks);
    Some(answer::Commitment {
        profile: whole.profile(found.profile),
        value: answer::Estimate { interval, ..value },
        cost: whole.game.costs().map(|costs| costs[found.profile]),
    })
}
