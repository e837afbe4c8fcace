use super::*;
use crate::game::congestion::tests::{random_congestion, tight_five_halves};
use crate::game::{Game, pure_equilibria};

/// The players' costs in a game.
fn costs_of(game: &Game) -> impl Fn(usize, &[usize]) -> Vec<f64> + '_ {
    |_, profile| game.payoffs_of(game.profile_index(profile)).iter().map(|payoff| -payoff).collect()
}

#[test]
fn the_interval_of_the_tight_congestion_game_holds_its_price() {
    let game = tight_five_halves().to_game().unwrap();
    let data = campaign(design(&[2, 2, 2], 10, 1, ""), 0.02, 3, costs_of(&game));
    let analysis = analyze(&data, &SETTINGS);
    let all = row(&analysis, 0, "anarchy_all");
    assert!(holds(all.simultaneous.unwrap(), 2.5), "{all:?}");
    assert!(holds(row(&analysis, 0, "stability_pure").simultaneous.unwrap(), 1.0));
    assert_eq!(analysis.loads[0].anarchy[0].verdict, "identified");
    assert_eq!(analysis.loads[0].anarchy.len(), 2, "two declared costs");
    is_repeatable(&data);
}

#[test]
fn random_congestion_games_are_covered_and_their_equilibria_are_possible() {
    for seed in 0..12 {
        let known = random_congestion(seed).to_game().unwrap();
        if known.players() > 3 {
            continue;
        }
        let pure = pure_equilibria(&known);
        let total = |profile: &usize| -known.welfare(*profile);
        let optimum = (0..known.profiles()).map(|p| total(&p)).fold(f64::INFINITY, f64::min);
        let truth = pure.iter().map(total).fold(0.0, f64::max) / optimum;
        let shape = design(&known.shape(), 8, 1, "");
        let data = campaign(shape, 0.01, seed, costs_of(&known));
        let analysis = analyze(&data, &SETTINGS);
        let found = row(&analysis, 0, "anarchy_pure").simultaneous.unwrap();
        assert!(holds(found, truth), "seed {seed}: {found:?} without {truth}");
        let possible = analysis.loads[0].equilibria.as_ref().unwrap().possible.clone().unwrap();
        for profile in &pure {
            assert!(possible.contains(&known.profile(*profile)), "seed {seed}");
        }
    }
}

#[test]
fn a_dilemma_has_all_its_answers() {
    // Costs of the prisoners' dilemma: confessing (s1) is dominant, and costs everyone 3 instead of 1.
    let costs = |_: usize, profile: &[usize]| match profile {
        [0, 0] => vec![1.0, 1.0],
        [0, 1] => vec![4.0, 0.5],
        [1, 0] => vec![0.5, 4.0],
        _ => vec![3.0, 3.0],
    };
    let data = campaign(design(&[2, 2], 10, 1, "leader = \"p0\""), 0.01, 5, costs);
    let analysis = analyze(&data, &SETTINGS);
    let load = &analysis.loads[0];
    let found = &load.equilibria.as_ref().unwrap().list;
    assert_eq!((found.len(), found[0].pure.clone()), (1, Some(vec![1, 1])));
    assert_eq!((found[0].frequency, found[0].certificate.as_str()), (Some(1.0), "exact"));
    let price = row(&analysis, 0, "anarchy_pure").simultaneous.unwrap();
    assert!(holds(price, 3.0) && price.low > 2.5, "{price:?}");
    assert!(analysis.verdict.contains("anarchy is certain at 95 %"), "{}", analysis.verdict);
    for regret in &load.regret {
        assert_eq!(regret.best, Some(1));
        assert!(holds(regret.interval.unwrap(), 0.5) && regret.cross_fitted.unwrap() > 0.4);
    }
    let moves: Vec<(&[usize], &[usize])> =
        load.best_responses.moves.iter().map(|m| (&m.from[..], &m.to[..])).collect();
    assert_eq!(moves.len(), 4);
    assert_eq!(load.best_responses.rest_points, [[1, 1]]);
    assert_eq!(load.best_responses.cycles, Some(Vec::new()));
    let stackelberg = load.stackelberg.as_ref().unwrap();
    assert_eq!(stackelberg.optimistic.as_ref().unwrap().profile, [1, 1]);
    // v(nobody) = -2, v(one) = -4.5, v(both) = -6: each brings (-2.5 - 1.5) / 2.
    for share in &load.shapley.as_ref().unwrap().players {
        assert!(holds(share.interval.unwrap(), -2.0), "{share:?}");
    }
    assert!(load.potential.as_ref().unwrap().ordinal);
    let gap = load.anarchy[0].gap.as_ref().unwrap();
    assert!(holds(gap.gap.interval.unwrap(), 4.0) && gap.worst == [1, 1]);
    let hold_out = load.hold_out.as_ref().unwrap();
    assert!((hold_out.anarchy.unwrap() - 3.0).abs() < 0.2);
    assert_eq!(load.sensitivity.as_ref().unwrap().without.len(), 4);
    let null = load.null_calibration.as_ref().unwrap();
    assert!(null.p_value.unwrap() < 0.05 && null.false_claims.unwrap() <= 0.05, "{null:?}");
    assert_eq!(analysis.held_out_runs.len(), 3);
    assert_eq!(analysis.held_out_runs[0].blocks, (10..20).collect::<Vec<usize>>());
}

