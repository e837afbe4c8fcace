//! A routing decision and the candidates it was taken from.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// Whether a decision was acted upon.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Not told.
    Unknown = 0,
    /// The request was to be booked on the chosen worker.
    Tracked = 1,
    /// A preview or a query: nothing was booked.
    Advisory = 2,
}

/// Why the chosen candidate won. Derived by the collector from the costs, never by the hook.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not derivable, for instance because a custom policy was in force.
    Unknown = 0,
    /// It alone has the lowest cost, and without the cache credit it would not.
    CacheHit = 1,
    /// It alone has the lowest cost, with and without the cache credit.
    LoadBalance = 2,
    /// It shares the lowest cost with other candidates.
    Tie = 3,
    /// A positive temperature drew a candidate that is not the cheapest.
    TemperatureDraw = 4,
    /// The request was pinned to it.
    Pinned = 5,
    /// Session affinity left no other worker.
    Affinity = 6,
    /// There was no other candidate.
    OnlyCandidate = 7,
    /// The router does not score (round robin, random, direct).
    NonKvMode = 8,
}

impl Reason {
    /// All reasons, in number order.
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::CacheHit,
        Self::LoadBalance,
        Self::Tie,
        Self::TemperatureDraw,
        Self::Pinned,
        Self::Affinity,
        Self::OnlyCandidate,
        Self::NonKvMode,
    ];

    /// The reason with this number; [`Reason::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports and JSON keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::CacheHit => "cache_hit",
            Self::LoadBalance => "load_balance",
            Self::Tie => "tie",
            Self::TemperatureDraw => "temperature_draw",
            Self::Pinned => "pinned",
            Self::Affinity => "affinity",
            Self::OnlyCandidate => "only_candidate",
            Self::NonKvMode => "non_kv_mode",
        }
    }
}

/// Bits of a decision's flags.
#[repr(u16)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionFlag {
    /// The weights and the temperature are those of Dynamo's default cost function, in force.
    DefaultPolicy = 1 << 0,
    /// The request was pinned to a worker.
    Pinned = 1 << 1,
    /// An exclusive session-affinity target was in force.
    Affinity = 1 << 2,
    /// Prefill tokens of this request count as load.
    TracksPrefill = 1 << 3,
    /// The pool decodes only and takes no cache credit (disaggregated decode).
    PlainDecode = 1 << 4,
    /// The scorer carries the label `decode`, which changes the cost formula.
    DecodeLabel = 1 << 5,
    /// Some worker reported blocks of this prefix per tier; otherwise the estimate is used.
    TierMatches = 1 << 6,
}

/// A router chose one of several workers for a request. Its rows are the candidates; in a
/// file they are ordered by worker and rank.
///
/// The weights are the names of Dynamo's `KvRouterConfig`; costs are in KV blocks, lower is better.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Decision {
    /// Common head.
    pub head: Head,
    /// Key of the request (see `request_key`), 0 if it has no id.
    pub request: u64,
    /// The router's number of this attempt, 0 if unknown: Dynamo numbers attempts when it books them.
    pub attempt: u64,
    /// Nanoseconds between arrival in the router's queue and this decision; `UNKNOWN_U64`.
    pub queue_wait_ns: u64,
    /// Softmax temperature in force; 0 takes the cheapest candidate.
    pub temperature: f64,
    /// Weight of a device-resident prefix block.
    pub overlap_score_credit: f64,
    /// How fast that weight falls with a worker's excess prefill load.
    pub overlap_score_credit_decay: f64,
    /// Weight of prefill work against decode work.
    pub prefill_load_scale: f64,
    /// Weight of one active request, in blocks.
    pub decode_active_request_weight: f64,
    /// Weight of a prefix block in host memory.
    pub host_cache_hit_weight: f64,
    /// Weight of a prefix block on disk.
    pub disk_cache_hit_weight: f64,
    /// Weight of a prefix block in the shared cache.
    pub shared_cache_multiplier: f64,
    /// Probability with which this policy takes the chosen candidate; NaN if unknown. Callers pass
    /// anything: the collector computes it.
    pub propensity: f64,
    /// Prompt length in tokens.
    pub isl_tokens: u32,
    /// Tokens of one KV block.
    pub block_size: u32,
    /// Output tokens that the client announced; `UNKNOWN_U32`.
    pub expected_output_tokens: u32,
    /// Row of the chosen candidate, from 0.
    pub chosen: u32,
    /// Name id of the pool that is routed to, 0 if unknown.
    pub pool: u32,
    /// Name id of the worker type that Dynamo passes to the selector, 0 if unknown.
    pub worker_type: u32,
    /// Name id of the selection policy, 0 if unknown.
    pub policy: u32,
    /// Whether the decision is acted upon (`mode`).
    pub mode: u8,
    /// Why (`reason`). Callers pass 0 and the collector derives it; a router that does not score
    /// passes `NON_KV_MODE`.
    pub reason: u8,
    /// Bits (`decision_flag`).
    pub flags: u16,
}

