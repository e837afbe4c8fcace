//! The test for an exact potential.

use crate::game::{Deadline, Game};

/// Whether one function of the profile tells every player what a move is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactPotential {
    /// The potential of every profile, 0 at the first, if there is one.
    pub potential: Option<Vec<f64>>,
    /// The largest sum of gains around a cycle of four moves of two players; 0 in a potential game.
    pub violation: f64,
    /// The corners of that cycle, as profiles; `None` without a violation.
    pub cycle: Option<[usize; 4]>,
    /// Whether there was time to look at every cycle, so that no violation is larger.
    pub is_largest: bool,
}

/// Sums around a cycle below this share of the payoffs are rounding.
const ROUNDING: f64 = 1e-10;

/// Test every cycle of four moves of two players: by theorem 2.8 of Monderer and Shapley (1996) a game has an
/// exact potential if and only if the movers' gains around each of them sum to zero.
#[must_use]
pub fn exact_potential(game: &Game) -> ExactPotential {
    exact_potential_until(game, Deadline::NEVER)
}

/// [`exact_potential`] with a limit of the time for the largest violation. Whether there is a potential takes little
/// time: the cycles that begin at the first strategies of their two players sum up to all others.
#[must_use]
pub fn exact_potential_until(game: &Game, deadline: Deadline) -> ExactPotential {
    let mut seen = Violation::default();
    for (i, j) in pairs(game) {
        for profile in 0..game.profiles() {
            let (a, b) = (game.strategy(profile, i), game.strategy(profile, j));
            let first = game.deviation(game.deviation(profile, i, 0), j, 0);
            if a > 0 && b > 0 {
                seen.take(game, around(game, first, (i, a), (j, b)), i, j);
            }
        }
    }
    let largest = game.payoffs().iter().fold(0.0, |largest: f64, p| largest.max(p.abs()));
    if seen.sum <= ROUNDING * largest {
        let potential = Some(walk(game));
        return ExactPotential { potential, violation: 0.0, cycle: None, is_largest: true };
    }
    let mut all = Violation::default();
    let is_largest = all.take_all(game, deadline);
    let Violation { sum, cycle } = if all.sum < seen.sum { seen } else { all };
    ExactPotential { potential: None, violation: sum, cycle, is_largest }
}

fn pairs(game: &Game) -> impl Iterator<Item = (usize, usize)> {
    let players = game.players();
    (0..players).flat_map(move |i| (i + 1..players).map(move |j| (i, j)))
}

/// The largest sum of gains around a cycle so far.
#[derive(Default)]
struct Violation {
    sum: f64,
    cycle: Option<[usize; 4]>,
}

impl Violation {
    fn take(&mut self, game: &Game, corners: [usize; 4], i: usize, j: usize) {
        let sum = sum_of_gains(game, corners, i, j).abs();
        if sum > self.sum {
            *self = Self { sum, cycle: Some(corners) };
        }
    }

    /// Every cycle of four; false if there was no time for it.
    fn take_all(&mut self, game: &Game, deadline: Deadline) -> bool {
        for (i, j) in pairs(game) {
            for corner in 0..game.profiles() {
                // Each pair of strategies once: the corner has the lower one of both players.
                for a in game.strategy(corner, i) + 1..game.strategies(i) {
                    if deadline.has_passed() {
                        return false;
                    }
                    for b in game.strategy(corner, j) + 1..game.strategies(j) {
                        self.take(game, around(game, corner, (i, a), (j, b)), i, j);
                    }
                }
            }
        }
        true
    }
}

fn around(game: &Game, from: usize, (i, a): (usize, usize), (j, b): (usize, usize)) -> [usize; 4] {
    let first = game.deviation(from, i, a);
    let second = game.deviation(first, j, b);
    [from, first, second, game.deviation(from, j, b)]
}

fn sum_of_gains(game: &Game, [p0, p1, p2, p3]: [usize; 4], i: usize, j: usize) -> f64 {
    let gain = |from: usize, to: usize, player| game.payoff(to, player) - game.payoff(from, player);
    gain(p0, p1, i) + gain(p1, p2, j) + gain(p2, p3, i) + gain(p3, p0, j)
}

