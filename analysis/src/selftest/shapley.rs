//! The intervals of Shapley values.

use super::{Check, Measure, Outcome, Plan, count, covers};
use crate::game::shapley::{
    CoalitionValues, bootstrap_interval, paired_interval, sampled_shapley, shapley,
    unpaired_interval,
};
use crate::stats::{Interval, Normal};

/// The glove game, times ten: one left glove is as good as the other.
fn truth() -> Vec<f64> {
    let gloves = |coalition: u32| {
        let left = (coalition & 0b011).count_ones();
        f64::from(10 * left.min((coalition & 0b100).count_ones()))
    };
    (0..8).map(gloves).collect()
}

const SUBJECTS: [(&str, Measure); 3] = [
    ("Shapley value, paired", Measure::Coverage),
    ("Shapley value, not paired", Measure::Coverage),
    ("Shapley value, resampled", Measure::Spread),
];

pub(super) fn checks(plan: Plan) -> Vec<Check> {
    let mut checks = Vec::new();
    for blocks in [5, 20] {
        let data = format!("gloves: {blocks} blocks, noise 1, half of it in common");
        checks.extend(count(plan, &data, &SUBJECTS, |seed| measured(blocks, seed)));
    }
    let sampled = [("Shapley value, sampled orders", Measure::Coverage)];
    checks.extend(count(plan, "gloves: 400 random orders", &sampled, |seed| {
        let (table, known) = (truth(), shapley(&truth()));
        let value = |members: &[bool]| {
            let bits =
                members.iter().enumerate().map(|(player, is_in)| usize::from(*is_in) << player);
            table[bits.sum::<usize>()]
        };
        let found = sampled_shapley(3, value, 400, seed);
        let interval = found.interval(0);
        vec![Some(covers(interval.low, interval.high, known[0]))]
    }));
    checks
}

/// The first player of one data set: three that share their noise would count as one and a half.
fn measured(count: usize, seed: u64) -> Vec<Outcome> {
    let mut normal = Normal::new(seed);
    let blocks: Vec<Vec<f64>> = (0..count)
        .map(|_| {
            let shared = normal.draw();
            let noisy = |value: f64| value + (shared + normal.draw()) / std::f64::consts::SQRT_2;
            truth().into_iter().map(noisy).collect()
        })
        .collect();
    let known = shapley(&truth())[0];
    let covered = |interval: Interval| Some(covers(interval.low, interval.high, known));
    // Without pairs, the values of a coalition come from blocks of their own.
    let alone = |coalition: usize, block: &Vec<f64>| (None, block[coalition]);
    let table = (0..8).map(|c| blocks.iter().map(|block| alone(c, block)).collect()).collect();
    let players = ["a", "b", "c"].map(str::to_owned).to_vec();
    let table = CoalitionValues::of_measurements(players, table).expect("finite values");
    vec![
        paired_interval(&blocks).and_then(|found| covered(found[0].interval)),
        unpaired_interval(&table).and_then(|found| covered(found[0].interval)),
        bootstrap_interval(&blocks, seed).and_then(|found| covered(found[0].interval)),
    ]
}
