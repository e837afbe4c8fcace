//! The rules of sources that share links.

use super::{MILLISECONDS, REQUESTS, TOKENS, below_one, within};
use crate::congestion::{longest_prompt, step_tokens};
use crate::scenario::{Arrivals, Cluster, Determinism, Eviction, Link, Scenario, Timing, Workload};

/// With more, prompts would have to be multiples of many tokens ([`step_tokens`]).
const MOST_SOURCES: usize = 8;

/// The workload, its links, its rounds and its times go together.
pub(super) fn kinds(scenario: &Scenario) -> Result<(), String> {
    let is_congestion = matches!(scenario.workload, Workload::Congestion { .. });
    for (is_links, key) in [
        (matches!(scenario.cluster, Cluster::Links { .. }), "cluster.mode: \"links\""),
        (matches!(scenario.arrivals, Arrivals::Rounds { .. }), "arrivals.loop: \"rounds\""),
        (matches!(scenario.timing, Timing::Links), "timing.kind: \"links\""),
    ] {
        if is_links != is_congestion {
            return Err(match is_congestion {
                true => format!("{key} is needed by a workload of the kind \"congestion\""),
                false => format!("{key} is only for a workload of the kind \"congestion\""),
            });
        }
    }
    Ok(())
}

/// What a scenario with links says, if it is one.
pub(super) fn game(scenario: &Scenario) -> Result<(), String> {
    let Workload::Congestion { prompt_tokens, spread } = &scenario.workload else { return Ok(()) };
    let Cluster::Links { links, routes } = &scenario.cluster else { return Ok(()) };
    let sources = routes.len();
    if routes.is_empty() {
        return Err("cluster.routes: nobody sends anything; name a source and its link".into());
    }
    if sources > MOST_SOURCES {
        return Err(format!("cluster.routes: {sources} sources are more than {MOST_SOURCES}"));
    }
    if links.is_empty() {
        return Err("cluster.links: there is none".into());
    }
    for (name, link) in links {
        times(name, link)?;
    }
    for (source, link) in routes {
        if !links.contains_key(link) {
            let known: Vec<&str> = links.keys().map(String::as_str).collect();
            return Err(format!(
                "cluster.routes.{source}: there is no link {link:?}; the links are {}",
                known.join(", ")
            ));
        }
    }
    within("workload.prompt_tokens", prompt_tokens, &TOKENS)?;
    below_one(*spread)?;
    let step = step_tokens(sources);
    if !prompt_tokens.is_multiple_of(step) {
        return Err(format!(
            "workload.prompt_tokens: {prompt_tokens} is not a multiple of {step}; with {sources} sources only those \
             are timed exactly"
        ));
    }
    nothing_else(scenario)?;
    let longest = longest_prompt(*prompt_tokens, *spread, sources);
    room(scenario, sources, longest)?;
    rounds(scenario, links.iter().map(|(name, link)| (name.as_str(), *link)), sources * longest)
}

fn times(name: &str, link: &Link) -> Result<(), String> {
    within(&format!("cluster.links.{name}.ms_per_token"), &link.ms_per_token, &MILLISECONDS)?;
    within(&format!("cluster.links.{name}.ms_per_pass"), &link.ms_per_pass, &MILLISECONDS)?;
    if link.ms_per_token == 0.0 && link.ms_per_pass == 0.0 {
        return Err(format!(
            "cluster.links.{name}: a link takes time; give it ms_per_token, ms_per_pass or both"
        ));
    }
    Ok(())
}

fn nothing_else(scenario: &Scenario) -> Result<(), String> {
    let engine = &scenario.engine;
    for (is_there, key) in [
        (scenario.planner.is_some(), "planner"),
        (engine.host.is_some(), "engine.host"),
        (engine.disk.is_some(), "engine.disk"),
        (engine.eviction != Eviction::Lru, "engine.eviction"),
        (scenario.router.queue_threshold.is_some(), "router.queue_threshold"),
        (scenario.determinism != Determinism::Seeded, "determinism"),
    ] {
        if is_there {
            return Err(format!("{key}: a workload of the kind \"congestion\" does not take it"));
        }
    }
    Ok(())
}

/// Whatever the routes, the sources of a link are served in one pass: else their latency would not be linear.
fn room(scenario: &Scenario, sources: usize, longest: usize) -> Result<(), String> {
    let engine = &scenario.engine;
    // The answer is cached with its prompt.
    let blocks = sources * (longest + 1).div_ceil(engine.block_size);
    for (key, value, needed) in [
        ("max_num_seqs", engine.max_num_seqs, sources),
        ("max_num_batched_tokens", engine.max_num_batched_tokens, sources * longest),
        ("kv_blocks", engine.kv_blocks, blocks),
    ] {
        if value < needed {
            return Err(format!(
                "engine.{key}: {value} is too little for all sources in one pass, which need {needed}"
            ));
        }
    }
    Ok(())
}

fn rounds<'a>(
    scenario: &Scenario,
    links: impl Iterator<Item = (&'a str, Link)>,
    most_tokens: usize,
) -> Result<(), String> {
    let Arrivals::Rounds { rounds, period_ms } = scenario.arrivals else { return Ok(()) };
    within("arrivals.rounds", &rounds, &REQUESTS)?;
    within("arrivals.period_ms", &period_ms, &MILLISECONDS)?;
    for (name, link) in links {
        let longest_ms = link.ms_per_pass + link.ms_per_token * most_tokens as f64;
        if period_ms <= longest_ms {
            return Err(format!(
                "arrivals.period_ms: {period_ms} is too short: a pass over the link {name:?} takes up to {longest_ms} ms"
            ));
        }
    }
    Ok(())
}
