//! The intervals of means, quantiles, correlations, knees and dominated volumes.

use super::series::{red_noise, white};
use super::{Check, Measure, Outcome, Plan, count, covers};
use crate::pareto::{
    Configuration, hypervolume, membership, membership_of_blocks, sampled_hypervolume,
};
use crate::stats::{
    Interval, Normal, cross_correlation, knee, knee_of_blocks, mean_interval, mean_interval_bca,
    quantile_interval, spearman,
};

pub(super) fn checks(plan: Plan) -> Vec<Check> {
    [means(plan), quantiles(plan), correlations(plan), knees(plan), volumes(plan)].concat()
}

/// One interval of one data set.
fn coverage(
    plan: Plan,
    data: &str,
    subject: &'static str,
    one: impl Fn(u64) -> Option<(Interval, f64)> + Sync,
) -> Vec<Check> {
    count(plan, data, &[(subject, Measure::Coverage)], |seed| {
        vec![one(seed).map(|(interval, truth)| covers(interval.low, interval.high, truth))]
    })
}

fn means(plan: Plan) -> Vec<Check> {
    let of_series = "mean of a series";
    let of_blocks = "mean, BCa";
    [
        coverage(plan, "200 values: white noise", of_series, |seed| {
            Some((mean_interval(&white(seed))?, 0.0))
        }),
        coverage(plan, "200 values: red noise, correlation 0.5", of_series, |seed| {
            Some((mean_interval(&red_noise(seed))?, 0.0))
        }),
        coverage(plan, "10 normal values", of_blocks, |seed| {
            Some((mean_interval_bca(&draws(seed, 10))?, 0.0))
        }),
        coverage(plan, "40 values with a long tail", of_blocks, |seed| {
            Some((mean_interval_bca(&waits(seed, 40))?, 1.0))
        }),
    ]
    .concat()
}

fn quantiles(plan: Plan) -> Vec<Check> {
    let of = |subject, p: f64| {
        coverage(plan, "1,000 values with a long tail", subject, move |seed| {
            let mut values = waits(seed, 1000);
            values.sort_by(f64::total_cmp);
            Some((quantile_interval(&values, p)?, -(1.0 - p).ln()))
        })
    };
    [of("median", 0.5), of("99th percentile", 0.99)].concat()
}

fn correlations(plan: Plan) -> Vec<Check> {
    const DELAY: usize = 3;
    const CORRELATION: f64 = 0.5;
    let subjects = [("lag", Measure::Coverage), ("correlation there", Measure::Coverage)];
    let delayed = |seed: u64| -> Vec<Outcome> {
        let cause = red_noise(seed);
        let noise = draws(!seed, cause.len());
        let effect = |t: usize| if t < DELAY { noise[t] } else { cause[t - DELAY] + noise[t] };
        let effects: Vec<f64> = (0..cause.len()).map(effect).collect();
        let Ok(found) = cross_correlation(&cause, &effects, 20) else { return vec![None; 2] };
        // As much noise as there is of the cause.
        let truths = [DELAY as f64, std::f64::consts::FRAC_1_SQRT_2];
        let intervals = [found.lag_interval, found.correlation_interval];
        let pairs = intervals.iter().zip(truths);
        pairs.map(|(own, truth)| Some(covers(own.low, own.high, truth))).collect()
    };
    let ranks = |seed: u64| {
        let (x, noise) = (draws(seed, 50), draws(!seed, 50));
        let alone = (1.0 - CORRELATION * CORRELATION).sqrt();
        let y: Vec<f64> =
            x.iter().zip(&noise).map(|(x, noise)| CORRELATION * x + alone * noise).collect();
        // Of normal variables, Pearson (1907).
        let truth = 6.0 / std::f64::consts::PI * (CORRELATION / 2.0).asin();
        Some((spearman(&x, &y)?.interval?, truth))
    };
    [
        count(plan, "200 values: red noise, and it 3 later with noise", &subjects, delayed),
        coverage(plan, "50 pairs of normal values", "rank correlation", ranks),
    ]
    .concat()
}

