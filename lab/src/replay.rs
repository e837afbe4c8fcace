//! Playing a scenario through Dynamo's simulator.

mod links;

use std::collections::BTreeMap;
use std::sync::Arc;

use dynamo_kv_router::config::KvRouterConfig;
use dynamo_mocker::common::perf_model::PerfModel;
use dynamo_mocker::common::protocols::MockerConfig;
use dynamo_mocker::loadgen::Trace;
use dynamo_mocker::replay::{
    OfflineDisaggReplayConfig, ReplayCaptureOptions, ReplayDeterminism, ReplayRouterMode,
    ReplayRuntimeObservers, SlaThresholds, TraceSimulationReport,
    simulate_concurrency_workload_disagg_with_router_mode_and_options_and_runtime_observers,
    simulate_concurrency_workload_with_router_mode_and_options_and_runtime_observers,
    simulate_loaded_trace_disagg_with_router_mode_and_capture_options,
    simulate_loaded_trace_disagg_with_router_mode_and_options_and_runtime_observers,
    simulate_loaded_trace_with_router_mode_and_capture_options,
    simulate_loaded_trace_with_router_mode_and_options_and_runtime_observers, with_kv_event_lag_ms,
};
use serde_json::json;
use uuid::Uuid;

use links::PreparedLink;

use crate::planner::LoadPlanner;
use crate::scenario::{Arrivals, Cluster, Determinism, Engine, Eviction, Scenario, Scope};
use crate::tiers::Tiers;
use crate::{timing, workload};

const ROUTER: ReplayRouterMode = ReplayRouterMode::KvRouter;

/// A scenario with everything that it names read: what is left is to play it.
pub struct Prepared {
    scenario: Scenario,
    traffic: Traffic,
}

/// What is to be simulated.
enum Traffic {
    Cluster(Trace, Arc<PerfModel>),
    Links(Vec<PreparedLink>),
}

/// What a simulation leaves.
pub struct Played {
    /// The simulator's own report.
    pub report: TraceSimulationReport,
    /// What the simulator counted in each tier of KV blocks; unpatched it does not tell.
    pub tiers: Option<Tiers>,
    /// The link that it was a simulation of, if it was one.
    pub carried: Option<Carried>,
}

/// What a link carried.
pub struct Carried {
    /// The link's name.
    pub link: String,
    /// Who sent each request.
    pub sources: BTreeMap<Uuid, String>,
}

impl Prepared {
    /// Read the workload and the timing model of a scenario.
    ///
    /// # Errors
    ///
    /// If a file that it names is not what it should be.
    pub fn new(scenario: Scenario) -> anyhow::Result<Self> {
        let traffic = match &scenario.cluster {
            Cluster::Links { links, .. } => Traffic::Links(links::prepare(&scenario, links)),
            Cluster::Aggregated { .. } | Cluster::Disaggregated { .. } => {
                Traffic::Cluster(workload::trace(&scenario)?, timing::perf_model(&scenario.timing)?)
            }
        };
        Ok(Self { scenario, traffic })
    }

    /// What is to be played.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Play the scenario in simulated time: one simulation, or one after the other for each link that carries
    /// something.
    ///
    /// # Errors
    ///
    /// If the simulator refuses the scenario or fails.
    pub fn play(self) -> anyhow::Result<Vec<Played>> {
        match self.traffic {
            Traffic::Cluster(trace, timing) => {
                Ok(vec![play_cluster(&self.scenario, trace, &timing)?])
            }
            Traffic::Links(prepared) => {
                prepared.into_iter().map(|link| links::play(&self.scenario, link)).collect()
            }
        }
    }
}

fn play_cluster(
    scenario: &Scenario,
    trace: Trace,
    timing: &Arc<PerfModel>,
) -> anyhow::Result<Played> {
    let workers = workers(scenario, timing)?;
    let router = Some(router_config(scenario));
    choose_eviction(scenario.engine.eviction)?;
    let observers = ReplayRuntimeObservers {
        scaling_policy: LoadPlanner::of(scenario).map(|planner| Box::new(planner) as _),
        telemetry: None,
    };
    let report =
        with_kv_event_lag_ms(scenario.router.kv_event_lag_ms, || match scenario.determinism {
            Determinism::Canonical => play_canonical(scenario, workers, router, trace),
            Determinism::Seeded => seeded(scenario.seed, || match scenario.arrivals {
                Arrivals::Open { speedup, .. } => {
                    play_open(workers, router, trace, speedup.unwrap_or(1.0), observers)
                }
                Arrivals::Closed { concurrency } => {
                    play_closed(workers, router, trace, concurrency, observers)
                }
                Arrivals::Rounds { .. } => anyhow::bail!("arrivals.loop: only sources have rounds"),
            })?,
        })??;
    Ok(Played { tiers: Tiers::of(&report), report, carried: None })
}

