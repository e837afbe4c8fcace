//! The point values over the equilibria that are known.

use crate::game::Game;

/// Why a number, or a side of an interval, cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The game has no social cost; a sum of utilities of mixed sign is none.
    NoSocialCost,
    /// The social cost is zero or negative somewhere, or may be within its noise: the ratio has no bound.
    Unbounded,
    /// No equilibrium was found, or too few replicates tell which profiles are equilibria.
    NotIdentified,
}

impl Verdict {
    /// The word for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSocialCost => "NO SOCIAL COST",
            Self::Unbounded => "UNBOUNDED",
            Self::NotIdentified => "NOT IDENTIFIED",
        }
    }
}

/// Price of Anarchy and of Stability over a list of equilibria.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnarchyPoint {
    /// Largest cost of an equilibrium over the least cost of any profile.
    pub anarchy: f64,
    /// Least cost of an equilibrium over the same.
    pub stability: f64,
    /// The equilibrium of largest cost, by its place in the list.
    pub worst: usize,
    /// The equilibrium of least cost.
    pub best: usize,
    /// The pure profile of least cost.
    pub optimum: usize,
    /// Its cost.
    pub optimum_cost: f64,
}

/// The Price of Anarchy (Koutsoupias and Papadimitriou 1999) and of Stability (Anshelevich et al. 2004) over
/// the given equilibria, pure or mixed, one probability per strategy of each player.
///
/// # Errors
///
/// The verdict if the ratio is not defined.
pub fn anarchy_point(game: &Game, equilibria: &[Vec<Vec<f64>>]) -> Result<AnarchyPoint, Verdict> {
    let costs = positive_costs(game)?;
    let expected: Vec<f64> =
        equilibria.iter().map(|profile| game.expectation(costs, profile)).collect();
    let by_cost = |a: &usize, b: &usize| expected[*a].total_cmp(&expected[*b]);
    // Of several that cost the same, the first: `max_by` alone would take the last.
    let worst = (0..expected.len()).rev().max_by(by_cost).ok_or(Verdict::NotIdentified)?;
    let best = (0..expected.len()).min_by(by_cost).ok_or(Verdict::NotIdentified)?;
    let optimum = least(costs);
    let optimum_cost = costs[optimum];
    Ok(AnarchyPoint {
        anarchy: expected[worst] / optimum_cost,
        stability: expected[best] / optimum_cost,
        worst,
        best,
        optimum,
        optimum_cost,
    })
}

/// The social costs, if all are above zero.
pub(super) fn positive_costs(game: &Game) -> Result<&[f64], Verdict> {
    let costs = game.costs().ok_or(Verdict::NoSocialCost)?;
    if costs.iter().all(|cost| *cost > 0.0) { Ok(costs) } else { Err(Verdict::Unbounded) }
}

