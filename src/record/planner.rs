//! What a planner saw, decided and brought about.
//!
//! A tick has one [`PlannerTick`] and a [`PlannerDecision`] for each component (prefill, decode) whose
//! replicas it governs; [`PlannerEffect`]s say what became of the decisions. All carry the tick's number.
//! A rate, length or time that the planner did not have is NaN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// Bits of a tick's flags.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannerFlag {
    /// Advisory mode: nothing is applied.
    Advisory = 1 << 0,
    /// The observations are of this tick, not repeated from an earlier one.
    FreshTraffic = 1 << 1,
    /// The load loop was due.
    LoadScaling = 1 << 2,
    /// The throughput loop was due.
    ThroughputScaling = 1 << 3,
}

/// The inputs of one planning tick.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PlannerTick {
    /// Common head.
    pub head: Head,
    /// Number of the tick, from 1.
    pub tick: u64,
    /// Generation of the run-time configuration; `UNKNOWN_U64`.
    pub config_generation: u64,
    /// Seconds that the observations span.
    pub interval_s: f64,
    /// Observed requests per second.
    pub observed_request_rate: f64,
    /// Observed prompt length in tokens.
    pub observed_isl: f64,
    /// Observed output length in tokens.
    pub observed_osl: f64,
    /// Observed time to first token in milliseconds.
    pub observed_ttft_ms: f64,
    /// Observed inter-token latency in milliseconds.
    pub observed_itl_ms: f64,
    /// Observed request duration in seconds.
    pub observed_duration_s: f64,
    /// Observed KV hit rate, 0 to 1.
    pub observed_kv_hit_rate: f64,
    /// Predicted requests per second of the next interval.
    pub predicted_request_rate: f64,
    /// Predicted prompt length in tokens.
    pub predicted_isl: f64,
    /// Predicted output length in tokens.
    pub predicted_osl: f64,
    /// Predicted KV hit rate, 0 to 1.
    pub predicted_kv_hit_rate: f64,
    /// Time to first token that is aimed at, in milliseconds.
    pub target_ttft_ms: f64,
    /// Inter-token latency that is aimed at, in milliseconds.
    pub target_itl_ms: f64,
    /// GPUs that the replicas of now take.
    pub gpus: f64,
    /// GPU hours since the planner started.
    pub gpu_hours: f64,
    /// Name id (`name_space` PLANNER) of what the tick ended with, 0 if unknown.
    pub action: u32,
    /// Bits (`planner_flag`).
    pub flags: u32,
}

impl_record!(PlannerTick, Kind::PlannerTick, v1_size: 176);
assert_layout!(PlannerTick, size: 176,
    head: 0, tick: 24, config_generation: 32, interval_s: 40, observed_request_rate: 48,
    observed_isl: 56, observed_osl: 64, observed_ttft_ms: 72, observed_itl_ms: 80,
    observed_duration_s: 88, observed_kv_hit_rate: 96, predicted_request_rate: 104,
    predicted_isl: 112, predicted_osl: 120, predicted_kv_hit_rate: 128, target_ttft_ms: 136,
    target_itl_ms: 144, gpus: 152, gpu_hours: 160, action: 168, flags: 172);

impl PlannerTick {
    /// Whether a flag is set.
    #[must_use]
    pub const fn has(&self, flag: PlannerFlag) -> bool {
        self.flags & flag as u32 != 0
    }
}

/// What a tick decided for one component, after budgets.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PlannerDecision {
    /// Common head.
    pub head: Head,
    /// Number of the tick.
    pub tick: u64,
    /// Requests per second that one replica is believed to take.
    pub capacity_request_rate: f64,
    /// Estimated latency of the component with its present replicas, in milliseconds: time to first
    /// token for prefill, inter-token latency for decode.
    pub estimated_latency_ms: f64,
    /// GPUs of one replica.
    pub gpus_per_replica: f64,
    /// Name id of the worker type (`name_space` WORKER_TYPE).
    pub worker_type: u32,
    /// Replicas that serve; `UNKNOWN_U32`.
    pub ready: u32,
    /// Replicas that are to serve, those that are starting included; `UNKNOWN_U32`.
    pub expected: u32,
    /// Replicas that the stages' proposals merged to, before the final budgets; `UNKNOWN_U32`.
    pub wanted: u32,
    /// Replicas decided on; `UNKNOWN_U32` if the tick has no opinion.
    pub decided: u32,
    /// Lower bound in force; `UNKNOWN_U32`.
    pub minimum: u32,
    /// Name id (`name_space` PLANNER) of the load loop's reason, 0 if it gave none.
    pub load_reason: u32,
    /// Name id (`name_space` PLANNER) of the throughput loop's reason, 0 if it gave none.
    pub throughput_reason: u32,
}

impl_record!(PlannerDecision, Kind::PlannerDecision, v1_size: 88);
assert_layout!(PlannerDecision, size: 88,
    head: 0, tick: 24, capacity_request_rate: 32, estimated_latency_ms: 40, gpus_per_replica: 48,
    worker_type: 56, ready: 60, expected: 64, wanted: 68, decided: 72, minimum: 76,
    load_reason: 80, throughput_reason: 84);

/// What became of a decision.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EffectKind {
    /// An effect of a later version.
    Unknown = 0,
    /// It was handed over to be applied.
    Submitted = 1,
    /// It was not handed over: `reason` says why.
    Dropped = 2,
    /// The environment took it. That is no proof that anything was scaled.
    Applied = 3,
    /// The environment refused it or failed.
    Failed = 4,
    /// The component's replicas changed: the outcome, seen by a later tick.
    Observed = 5,
}

impl EffectKind {
    /// All kinds, in number order.
    pub const ALL: [Self; 6] = [
        Self::Unknown,
        Self::Submitted,
        Self::Dropped,
        Self::Applied,
        Self::Failed,
        Self::Observed,
    ];

    /// The kind with this number; [`EffectKind::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports and JSON keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Submitted => "submitted",
            Self::Dropped => "dropped",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Observed => "observed",
        }
    }
}

/// Something became of a tick's decision for one component.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PlannerEffect {
    /// Common head.
    pub head: Head,
    /// Number of the tick that decided, or, of an observed outcome, of the tick that saw it.
    pub tick: u64,
    /// Nanoseconds that applying took; `UNKNOWN_U64`.
    pub duration_ns: u64,
    /// Name id of the worker type (`name_space` WORKER_TYPE).
    pub worker_type: u32,
    /// Replicas before; `UNKNOWN_U32`.
    pub from: u32,
    /// Replicas asked for, or seen.
    pub to: u32,
    /// Name id (`name_space` PLANNER) of the reason or of the error's kind, 0 if there is none.
    pub reason: u32,
    /// What became of it (`effect_kind`).
    pub effect: u8,
    /// Zero.
    pub reserved: [u8; 7],
}

impl_record!(PlannerEffect, Kind::PlannerEffect, v1_size: 64);
assert_layout!(PlannerEffect, size: 64,
    head: 0, tick: 24, duration_ns: 32, worker_type: 40, from: 44, to: 48, reason: 52, effect: 56,
    reserved: 57);