#[cfg(feature = "instrumented")]
#[expect(clippy::unnecessary_wraps, reason = "unpatched, the simulator has no choice")]
fn choose_eviction(eviction: Eviction) -> anyhow::Result<()> {
    use aisimulate_core::engine::KvEvictionPolicy;
    dynamo_mocker::replay::nashtrace_replay::choose_eviction(match eviction {
        Eviction::Lru => KvEvictionPolicy::Lru,
        Eviction::Belady => KvEvictionPolicy::Belady,
    });
    Ok(())
}

#[cfg(not(feature = "instrumented"))]
fn choose_eviction(eviction: Eviction) -> anyhow::Result<()> {
    anyhow::ensure!(
        eviction == Eviction::Lru,
        "Dynamo's simulator evicts by age unpatched: set engine.eviction = \"lru\""
    );
    Ok(())
}

#[cfg(feature = "instrumented")]
fn seeded<T>(seed: u64, replay: impl FnOnce() -> T) -> anyhow::Result<T> {
    Ok(dynamo_mocker::replay::nashtrace_replay::with_seed(seed, replay))
}

#[cfg(not(feature = "instrumented"))]
fn seeded<T>(_seed: u64, _replay: impl FnOnce() -> T) -> anyhow::Result<T> {
    anyhow::bail!("Dynamo's simulator takes no seed unpatched: set determinism = \"canonical\"")
}

fn play_open(
    workers: Workers,
    router: Option<KvRouterConfig>,
    trace: Trace,
    speedup: f64,
    observers: ReplayRuntimeObservers,
) -> anyhow::Result<TraceSimulationReport> {
    let sla = SlaThresholds::default();
    match workers {
        Workers::Aggregated(config, workers) => {
            simulate_loaded_trace_with_router_mode_and_options_and_runtime_observers(
                *config, router, None, trace, workers, speedup, ROUTER, true, None, sla, observers,
            )
        }
        Workers::Disaggregated(config) => {
            simulate_loaded_trace_disagg_with_router_mode_and_options_and_runtime_observers(
                *config, router, None, trace, speedup, ROUTER, true, None, sla, observers,
            )
        }
    }
}

fn play_closed(
    workers: Workers,
    router: Option<KvRouterConfig>,
    trace: Trace,
    concurrency: usize,
    observers: ReplayRuntimeObservers,
) -> anyhow::Result<TraceSimulationReport> {
    let sla = SlaThresholds::default();
    match workers {
        Workers::Aggregated(config, workers) => {
            simulate_concurrency_workload_with_router_mode_and_options_and_runtime_observers(
                *config,
                router,
                None,
                trace,
                concurrency,
                workers,
                ROUTER,
                true,
                None,
                sla,
                observers,
            )
        }
        Workers::Disaggregated(config) => {
            simulate_concurrency_workload_disagg_with_router_mode_and_options_and_runtime_observers(
                *config,
                router,
                None,
                trace,
                concurrency,
                ROUTER,
                true,
                None,
                sla,
                observers,
            )
        }
    }
}

fn play_canonical(
    scenario: &Scenario,
    workers: Workers,
    router: Option<KvRouterConfig>,
    trace: Trace,
) -> anyhow::Result<TraceSimulationReport> {
    let capture = ReplayCaptureOptions {
        capture_per_request: true,
        determinism: ReplayDeterminism::CanonicalV1,
        ..ReplayCaptureOptions::default()
    };
    let Arrivals::Open { speedup, .. } = scenario.arrivals else {
        anyhow::bail!("canonical replay plays open loops only");
    };
    let speedup = speedup.unwrap_or(1.0);
    let sla = SlaThresholds::default();
    match workers {
        Workers::Aggregated(config, workers) => {
            simulate_loaded_trace_with_router_mode_and_capture_options(
                *config, router, None, trace, workers, speedup, ROUTER, capture, None, sla,
            )
        }
        Workers::Disaggregated(config) => {
            simulate_loaded_trace_disagg_with_router_mode_and_capture_options(
                *config, router, None, trace, speedup, ROUTER, capture, None, sla,
            )
        }
    }
}