/// The first profile of least cost.
pub(super) fn least(costs: &[f64]) -> usize {
    (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::congestion::tests::{
        braess, random_congestion, singletons, tight_five_halves,
    };
    use crate::game::congestion::{AtomicCongestion, AtomicPlayer, Latency};
    use crate::game::{Outcome, Player, pure_equilibria};

    fn of(game: &AtomicCongestion) -> (f64, f64) {
        let game = game.to_game().unwrap();
        let pure: Vec<_> = pure_equilibria(&game).iter().map(|p| game.pure_profile(*p)).collect();
        let point = anarchy_point(&game, &pure).unwrap();
        (point.anarchy, point.stability)
    }

    #[test]
    fn games_of_the_literature() {
        assert_eq!(of(&tight_five_halves()), (2.5, 1.0));
        let (anarchy, stability) = of(&braess(true));
        assert!((anarchy - 1.2).abs() < 1e-12 && (stability - 1.2).abs() < 1e-12);
        assert_eq!(of(&singletons()), (1.0, 1.0));
        // Pigou with two whole players: a constant of 2 against x.
        let links = vec![Latency::affine(0.0, 2.0), Latency::affine(1.0, 0.0)];
        let pigou = AtomicCongestion::unweighted(links, vec![vec![vec![0], vec![1]]; 2]);
        assert_eq!(of(&pigou), (4.0 / 3.0, 1.0));
    }

    /// Each of two players has its own resource, or the other's and a spare one: tight at 2.
    #[test]
    fn two_players_are_tight_at_two() {
        let strategies = |i: usize| vec![vec![i], vec![1 - i, 2 + i]];
        let game = AtomicCongestion::unweighted(
            vec![Latency::affine(1.0, 0.0); 4],
            (0..2).map(strategies).collect(),
        );
        assert_eq!(of(&game), (2.0, 1.0));
    }

    /// The scaled Braess network of three players: 13 pure equilibria of cost 14/3, 16/3 and 6.
    #[test]
    fn braess_of_thirds_has_thirteen_equilibria() {
        let (x, one) = (Latency::affine(1.0 / 3.0, 0.0), Latency::affine(0.0, 1.0));
        let resources = vec![x.clone(), x, one.clone(), one, Latency::affine(0.0, 0.0)];
        let paths = vec![vec![0, 2], vec![3, 1], vec![0, 4, 1]];
        let game = AtomicCongestion::unweighted(resources, vec![paths; 3]).to_game().unwrap();
        // Ties that rounding breaks are counted with a tolerance.
        let rests = |p: &usize| (0..3).all(|player| game.pure_regret(*p, player) < 1e-12);
        let found: Vec<usize> = (0..27).filter(rests).collect();
        assert_eq!(found.len(), 13);
        let pure: Vec<_> = found.iter().map(|p| game.pure_profile(*p)).collect();
        let point = anarchy_point(&game, &pure).unwrap();
        assert!((point.anarchy - 9.0 / 7.0).abs() < 1e-12);
        assert!((point.optimum_cost - 14.0 / 3.0).abs() < 1e-12);
    }

    /// Awerbuch, Azar and Epstein 2005: four weighted players whose detours use each other's edges.
    #[test]
    fn weighted_players_reach_the_square_of_the_golden_ratio() {
        let golden = f64::midpoint(1.0, 5_f64.sqrt());
        let player = |weight: f64, direct: usize, detour: &[usize]| AtomicPlayer {
            weight,
            strategies: vec![vec![direct], detour.to_vec()],
        };
        let congestion = AtomicCongestion {
            resources: vec![Latency::affine(1.0, 0.0); 4],
            players: vec![
                player(golden, 0, &[1, 3]),
                player(golden, 1, &[0, 2]),
                player(1.0, 2, &[1]),
                player(1.0, 3, &[0]),
            ],
        };
        let game = congestion.to_game().unwrap();
        let [direct, detours] = [game.profile_index(&[0; 4]), game.profile_index(&[1; 4])];
        for profile in [direct, detours] {
            // All are indifferent on the detours, up to rounding.
            assert!((0..4).all(|player| game.pure_regret(profile, player) < 1e-12));
        }
        let profiles = [direct, detours].map(|profile| game.pure_profile(profile));
        let point = anarchy_point(&game, &profiles).unwrap();
        assert!((point.anarchy - (3.0 + 5_f64.sqrt()) / 2.0).abs() < 1e-12, "{point:?}");
        assert!((point.stability - 1.0).abs() < 1e-12);
    }

    /// Jobs of 2, 2, 1 and 1 on two machines, where the social cost is the load of the fuller one: 2 - 2 / (m + 1).
    #[test]
    fn the_fuller_of_two_machines_costs_four_thirds() {
        let jobs = [2.0, 2.0, 1.0, 1.0];
        let outcome = |profile: usize| {
            let machine = |job: usize| profile >> job & 1;
            let load = |of: usize| -> f64 {
                (0..4).filter(|job| machine(*job) == of).map(|job| jobs[job]).sum()
            };
            let payoffs = (0..4).rev().map(|job| -load(machine(job))).collect();
            Some(Outcome { payoffs, cost: Some(load(0).max(load(1))) })
        };
        let players = Player::numbered(&[2; 4]);
        let game = Game::of_outcomes(players, (0..16).map(outcome).collect()).unwrap();
        let pure: Vec<_> = pure_equilibria(&game).iter().map(|p| game.pure_profile(*p)).collect();
        let point = anarchy_point(&game, &pure).unwrap();
        assert_eq!((point.anarchy, point.stability, point.optimum_cost), (4.0 / 3.0, 1.0, 3.0));
    }

    /// Christodoulou and Koutsoupias 2005: (5 N - 2) / (2 N + 1) for N players with the same strategies.
    #[test]
    fn symmetric_affine_congestion_never_exceeds_thirteen_sevenths() {
        for seed in 0..300 {
            let mut congestion = random_congestion(seed);
            let first = congestion.players[0].clone();
            congestion.players.fill(first);
            let (anarchy, _) = of(&congestion);
            assert!(anarchy <= 13.0 / 7.0 + 1e-9, "seed {seed}: {anarchy}");
        }
    }

    #[test]
    fn affine_congestion_never_exceeds_five_halves() {
        for seed in 0..300 {
            let (anarchy, stability) = of(&random_congestion(seed));
            assert!((1.0..=2.5 + 1e-12).contains(&anarchy), "seed {seed}: {anarchy}");
            assert!(stability <= 1.577_350_3 && stability <= anarchy, "seed {seed}: {stability}");
        }
    }

    #[test]
    fn what_is_not_defined_has_its_verdict() {
        let game = tight_five_halves().to_game().unwrap();
        assert_eq!(anarchy_point(&game, &[]), Err(Verdict::NotIdentified));
        let bare = game.with_payoffs(game.payoffs().to_vec()).unwrap();
        let first = vec![bare.pure_profile(0)];
        assert_eq!(anarchy_point(&bare, &first), Err(Verdict::NoSocialCost));
        let free = AtomicCongestion::unweighted(
            vec![Latency::affine(1.0, 0.0), Latency::affine(0.0, 0.0)],
            vec![vec![vec![0], vec![1]]; 2],
        );
        let free = free.to_game().unwrap();
        let first = vec![free.pure_profile(0)];
        assert_eq!(anarchy_point(&free, &first), Err(Verdict::Unbounded));
        assert_eq!(Verdict::Unbounded.name(), "UNBOUNDED");
    }
}
