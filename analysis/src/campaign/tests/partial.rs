use super::*;

/// A dominant strategy for everyone, and a cost of 1 to 4.
fn plain(_: usize, profile: &[usize]) -> Vec<f64> {
    profile.iter().map(|strategy| 2.0 - *strategy as f64 / 2.0).collect()
}

#[test]
fn half_the_runs_missing_names_the_profiles_and_answers_what_is_identified() {
    let mut data = campaign(design(&[2, 2], 4, 1, ""), 0.01, 1, plain);
    for (run, record) in data.plan.runs.iter().zip(&mut data.records) {
        // All of (s1, s1), and some blocks of (s1, s0).
        if run.profile == [1, 1] || (run.profile == [1, 0] && run.block > 1) {
            *record = None;
        }
    }
    let analysis = analyze(&data, &SETTINGS);
    let load = &analysis.loads[0];
    assert_eq!(analysis.runs.missing, 6);
    assert_eq!(load.missing_profiles, [[1, 1]]);
    assert!(load.not_identified.as_ref().unwrap().contains("(s1, s1)"));
    assert_eq!(load.anarchy[0].verdict, "NOT IDENTIFIED");
    assert!(load.equilibria.is_none() && load.sensitivity.is_none());
    // The default (s0, s0) and both ways out of it were measured.
    assert_eq!(load.regret[0].blocks, 2);
    assert!((load.regret[0].point.unwrap() - 0.5).abs() < 0.1, "{:?}", load.regret);
    assert_eq!(load.regret[1].blocks, 4);
    assert_eq!(load.best_responses.moves.len(), 2);
    assert!(load.shapley_missing.as_ref().unwrap().starts_with("NOT IDENTIFIED: coalition p0+p1"));
    assert!(analysis.verdict.starts_with("NOT IDENTIFIED"), "{}", analysis.verdict);
    assert!(analysis.doubts[0].weight == 3);
    is_repeatable(&data);
}

#[test]
fn all_runs_failed_is_said_with_every_reason() {
    let mut data = campaign(design(&[2, 2], 2, 1, ""), 0.01, 1, plain);
    for record in data.records.iter_mut().flatten() {
        record.status = Status::Failed;
        record.reason = Some("the simulator ended with 1".to_owned());
        record.metrics.clear();
    }
    let analysis = analyze(&data, &SETTINGS);
    assert_eq!((analysis.runs.failed, analysis.runs.used), (8, 0));
    assert!(
        analysis
            .runs
            .list
            .iter()
            .all(|run| run.reason.as_deref() == Some("the simulator ended with 1"))
    );
    assert!(analysis.loads[0].cells.is_empty());
    assert!(
        analysis
            .doubts
            .iter()
            .any(|doubt| doubt.sentence.starts_with("8 of 8 runs (100.0 %) failed"))
    );
    is_repeatable(&data);
}

#[test]
fn one_player_has_its_best_strategy() {
    let data = campaign(design(&[3], 5, 1, "leader = \"p0\""), 0.01, 1, plain);
    let analysis = analyze(&data, &SETTINGS);
    let load = &analysis.loads[0];
    let found = &load.equilibria.as_ref().unwrap().list;
    assert_eq!((found.len(), found[0].pure.clone()), (1, Some(vec![2])));
    assert_eq!((found[0].mixture.len(), found[0].payoffs.len()), (1, 1));
    assert_eq!(load.anarchy[0].anarchy, Some(1.0));
    assert!(load.stackelberg_missing.as_ref().unwrap().contains("nobody to follow"));
    assert_eq!(load.shapley.as_ref().unwrap().players.len(), 1);
    is_repeatable(&data);
}

#[test]
fn one_block_has_points_and_no_intervals() {
    let data = campaign(design(&[2, 2], 1, 1, ""), 0.01, 1, plain);
    let analysis = analyze(&data, &SETTINGS);
    let load = &analysis.loads[0];
    assert_eq!(load.anarchy[0].verdict, "point only");
    assert!(load.anarchy[0].rows.iter().all(|row| row.simultaneous.is_none()));
    assert!(load.regret.iter().all(|regret| regret.interval.is_none() && regret.point.is_some()));
    assert!(load.hold_out.is_none() && load.null_calibration.is_none());
    assert!(analysis.doubts.iter().any(|doubt| doubt.about == "replicates" && doubt.weight == 3));
    is_repeatable(&data);
}

#[test]
fn two_loads_with_different_profiles_are_two_partial_games() {
    let mut data = campaign(design(&[2, 2], 3, 2, ""), 0.01, 1, plain);
    for (run, record) in data.plan.runs.iter().zip(&mut data.records) {
        if run.profile[0] != run.load {
            *record = None;
        }
    }
    let analysis = analyze(&data, &SETTINGS);
    assert_eq!(analysis.loads[0].missing_profiles, [[1, 0], [1, 1]]);
    assert_eq!(analysis.loads[1].missing_profiles, [[0, 0], [0, 1]]);
    // Of the second player all strategies were measured, of the first only one.
    assert!(
        analysis.loads[0].regret[1].point.is_some() && analysis.loads[0].regret[0].point.is_none()
    );
    assert_eq!(analysis.loads[0].regret[0].missing, [1]);
    assert!(analysis.loads[1].regret.iter().all(|regret| regret.point.is_none()));
    assert!(
        analysis
            .over_loads
            .anarchy
            .iter()
            .all(|point| point.point.is_none() && point.missing.is_some())
    );
    assert!(analysis.over_loads.tail_inflation[1].missing.is_some());
    is_repeatable(&data);
}

