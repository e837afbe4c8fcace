//! Games of the literature.

use nashtrace_analysis::game::stackelberg::mixed_optimistic;
use nashtrace_analysis::game::{
    Certificate, Completeness, CorrelatedKind, Deadline, DominanceKind, Game, Player,
    extreme_correlated, iterated_dominance, logit_path, pure_equilibria,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::{assert_close, bimatrix, by_rule, first_fastest, near, solve};

/// Least and largest sum of payoffs over correlated equilibria.
fn correlated_welfare(game: &Game, kind: CorrelatedKind) -> [f64; 2] {
    let welfare: Vec<f64> = (0..game.profiles()).map(|profile| game.welfare(profile)).collect();
    [false, true].map(|largest| {
        let extreme = extreme_correlated(game, kind, &welfare, largest, Deadline::NEVER).unwrap();
        assert!(extreme.violation < 1e-9);
        extreme.value
    })
}

#[test]
fn prisoners_dilemma() {
    let game = bimatrix(2, &[(3.0, 3.0), (0.0, 5.0), (5.0, 0.0), (1.0, 1.0)]);
    let found = solve(&game);
    assert_eq!(found.completeness, Completeness::Complete);
    assert_eq!(found.equilibria.len(), 1);
    near(&found, &[0.0, 1.0, 0.0, 1.0], 0.0);
    assert_eq!(iterated_dominance(&game, DominanceKind::Strict).remaining, [[1], [1]]);
    // The set of correlated equilibria is one point.
    assert_close(&correlated_welfare(&game, CorrelatedKind::Correlated), &[2.0, 2.0], 1e-9);
}

#[test]
fn battle_of_the_sexes() {
    let found = solve(&bimatrix(2, &[(2.0, 1.0), (0.0, 0.0), (0.0, 0.0), (1.0, 2.0)]));
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 3));
    let third = 1.0 / 3.0;
    let mixed = near(&found, &[2.0 * third, third, third, 2.0 * third], 1e-15);
    assert_close(&mixed.payoffs, &[2.0 * third; 2], 1e-15);
    assert_eq!(mixed.fractions.as_ref().unwrap()[0], ["2/3", "1/3"]);
    let indices: Vec<_> = found.equilibria.iter().map(|e| e.index).collect();
    assert_eq!(indices, [Some(1), Some(1), Some(-1)]);
}

#[test]
fn chicken() {
    let game = bimatrix(2, &[(6.0, 6.0), (2.0, 7.0), (7.0, 2.0), (0.0, 0.0)]);
    let found = solve(&game);
    let third = 1.0 / 3.0;
    let mixed = near(&found, &[2.0 * third, third, 2.0 * third, third], 1e-15);
    assert_close(&mixed.payoffs, &[14.0 / 3.0; 2], 1e-14);
    assert_eq!(pure_equilibria(&game), [1, 2]);
    assert_close(&correlated_welfare(&game, CorrelatedKind::Correlated), &[7.2, 10.5], 1e-9);
}

#[test]
fn rock_paper_scissors_and_shapley_1964() {
    let third = [1.0 / 3.0; 6];
    let rule = |s: &[usize]| {
        let outcome = [0.0, 1.0, -1.0][(3 + s[0] - s[1]) % 3];
        vec![outcome, -outcome]
    };
    let found = solve(&by_rule(&[3, 3], rule));
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 1));
    near(&found, &third, 1e-15);

    let a = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let b = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
    let game = by_rule(&[3, 3], |s| vec![a[s[0]][s[1]], b[s[0]][s[1]]]);
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 1));
    near(&found, &third, 1e-15);
    assert_close(&correlated_welfare(&game, CorrelatedKind::Correlated), &[2.0 / 3.0, 1.0], 1e-9);
}

#[test]
fn jordan_1993() {
    let game = by_rule(&[2, 2, 2], |s| {
        let wants = [s[0] == s[1], s[1] == s[2], s[2] != s[0]];
        wants.iter().map(|met| if *met { 1.0 } else { -1.0 }).collect()
    });
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 1));
    near(&found, &[0.5; 6], 1e-15);
    assert_eq!(found.equilibria[0].certificate, Certificate::Interval);
    assert!(pure_equilibria(&game).is_empty());
    assert_close(&correlated_welfare(&game, CorrelatedKind::Correlated), &[0.0, 1.0], 1e-9);
}

