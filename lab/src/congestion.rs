//! The traffic of sources that share links: who sends what over which link, and when.

use std::collections::BTreeMap;

use dynamo_mocker::common::protocols::DirectRequest;
use rand::SeedableRng;
use rand::distr::{Distribution, Uniform};
use rand_chacha::ChaCha12Rng;
use uuid::Uuid;

use crate::scenario::{Arrivals, Cluster, Scenario, Workload};

/// What one link carries.
#[derive(Debug, Default)]
pub struct Traffic {
    /// The requests, by arrival.
    pub requests: Vec<DirectRequest>,
    /// Who sent each.
    pub sources: BTreeMap<Uuid, String>,
}

/// The traffic of every link that a source has chosen, by the link's name. Requests are numbered and drawn
/// whatever their link, so that they are the same under all routes.
///
/// # Panics
///
/// If these are no sources that share links; scenarios are checked when they are loaded.
#[must_use]
pub fn traffic(scenario: &Scenario) -> BTreeMap<String, Traffic> {
    let (Workload::Congestion { prompt_tokens, spread }, Cluster::Links { routes, .. }) =
        (&scenario.workload, &scenario.cluster)
    else {
        panic!("no sources that share links");
    };
    let Arrivals::Rounds { rounds, period_ms } = scenario.arrivals else {
        panic!("no rounds");
    };
    let steps = prompt_steps(*prompt_tokens, *spread, routes.len());
    let steps = Uniform::new_inclusive(steps[0], steps[1]).expect("the interval is not empty");
    let mut random = ChaCha12Rng::seed_from_u64(scenario.seed);
    let mut traffic: BTreeMap<String, Traffic> = BTreeMap::new();
    let mut number: u32 = 0;
    for round in 0..rounds {
        for (source, link) in routes {
            number += 1;
            let carried = traffic.entry(link.clone()).or_default();
            let id = Uuid::from_u128(u128::from(number));
            carried.sources.insert(id, source.clone());
            carried.requests.push(DirectRequest {
                // A token that no other prompt has: nothing is found in a cache.
                tokens: vec![number; steps.sample(&mut random) * step_tokens(routes.len())],
                max_output_tokens: 1,
                uuid: Some(id),
                arrival_timestamp_ms: Some(round as f64 * period_ms),
                ..DirectRequest::default()
            });
        }
    }
    traffic
}

/// Tokens that prompts are multiples of. The simulator times a pass by the mean length of its prompts in whole tokens;
/// with these steps that is exact, however many of the sources are in it.
#[must_use]
pub fn step_tokens(sources: usize) -> usize {
    let common_divisor = |mut a: usize, mut b: usize| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (1..=sources).fold(1, |multiple, count| multiple / common_divisor(multiple, count) * count)
}

/// The shortest and the longest prompt in steps, as far from the mean as each other.
fn prompt_steps(mean_tokens: usize, spread: f64, sources: usize) -> [usize; 2] {
    let mean = mean_tokens / step_tokens(sources);
    let apart = (spread * mean as f64) as usize;
    [mean - apart, mean + apart]
}

/// Tokens of the longest prompt.
#[must_use]
pub fn longest_prompt(mean_tokens: usize, spread: f64, sources: usize) -> usize {
    prompt_steps(mean_tokens, spread, sources)[1] * step_tokens(sources)
}
