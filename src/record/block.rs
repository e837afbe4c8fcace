//! The life of a KV block, and the pools that blocks live in.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// The memory that a block is in, as Dynamo counts it.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Not told, or not one of these.
    Unknown = 0,
    /// Device memory.
    G1 = 1,
    /// Host memory.
    G2 = 2,
    /// Local disk.
    G3 = 3,
    /// Remote or object storage.
    G4 = 4,
}

impl Tier {
    /// All tiers, in number order.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::G1, Self::G2, Self::G3, Self::G4];

    /// The tier with this number; [`Tier::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports, JSON keys and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::G1 => "g1",
            Self::G2 => "g2",
            Self::G3 => "g3",
            Self::G4 => "g4",
        }
    }
}

/// What happened to a block.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockEvent {
    /// An event of a later version.
    Unknown = 0,
    /// A free slot was given to somebody who will fill it.
    Allocate = 1,
    /// A block's content became present in the pool under its hash.
    Register = 2,
    /// A second copy of a content that is present already was registered beside it, or given up for it.
    Duplicate = 3,
    /// A lookup found `count` blocks, the last of which is `hash`.
    Hit = 4,
    /// A lookup did not find `count` blocks, the first of which is `hash`.
    Miss = 5,
    /// Nobody uses the present block any more: it may be evicted.
    Idle = 6,
    /// An idle block is used again.
    Resurrect = 7,
    /// A present block was taken away; its slot goes to somebody else, or back to the free ones.
    Evict = 8,
    /// A slot went back to the free ones without an eviction: `reason` says out of which state.
    Drop = 9,
    /// `count` blocks, the first of which is `hash`, were copied to the lower tier `to_tier`.
    Offload = 10,
    /// `count` blocks, the first of which is `hash`, were copied to the higher tier `to_tier`.
    Onboard = 11,
    /// A content that no tier holds was registered for the first time, or again (`reason` REBIRTH).
    Birth = 12,
    /// The last tier that held a content gave it up.
    Death = 13,
    /// `count` slots were asked for and not given: everything is in use.
    AllocationFailed = 14,
    /// `count` blocks were to be offloaded to `to_tier` and were not.
    OffloadSkipped = 15,
}

impl BlockEvent {
    /// All events, in number order.
    pub const ALL: [Self; 16] = [
        Self::Unknown,
        Self::Allocate,
        Self::Register,
        Self::Duplicate,
        Self::Hit,
        Self::Miss,
        Self::Idle,
        Self::Resurrect,
        Self::Evict,
        Self::Drop,
        Self::Offload,
        Self::Onboard,
        Self::Birth,
        Self::Death,
        Self::AllocationFailed,
        Self::OffloadSkipped,
    ];

    /// The event with this number; [`BlockEvent::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports, JSON keys and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Allocate => "allocate",
            Self::Register => "register",
            Self::Duplicate => "duplicate",
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Idle => "idle",
            Self::Resurrect => "resurrect",
            Self::Evict => "evict",
            Self::Drop => "drop",
            Self::Offload => "offload",
            Self::Onboard => "onboard",
            Self::Birth => "birth",
            Self::Death => "death",
            Self::AllocationFailed => "allocation_failed",
            Self::OffloadSkipped => "offload_skipped",
        }
    }
}

/// Why it happened to a block.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockReason {
    /// Not told, or there is only one.
    Unknown = 0,
    /// Evicted to make room for another block.
    Capacity = 1,
    /// Evicted or dropped because the whole pool was emptied.
    Reset = 2,
    /// Dropped before it was filled.
    Unfilled = 3,
    /// Dropped after it was filled and before it was registered.
    Unregistered = 4,
    /// Dropped because it was a copy of a block that is present.
    Duplicate = 5,
    /// Dropped, though present, because the pool keeps nothing that is not in use.
    ResetOnRelease = 6,
    /// Not offloaded: a policy did not let it pass.
    Filtered = 7,
    /// Not offloaded: it was evicted before.
    SourceGone = 8,
    /// Not offloaded: the lower tier has no room.
    NoRoom = 9,
    /// Not offloaded: the policy or the copy failed or took too long.
    Failed = 10,
    /// Born again: it had been gone from every tier, so that it was computed twice. Set by the collector.
    Rebirth = 11,
    /// Looked up by the block manager for itself, not for a request.
    Probe = 12,
    /// Used again only to renew its place in the order of eviction.
    Touch = 13,
    /// Dropped, though present, because somebody asked for it.
    Removed = 14,
}

impl BlockReason {
    /// All reasons, in number order.
    pub const ALL: [Self; 15] = [
        Self::Unknown,
        Self::Capacity,
        Self::Reset,
        Self::Unfilled,
        Self::Unregistered,
        Self::Duplicate,
        Self::ResetOnRelease,
        Self::Filtered,
        Self::SourceGone,
        Self::NoRoom,
        Self::Failed,
        Self::Rebirth,
        Self::Probe,
        Self::Touch,
        Self::Removed,
    ];