#[test]
fn volunteers_dilemma() {
    // Strategy 1 volunteers.
    let game = by_rule(&[2, 2, 2], |s| {
        let benefit = if s.contains(&0) { 4.0 } else { 0.0 };
        s.iter().map(|own| benefit - if *own == 0 { 1.0 } else { 0.0 }).collect()
    });
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 7));
    assert_eq!(pure_equilibria(&game).len(), 3);
    for out in 0..3 {
        let weights =
            (0..3).flat_map(|player| if player == out { [0.0, 1.0] } else { [0.75, 0.25] });
        near(&found, &weights.collect::<Vec<f64>>(), 1e-14);
    }
    let all = near(&found, &[0.5; 6], 1e-14);
    assert_close(&all.payoffs, &[3.0; 3], 1e-13);
}

#[test]
fn mckelvey_mclennan_nine() {
    let game = first_fastest(&[2, 2, 2], "9 8 12  0 0 0  0 0 0  9 8 2  0 0 0  3 4 6  3 4 6  0 0 0");
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 9));
    assert_eq!(pure_equilibria(&game).len(), 4);
    let third = 1.0 / 3.0;
    near(&found, &[0.0, 1.0, 0.25, 0.75, third, 2.0 * third], 1e-14);
    near(&found, &[third, 2.0 * third, 1.0, 0.0, 0.25, 0.75], 1e-14);
    near(&found, &[0.5, 0.5, 0.5, 0.5, 1.0, 0.0], 1e-14);
    let first = near(&found, &[0.4, 0.6, 0.5, 0.5, third, 2.0 * third], 1e-13);
    assert_close(&first.payoffs, &[2.5, 8.0 / 3.0, 3.0], 1e-12);
    let second = near(&found, &[0.5, 0.5, 0.4, 0.6, 0.25, 0.75], 1e-13);
    assert_close(&second.payoffs, &[2.25, 2.5, 3.0], 1e-12);
}

#[test]
fn nau_2004_section_4() {
    let game = first_fastest(&[2, 2, 2], "3 0 2  0 1 0  0 2 0  1 0 0  1 0 0  0 3 0  0 1 0  2 0 3");
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 1));
    let root = 601_f64.sqrt();
    let [p, q, r] = [(53.0 - root) / 46.0, (root - 13.0) / 24.0, (root - 23.0) / 4.0];
    let unique = near(&found, &[p, 1.0 - p, q, 1.0 - q, r, 1.0 - r], 1e-14);
    assert_close(&unique.payoffs, &[0.843328214, 0.853813569, 0.594220813], 1e-9);
    assert!(unique.radius.unwrap() < 1e-13 && unique.regret < 1e-14);
    let welfare = correlated_welfare(&game, CorrelatedKind::Correlated);
    assert_close(&welfare, &[2.256410256, 3.866666667], 1e-9);
}

#[test]
fn nau_2004_section_5() {
    let game = first_fastest(&[2, 2, 2], "0 0 2  3 0 0  0 3 0  0 0 0  1 1 0  0 0 0  0 0 0  0 0 3");
    let found = solve(&game);
    assert_eq!(found.completeness, Completeness::CompleteUpToDegeneracy);
    assert_eq!(pure_equilibria(&game).len(), 3);
    // The fully mixed curve ends where two players are pure, and goes on there in two segments along which
    // the third one's weights are free; their far ends are two of the pure equilibria.
    assert_eq!(found.components.len(), 1, "{:?}", found.components);
    let component = &found.components[0];
    assert_eq!((component.dimension, component.points.len()), (1, 4));
    for end in [
        [0.0, 1.0, 1.0, 0.0, 0.25, 0.75],
        [1.0, 0.0, 0.0, 1.0, 0.25, 0.75],
        [0.0, 1.0, 1.0, 0.0, 1.0, 0.0],
        [1.0, 0.0, 0.0, 1.0, 1.0, 0.0],
    ] {
        let is_end = |point: &Vec<f64>| point.iter().zip(end).all(|(a, b)| (a - b).abs() < 1e-6);
        let points: Vec<Vec<f64>> = component.points.iter().map(|point| point.concat()).collect();
        assert!(points.iter().any(is_end), "{end:?} is not among {points:?}");
    }
    let isolated = near(&found, &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 0.0);
    assert_eq!((isolated.component, isolated.is_strict), (None, false));
    let welfare = correlated_welfare(&game, CorrelatedKind::Correlated);
    assert_close(&welfare, &[0.75, 3.0], 1e-9);
}

