//! What happens to a request after it was routed.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// The step of a request's life.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// A phase of a later version.
    Unknown = 0,
    /// The router counts the request as load of a worker.
    Booked = 1,
    /// The router no longer counts its prefill as load.
    PrefillDone = 2,
    /// The first output token was seen.
    FirstToken = 3,
    /// The router no longer counts the request as load.
    Released = 4,
    /// The response is complete.
    Finished = 5,
    /// The client went away.
    Cancelled = 6,
    /// This attempt failed and another one follows.
    Retried = 7,
    /// The request moved to another worker.
    Migrated = 8,
    /// The router refused the request.
    Rejected = 9,
    /// The router forgot the booking because it was too old.
    Expired = 10,
}

impl Phase {
    /// All phases, in number order.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::Booked,
        Self::PrefillDone,
        Self::FirstToken,
        Self::Released,
        Self::Finished,
        Self::Cancelled,
        Self::Retried,
        Self::Migrated,
        Self::Rejected,
        Self::Expired,
    ];

    /// The phase with this number; [`Phase::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports and JSON keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Booked => "booked",
            Self::PrefillDone => "prefill_done",
            Self::FirstToken => "first_token",
            Self::Released => "released",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Retried => "retried",
            Self::Migrated => "migrated",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

/// Something happened to a request.
///
/// A trace key is (request, pool, attempt): both pools of a disaggregated request share its id.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Request {
    /// Common head.
    pub head: Head,
    /// Key of the request (see `request_key`), 0 if it has no id.
    pub request: u64,
    /// The router's number of this attempt, 0 if unknown.
    pub attempt: u64,
    /// Dynamo's worker id.
    pub worker: u64,
    /// Data-parallel rank.
    pub rank: u32,
    /// Name id of the pool, 0 if unknown.
    pub pool: u32,
    /// Name id of the worker type that the router's load tracker carries, 0 if unknown.
    pub worker_type: u32,
    /// Prompt tokens that still had to be computed when the request was booked; `UNKNOWN_U32`.
    pub prefill_tokens: u32,
    /// Prompt blocks that the router tracks for it; `UNKNOWN_U32` if it tracks none.
    pub blocks: u32,
    /// Output tokens: announced when booked, produced when finished; `UNKNOWN_U32`.
    pub output_tokens: u32,
    /// What happened (`phase`).
    pub phase: u8,
    /// Zero.
    pub reserved: [u8; 7],
}

/// The key of a request id: XXH3-64 with seed 0 of its bytes. 0 means "no id", so that value becomes 1.
#[must_use]
pub fn request_key(id: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id).max(1)
}

impl_record!(Request, Kind::Request, v1_size: 80);
assert_layout!(Request, size: 80,
    head: 0, request: 24, attempt: 32, worker: 40, rank: 48, pool: 52, worker_type: 56,
    prefill_tokens: 60, blocks: 64, output_tokens: 68, phase: 72, reserved: 73);
