//! Atomic congestion games: each player puts its whole weight on one of its sets of resources.

use super::latency::Latency;
use crate::game::{Game, GameError, Outcome, Player};

/// One player of an atomic congestion game.
#[derive(Debug, Clone, PartialEq)]
pub struct AtomicPlayer {
    /// The load it brings.
    pub weight: f64,
    /// The sets of resources it may use, by number; each without repetition.
    pub strategies: Vec<Vec<usize>>,
}

/// Players with weights, and resources with latencies.
///
/// A player's cost is the sum of the latencies of its resources; the social cost is the sum over players of
/// weight x cost, which is the sum over resources of load x latency.
#[derive(Debug, Clone, PartialEq)]
pub struct AtomicCongestion {
    /// The resources.
    pub resources: Vec<Latency>,
    /// The players.
    pub players: Vec<AtomicPlayer>,
}

/// Where best-response dynamics ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// One strategy per player.
    pub profile: Vec<usize>,
    /// Moves until then.
    pub moves: usize,
    /// Whether nobody would move any more; false if the moves ran out.
    pub is_equilibrium: bool,
}

/// A gain below this share of the cost is rounding.
const ROUNDING: f64 = 1e-12;

impl AtomicCongestion {
    /// Players of weight 1.
    #[must_use]
    pub fn unweighted(resources: Vec<Latency>, strategies: Vec<Vec<Vec<usize>>>) -> Self {
        let players =
            strategies.into_iter().map(|strategies| AtomicPlayer { weight: 1.0, strategies });
        Self { resources, players: players.collect() }
    }

    /// Whether every player has the weight 1, so that Rosenthal's potential exists for every latency.
    #[must_use]
    pub fn is_unweighted(&self) -> bool {
        self.players.iter().all(|player| player.weight == 1.0)
    }

    /// The load of each resource.
    #[must_use]
    pub fn loads(&self, profile: &[usize]) -> Vec<f64> {
        let mut loads = vec![0.0; self.resources.len()];
        for (player, strategy) in self.players.iter().zip(profile) {
            for resource in &player.strategies[*strategy] {
                loads[*resource] += player.weight;
            }
        }
        loads
    }

    /// The cost of each player.
    #[must_use]
    pub fn costs(&self, profile: &[usize]) -> Vec<f64> {
        let loads = self.loads(profile);
        let players = self.players.iter().zip(profile);
        players
            .map(|(player, strategy)| {
                player.strategies[*strategy].iter().map(|r| self.resources[*r].at(loads[*r])).sum()
            })
            .collect()
    }

    /// The sum over resources of load x latency.
    #[must_use]
    pub fn social_cost(&self, profile: &[usize]) -> f64 {
        let loads = self.loads(profile);
        self.resources.iter().zip(loads).map(|(latency, load)| latency.total(load)).sum()
    }

    /// Rosenthal's potential (1973): the sum over resources of the latencies at 1, 2, ..., load. A player
    /// who moves changes it by as much as its own cost. `None` if the players are weighted.
    #[must_use]
    pub fn rosenthal_potential(&self, profile: &[usize]) -> Option<f64> {
        if !self.is_unweighted() {
            return None;
        }
        let loads = self.loads(profile);
        let of_resource = |(latency, load): (&Latency, f64)| {
            (1..=load as usize).map(|users| latency.at(users as f64)).sum::<f64>()
        };
        Some(self.resources.iter().zip(loads).map(of_resource).sum())
    }

    /// Let the players move to a best response one after the other, in turn, until nobody gains. Without
    /// weights this ends by Rosenthal's potential; with weights it may run in circles.
    #[must_use]
    pub fn best_response_dynamics(&self, start: &[usize], most_moves: usize) -> Settled {
        let mut profile = start.to_vec();
        let mut moves = 0;
        loop {
            let before = moves;
            for player in 0..self.players.len() {
                if let Some(better) = self.better_response(&profile, player) {
                    if moves == most_moves {
                        return Settled { profile, moves, is_equilibrium: false };
                    }
                    profile[player] = better;
                    moves += 1;
                }
            }
            if moves == before {
                return Settled { profile, moves, is_equilibrium: true };
            }
        }
    }

