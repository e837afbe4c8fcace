//! Doubts are raised where there is something to doubt, and only there.

use super::*;

/// The sentences about something.
fn about<'a>(analysis: &'a Analysis, about: &str) -> Vec<&'a Doubt> {
    analysis.doubts.iter().filter(|doubt| doubt.about == about).collect()
}

#[test]
fn a_price_of_nothing_is_not_worth_a_doubt() {
    // All profiles cost the same but for 0.01 % of noise: prices of 1.0000something.
    let mut compared = 0;
    for seed in 0..6 {
        let data = campaign(design(&[2, 2, 2], 8, 1, ""), 1e-4, seed, |_, _| vec![1.0; 3]);
        let analysis = analyze(&data, &SETTINGS);
        assert!(about(&analysis, "null").is_empty(), "{:?}", analysis.doubts);
        assert!(about(&analysis, "hold-out").is_empty(), "{:?}", analysis.doubts);
        compared += usize::from(row(&analysis, 0, "anarchy_pure").point.is_some());
    }
    assert!(compared > 0);
}

#[test]
fn a_material_price_that_no_bound_claims_is_no_weighty_doubt() {
    // Two equilibria of the same cost, and noise that makes one of them look worse.
    let costs = |_: usize, profile: &[usize]| match profile[0] == profile[1] {
        true => vec![1.0, 1.0],
        false => vec![1.5, 1.5],
    };
    let found: Vec<Doubt> = (0..6)
        .flat_map(|seed| {
            let data = campaign(design(&[2, 2], 8, 1, ""), 0.3, seed, costs);
            about(&analyze(&data, &SETTINGS), "null").into_iter().cloned().collect::<Vec<Doubt>>()
        })
        .collect();
    assert!(!found.is_empty() && found.iter().all(|doubt| doubt.weight == 2), "{found:?}");
}

#[test]
fn the_held_out_price_is_compared_with_that_of_pure_equilibria() {
    // Two pure equilibria of price 1 and a costly mixed one between them.
    let costs = |_: usize, profile: &[usize]| match profile[0] == profile[1] {
        true => vec![1.0, 1.0],
        false => vec![3.0, 3.0],
    };
    let data = campaign(design(&[2, 2], 8, 1, ""), 0.001, 2, costs);
    let analysis = analyze(&data, &SETTINGS);
    assert!(row(&analysis, 0, "anarchy_all").point.unwrap() > 1.9);
    let held_out = analysis.loads[0].hold_out.as_ref().unwrap().anarchy.unwrap();
    assert!((held_out - 1.0).abs() < 0.01, "{held_out}");
    assert!(about(&analysis, "hold-out").is_empty(), "{:?}", analysis.doubts);
}

#[test]
fn the_verdict_names_the_load_where_most_anarchy_is_possible() {
    // No load has a costly equilibrium; under the second one less is known.
    let mut data = campaign(design(&[2, 2], 6, 2, ""), 0.0, 1, |_, profile| {
        profile.iter().map(|own| 1.0 + 0.001 * *own as f64).collect()
    });
    let mut random = ChaCha12Rng::seed_from_u64(4);
    for record in data.records.iter_mut().flatten() {
        let noise = if record.load == 1 { 0.05 } else { 1e-5 };
        let mut social = 0.0;
        for name in &PAYOFFS[..2] {
            let value = record.metrics.get_mut(*name).unwrap().as_mut().unwrap();
            *value *= 1.0 + noise * random.random_range(-1.0..1.0);
            social += *value;
        }
        record.metrics.insert("e2e_ms_per_output_token".to_owned(), Some(social));
    }
    let analysis = analyze(&data, &SETTINGS);
    let high = |load: usize| row(&analysis, load, "anarchy_all").simultaneous.unwrap().high;
    assert!(high(1) > high(0) && high(1) > 1.02, "{} {}", high(0), high(1));
    let verdict = &analysis.verdict;
    assert!(verdict.starts_with("No anarchy is proved: selfish play costs 0 % to "), "{verdict}");
    assert!(verdict.contains("under load l1, where it may be largest"), "{verdict}");
    assert!(!verdict.contains("1.00"), "{verdict}");
}

#[test]
fn requests_that_did_not_end_are_doubted_with_their_profiles() {
    let costs = |_: usize, profile: &[usize]| profile.iter().map(|own| 2.0 - *own as f64).collect();
    let mut data = campaign(design(&[2, 2], 4, 1, ""), 0.01, 1, costs);
    for record in data.records.iter_mut().flatten() {
        let is_dropping = record.profile == [1, 0] && record.block < 2;
        let completed = if is_dropping { 970.0 } else { 1000.0 };
        record.metrics.insert("requests".to_owned(), Some(1000.0));
        record.metrics.insert("completed".to_owned(), Some(completed));
    }
    let analysis = analyze(&data, &SETTINGS);
    let found = about(&analysis, "requests");
    assert_eq!((found.len(), found[0].weight), (1, 2), "{:?}", analysis.doubts);
    let sentence = &found[0].sentence;
    assert!(
        sentence.starts_with("In 2 of 16 used runs 60 of 16,000 requests failed"),
        "{sentence}"
    );
    assert!(sentence.contains("up to 3.0 % of a run"), "{sentence}");
    assert!(sentence.ends_with("cheaper than they are: (s1, s0) 60."), "{sentence}");
    is_repeatable(&data);
    for record in data.records.iter_mut().flatten() {
        record.metrics.insert("completed".to_owned(), Some(1000.0));
    }
    assert!(about(&analyze(&data, &SETTINGS), "requests").is_empty());
}