    /// The reason with this number; [`BlockReason::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports, JSON keys and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Capacity => "capacity",
            Self::Reset => "reset",
            Self::Unfilled => "unfilled",
            Self::Unregistered => "unregistered",
            Self::Duplicate => "duplicate",
            Self::ResetOnRelease => "reset_on_release",
            Self::Filtered => "filtered",
            Self::SourceGone => "source_gone",
            Self::NoRoom => "no_room",
            Self::Failed => "failed",
            Self::Rebirth => "rebirth",
            Self::Probe => "probe",
            Self::Touch => "touch",
            Self::Removed => "removed",
        }
    }
}

/// Something happened to a KV block, or to several that one lookup or copy treated together.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Block {
    /// Common head.
    pub head: Head,
    /// Sequence hash: stands for the tokens of the block and of all before it; 0 if it has none yet.
    pub hash: u64,
    /// Key of the request that caused it (see `request_key`), 0 if unknown.
    pub request: u64,
    /// Number of the slot in its pool; `UNKNOWN_U32`.
    pub block: u32,
    /// Place of the block in its sequence, from 0; `UNKNOWN_U32`.
    pub position: u32,
    /// Id of the pool, as `block_pool` gave it; 0 if unknown.
    pub pool: u32,
    /// Blocks that this event stands for: 1, or as many as the lookup or copy had.
    pub count: u32,
    /// What happened (`block_event`).
    pub event: u8,
    /// Where (`tier`).
    pub tier: u8,
    /// Destination of a copy (`tier`).
    pub to_tier: u8,
    /// Why (`block_reason`).
    pub reason: u8,
    /// Zero.
    pub reserved: [u8; 4],
}

impl_record!(Block, Kind::Block, v1_size: 64);
assert_layout!(Block, size: 64,
    head: 0, hash: 24, request: 32, block: 40, position: 44, pool: 48, count: 52, event: 56,
    tier: 57, to_tier: 58, reason: 59, reserved: 60);

/// A pool of blocks: one tier of one block manager. The latest one of an id counts.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct BlockPool {
    /// Common head.
    pub head: Head,
    /// Blocks that fit; `UNKNOWN_U64`.
    pub capacity_blocks: u64,
    /// Bytes of one block; 0 if unknown.
    pub bytes_per_block: u64,
    /// Dynamo's worker id; `UNKNOWN_U64` where the manager does not know it.
    pub worker: u64,
    /// Id that events carry. A caller passes 0 for a new pool, or the id of the pool that has changed.
    pub id: u32,
    /// Name id of the pool's name (`name_space` BLOCK_POOL), 0 if it has none.
    pub name: u32,
    /// Data-parallel rank; `UNKNOWN_U32`.
    pub rank: u32,
    /// Tokens of one block; 0 if unknown.
    pub block_size: u32,
    /// What memory it is (`tier`).
    pub tier: u8,
    /// Zero.
    pub reserved: [u8; 7],
}

impl_record!(BlockPool, Kind::BlockPool, v1_size: 72);
assert_layout!(BlockPool, size: 72,
    head: 0, capacity_blocks: 24, bytes_per_block: 32, worker: 40, id: 48, name: 52, rank: 56,
    block_size: 60, tier: 64, reserved: 65);

/// The blocks that one in so many hashes stand for: those whose hash times 2^64 divided by the golden ratio
/// has zeros for its uppermost bits. A block without a hash is in every sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockSample {
    /// The largest product in the sample.
    pub(crate) largest: u64,
}

impl BlockSample {
    /// One in `hashes`, a power of two.
    #[must_use]
    pub(crate) const fn one_in(hashes: u64) -> Self {
        Self { largest: u64::MAX / hashes }
    }

    /// One in how many hashes it is.
    #[must_use]
    pub(crate) const fn hashes(self) -> u64 {
        1 << self.largest.leading_zeros()
    }

    /// The sample of half as many that is part of this one.
    #[must_use]
    pub(crate) const fn half(self) -> Self {
        Self { largest: self.largest >> 1 }
    }

    /// Whether a block's events are in the sample.
    #[must_use]
    #[inline]
    pub(crate) const fn takes(self, hash: u64) -> bool {
        const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
        hash.wrapping_mul(GOLDEN_RATIO) <= self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_so_many_hashes_is_in_the_sample_and_half_of_it_is_part_of_it() {
        for hashes in [1, 2, 64, 65_536] {
            let sample = BlockSample::one_in(hashes);
            assert_eq!((sample.hashes(), sample.half().hashes()), (hashes, 2 * hashes));
            assert!(sample.takes(0));
            let taken = (1..=1_000_000_u64).filter(|hash| sample.takes(*hash)).count();
            let expected = 1_000_000 / hashes as usize;
            assert!(taken.abs_diff(expected) <= expected / 10 + 3, "{taken} of {expected}");
            assert!((0..100_000).all(|hash| sample.takes(hash) || !sample.half().takes(hash)));
        }
    }

    #[test]
    fn the_uppermost_bits_decide() {
        let inverse = 0xf1de_83e1_9937_733d_u64;
        for zeros in 0..=16 {
            let sample = BlockSample::one_in(1 << zeros);
            let largest = u64::MAX >> zeros;
            assert!(sample.takes(largest.wrapping_mul(inverse)));
            assert!(zeros == 0 || !sample.takes((largest + 1).wrapping_mul(inverse)));
        }
    }
}