#[test]
fn nau_2004_section_6() {
    let payoffs = [
        [[2., 0., 0.], [1., 0., 2.], [1., 0., 1.], [2., 0., 1.]],
        [[0., 1., 1.], [0., 2., 1.], [0., 1., 2.], [0., 2., 0.]],
        [[0., 2., 1.], [0., 1., 1.], [0., 2., 0.], [0., 1., 2.]],
        [[1., 0., 2.], [2., 0., 0.], [2., 0., 1.], [1., 0., 1.]],
    ];
    let game = by_rule(&[2, 2, 4], |s| payoffs[2 * s[0] + s[1]][s[2]].to_vec());
    let found = solve(&game);
    assert_eq!(found.completeness, Completeness::CompleteUpToDegeneracy);
    assert!(pure_equilibria(&game).is_empty());
    // Players 1 and 2 mix evenly, and player 3 plays (r, r, 1/2 - r, 1/2 - r).
    assert_eq!(found.components.len(), 1, "{:?}", found.components);
    let component = &found.components[0];
    assert_eq!(component.dimension, 1);
    for end in [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]] {
        let whole = [&[0.5; 4][..], &end].concat();
        let is_end = |point: &Vec<Vec<f64>>| {
            point.concat().iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-7)
        };
        assert!(component.points.iter().any(is_end), "{end:?} is not among {:?}", component.points);
    }
    assert!(found.equilibria.iter().all(|e| e.component == Some(0)), "{:?}", found.equilibria);
    let welfare = |kind| correlated_welfare(&game, kind);
    assert_close(&welfare(CorrelatedKind::Correlated), &[2.5, 2.5], 1e-9);
    assert_close(&welfare(CorrelatedKind::Coarse), &[2.0, 3.0], 1e-9);
}

#[test]
fn shapley_1974_figure_2() {
    let game = bimatrix(
        3,
        &[(2., 3.), (2., 0.), (0., 2.), (0., 0.), (3., 3.), (0., 2.), (3., 0.), (0., 0.), (1., 1.)],
    );
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 3));
    let pure = [
        near(&found, &[0., 1., 0., 0., 1., 0.], 0.0),
        near(&found, &[0., 0., 1., 0., 0., 1.], 0.0),
    ];
    assert_eq!(pure.map(|e| e.payoffs.clone()), [[3.0, 3.0], [1.0, 1.0]]);
    near(&found, &[0., 0.5, 0.5, 0., 0.25, 0.75], 0.0);
}

#[test]
fn seltens_horse() {
    // R or L first; player 3 moves unless both went R.
    let game = by_rule(&[2, 2, 2], |s| match (s[0], s[1], s[2]) {
        (0, 0, _) => vec![1.0, 1.0, 1.0],
        (0, 1, 0) => vec![4.0, 4.0, 0.0],
        (0, 1, _) => vec![0.0, 0.0, 1.0],
        (_, _, 0) => vec![3.0, 2.0, 2.0],
        _ => vec![0.0, 0.0, 0.0],
    });
    let found = solve(&game);
    assert_eq!(found.completeness, Completeness::CompleteUpToDegeneracy);
    assert_eq!(found.components.len(), 2, "{:?}", found.components);
    let mut ends: Vec<Vec<f64>> = Vec::new();
    for component in &found.components {
        assert_eq!((component.dimension, component.points.len()), (1, 2));
        ends.extend(component.points.iter().map(|point| point.concat()));
    }
    let expected = [
        // Both go R as long as player 3 is likely enough to punish.
        [1.0, 0.0, 1.0, 0.0, 0.0, 1.0],
        [1.0, 0.0, 1.0, 0.0, 0.25, 0.75],
        // Player 1 goes L as long as player 2 is likely enough to go R.
        [0.0, 1.0, 1.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 0.0],
    ];
    for end in expected {
        let is_end = |point: &Vec<f64>| point.iter().zip(end).all(|(a, b)| (a - b).abs() < 1e-7);
        assert!(ends.iter().any(is_end), "{end:?} is not among {ends:?}");
    }
    assert!(found.equilibria.iter().all(|e| e.component.is_some() && e.is_isolated == Some(false)));
}

