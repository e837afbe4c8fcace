//! The requests of a scenario, as the simulator takes them.

use anyhow::Context;
use dynamo_mocker::loadgen::{MooncakeRow, Trace};
use rand::distr::weighted::WeightedIndex;
use rand::distr::{Distribution, Uniform};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::scenario::{Arrivals, Phase, Scenario, Workload};

/// Build the simulator's workload of a cluster.
///
/// # Errors
///
/// If a recorded trace cannot be read.
pub fn trace(scenario: &Scenario) -> anyhow::Result<Trace> {
    match &scenario.workload {
        Workload::Mooncake { path, trace_block_size } => {
            Trace::from_mooncake(path, *trace_block_size)
                .with_context(|| format!("{} is not a Mooncake trace", path.display()))
        }
        Workload::Synthetic { .. } => {
            Trace::from_mooncake_rows(synthetic_rows(scenario), scenario.engine.block_size)
        }
        Workload::Congestion { .. } => anyhow::bail!("workload.kind: this is the traffic of links"),
    }
}

/// The rows of a synthetic workload in Mooncake's format, one hash id per KV block. The same scenario
/// gives the same rows.
///
/// # Panics
///
/// If the scenario's workload is not synthetic; scenarios are checked when they are loaded.
#[must_use]
pub fn synthetic_rows(scenario: &Scenario) -> Vec<MooncakeRow> {
    let Workload::Synthetic {
        requests,
        turns,
        think_time_ms,
        prefixes,
        skew,
        prefix_tokens,
        unique_tokens,
        output_tokens,
        spread,
    } = scenario.workload
    else {
        panic!("not a synthetic workload");
    };
    let block_size = scenario.engine.block_size;
    let prefix_blocks = prefix_tokens / block_size;
    let mut random = ChaCha12Rng::seed_from_u64(scenario.seed);
    let popularity = WeightedIndex::new((1..=prefixes).map(|rank| (rank as f64).powf(-skew)))
        .expect("popularities are positive");
    let around = |mean: usize| {
        let (low, high) = ((1.0 - spread) * mean as f64, (1.0 + spread) * mean as f64);
        Uniform::new_inclusive((low.round() as usize).max(1), (high.round() as usize).max(1))
            .expect("the interval is not empty")
    };
    let (added_tokens, answer_tokens) = (around(unique_tokens), around(output_tokens));

    let mut rows = Vec::with_capacity(requests);
    let mut next_own_block = (prefixes * prefix_blocks) as u64;
    let mut expected_sessions = 0.0;
    for session in 0.. {
        if rows.len() >= requests {
            break;
        }
        let prefix = popularity.sample(&mut random);
        let mut hash_ids: Vec<u64> =
            (0..prefix_blocks).map(|block| (prefix * prefix_blocks + block) as u64).collect();
        let mut input_length = prefix_tokens;
        for turn in 0..turns.min(requests - rows.len()) {
            input_length += added_tokens.sample(&mut random);
            while hash_ids.len() < input_length.div_ceil(block_size) {
                hash_ids.push(next_own_block);
                next_own_block += 1;
            }
            rows.push(MooncakeRow {
                session_id: (turns > 1).then(|| format!("session-{session}")),
                input_length: Some(input_length),
                output_length: Some(answer_tokens.sample(&mut random)),
                hash_ids: Some(hash_ids.clone()),
                timestamp: (turn == 0)
                    .then(|| start_ms(&scenario.arrivals, turns, expected_sessions)),
                delay: (turn > 0).then_some(think_time_ms),
                ..MooncakeRow::default()
            });
        }
        // Sessions are a Poisson process: the number expected until the next one is exponential.
        expected_sessions -= (1.0 - random.random::<f64>()).ln();
    }
    rows
}

/// The time at which so many sessions are expected to have started.
fn start_ms(arrivals: &Arrivals, turns: usize, expected_sessions: f64) -> f64 {
    let Arrivals::Open { rate, phases, ramp_seconds, .. } = arrivals else { return 0.0 };
    let Some(rate) = rate else { return start_in_phases_ms(phases, turns, expected_sessions) };
    let sessions_per_second = rate / turns as f64;
    let in_ramp = sessions_per_second * ramp_seconds / 2.0;
    let seconds = if expected_sessions < in_ramp {
        (2.0 * ramp_seconds * expected_sessions / sessions_per_second).sqrt()
    } else {
        expected_sessions / sessions_per_second + ramp_seconds / 2.0
    };
    1e3 * seconds
}

fn start_in_phases_ms(phases: &[Phase], turns: usize, mut expected_sessions: f64) -> f64 {
    let mut began = 0.0;
    for (number, phase) in phases.iter().enumerate() {
        let sessions_per_second = phase.rate / turns as f64;
        let is_last = number + 1 == phases.len();
        if is_last || expected_sessions <= sessions_per_second * phase.seconds {
            return 1e3 * (began + expected_sessions / sessions_per_second);
        }
        expected_sessions -= sessions_per_second * phase.seconds;
        began += phase.seconds;
    }
    0.0
}
