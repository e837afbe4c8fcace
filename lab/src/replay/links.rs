//! Playing what sources send over links: one simulation of one worker for each link.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;
use dynamo_mocker::common::perf_model::PerfModel;
use dynamo_mocker::replay::{
    ReplayRuntimeObservers, SlaThresholds,
    simulate_trace_requests_with_router_mode_and_runtime_observers, with_kv_event_lag_ms,
};

use super::{Carried, Played, ROUTER, choose_eviction, router_config, seeded, worker_config};
use crate::congestion::{self, Traffic};
use crate::scenario::{Eviction, Link, Scenario};
use crate::tiers::Tiers;

/// A link with what it is to carry.
pub(super) struct PreparedLink {
    pub(super) name: String,
    pub(super) link: Link,
    pub(super) traffic: Traffic,
}

/// The links that carry something.
pub(super) fn prepare(scenario: &Scenario, links: &BTreeMap<String, Link>) -> Vec<PreparedLink> {
    congestion::traffic(scenario)
        .into_iter()
        .map(|(name, traffic)| PreparedLink { link: links[&name], name, traffic })
        .collect()
}

/// Play a link on a thread of its own: every link's simulated time begins at 0, and the time of a thread's events
/// does not go back.
pub(super) fn play(scenario: &Scenario, link: PreparedLink) -> anyhow::Result<Played> {
    std::thread::scope(|scope| scope.spawn(|| play_here(scenario, link)).join())
        .map_err(|_| anyhow!("the simulator failed"))?
}

fn play_here(scenario: &Scenario, prepared: PreparedLink) -> anyhow::Result<Played> {
    let PreparedLink { name, link, traffic } = prepared;
    let timing = Arc::new(PerfModel::from_ais_callback(Arc::new(link)));
    let worker = worker_config(scenario, "aggregated", &timing)?;
    choose_eviction(Eviction::Lru)?;
    let simulate = || {
        simulate_trace_requests_with_router_mode_and_runtime_observers(
            worker,
            Some(router_config(scenario)),
            None,
            traffic.requests,
            1,
            1.0,
            ROUTER,
            true,
            SlaThresholds::default(),
            ReplayRuntimeObservers::default(),
        )
    };
    let report = with_kv_event_lag_ms(scenario.router.kv_event_lag_ms, || {
        seeded(scenario.seed, simulate)?
    })??;
    let carried = Some(Carried { link: name, sources: traffic.sources });
    Ok(Played { tiers: Tiers::of(&report), report, carried })
}
