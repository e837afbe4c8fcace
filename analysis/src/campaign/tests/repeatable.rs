//! The same runs and seed give the same answer on any machine.

use super::*;
use crate::game::{Completeness, Game, Player, Search, equilibria};

#[test]
fn a_budget_of_work_ends_a_search_at_the_same_place_on_any_number_of_threads() {
    let mut random = ChaCha12Rng::seed_from_u64(3);
    let payoffs = (0..4 * 4 * 4 * 3).map(|_| random.random_range(0.0..1.0)).collect();
    let game = Game::new(Player::numbered(&[4, 4, 4]), payoffs).unwrap();
    let solve = |budget: Option<u64>, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| equilibria(&game, Search { seed: 1, stop: &|| false, budget }))
    };
    let (cut, whole) = (solve(Some(100), 1), solve(None, 2));
    assert!(cut.work.supports < whole.work.supports, "{:?} {:?}", cut.work, whole.work);
    assert!(matches!(cut.completeness, Completeness::Found(_)), "{}", cut.completeness);
    assert!(cut.reasons.iter().any(|reason| reason.contains("at its budget of 100 supports")));
    let again = solve(Some(100), 2);
    assert_eq!((again.work, again.equilibria), (cut.work, cut.equilibria));
    let ample = solve(Some(10_000_000), 1);
    assert_eq!((ample.equilibria, ample.completeness), (whole.equilibria, whole.completeness));
}

#[test]
fn what_a_time_limit_cut_is_said_not_to_be_repeatable() {
    let data = campaign(design(&[2, 2], 4, 1, ""), 0.01, 1, |_, profile| {
        profile.iter().map(|own| 2.0 - *own as f64).collect()
    });
    let analysis = analyze(&data, &Settings { stop: &|| true, ..SETTINGS });
    let is_time = |doubt: &&Doubt| doubt.about == "time" && doubt.weight == 2;
    let doubt = analysis.doubts.iter().find(is_time).unwrap();
    assert!(doubt.sentence.contains("cut by the time limit and is not repeatable"), "{doubt:?}");
    assert!(!analyze(&data, &SETTINGS).doubts.iter().any(|doubt| doubt.about == "time"));
}
