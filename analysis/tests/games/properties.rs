//! What must hold of every game, tried on random ones. `NASHTRACE_GAMES` sets how many (60 unless told).

use nashtrace_analysis::game::{
    Completeness, CorrelatedKind, DominanceKind, Equilibria, Equilibrium, Game, Player,
    iterated_dominance, logit_path, pure_equilibria, violation,
};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::solve;

const SHAPES: [&[usize]; 8] =
    [&[2, 2, 2], &[3, 2, 2], &[2, 3, 3], &[3, 3, 3], &[2, 2, 2, 2], &[2, 2], &[3, 4], &[4, 4]];

fn games() -> impl Iterator<Item = (u64, Game)> {
    let count = std::env::var("NASHTRACE_GAMES").map_or(60, |count| count.parse().unwrap());
    (0..count).map(|seed| {
        let shape = SHAPES[seed as usize % SHAPES.len()];
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let entries = shape.len() * shape.iter().product::<usize>();
        let payoffs = (0..entries).map(|_| random.random_range(0.0..100.0)).collect();
        (seed, Game::new(Player::numbered(shape), payoffs).unwrap())
    })
}

/// All weights of all equilibria, in an order that does not depend on how they were found.
fn sorted(found: &Equilibria) -> Vec<Vec<f64>> {
    let rounded =
        |weights: &Vec<f64>| weights.iter().map(|w| (w * 1e9).round() as i64).collect::<Vec<_>>();
    let mut all: Vec<Vec<f64>> = found.equilibria.iter().map(|e| e.profile.concat()).collect();
    all.sort_by_cached_key(rounded);
    all
}

fn assert_same(seed: u64, what: &str, a: &[Vec<f64>], b: &[Vec<f64>]) {
    let is_same = a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-8));
    assert!(is_same, "seed {seed}, {what}: {a:?} and {b:?}");
}

#[test]
fn games_without_ties_are_solved_completely() {
    for (seed, game) in games() {
        let found = solve(&game);
        assert_eq!(found.completeness, Completeness::Complete, "seed {seed}: {:?}", found.reasons);
        assert_eq!(found.equilibria.len() % 2, 1, "seed {seed}: an even number");
        let pure = found.equilibria.iter().filter(|e| e.support().iter().all(|s| s.len() == 1));
        assert_eq!(pure.count(), pure_equilibria(&game).len(), "seed {seed}");
        let remaining = iterated_dominance(&game, DominanceKind::Strict).remaining;
        for equilibrium in &found.equilibria {
            assert!(equilibrium.regret < 1e-11, "seed {seed}: {}", equilibrium.regret);
            for (played, remaining) in equilibrium.support().iter().zip(&remaining) {
                assert!(played.iter().all(|s| remaining.contains(s)), "seed {seed}: dominated");
            }
            // A Nash equilibrium is a correlated and a coarse correlated one.
            let distribution: Vec<f64> = (0..game.profiles())
                .map(|number| {
                    let weights = equilibrium.profile.iter().enumerate();
                    weights.map(|(player, w)| w[game.strategy(number, player)]).product()
                })
                .collect();
            for kind in [CorrelatedKind::Correlated, CorrelatedKind::Coarse] {
                assert!(violation(&game, kind, &distribution) < 1e-11, "seed {seed}");
            }
        }
    }
}

#[test]
fn equilibria_do_not_depend_on_scale_and_on_what_others_decide() {
    for (seed, game) in games().step_by(2) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let factors: Vec<f64> =
            (0..game.players()).map(|_| random.random_range(0.1..10.0)).collect();
        let mut payoffs = game.payoffs().to_vec();
        for player in 0..game.players() {
            let offsets: Vec<f64> =
                (0..game.profiles()).map(|_| random.random_range(-50.0..50.0)).collect();
            for number in 0..game.profiles() {
                // The offset depends on the others' strategies only.
                let offset = offsets[game.deviation(number, player, 0)];
                let payoff = &mut payoffs[number * game.players() + player];
                *payoff = *payoff * factors[player] + offset;
            }
        }
        let other = game.with_payoffs(payoffs).unwrap();
        assert_same(seed, "affine", &sorted(&solve(&game)), &sorted(&solve(&other)));
    }
}

#[test]
fn equilibria_do_not_depend_on_the_order_of_players() {
    for (seed, game) in games().step_by(2) {
        let players = game.players();
        let shape: Vec<usize> = (0..players).map(|p| game.strategies((p + 1) % players)).collect();
        // Player p of the rotated game is player p + 1 of the first one.
        let number = |rotated: &[usize]| {
            let own: Vec<usize> =
                (0..players).map(|p| rotated[(p + players - 1) % players]).collect();
            game.profile_index(&own)
        };
        let rotated = crate::support::by_rule(&shape, |s| {
            (0..players).map(|p| game.payoff(number(s), (p + 1) % players)).collect()
        });
        let mut found = solve(&rotated);
        for equilibrium in &mut found.equilibria {
            equilibrium.profile.rotate_right(1);
        }
        assert_same(seed, "rotation", &sorted(&solve(&game)), &sorted(&found));
    }
}

#[test]
fn the_logit_branch_leads_to_one_of_them() {
    for (seed, game) in games() {
        let path = logit_path(&game, 1e-8, &|| false);
        assert!(path.is_converged, "seed {seed}: regret {}", path.regret);
        let end = path.points.last().unwrap().profile.concat();
        let distance = |equilibrium: &Equilibrium| {
            let weights = equilibrium.profile.iter().flatten().zip(&end);
            weights.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        let found = solve(&game).equilibria;
        let nearest = found.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
        assert!(distance(nearest) < 1e-4, "seed {seed}: {}", distance(nearest));
        // The branch begins alone where precision is zero: what it leads to has the index of a unique one.
        assert_eq!(nearest.index, Some(1), "seed {seed}");
    }
}

#[test]
fn equilibria_do_not_depend_on_the_order_of_strategies() {
    for (seed, game) in games().step_by(2) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let orders: Vec<Vec<usize>> = (0..game.players())
            .map(|player| {
                let mut order: Vec<usize> = (0..game.strategies(player)).collect();
                order.shuffle(&mut random);
                order
            })
            .collect();
        // Strategy s of the other game is strategy orders[player][s] of the first one.
        let other = crate::support::by_rule(&game.shape(), |s| {
            let own: Vec<usize> = s.iter().zip(&orders).map(|(s, order)| order[*s]).collect();
            game.payoffs_of(game.profile_index(&own)).to_vec()
        });
        let mut found = solve(&other);
        for equilibrium in &mut found.equilibria {
            for (weights, order) in equilibrium.profile.iter_mut().zip(&orders) {
                let place = |s: usize| order.iter().position(|other| *other == s).unwrap();
                *weights = (0..order.len()).map(|s| weights[place(s)]).collect();
            }
        }
        assert_same(seed, "order of strategies", &sorted(&solve(&game)), &sorted(&found));
    }
}