impl_record!(Decision, Kind::Decision, v1_size: 152, rows: size_of::<Candidate>());
assert_layout!(Decision, size: 152,
    head: 0, request: 24, attempt: 32, queue_wait_ns: 40, temperature: 48,
    overlap_score_credit: 56, overlap_score_credit_decay: 64, prefill_load_scale: 72,
    decode_active_request_weight: 80, host_cache_hit_weight: 88, disk_cache_hit_weight: 96,
    shared_cache_multiplier: 104, propensity: 112, isl_tokens: 120, block_size: 124,
    expected_output_tokens: 128, chosen: 132, pool: 136, worker_type: 140, policy: 144,
    mode: 148, reason: 149, flags: 150);

impl Decision {
    /// Whether a flag is set.
    #[must_use]
    pub const fn has(&self, flag: DecisionFlag) -> bool {
        self.flags & flag as u16 != 0
    }

    /// Whether the request was to be booked, rather than previewed.
    #[must_use]
    pub const fn is_tracked(&self) -> bool {
        self.mode == Mode::Tracked as u8
    }
}

/// Bits of a candidate's flags.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateFlag {
    /// The router had a load row for this worker.
    LoadKnown = 1 << 0,
}

/// One worker (or one of its data-parallel ranks) that a request could have been sent to, as the
/// router saw it at the moment of the decision.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Candidate {
    /// Dynamo's worker id.
    pub worker: u64,
    /// The router's own cost, in KV blocks; lower is better.
    pub cost: f64,
    /// Prefix blocks on all tiers, weighted by tier, as the router accounts for them.
    pub effective_overlap_blocks: f64,
    /// Factor of the routing preference; 1 if there is none.
    pub preferred_taint_multiplier: f64,
    /// Prefill tokens of the requests that the router has booked there.
    pub active_prefill_tokens: u64,
    /// KV blocks that the worker has in all, 0 if unknown.
    pub total_kv_blocks: u64,
    /// Tokens that one engine iteration takes, 0 if unknown.
    pub max_batched_tokens: u64,
    /// Data-parallel rank.
    pub rank: u32,
    /// Bits (`candidate_flag`).
    pub flags: u32,
    /// Prefix blocks in device memory.
    pub device_blocks: u32,
    /// Prefix blocks in host memory.
    pub host_blocks: u32,
    /// Prefix blocks on disk.
    pub disk_blocks: u32,
    /// Blocks of the shared cache beyond the device prefix.
    pub shared_blocks: u32,
    /// Prompt tokens that the router expects to be cached.
    pub cached_tokens: u32,
    /// Requests that the router has booked there.
    pub active_requests: u32,
    /// KV blocks of the booked requests.
    pub active_decode_blocks: u32,
    /// Blocks that this request would add to them.
    pub additional_decode_blocks: u32,
}

assert_layout!(Candidate, size: 96,
    worker: 0, cost: 8, effective_overlap_blocks: 16, preferred_taint_multiplier: 24,
    active_prefill_tokens: 32, total_kv_blocks: 40, max_batched_tokens: 48, rank: 56, flags: 60,
    device_blocks: 64, host_blocks: 68, disk_blocks: 72, shared_blocks: 76, cached_tokens: 80,
    active_requests: 84, active_decode_blocks: 88, additional_decode_blocks: 92);

impl Candidate {
    /// Bytes of a row in version 1 of the ABI: the least that a caller may pass.
    ///
    /// cbindgen:ignore
    pub const V1_SIZE: usize = 96;

    /// Whether a flag is set.
    #[must_use]
    pub const fn has(&self, flag: CandidateFlag) -> bool {
        self.flags & flag as u32 != 0
    }
}