enum Workers {
    Aggregated(Box<MockerConfig>, usize),
    Disaggregated(Box<OfflineDisaggReplayConfig>),
}

fn workers(scenario: &Scenario, timing: &Arc<PerfModel>) -> anyhow::Result<Workers> {
    let worker_config = |role| worker_config(scenario, role, timing);
    Ok(match scenario.cluster {
        Cluster::Aggregated { workers } => {
            Workers::Aggregated(Box::new(worker_config("aggregated")?), workers)
        }
        Cluster::Disaggregated { prefill_workers, decode_workers } => {
            Workers::Disaggregated(Box::new(OfflineDisaggReplayConfig {
                prefill_args: worker_config("prefill")?,
                decode_args: worker_config("decode")?,
                num_prefill_workers: prefill_workers,
                num_decode_workers: decode_workers,
            }))
        }
        Cluster::Links { .. } => anyhow::bail!("cluster.mode: links are played one by one"),
    })
}

fn worker_config(
    scenario: &Scenario,
    role: &str,
    timing: &Arc<PerfModel>,
) -> anyhow::Result<MockerConfig> {
    let engine = &scenario.engine;
    let mut config = json!({
        "engine": {
            "backend": engine.backend,
            "worker_type": role,
            "block_size": engine.block_size,
            "num_gpu_blocks": engine.kv_blocks,
            "max_num_seqs": engine.max_num_seqs,
            "max_num_batched_tokens": engine.max_num_batched_tokens,
            "enable_prefix_caching": engine.prefix_caching,
            "kv_cache_bytes_per_token": kv_cache_bytes_per_token(scenario),
        },
        "startup_time": engine.startup_seconds,
    });
    lower_tiers(engine, &mut config["engine"]);
    let mut config = MockerConfig::from_value(config)?;
    config.perf_model = Arc::clone(timing);
    Ok(config)
}

fn kv_cache_bytes_per_token(scenario: &Scenario) -> Option<usize> {
    scenario
        .engine
        .kv_cache_bytes_per_token
        .or_else(|| timing::kv_bytes_per_token(&scenario.timing))
}

/// The names of the simulator's configuration for the tiers below the device.
fn lower_tiers(engine: &Engine, config: &mut serde_json::Value) {
    if let Some(host) = &engine.host {
        config["native_host_offload"] = json!({
            "scope": match host.scope {
                Scope::Worker => "dp_rank_local",
                Scope::Cluster => "cluster_shared",
            },
            "num_host_blocks": host.blocks,
            "d2h_bandwidth_gbps": host.d2h_bandwidth_gbps,
            "h2d_bandwidth_gbps": host.h2d_bandwidth_gbps,
            "shared_d2h_bandwidth_gbps": host.shared_d2h_bandwidth_gbps,
            "shared_h2d_bandwidth_gbps": host.shared_h2d_bandwidth_gbps,
            "latency_to_first_byte_ms": host.latency_to_first_byte_ms,
            // Only tells pools of one layout from those of another; all workers here are alike.
            "kv_layout_id": (host.scope == Scope::Cluster).then_some("lab"),
        });
    }
    if let Some(disk) = &engine.disk {
        config["g3_offload"] = json!({
            "scope": match disk.scope {
                Scope::Worker => "worker_local",
                Scope::Cluster => "cluster_shared",
            },
            "num_g3_blocks": disk.blocks,
            "read_bandwidth_gbps": disk.read_bandwidth_gbps,
            "write_bandwidth_gbps": disk.write_bandwidth_gbps,
            "shared_read_bandwidth_gbps": disk.shared_read_bandwidth_gbps,
            "shared_write_bandwidth_gbps": disk.shared_write_bandwidth_gbps,
            "latency_to_first_byte_ms": disk.latency_to_first_byte_ms,
        });
    }
}

fn router_config(scenario: &Scenario) -> KvRouterConfig {
    let router = &scenario.router;
    KvRouterConfig {
        overlap_score_credit: router.overlap_score_credit,
        overlap_score_credit_decay: router.overlap_score_credit_decay,
        prefill_load_scale: router.prefill_load_scale,
        decode_active_request_weight: router.decode_active_request_weight,
        host_cache_hit_weight: router.host_cache_hit_weight,
        disk_cache_hit_weight: router.disk_cache_hit_weight,
        router_temperature: router.temperature,
        router_queue_threshold: router.queue_threshold,
        ..KvRouterConfig::default()
    }
}