#[test]
fn pennies_go_round_and_have_one_mixed_equilibrium() {
    let costs = |_: usize, profile: &[usize]| match profile[0] == profile[1] {
        true => vec![1.0, 3.0],
        false => vec![3.0, 1.0],
    };
    let data = campaign(design(&[2, 2], 6, 1, ""), 0.01, 5, costs);
    let analysis = analyze(&data, &SETTINGS);
    let load = &analysis.loads[0];
    let found = load.equilibria.as_ref().unwrap();
    assert_eq!((found.list.len(), found.without_pure), (1, Some(1.0)));
    assert_eq!((found.list[0].pure.clone(), found.list[0].frequency), (None, Some(1.0)));
    let cycles = load.best_responses.cycles.as_ref().unwrap();
    assert_eq!((cycles.len(), cycles[0].cycle.len(), cycles[0].is_sink), (1, 4, true));
    let potential = load.potential.as_ref().unwrap();
    assert!(!potential.exact && potential.harmonic_p.unwrap() < 0.05);
    assert!(potential.sentence.starts_with("It is no potential game"), "{}", potential.sentence);
    assert!(analysis.doubts.iter().any(|doubt| doubt.about == "mixed"), "{:?}", analysis.doubts);
}

#[test]
fn every_listed_equilibrium_is_followed_through_the_resamples() {
    // Matching pennies among seven further strategies each that nobody wants.
    let costs = |_: usize, profile: &[usize]| match (profile[0].max(profile[1]) < 2, profile) {
        (true, [a, b]) if a == b => vec![1.0, 3.0],
        (true, _) => vec![3.0, 1.0],
        _ => profile.iter().map(|own| 5.0 + *own as f64).collect(),
    };
    let data = campaign(design(&[9, 9], 5, 1, ""), 0.01, 5, costs);
    let settings = Settings { resamples: 20, ..SETTINGS };
    let analysis = analyze(&data, &settings);
    let list = &analysis.loads[0].equilibria.as_ref().unwrap().list;
    assert_eq!((list.len(), list[0].pure.clone(), list[0].frequency), (1, None, Some(1.0)));
    let is_unknown = |doubt: &Doubt| doubt.sentence.contains("were not assessed in resamples");
    assert!(!analysis.doubts.iter().any(is_unknown));

    // A coordination game within the noise, of which one block is torn.
    let costs = |_: usize, profile: &[usize]| match profile[0] == profile[1] {
        true => vec![1.0, 1.0],
        false => vec![1.02, 1.02],
    };
    let mut data = campaign(design(&[2, 2], 6, 1, ""), 0.02, 5, costs);
    data.records[1] = None;
    let analysis = analyze(&data, &SETTINGS);
    let list = &analysis.loads[0].equilibria.as_ref().unwrap().list;
    assert!(!list.is_empty() && list.iter().all(|found| found.frequency.is_some()), "{list:?}");

    let one = campaign(design(&[2, 2], 1, 1, ""), 0.01, 5, costs);
    let doubts = analyze(&one, &SETTINGS).doubts;
    assert!(doubts.iter().any(|doubt| doubt.weight == 2 && is_unknown(doubt)), "{doubts:?}");
}

#[test]
fn the_intelligent_profile_is_compared_with_the_baseline_block_by_block() {
    let mut data = campaign(design(&[2, 3], 6, 1, ""), 0.0, 1, |_, _| vec![1.0; 2]);
    for record in data.records.iter_mut().flatten() {
        // Blocks differ by much more than profiles, and each has a little noise of its own.
        let block = 1.0 + record.block as f64;
        let own = 1.0 + 0.01 * (record.block as f64 - 2.5);
        let (tail, throughput) = match record.profile[..] {
            [0, 0] => (66.4, 100.0),
            [1, 2] => (21.5 * own, 113.0),
            _ => (1.0, 1.0),
        };
        record.metrics.insert("ttft_p99_ms".to_owned(), Some(tail * block));
        record.metrics.insert("output_tokens_per_s".to_owned(), Some(throughput / block));
    }
    let find = |data: &CampaignData| {
        analyze(data, &SETTINGS).loads[0].intelligent_against_baseline.clone()
    };
    let found = find(&data).unwrap();
    assert_eq!((&found.baseline, &found.intelligent), (&vec![0, 0], &vec![1, 2]));
    let [tail, throughput] = [0, 1].map(|at: usize| found.ratios[at].ratio.unwrap());
    let within = tail.interval.unwrap();
    assert!((tail.value - 21.5 / 66.4).abs() < 1e-3 && within.low < tail.value, "{tail:?}");
    assert!(within.high < 0.34 && within.low > 0.31 && tail.blocks == 6, "{tail:?}");
    assert!((throughput.value - 1.13).abs() < 1e-9, "{throughput:?}");
    for record in data.records.iter_mut().flatten() {
        record.metrics.remove("output_tokens_per_s");
    }
    let silent = find(&data).unwrap();
    assert!(silent.ratios[1].ratio.is_none() && silent.ratios[1].missing.is_some());
    data.design.players[0].baseline = None;
    assert_eq!(find(&data), None);
}

#[test]
fn equal_payoffs_claim_nothing() {
    let mut claims = 0;
    for seed in 0..10 {
        let data = campaign(design(&[2, 2, 2], 8, 1, ""), 0.05, seed, |_, _| vec![1.0; 3]);
        let analysis = analyze(&data, &SETTINGS);
        claims += usize::from(row(&analysis, 0, "anarchy_pure").simultaneous.unwrap().low > 1.0);
        assert!(!analysis.verdict.contains("certain"), "{}", analysis.verdict);
    }
    assert_eq!(claims, 0);
    let exact = campaign(design(&[2, 2], 4, 1, ""), 0.0, 1, |_, _| vec![1.0; 2]);
    let analysis = analyze(&exact, &SETTINGS);
    assert_eq!(row(&analysis, 0, "anarchy_all").point, Some(1.0));
    is_repeatable(&exact);
}