    /// The cheapest strategy of a player, the first of several; `None` if it has it already.
    fn better_response(&self, profile: &[usize], player: usize) -> Option<usize> {
        let AtomicPlayer { weight, strategies } = &self.players[player];
        let mut others = self.loads(profile);
        for resource in &strategies[profile[player]] {
            others[*resource] -= weight;
        }
        let cost = |strategy: &Vec<usize>| -> f64 {
            strategy.iter().map(|r| self.resources[*r].at(others[*r] + weight)).sum()
        };
        let costs: Vec<f64> = strategies.iter().map(cost).collect();
        let now = costs[profile[player]];
        let (best, least) =
            costs.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).expect("a strategy");
        (now - least > ROUNDING * now.abs()).then_some(best)
    }

    /// The same game in normal form: payoffs are negative costs, the social cost is that of the game.
    /// Strategies are named by their resources.
    ///
    /// # Errors
    ///
    /// If there are fewer than two players, or a load is beyond the capacity of a resource.
    pub fn to_game(&self) -> Result<Game, GameError> {
        let players: Vec<Player> = self.players.iter().enumerate().map(named).collect();
        let counts: Vec<usize> = self.players.iter().map(|p| p.strategies.len()).collect();
        let profiles: usize = counts.iter().product();
        let mut profile = vec![0; counts.len()];
        let mut outcomes = Vec::with_capacity(profiles);
        for _ in 0..profiles {
            outcomes.push(Some(Outcome {
                payoffs: self.costs(&profile).into_iter().map(|cost| -cost).collect(),
                cost: Some(self.social_cost(&profile)),
            }));
            next(&mut profile, &counts);
        }
        Game::of_outcomes(players, outcomes)
    }
}

fn named((index, player): (usize, &AtomicPlayer)) -> Player {
    let name = |strategy: &Vec<usize>| {
        let resources: Vec<String> = strategy.iter().map(ToString::to_string).collect();
        format!("resources {}", resources.join("+"))
    };
    let strategies = player.strategies.iter().map(name).collect();
    Player { name: (index + 1).to_string(), strategies }
}