#[test]
fn bagwell_1995() {
    // The leader's choice is seen with an error of 1 %; the follower has a reply to each of both signals.
    let stage = [[(5.0, 2.0), (3.0, 1.0)], [(6.0, 3.0), (4.0, 4.0)]];
    let game = by_rule(&[2, 4], |s| {
        let replies = [s[1] / 2, s[1] % 2];
        let seen = |signal: usize| if signal == s[0] { 0.99 } else { 0.01 };
        let expected = |value: &dyn Fn((f64, f64)) -> f64| {
            (0..2).map(|signal| seen(signal) * value(stage[s[0]][replies[signal]])).sum()
        };
        vec![expected(&|pair| pair.0), expected(&|pair| pair.1)]
    });
    let found = solve(&game);
    assert_eq!((found.completeness, found.equilibria.len()), (Completeness::Complete, 3));
    let mut payoffs: Vec<&Vec<f64>> = found.equilibria.iter().map(|e| &e.payoffs).collect();
    payoffs.sort_by(|a, b| a[0].total_cmp(&b[0]));
    assert_close(payoffs[0], &[4.0, 4.0], 1e-12);
    assert_close(payoffs[1], &[4.010204, 3.97], 1e-6);
    assert_close(payoffs[2], &[4.989796, 2.01], 1e-6);
}

#[test]
fn all_payoffs_equal() {
    for shape in [vec![3, 3, 3], vec![2, 3]] {
        let profiles: usize = shape.iter().product();
        let payoffs = vec![7.0; profiles * shape.len()];
        let found = solve(&Game::new(Player::numbered(&shape), payoffs).unwrap());
        assert_eq!(found.completeness, Completeness::CompleteUpToDegeneracy);
        assert_eq!(found.components.len(), 1);
        let free: usize = shape.iter().map(|count| count - 1).sum();
        assert_eq!(found.components[0].dimension, free);
        assert!(found.equilibria.iter().all(|e| e.regret == 0.0));
    }
}

#[test]
fn strategies_that_are_the_same_to_everyone() {
    let game = by_rule(&[3, 2, 2], |s| {
        let own = [s[0] % 2, s[1], s[2]];
        let wants = [own[0] == own[1], own[1] == own[2], own[2] != own[0]];
        wants.iter().map(|met| f64::from(u8::from(*met))).collect()
    });
    let found = solve(&game);
    assert_eq!(found.completeness, Completeness::CompleteUpToDegeneracy);
    near(&found, &[0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5], 1e-14);
    assert!(found.reasons[0].starts_with("strategies 1 and 3 of 1 are the same to everyone"));
}

#[test]
fn the_logit_branch_ends_at_an_equilibrium() {
    let game = first_fastest(&[2, 2, 2], "3 0 2  0 1 0  0 2 0  1 0 0  1 0 0  0 3 0  0 1 0  2 0 3");
    let path = logit_path(&game, 1e-8, &|| false);
    assert!(path.is_converged && path.regret < 1e-6);
    let end = &path.points.last().unwrap().profile;
    assert_close(
        &[end[0][0], end[1][0], end[2][0]],
        &[0.619232579, 0.479804223, 0.378825336],
        1e-5,
    );
}

#[test]
fn commitment_is_worth_at_least_the_leader_s_best_equilibrium() {
    for seed in 0..30 {
        let game = random(&[3, 3], seed);
        let equilibria = solve(&game).equilibria;
        for leader in 0..2 {
            let best = equilibria.iter().map(|e| e.payoffs[leader]).fold(f64::MIN, f64::max);
            let mixed = mixed_optimistic(&game, leader, Deadline::NEVER).unwrap().unwrap();
            assert!(mixed.value >= best - 1e-6, "seed {seed}: {} below {best}", mixed.value);
        }
    }
}

#[test]
fn with_two_strategies_each_coarse_equilibria_are_correlated_ones() {
    for seed in 0..30 {
        let game = random(&[2, 2, 2], seed);
        let [correlated, coarse] = [CorrelatedKind::Correlated, CorrelatedKind::Coarse]
            .map(|kind| correlated_welfare(&game, kind));
        assert_close(&correlated, &coarse, 1e-6);
    }
}

/// Payoffs from 0 to 100 without ties.
fn random(shape: &[usize], seed: u64) -> Game {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    by_rule(shape, |s| s.iter().map(|_| random.random_range(0.0..100.0)).collect())
}

#[test]
fn five_strategies_each_are_solved_completely() {
    let found = solve(&random(&[5, 5, 5], 1));
    assert_eq!(found.completeness, Completeness::Complete, "{:?}", found.reasons);
    assert_eq!(found.equilibria.len() % 2, 1);
    let indices = found.equilibria.iter().map(|e| i32::from(e.index.unwrap()));
    assert_eq!(indices.sum::<i32>(), 1);
}
