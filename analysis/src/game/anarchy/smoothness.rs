//! The robust Price of Anarchy, by smoothness.

use super::point::{Verdict, least, positive_costs};
use crate::game::{Deadline, Game};

/// A bound that holds for pure, mixed, correlated and coarse correlated equilibria, and for what no-regret
/// learners do on average (Roughgarden 2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothness {
    /// lambda / (1 - mu), the bound on the Price of Anarchy.
    pub bound: f64,
    /// How much of the optimum's cost a profile may be charged.
    pub lambda: f64,
    /// How much of a profile's own cost it may be charged.
    pub mu: f64,
}

/// The least bound lambda / (1 - mu) with mu < 1 such that, for every profile s and the optimum o, the players
/// who move from s to their part of o one at a time pay together at most lambda C(o) + mu C(s).
///
/// Costs of players are negative payoffs. The bound needs a social cost that is nowhere above their sum;
/// `Ok(None)` if it is.
///
/// # Errors
///
/// The verdict if the social cost is missing or not above zero.
pub fn smoothness(game: &Game) -> Result<Option<Smoothness>, Verdict> {
    smoothness_until(game, Deadline::NEVER)
}

/// [`smoothness`] that leaves the optima out for which there is no time: every one gives a bound, and the more the
/// better.
///
/// # Errors
///
/// As [`smoothness`].
pub fn smoothness_until(game: &Game, deadline: Deadline) -> Result<Option<Smoothness>, Verdict> {
    let costs = positive_costs(game)?;
    let paid = |profile: usize| -game.welfare(profile);
    if (0..game.profiles()).any(|profile| costs[profile] > paid(profile) + 1e-9 * costs[profile]) {
        return Ok(None);
    }
    let least_cost = costs[least(costs)];
    let optima = (0..game.profiles()).filter(|profile| costs[*profile] <= least_cost);
    let in_time = optima.take_while(|_| !deadline.has_passed());
    let bounds = in_time.map(|optimum| against(game, costs, optimum));
    Ok(bounds.min_by(|a, b| a.bound.total_cmp(&b.bound)))
}

/// With t = 1 / (1 - mu) the bound is the largest of t A(s) / C(o) - (t - 1) C(s) / C(o) over profiles s: lines
/// in t, whose upper envelope is followed from t = 0 to its lowest point.
fn against(game: &Game, costs: &[f64], optimum: usize) -> Smoothness {
    let line = |profile: usize| {
        let moved = |player: usize| {
            let strategy = game.strategy(optimum, player);
            -game.payoff(game.deviation(profile, player, strategy), player)
        };
        let moved: f64 = (0..game.players()).map(moved).sum();
        let least = costs[optimum];
        (costs[profile] / least, (moved - costs[profile]) / least)
    };
    let lines: Vec<(f64, f64)> = (0..game.profiles()).map(line).collect();
    let (mut t, mut at) = (0.0, highest(&lines));
    while lines[at].1 < 0.0 {
        let (height, slope) = lines[at];
        // The next line to overtake: the first crossing among those that fall less.
        let crossing = |(other, rise): &(f64, f64)| (height - other) / (rise - slope);
        let next = (0..lines.len()).filter(|index| lines[*index].1 > slope).min_by(|a, b| {
            let (a, b) = (&lines[*a], &lines[*b]);
            crossing(a).total_cmp(&crossing(b)).then(b.1.total_cmp(&a.1))
        });
        let Some(next) = next else { break };
        t = f64::max(t, crossing(&lines[next]));
        at = next;
    }
    let bound = lines[at].0 + t * lines[at].1;
    // At t = 0, where mu is minus infinity, the bound is the costliest profile over the optimum.
    Smoothness { bound, lambda: if t > 0.0 { bound / t } else { f64::INFINITY }, mu: 1.0 - 1.0 / t }
}

/// The highest line at t = 0; of several the one that rises most.
fn highest(lines: &[(f64, f64)]) -> usize {
    let order = |a: &usize, b: &usize| {
        let (a, b) = (lines[*a], lines[*b]);
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    (0..lines.len()).max_by(order).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::congestion::tests::{
        braess, random_congestion, singletons, tight_five_halves,
    };
    use crate::game::{CorrelatedKind, extreme_correlated, pure_equilibria};

    fn bound(game: &Game) -> f64 {
        smoothness(game).unwrap().unwrap().bound
    }

    #[test]
    fn bounds_of_the_literature() {
        assert!((bound(&tight_five_halves().to_game().unwrap()) - 2.5).abs() < 1e-12);
        assert!((bound(&braess(true).to_game().unwrap()) - 67.0 / 55.0).abs() < 1e-12);
        assert!(bound(&singletons().to_game().unwrap()) >= 4.0 / 3.0 - 1e-12);
    }

    #[test]
    fn the_parameters_satisfy_every_inequality_and_affine_games_stay_below_five_halves() {
        for seed in 0..200 {
            let game = random_congestion(seed).to_game().unwrap();
            let found = smoothness(&game).unwrap().unwrap();
            assert!(found.bound <= 2.5 + 1e-9, "seed {seed}: {found:?}");
            let costs = game.costs().unwrap();
            let best = costs[least(costs)];
            if !found.lambda.is_finite() {
                continue;
            }
            let is_smooth = (0..game.profiles()).filter(|o| costs[*o] <= best).any(|optimum| {
                (0..game.profiles()).all(|profile| {
                    let moved: f64 = (0..game.players())
                        .map(|player| {
                            let strategy = game.strategy(optimum, player);
                            -game.payoff(game.deviation(profile, player, strategy), player)
                        })
                        .sum();
                    moved <= found.lambda * best + found.mu * costs[profile] + 1e-9 * moved.abs()
                })
            });
            assert!(is_smooth, "seed {seed}: {found:?}");
        }
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
            let [correlated, coarse] =
                [CorrelatedKind::Correlated, CorrelatedKind::Coarse].map(|kind| {
                    extreme_correlated(&game, kind, costs, true, Deadline::NEVER).unwrap().value
                        / optimum
                });
            let robust = bound(&game);
            let rising = [1.0, stability, anarchy, correlated, coarse, robust];
            assert!(
                rising.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-7)),
                "seed {seed}: {rising:?}"
            );
        }
    }
}