/// The next profile, with the last player fastest.
fn next(profile: &mut [usize], counts: &[usize]) {
    for (strategy, count) in profile.iter_mut().zip(counts).rev() {
        *strategy += 1;
        if *strategy < *count {
            return;
        }
        *strategy = 0;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn identity(count: usize) -> Vec<Latency> {
        vec![Latency::affine(1.0, 0.0); count]
    }

    /// Christodoulou and Koutsoupias 2005: three players, resources h0 h1 h2 g0 g1 g2.
    pub(crate) fn tight_five_halves() -> AtomicCongestion {
        let strategies = |i: usize| {
            let (one, two) = ((i + 1) % 3, (i + 2) % 3);
            vec![vec![i, 3 + i], vec![one, two, 3 + one]]
        };
        AtomicCongestion::unweighted(identity(6), (0..3).map(strategies).collect())
    }

    /// Braess's paradox with three players: sv, wt cost x; vt, sw 3.5; vw nothing.
    pub(crate) fn braess(with_bridge: bool) -> AtomicCongestion {
        let (x, constant) = (Latency::affine(1.0, 0.0), Latency::affine(0.0, 3.5));
        let resources = vec![x.clone(), x, constant.clone(), constant, Latency::affine(0.0, 0.0)];
        let mut paths = vec![vec![0, 2], vec![3, 1]];
        if with_bridge {
            paths.push(vec![0, 4, 1]);
        }
        AtomicCongestion::unweighted(resources, vec![paths; 3])
    }

    /// Three players on single resources of cost x, 2 x, 3 x.
    pub(crate) fn singletons() -> AtomicCongestion {
        let resources = [1.0, 2.0, 3.0].map(|slope| Latency::affine(slope, 0.0)).to_vec();
        AtomicCongestion::unweighted(resources, vec![vec![vec![0], vec![1], vec![2]]; 3])
    }

    pub(crate) fn random(seed: u64) -> AtomicCongestion {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let resources = (0..4)
            .map(|_| {
                Latency::affine(
                    f64::from(random.random_range(0..5)),
                    f64::from(random.random_range(1..4)),
                )
            })
            .collect();
        // Seven and fifteen have no common factor: the three subsets are different.
        let mut subsets = || -> Vec<Vec<usize>> {
            let first = random.random_range(0..15);
            let bits = (0..3).map(|index| (first + 7 * index) % 15 + 1);
            bits.map(|bits| (0..4).filter(|resource| bits >> resource & 1 == 1).collect()).collect()
        };
        let strategies = (0..3).map(|_| subsets()).collect();
        AtomicCongestion::unweighted(resources, strategies)
    }

    #[test]
    fn the_tensor_of_the_tight_example() {
        let game = tight_five_halves();
        let normal = game.to_game().unwrap();
        let potential: Vec<f64> =
            (0..8).map(|p| game.rosenthal_potential(&normal.profile(p)).unwrap()).collect();
        assert_eq!(normal.costs().unwrap(), [6., 13., 13., 16., 13., 16., 16., 15.]);
        assert_eq!(potential, [6., 10., 10., 12., 10., 12., 12., 12.]);
    }

    #[test]
    fn the_potential_of_the_singletons_is_five_at_least() {
        let game = singletons();
        let normal = game.to_game().unwrap();
        let potentials =
            (0..normal.profiles()).map(|p| game.rosenthal_potential(&normal.profile(p)).unwrap());
        assert_eq!(potentials.fold(f64::INFINITY, f64::min), 5.0);
    }

    #[test]
    fn best_response_dynamics_ends_in_an_equilibrium_and_lowers_the_potential() {
        for seed in 0..200 {
            let game = random(seed);
            let normal = game.to_game().unwrap();
            let settled = game.best_response_dynamics(&[0, 0, 0], 10_000);
            assert!(settled.is_equilibrium, "seed {seed}");
            let profile = normal.profile_index(&settled.profile);
            let regret = (0..3).map(|p| normal.pure_regret(profile, p)).fold(0.0, f64::max);
            assert!(regret < 1e-9, "seed {seed}: {regret}");
            let (first, last) =
                (game.rosenthal_potential(&[0, 0, 0]), game.rosenthal_potential(&settled.profile));
            assert!(last <= first, "seed {seed}");
        }
    }

    #[test]
    fn rosenthals_potential_changes_by_the_mover_s_own_cost() {
        for seed in 0..200 {
            let game = random(seed);
            let normal = game.to_game().unwrap();
            for profile in 0..normal.profiles() {
                for player in 0..3 {
                    for other in normal.deviations(profile, player) {
                        let potential =
                            |p: usize| game.rosenthal_potential(&normal.profile(p)).unwrap();
                        let gain = normal.payoff(other, player) - normal.payoff(profile, player);
                        let change = potential(other) - potential(profile);
                        assert!((gain + change).abs() < 1e-9, "seed {seed}");
                    }
                }
            }
        }
    }

    #[test]
    fn weighted_players_load_by_their_weight() {
        let player = |weight| AtomicPlayer { weight, strategies: vec![vec![0], vec![1]] };
        let game = AtomicCongestion {
            resources: identity(2),
            players: vec![player(2.0), player(1.0), player(3.0)],
        };
        assert_eq!(game.loads(&[0, 0, 1]), [3.0, 3.0]);
        assert_eq!(game.costs(&[0, 0, 0]), [6.0, 6.0, 6.0]);
        assert_eq!(game.social_cost(&[0, 0, 1]), 18.0);
        assert_eq!(game.rosenthal_potential(&[0, 0, 1]), None);
        let settled = game.best_response_dynamics(&[0, 0, 0], 100);
        assert!(settled.is_equilibrium);
        assert_eq!(game.loads(&settled.profile).iter().sum::<f64>(), 6.0);
    }

    #[test]
    fn removing_braess_s_bridge_helps() {
        let cost = |game: &AtomicCongestion| {
            let settled = game.best_response_dynamics(&[0, 0, 1], 1000);
            game.social_cost(&settled.profile)
        };
        assert_eq!((cost(&braess(true)), cost(&braess(false))), (18.0, 15.5));
    }
}