/// The potential by walking from the first profile, one player after the other.
fn walk(game: &Game) -> Vec<f64> {
    let of_profile = |profile: usize| {
        let (mut at, mut potential) = (0, 0.0);
        for player in 0..game.players() {
            let next = game.deviation(at, player, game.strategy(profile, player));
            potential += game.payoff(next, player) - game.payoff(at, player);
            at = next;
        }
        potential
    };
    (0..game.profiles()).map(of_profile).collect()
}

#[cfg(test)]
pub(in crate::game) mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::game::Player;
    use crate::game::congestion::AtomicCongestion;
    use crate::game::congestion::tests::{random_congestion, tight_five_halves};

    pub(in crate::game) fn game(strategies: &[usize], payoffs: &[f64]) -> Game {
        Game::new(Player::numbered(strategies), payoffs.to_vec()).unwrap()
    }

    pub(in crate::game) fn random_game(strategies: &[usize], seed: u64) -> Game {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let count = strategies.iter().product::<usize>() * strategies.len();
        let payoffs: Vec<f64> = (0..count).map(|_| random.random_range(-1.0..1.0)).collect();
        game(strategies, &payoffs)
    }

    pub(in crate::game) fn prisoners() -> Game {
        game(&[2, 2], &[3., 3., 0., 5., 5., 0., 1., 1.])
    }

    pub(in crate::game) fn battle_of_the_sexes() -> Game {
        game(&[2, 2], &[2., 1., 0., 0., 0., 0., 1., 2.])
    }

    pub(in crate::game) fn matching_pennies() -> Game {
        game(&[2, 2], &[1., -1., -1., 1., -1., 1., 1., -1.])
    }

    pub(in crate::game) fn rock_paper_scissors() -> Game {
        let wins = [[0., -1., 1.], [1., 0., -1.], [-1., 1., 0.]];
        let payoffs: Vec<f64> = wins.iter().flatten().flat_map(|win| [*win, -win]).collect();
        game(&[3, 3], &payoffs)
    }

    /// Jordan 1993: 1 wants to match 2, 2 wants to match 3, 3 wants to differ from 1.
    pub(in crate::game) fn jordan() -> Game {
        let of = |p: usize| {
            let s = [p >> 2 & 1, p >> 1 & 1, p & 1];
            let pays = |yes: bool| if yes { 1.0 } else { -1.0 };
            [pays(s[0] == s[1]), pays(s[1] == s[2]), pays(s[2] != s[0])]
        };
        let payoffs: Vec<f64> = (0..8).flat_map(of).collect();
        game(&[2, 2, 2], &payoffs)
    }

    #[test]
    fn violations_of_the_literature() {
        let cases = [
            (prisoners(), 0.0),
            (battle_of_the_sexes(), 0.0),
            (tight_five_halves().to_game().unwrap(), 0.0),
            (matching_pennies(), 8.0),
            (rock_paper_scissors(), 6.0),
            (jordan(), 4.0),
        ];
        for (game, known) in cases {
            let found = exact_potential(&game);
            assert!((found.violation - known).abs() < 1e-12, "{} for {known}", found.violation);
            assert_eq!(found.potential.is_some(), known == 0.0);
            assert_eq!(found.cycle.is_none(), known == 0.0);
        }
    }

    #[test]
    fn random_congestion_games_have_rosenthal_s_potential() {
        for seed in 0..200 {
            let congestion: AtomicCongestion = random_congestion(seed);
            let game = congestion.to_game().unwrap();
            let potential = exact_potential(&game).potential.expect("a potential");
            let rosenthal =
                |p: usize| congestion.rosenthal_potential(&game.profile(p)).expect("no weights");
            for (profile, found) in potential.iter().enumerate() {
                // Costs fall where payoffs rise.
                let known = rosenthal(0) - rosenthal(profile);
                assert!((found - known).abs() < 1e-9, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_random_game_has_none() {
        for seed in 0..100 {
            let game = random_game(&[3, 2, 3], seed);
            let found = exact_potential(&game);
            let cycle = found.cycle.expect("a cycle");
            assert!(found.potential.is_none() && found.violation > 0.0);
            assert_eq!(cycle.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        }
    }
}
