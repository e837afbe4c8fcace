//! Campaigns whose truth is known, written by the tests.

mod doubted;
mod known_games;
mod paired_points;
mod partial;
mod repeatable;

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::*;
use crate::experiment::{Design, Plan, PlannedRun, Record, RecordSeries, Status, TraceFacts};

/// Metrics that stand for the payoffs of up to three players, and for the social cost.
const PAYOFFS: [&str; 3] = ["ttft_mean_ms", "ttft_p50_ms", "tbt_mean_ms"];

/// A campaign's design: strategies per player, blocks and loads.
fn design(strategies: &[usize], blocks: usize, loads: usize, more: &str) -> Design {
    let mut text = format!(
        "name = \"known\"\nseed = 1\nblocks = {blocks}\n{more}\n\
         driver = {{ kind = \"lab\", scenario = \"s.toml\" }}\n\
         welfare = {{ cost = \"e2e_ms_per_output_token\", also = [\"e2e_mean_ms\"] }}\n\
         [references]\nttft_mean_ms = 1\nttft_p50_ms = 1\ntbt_mean_ms = 1\n"
    );
    for (player, count) in strategies.iter().enumerate() {
        let last = count - 1;
        text += &format!(
            "[[players]]\nname = \"p{player}\"\nbaseline = \"s0\"\nintelligent = \"s{last}\"\n\
             utility = {{ {} = -1.0 }}\n",
            PAYOFFS[player]
        );
        for strategy in 0..*count {
            text += &format!("[[players.strategies]]\nname = \"s{strategy}\"\n");
        }
    }
    for load in 0..loads {
        text += &format!("[[loads]]\nname = \"l{load}\"\nvalue = {}\n", load + 1);
    }
    Design::parse(&text).unwrap()
}

/// A campaign in which every run gives what `costs` says of load and profile (each player's cost), with noise that has a
/// part in common within a block; the social cost is the sum.
fn campaign(
    design: Design,
    noise: f64,
    seed: u64,
    costs: impl Fn(usize, &[usize]) -> Vec<f64>,
) -> CampaignData {
    let plan = Plan::of(&design, "0".repeat(32));
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let common: Vec<f64> = (0..design.blocks).map(|_| random.random_range(-1.0..1.0)).collect();
    let record = |run: &PlannedRun| {
        let mut random = ChaCha12Rng::seed_from_u64(seed ^ 0x5eed);
        random.set_stream(run.order as u64);
        let mut noisy = |value: f64| {
            value * (1.0 + noise * (common[run.block] + random.random_range(-1.0..1.0)))
        };
        let own: Vec<f64> = costs(run.load, &run.profile).into_iter().map(&mut noisy).collect();
        let social: f64 = own.iter().sum();
        let mut metrics: BTreeMap<String, Option<f64>> = PAYOFFS
            .iter()
            .zip(&own)
            .map(|(name, cost)| ((*name).to_owned(), Some(*cost)))
            .collect();
        metrics.insert("e2e_ms_per_output_token".to_owned(), Some(social));
        metrics.insert("e2e_mean_ms".to_owned(), Some(10.0 + social));
        metrics.insert("ttft_p99_ms".to_owned(), Some(100.0 * (run.load + 1) as f64));
        Some(Record {
            schema_version: 1,
            run: run.run.clone(),
            load: run.load,
            block: run.block,
            profile: run.profile.clone(),
            seed: run.seed,
            driver: "lab".to_owned(),
            status: Status::Ok,
            reason: None,
            metrics,
            series: Vec::new(),
            trace: Some(TraceFacts {
                records: 10,
                decisions: 5,
                block_events: 0,
                lost: 0,
                block_sample: 1,
                ..TraceFacts::default()
            }),
        })
    };
    let records = plan.runs.iter().map(record).collect();
    CampaignData { design, plan, records }
}

const SETTINGS: Settings<'static> = Settings { resamples: 200, seed: 7, stop: &|| false };

/// The rows of a price by name.
fn row<'a>(analysis: &'a Analysis, load: usize, name: &str) -> &'a PriceRow {
    let rows = &analysis.loads[load].anarchy[0].rows;
    rows.iter().find(|row| row.name == name).unwrap()
}

/// Whether an interval has a value in it, up to rounding.
fn holds(interval: crate::stats::Interval, value: f64) -> bool {
    interval.low - 1e-9 <= value && value <= interval.high + 1e-9
}

/// Everything that is written can be read again, and two threads give what one gives.
fn is_repeatable(data: &CampaignData) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&analyze(data, &SETTINGS)).unwrap())
    };
    let one = on(1);
    assert!(one == on(2), "two threads give other bytes than one");
    let read: Analysis = serde_json::from_str(&one).unwrap();
    let plain: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert!(serde_json::to_value(&read).unwrap() == plain, "what is read is not what was written");
}
