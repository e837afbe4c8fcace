// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in offline replay: simulated time and pool for the router's hooks, and a seed that makes a
//! replay repeatable.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;

use aisimulate_core::replay::ReplayRuntimeInput;
use dynamo_kv_router::nashtrace as shim;
use uuid::Uuid;

use crate::common::protocols::{MockerConfig, WorkerType};

thread_local! {
    /// The seed of the next selector that is made on this thread.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
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