#[test]
fn references_are_the_default_s_and_zero_ones_are_doubted() {
    let mut data = campaign(design(&[2, 2], 3, 1, ""), 0.0, 1, plain);
    data.design.references.clear();
    for record in data.records.iter_mut().flatten() {
        if record.profile == [0, 0] {
            record.metrics.insert("ttft_p50_ms".to_owned(), Some(0.0));
        }
    }
    let analysis = analyze(&data, &SETTINGS);
    let [first, second] = [0, 1].map(|player: usize| &analysis.design.players[player].utility[0]);
    assert_eq!((first.reference, second.reference), (Some(2.0), Some(1.0)));
    assert_eq!(first.reference_from, "mean of the default profile under load l0");
    assert!(analysis.doubts.iter().any(|doubt| doubt.about == "references" && doubt.weight == 2));
    assert_eq!(analysis.loads[0].cells[0].payoffs[0].mean, -1.0);
}

/// Give every run a series of noise, of which some drift.
fn drift(data: &mut CampaignData, drifts: impl Fn(&Record) -> bool) {
    let mut random = ChaCha12Rng::seed_from_u64(2);
    for record in data.records.iter_mut().flatten() {
        let is_drifting = drifts(record);
        let mut level = 0.0;
        let values = (0..200).map(|_| {
            let noise = random.random_range(-1.0..1.0);
            level += if is_drifting { 0.3 + 0.5 * noise } else { 0.0 };
            Some(10.0 + noise + level)
        });
        let values = values.collect();
        let (name, unit) = ("ttft_mean_ms".to_owned(), "ms".to_owned());
        record.series = vec![RecordSeries { name, unit, start: 0.0, step: 1.0, values }];
    }
}

#[test]
fn a_drifting_run_among_steady_ones_is_left_out_and_a_drifting_profile_is_not() {
    let mut data = campaign(design(&[2, 2], 6, 1, ""), 0.01, 1, plain);
    drift(&mut data, |record| {
        record.profile == [1, 1] || (record.profile == [0, 0] && record.block == 2)
    });
    let analysis = analyze(&data, &SETTINGS);
    let gated: Vec<&RunAnswer> =
        analysis.runs.list.iter().filter(|run| run.fate == RunFate::Gated).collect();
    assert_eq!(gated.len(), 1, "{gated:?}");
    assert_eq!((gated[0].profile.clone(), gated[0].block), (vec![0, 0], 2));
    assert!(gated[0].reason.as_ref().unwrap().starts_with("ttft_mean_ms drifts"));
    assert_eq!(analysis.loads[0].whole_blocks, 5);
    assert!(analysis.runs.restless >= 6);
    assert!(analysis.runs.shown.iter().any(|run| run.role.starts_with("default")));
    is_repeatable(&data);
}

#[test]
fn drifting_runs_are_kept_where_too_few_blocks_would_stay_whole() {
    let mut data = campaign(design(&[2, 2], 4, 1, ""), 0.01, 1, plain);
    // Two of the four blocks lack a run then.
    drift(&mut data, |record| {
        (record.profile == [0, 0] && record.block == 2)
            || (record.profile == [0, 1] && record.block == 0)
    });
    let analysis = analyze(&data, &SETTINGS);
    assert_eq!((analysis.runs.gated, analysis.runs.drifting), (0, 2));
    assert_eq!(analysis.loads[0].whole_blocks, 4);
    let said = "2 of 16 used runs drift while others of their profile do not";
    assert!(analysis.doubts.iter().any(|doubt| doubt.sentence.starts_with(said)));
}

#[test]
fn the_knee_and_the_front_are_found() {
    let mut data = campaign(
        design(
            &[2, 2],
            5,
            8,
            "objectives = { ttft_mean_ms = \"min\", tbt_mean_ms = \"min\", ttft_p50_ms = \"min\", reference = { ttft_mean_ms = 3.0, ttft_p50_ms = 3.0, tbt_mean_ms = 3.0 } }",
        ),
        0.001,
        1,
        |_, profile| {
            vec![1.0 + profile[0] as f64, 2.0 - profile[0] as f64 * 0.5, 1.0 + profile[0] as f64]
        },
    );
    for record in data.records.iter_mut().flatten() {
        let load = (record.load + 1) as f64;
        let tail =
            if load <= 4.0 { load.powf(0.1) } else { 4_f64.powf(0.1) * (load / 4.0).powi(4) };
        let noise = 1.0 + 0.01 * (record.block as f64 - 2.0);
        record.metrics.insert("ttft_p99_ms".to_owned(), Some(100.0 * tail * noise));
    }
    let analysis = analyze(&data, &SETTINGS);
    let over = &analysis.over_loads;
    let knee = over.knee.as_ref().unwrap();
    assert!((knee.load - 4.0).abs() < 0.3 && knee.p_value < 0.01, "{knee:?}");
    assert!((knee.slope_above - 4.0).abs() < 0.2, "{knee:?}");
    assert_eq!(over.regimes.iter().map(|regime| regime.loads.len()).sum::<usize>(), 8);
    let last = over.tail_inflation[7].point.unwrap();
    assert!((last - 4_f64.powf(0.1) * 16.0).abs() < 0.1, "{last}");
    let front = analysis.loads[0].pareto.as_ref().unwrap();
    assert_eq!(front.points.len(), 4);
    assert!(front.hypervolume.unwrap() > 0.0 && front.hypervolume_interval.is_some());
    assert_eq!(front.same.len(), 1, "{:?}", front.same);
    assert!(analysis.doubts.iter().any(|doubt| doubt.about == "objectives"));
}
