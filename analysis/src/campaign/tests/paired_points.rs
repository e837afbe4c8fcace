//! What blocks have in common must not look like a difference of profiles.

use super::*;
use crate::stats::Interval;

/// Everyone's last strategy is dominant by 3 % a step.
fn dominant(_: usize, profile: &[usize]) -> Vec<f64> {
    let all: usize = profile.iter().sum();
    profile.iter().map(|own| 1.1 - 0.03 * *own as f64 + 0.01 * all as f64).collect()
}

/// Pure equilibria (`None` for each mixed one), how many best responses there are, and where they rest.
type Played = (Vec<Option<Vec<usize>>>, usize, Vec<Vec<usize>>);

/// Equilibria and best responses of a campaign that lacks some runs.
fn play(data: &CampaignData, lost: &[usize]) -> Played {
    let mut data = data.clone();
    lost.iter().for_each(|place| data.records[*place] = None);
    let analysis = analyze(&data, &Settings { resamples: 2, ..SETTINGS });
    let load = &analysis.loads[0];
    let equilibria = load.equilibria.as_ref().unwrap();
    let pure = equilibria.list.iter().map(|found| found.pure.clone()).collect();
    (pure, load.best_responses.moves.len(), load.best_responses.rest_points.clone())
}

#[test]
fn the_loss_of_one_run_changes_no_dominance() {
    let data = campaign(design(&[2, 2, 2], 4, 1, ""), 0.1, 3, dominant);
    // Blocks differ by up to 10 %, runs within a block by nothing.
    let data = common_noise_only(data);
    let whole = play(&data, &[]);
    assert_eq!((&whole.0, &whole.2), (&vec![Some(vec![1, 1, 1])], &vec![vec![1, 1, 1]]));
    for place in 0..data.records.len() {
        assert_eq!(play(&data, &[place]), whole, "without run {place}");
    }
}

#[test]
fn without_whole_blocks_dominance_is_still_found() {
    let data = common_noise_only(campaign(design(&[2, 2], 8, 1, ""), 0.1, 4, dominant));
    let numbers = data.plan.runs.iter().map(|run| data.design.profile_number(&run.profile));
    let lost: Vec<usize> = (0..data.records.len())
        .zip(numbers)
        .filter(|(place, profile)| data.plan.runs[*place].block % 4 == *profile)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(play(&data, &lost), (vec![Some(vec![1, 1])], 4, vec![vec![1, 1]]));
    let mut torn = data;
    lost.iter().for_each(|place| torn.records[*place] = None);
    let analysis = analyze(&torn, &SETTINGS);
    let from = analysis.loads[0].points_from.as_deref();
    assert_eq!((analysis.loads[0].whole_blocks, from), (0, Some("profile and block effects")));
    assert!(
        analysis.doubts.iter().any(|doubt| doubt.sentence.contains("a fit of profile and block"))
    );
    is_repeatable(&torn);
}

#[test]
fn every_point_lies_inside_its_interval() {
    for seed in 0..12 {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let table: Vec<Vec<f64>> =
            (0..8).map(|_| (0..3).map(|_| random.random_range(1.0..1.3)).collect()).collect();
        let costs = |_: usize, profile: &[usize]| {
            table[profile.iter().fold(0, |number, strategy| 2 * number + strategy)].clone()
        };
        let shape = design(&[2, 2, 2], 7, 1, "leader = \"p0\"");
        let mut data = campaign(shape, 0.08, seed, costs);
        for _ in 0..seed % 4 {
            let lost = random.random_range(0..data.records.len());
            data.records[lost] = None;
        }
        let analysis = analyze(&data, &Settings { resamples: 20, ..SETTINGS });
        for (what, point, interval) in intervals(&analysis.loads[0]) {
            assert!(holds(interval, point), "seed {seed}, {what}: {point} outside {interval:?}");
        }
    }
}

/// Every point with its interval.
fn intervals(load: &LoadAnswer) -> Vec<(String, f64, Interval)> {
    let mut all: Vec<(String, f64, Option<Interval>)> = Vec::new();
    for price in &load.anarchy {
        for row in &price.rows {
            all.extend(row.point.map(|point| (row.name.clone(), point, row.simultaneous)));
        }
    }
    for cell in &load.cells {
        let payoffs = cell.payoffs.iter().map(|payoff| (payoff.mean, payoff.interval));
        all.extend(payoffs.map(|(mean, interval)| ("payoff".to_owned(), mean, interval)));
    }
    let mut estimate = |what: &str, found: &Estimate| {
        all.push((what.to_owned(), found.value, found.interval));
    };
    load.best_responses.moves.iter().for_each(|found| estimate("gain", &found.gain));
    load.anarchy.iter().filter_map(|p| p.gap.as_ref()).for_each(|gap| estimate("gap", &gap.gap));
    load.anarchy.iter().filter_map(|p| p.optimum_cost.as_ref()).for_each(|c| estimate("cost", c));
    let committed =
        load.stackelberg.iter().flat_map(|found| [&found.optimistic, &found.pessimistic]);
    committed.flatten().for_each(|found| estimate("commitment", &found.value));
    let regrets =
        load.regret.iter().filter_map(|r| Some(("regret".to_owned(), r.point?, r.interval)));
    let shares = load.shapley.iter().flat_map(|found| &found.players);
    let shares = shares.map(|share| ("share".to_owned(), share.value, share.interval));
    all.extend(regrets.chain(shares).collect::<Vec<_>>());
    all.into_iter().filter_map(|(what, point, interval)| Some((what, point, interval?))).collect()
}

/// Every run of a block as the block's common factor has it.
fn common_noise_only(mut data: CampaignData) -> CampaignData {
    for record in data.records.iter_mut().flatten() {
        let costs = dominant(0, &record.profile);
        let factor = 1.0 + 0.1 * [-1.0, 0.8, 0.3, -0.5][record.block % 4];
        for (name, cost) in PAYOFFS.iter().zip(&costs) {
            record.metrics.insert((*name).to_owned(), Some(factor * cost));
        }
        let social = factor * costs.iter().sum::<f64>();
        record.metrics.insert("e2e_ms_per_output_token".to_owned(), Some(social));
    }
    data
}
