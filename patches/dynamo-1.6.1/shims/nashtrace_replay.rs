// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in offline replay: simulated time and pool for the router's hooks, a seed that makes a replay
//! repeatable, a choice of eviction, and a count of what the simulator says of its caches.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;

use aisimulate_core::engine::{KvEvent, KvEventData, KvEventTier, KvEvictionPolicy};
use aisimulate_core::replay::{ReplayEngineConfig, ReplayRuntimeInput};
use dynamo_kv_router::nashtrace as shim;
use uuid::Uuid;

use crate::common::protocols::{MockerConfig, WorkerType};

thread_local! {
    /// The seed of the next selector that is made on this thread.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
    static EVICTION: Cell<KvEvictionPolicy> = const { Cell::new(KvEvictionPolicy::Lru) };
    static PUBLISHED: Cell<Published> = const { Cell::new(Published::NOTHING) };
}

/// Run `replay` with seeded worker selection and request ids in workload order, so that the same seed
/// gives the same decisions. Applies to offline KV-router replays made on this thread inside `replay`.
pub fn with_seed<T>(seed: u64, replay: impl FnOnce() -> T) -> T {
    struct Restore(Option<u64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SEED.set(self.0);
        }
    }
    let _restore = Restore(SEED.replace(Some(seed)));
    replay()
}

/// The seed of a selector, if this replay is seeded. Each selector (one per pool) gets its own.
pub(super) fn next_selector_seed() -> Option<u64> {
    const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
    let seed = SEED.get()?;
    SEED.set(Some(seed.wrapping_add(GOLDEN_RATIO)));
    Some(seed)
}

/// Number the requests in workload order, if this replay is seeded.
pub(super) fn stable_request_ids(input: ReplayRuntimeInput) -> ReplayRuntimeInput {
    match input {
        ReplayRuntimeInput::Workload(driver) if SEED.get().is_some() => {
            ReplayRuntimeInput::Workload(driver.with_deterministic_request_ids(1))
        }
        other => other,
    }
}

/// From now on, aggregated replays that are made on this thread evict in this order.
pub fn choose_eviction(policy: KvEvictionPolicy) {
    EVICTION.set(policy);
}

pub(crate) fn with_chosen_eviction(config: ReplayEngineConfig) -> ReplayEngineConfig {
    ReplayEngineConfig { kv_eviction_policy: EVICTION.get(), ..config }
}

/// KV blocks of one tier that the simulator's workers told their router of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Blocks that came.
    pub stored: u64,
    /// Blocks that were evicted.
    pub removed: u64,
}

/// KV blocks that the simulator's workers told their router of. Decode workers of a disaggregated cluster
/// tell nothing; a block of a shared host pool is told of by every worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// In device memory.
    pub device: Told,
    /// In host memory.
    pub host: Told,
}

impl Published {
    const NOTHING: Self =
        Self { device: Told { stored: 0, removed: 0 }, host: Told { stored: 0, removed: 0 } };
}

/// What was published on this thread since this was asked last.
pub fn take_published() -> Published {
    PUBLISHED.replace(Published::NOTHING)
}

pub(super) fn published(events: &[KvEvent]) {
    let mut published = PUBLISHED.get();
    for event in events {
        let told = match event.tier {
            KvEventTier::Device => &mut published.device,
            KvEventTier::HostPinned => &mut published.host,
        };
        match &event.data {
            KvEventData::Stored(stored) => told.stored += stored.blocks.len() as u64,
            KvEventData::Removed { block_hashes } => told.removed += block_hashes.len() as u64,
        }
    }
    PUBLISHED.set(published);
}

/// What the hooks need to know about one simulated router.
pub(crate) struct SimulatedRouter {
    pool: &'static str,
    now_ms: Cell<f64>,
    queued_at_ms: HashMap<Uuid, f64>,
}

impl SimulatedRouter {
    pub(crate) fn new(args: &MockerConfig) -> Self {
        let pool = match args.worker_type {
            WorkerType::Aggregated => "aggregated",
            WorkerType::Prefill => "prefill",
            WorkerType::Decode => "decode",
        };
        let router = Self { pool, now_ms: Cell::new(0.0), queued_at_ms: HashMap::new() };
        router.at(0.0);
        router
    }

    /// The router acts at this simulated time.
    pub(crate) fn at(&self, now_ms: f64) {
        self.now_ms.set(now_ms);
        shim::forget_queue_wait();
        shim::set_simulated(now_ms, self.pool);
    }

    /// A request entered the router's queue.
    pub(crate) fn queued(&mut self, request: Uuid) {
        self.queued_at_ms.insert(request, self.now_ms.get());
    }

    /// A request left the router's queue and is about to be routed.
    pub(crate) fn left_queue(&mut self, request: Uuid) {
        if let Some(queued_at_ms) = self.queued_at_ms.remove(&request) {
            let waited_ms = (self.now_ms.get() - queued_at_ms).max(0.0);
            shim::queued_since(|| Duration::from_secs_f64(waited_ms / 1e3));
        }
    }
}