fn knees(plan: Plan) -> Vec<Check> {
    const KNEE: f64 = 4.3;
    const SUBJECTS: [(&str, Measure); 3] = [
        ("knee", Measure::Coverage),
        ("slope before it", Measure::Coverage),
        ("slope after it", Measure::Coverage),
    ];
    let height = |x: f64| 0.2 * x + 1.3 * (x - KNEE).max(0.0);
    let outcome = |found: Result<crate::stats::Knee, _>| -> Vec<Outcome> {
        let Ok(found) = found else { return vec![None; SUBJECTS.len()] };
        let intervals = [(found.knee, KNEE), (found.slope_before, 0.2), (found.slope_after, 1.5)];
        intervals.map(|(own, truth)| Some(covers(own.low, own.high, truth))).to_vec()
    };
    let points = |seed: u64| {
        let noise = draws(seed, 40);
        let x: Vec<f64> = (0..40).map(|index| 8.0 * f64::from(index) / 39.0).collect();
        let y: Vec<f64> = x.iter().zip(&noise).map(|(x, noise)| height(*x) + 0.3 * noise).collect();
        outcome(knee(&x, &y))
    };
    let blocks = |seed: u64| {
        let mut normal = Normal::new(seed);
        let block = |_| {
            let shared = 0.3 * normal.draw();
            (1..=8).map(f64::from).map(|x| (x, height(x) + shared + 0.3 * normal.draw())).collect()
        };
        let blocks: Vec<Vec<(f64, f64)>> = (0..10).map(block).collect();
        outcome(knee_of_blocks(&blocks))
    };
    [
        count(plan, "40 points, noise 0.3", &SUBJECTS, points),
        count(plan, "8 loads in 10 blocks, noise 0.3, half of it in common", &SUBJECTS, blocks),
    ]
    .concat()
}

fn volumes(plan: Plan) -> Vec<Check> {
    const CENTRES: [[f64; 2]; 4] = [[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [3.5, 3.5]];
    const REFERENCE: [f64; 2] = [6.0, 6.0];
    const BLOCKS: usize = 10;
    let centres = CENTRES.map(|centre| centre.to_vec());
    let truth = hypervolume(&centres, &REFERENCE);
    let measured = |seed: u64, common: f64| -> Vec<Configuration> {
        let shared = draws(!seed, 2 * BLOCKS);
        let mut normal = Normal::new(seed);
        let mut replicate = |centre: &[f64], block: usize| -> Vec<f64> {
            let noise = |side: usize, own: f64| {
                common.sqrt() * shared[2 * block + side] + (1.0 - common).sqrt() * own
            };
            (0..2).map(|side| centre[side] + 0.3 * noise(side, normal.draw())).collect()
        };
        centres
            .iter()
            .map(|centre| Configuration {
                name: String::new(),
                replicates: (0..BLOCKS).map(|block| replicate(centre, block)).collect(),
            })
            .collect()
    };
    let sampled = |seed: u64| {
        let found = sampled_hypervolume(&centres, &REFERENCE, 1000, seed);
        let half = 1.96 * found.error;
        Some((Interval { low: found.volume - half, high: found.volume + half }, truth))
    };
    [
        coverage(
            plan,
            "4 configurations in 10 blocks, half of the noise in common",
            "dominated volume",
            |seed| {
                Some((
                    membership_of_blocks(&measured(seed, 0.5), Some(&REFERENCE), seed).volume?,
                    truth,
                ))
            },
        ),
        coverage(plan, "4 configurations, 10 replicates each", "dominated volume", |seed| {
            Some((membership(&measured(seed, 0.0), Some(&REFERENCE), seed).volume?, truth))
        }),
        coverage(plan, "1,000 samples", "dominated volume, sampled", sampled),
    ]
    .concat()
}

fn draws(seed: u64, count: usize) -> Vec<f64> {
    let mut normal = Normal::new(seed);
    (0..count).map(|_| normal.draw()).collect()
}

/// Exponential with mean 1: the sum of two squares of normal values, halved.
fn waits(seed: u64, count: usize) -> Vec<f64> {
    let mut normal = Normal::new(seed);
    (0..count).map(|_| (normal.draw().powi(2) + normal.draw().powi(2)) / 2.0).collect()
}
