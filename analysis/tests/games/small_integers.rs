//! Games of small whole payoffs, most of which have ties, against an enumeration of their own: every equilibrium in
//! which a single player mixes, in fractions. `NASHTRACE_GAMES` sets how many of each shape (60 unless told).

use nashtrace_analysis::game::{Completeness, Equilibria, Game, Player};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::{first_fastest, near, solve};

/// Whole weights of a mixing player's strategies.
type Weights = Vec<i128>;

/// The equilibria of one support in which one player mixes: its extreme points.
struct Found {
    mixing: usize,
    support: Vec<Vec<usize>>,
    extreme: Vec<Weights>,
}

fn whole(game: &Game, profile: usize, player: usize) -> i128 {
    game.payoff(profile, player) as i128
}

/// By trying every support, every tight pair or single of its conditions.
fn one_mixing(game: &Game) -> Vec<Found> {
    let mut found = Vec::new();
    for mixing in 0..game.players() {
        for at in (0..game.profiles()).filter(|at| game.strategy(*at, mixing) == 0) {
            for set in 1_usize..1 << game.strategies(mixing) {
                let played: Vec<usize> =
                    (0..game.strategies(mixing)).filter(|s| set >> s & 1 == 1).collect();
                if played.len() < 2 {
                    continue;
                }
                let own = |s: usize| whole(game, game.deviation(at, mixing, s), mixing);
                let best = (0..game.strategies(mixing)).map(own).max().unwrap();
                if played.iter().any(|s| own(*s) < best) {
                    continue;
                }
                let rows = gains(game, at, mixing, &played);
                let extreme = extreme(&rows, played.len());
                if !(0..played.len()).all(|s| extreme.iter().any(|weights| weights[s] > 0)) {
                    continue;
                }
                let mut support: Vec<Vec<usize>> =
                    game.profile(at).into_iter().map(|s| vec![s]).collect();
                support[mixing] = played;
                found.push(Found { mixing, support, extreme });
            }
        }
    }
    found
}

/// What each other player gains by each of its strategies, per weight.
fn gains(game: &Game, at: usize, mixing: usize, played: &[usize]) -> Vec<Weights> {
    let mut rows = Vec::new();
    for player in (0..game.players()).filter(|player| *player != mixing) {
        for to in 0..game.strategies(player) {
            let gain = |s: &usize| {
                let here = game.deviation(at, mixing, *s);
                whole(game, game.deviation(here, player, to), player) - whole(game, here, player)
            };
            rows.push(played.iter().map(gain).collect());
        }
    }
    rows
}

/// The extreme points of {x >= 0, rows x <= 0, x not 0} up to scale, for two or three weights.
fn extreme(rows: &[Weights], count: usize) -> Vec<Weights> {
    let sides = (0..count).map(|place| (0..count).map(|s| -i128::from(s == place)).collect());
    let all: Vec<Weights> = rows.iter().cloned().chain(sides).collect();
    let candidates: Vec<Weights> = if count == 2 {
        all.iter().map(|row| vec![row[1], -row[0]]).collect()
    } else {
        let cross = |a: &Weights, b: &Weights| {
            let entry = |i: usize| {
                let (j, k) = ((i + 1) % 3, (i + 2) % 3);
                a[j] * b[k] - a[k] * b[j]
            };
            (0..3).map(entry).collect::<Weights>()
        };
        all.iter().flat_map(|a| all.iter().map(move |b| cross(a, b))).collect()
    };
    let mut points: Vec<Weights> = Vec::new();
    for candidate in candidates {
        for sign in [1, -1] {
            let point: Weights = candidate.iter().map(|x| sign * x).collect();
            let holds =
                |row: &Weights| row.iter().zip(&point).map(|(a, b)| a * b).sum::<i128>() <= 0;
            let sum: i128 = point.iter().sum();
            let is_same = |known: &Weights| {
                let total: i128 = known.iter().sum();
                known.iter().zip(&point).all(|(a, b)| a * sum == b * total)
            };
            if sum > 0 && all.iter().all(holds) && !points.iter().any(is_same) {
                points.push(point);
            }
        }
    }
    points
}

fn lists(found: &Equilibria, game: &Game, one: &Found) -> bool {
    let weights = &one.extreme[0];
    let sum: i128 = weights.iter().sum();
    let mut profile: Vec<Vec<f64>> =
        (0..game.players()).map(|player| vec![0.0; game.strategies(player)]).collect();
    for (player, played) in one.support.iter().enumerate() {
        for (place, strategy) in played.iter().enumerate() {
            profile[player][*strategy] =
                if player == one.mixing { weights[place] as f64 / sum as f64 } else { 1.0 };
        }
    }
    let points = found.components.iter().flat_map(|component| &component.points);
    let mut all = found.equilibria.iter().map(|e| &e.profile).chain(points);
    all.any(|known| {
        known.iter().flatten().zip(profile.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-9)
    })
}

fn check(game: &Game, seed: u64) -> Equilibria {
    let found = solve(game);
    let has_twins = found.reasons.iter().any(|reason| reason.contains("the same to everyone"));
    let is_whole = !matches!(found.completeness, Completeness::Found(_));
    for one in one_mixing(game) {
        let is_single = one.extreme.len() == 1;
        if found.completeness == Completeness::Complete {
            assert!(is_single && lists(&found, game, &one), "seed {seed}: {:?}", one.support);
        } else if is_single && is_whole && !has_twins {
            assert!(lists(&found, game, &one), "seed {seed}: {:?} is missing", one.support);
        }
    }
    found
}

#[test]
fn equilibria_of_one_mixing_player_are_never_missing() {
    let count = std::env::var("NASHTRACE_GAMES").map_or(60, |count| count.parse().unwrap());
    let (mut complete, mut degenerate) = (0, 0);
    for shape in [&[2, 2, 2][..], &[2, 3, 2]] {
        for seed in 0..count {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let entries = shape.len() * shape.iter().product::<usize>();
            let payoffs = (0..entries).map(|_| f64::from(random.random_range(0..=3))).collect();
            let game = Game::new(Player::numbered(shape), payoffs).unwrap();
            match check(&game, seed).completeness {
                Completeness::Complete => complete += 1,
                _ => degenerate += 1,
            }
        }
    }
    // Both kinds are met.
    assert!(complete > count / 10 && degenerate > count / 10, "{complete} and {degenerate}");
}

#[test]
fn a_point_that_inequalities_pin_is_found() {
    let payoffs = "1 1 2 3 0 0 3 2 1 1 3 3 3 1 1 1 3 0 0 1 0 2 0 2";
    let game = first_fastest(&[2, 2, 2], payoffs);
    let found = check(&game, 0);
    assert_eq!(found.completeness, Completeness::CompleteUpToDegeneracy, "{:?}", found.reasons);
    let pinned = near(&found, &[0.0, 1.0, 1.0, 0.0, 0.5, 0.5], 0.0);
    assert_eq!(pinned.regret, 0.0);
    assert_eq!(pinned.fractions.as_ref().unwrap()[2], ["1/2", "1/2"]);
}
