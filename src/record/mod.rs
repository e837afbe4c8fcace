//! The event records: fixed-size little-endian plain data. This module *is* the schema.
//!
//! A record is a fixed part that starts with a [`Head`], followed by `rows` rows of `row_size` bytes
//! each. The same structs cross the C ABI, travel through the rings and stand in trace files, so a
//! field is defined once. Fields are only ever added at the end of a struct; a reader takes
//! `min(its size, the recorded size)` bytes and leaves the rest at zero.
//!
//! Conventions: times in nanoseconds or raw ticks as `Head::clock` says, sizes in tokens or KV blocks
//! as the name says, `0` means "none" for hashes and name ids, and the `UNKNOWN_*` constants mark what
//! the caller could not tell.

mod anchor;
mod block;
mod decision;
mod loss;
mod name;
mod planner;
mod request;
mod setting;
mod transfer;

pub use anchor::Anchor;
pub(crate) use block::BlockSample;
pub use block::{Block, BlockEvent, BlockPool, BlockReason, Tier};
pub use decision::{Candidate, CandidateFlag, Decision, DecisionFlag, Mode, Reason};
pub use loss::{Loss, LossReason};
pub use name::{Name, NameSpace};
pub use planner::{EffectKind, PlannerDecision, PlannerEffect, PlannerFlag, PlannerTick};
pub use request::{Phase, Request, request_key};
pub use setting::{Player, Setting, SettingFlag};
pub use transfer::{Medium, Outcome, Strategy, Timing, Transfer};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(target_endian = "big")]
compile_error!("records are little-endian in memory as well as on disk; this target is big-endian");

/// Every record begins on a multiple of this many bytes, in rings and in packets.
///
/// cbindgen:ignore
pub const ALIGNMENT: usize = 8;

/// Marks a 32-bit field whose value the caller could not tell.
pub const UNKNOWN_U32: u32 = u32::MAX;

/// Marks a 64-bit field whose value the caller could not tell.
pub const UNKNOWN_U64: u64 = u64::MAX;

/// The kind of a record, as stored in [`Head::kind`]. Numbers are never reused.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Filler at the end of a ring; never in a file.
    Padding = 0,
    /// A router chose a worker. Rows: [`Candidate`].
    Decision = 1,
    /// A row of a decision. Never a record of its own, but counted as a kind.
    Candidate = 2,
    /// Something happened to a request.
    Request = 3,
    /// A player's parameter took a value.
    Setting = 4,
    /// The process clocks, read together.
    Anchor = 5,
    /// The ledger of one producer and kind.
    Loss = 6,
    /// The text behind a name id. Rows: the text, eight bytes a row.
    Name = 7,
    /// Something happened to a KV block.
    Block = 8,
    /// What a pool of blocks is.
    BlockPool = 9,
    /// Blocks were copied.
    Transfer = 10,
    /// What a planner saw.
    PlannerTick = 11,
    /// What a planner decided for one component.
    PlannerDecision = 12,
    /// What became of a planner's decision.
    PlannerEffect = 13,
}

impl Kind {
    /// All kinds that can stand in a file, in number order.
    pub const ALL: [Self; 13] = [
        Self::Decision,
        Self::Candidate,
        Self::Request,
        Self::Setting,
        Self::Anchor,
        Self::Loss,
        Self::Name,
        Self::Block,
        Self::BlockPool,
        Self::Transfer,
        Self::PlannerTick,
        Self::PlannerDecision,
        Self::PlannerEffect,
    ];

    /// One more than the largest number; the length of a table indexed by kind.
    ///
    /// cbindgen:ignore
    pub const COUNT: usize = 14;

    /// The kind with this number, or `None` for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Padding,
            1 => Self::Decision,
            2 => Self::Candidate,
            3 => Self::Request,
            4 => Self::Setting,
            5 => Self::Anchor,
            6 => Self::Loss,
            7 => Self::Name,
            8 => Self::Block,
            9 => Self::BlockPool,
            10 => Self::Transfer,
            11 => Self::PlannerTick,
            12 => Self::PlannerDecision,
            13 => Self::PlannerEffect,
            _ => return None,
        })
    }

    /// The name used in reports and JSON keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Padding => "padding",
            Self::Decision => "decision",
            Self::Candidate => "candidate",
            Self::Request => "request",
            Self::Setting => "setting",
            Self::Anchor => "anchor",
            Self::Loss => "loss",
            Self::Name => "name",
            Self::Block => "block",
            Self::BlockPool => "block_pool",
            Self::Transfer => "transfer",
            Self::PlannerTick => "planner_tick",
            Self::PlannerDecision => "planner_decision",
            Self::PlannerEffect => "planner_effect",
        }
    }
}

/// The clock that a record's time was read from.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Raw ticks of this machine; anchors in the file tie them to wall time.
    Ticks = 0,
    /// Nanoseconds on a clock of the caller's, for instance simulated time.
    Caller = 1,
}

impl Clock {
    /// The clock with this number, or `None` for an unknown one.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Ticks),
            1 => Some(Self::Caller),
            _ => None,
        }
    }
}

/// The first bytes of every record.
///
/// A caller of the C ABI sets `struct_size`, `clock` and `time` and leaves the rest at zero.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Head {
    /// Bytes of the struct that this head begins; rows are not counted.
    pub struct_size: u32,
    /// Kind of the record. Written by the library.
    pub kind: u8,
    /// Clock that `time` belongs to (`clock`).
    pub clock: u8,
    /// Bytes of one row. Written by the library.
    pub row_size: u16,
    /// Rows that follow the struct. Written by the library.
    pub rows: u32,
    /// Number of the event among all events of its producer, lost ones included, modulo 2^32.
    /// Written by the library.
    pub sequence: u32,
    /// Time of the event. On the clock `TICKS`, 0 lets the library read its own clock.
    pub time: u64,
}

impl Head {
    /// The head of a record without rows.
    #[must_use]
    pub const fn new(kind: Kind, struct_size: usize) -> Self {
        Self {
            struct_size: struct_size as u32,
            kind: kind as u8,
            clock: Clock::Ticks as u8,
            row_size: 0,
            rows: 0,
            sequence: 0,
            time: 0,
        }
    }

    /// Bytes of the whole record: the struct and its rows. `None` when the numbers overflow.
    #[must_use]
    pub const fn record_size(&self) -> Option<usize> {
        match (self.rows as usize).checked_mul(self.row_size as usize) {
            Some(rows) => rows.checked_add(self.struct_size as usize),
            None => None,
        }
    }
}

/// A record struct: plain data that begins with a [`Head`].
pub trait Record: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {
    /// The kind that is written into the head.
    const KIND: Kind;

    /// Bytes of the struct in version 1 of the ABI: the least that a caller may pass.
    const V1_SIZE: usize;

    /// The bytes of one row that follows the struct, 0 if the kind has no rows.
    const ROW_SIZE: usize = 0;

    /// Shared access to the head.
    fn head(&self) -> &Head;

    /// Exclusive access to the head.
    fn head_mut(&mut self) -> &mut Head;

    /// Read a record from bytes of any recorded size: missing trailing fields are zero, unknown ones
    /// are ignored. `None` if the bytes do not even hold a head.
    #[must_use]
    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < size_of::<Head>() {
            return None;
        }
        let mut record = Self::new_zeroed();
        let shared = bytes.len().min(size_of::<Self>());
        record.as_mut_bytes()[..shared].copy_from_slice(&bytes[..shared]);
        Some(record)
    }
}

macro_rules! impl_record {
    ($type:ty, $kind:expr, v1_size: $v1_size:literal $(, rows: $row_size:expr)?) => {
        impl $crate::record::Record for $type {
            const KIND: $crate::record::Kind = $kind;
            const V1_SIZE: usize = $v1_size;
            $(const ROW_SIZE: usize = $row_size;)?

            fn head(&self) -> &$crate::record::Head {
                &self.head
            }

            fn head_mut(&mut self) -> &mut $crate::record::Head {
                &mut self.head
            }
        }
    };
}
pub(crate) use impl_record;

/// Asserts the size of a struct and the offsets of its fields at compile time, so that a change of
/// the schema cannot happen by accident.
macro_rules! assert_layout {
    ($type:ty, size: $size:literal, $($field:ident: $offset:literal),+ $(,)?) => {
        const _: () = {
            assert!(size_of::<$type>() == $size);
            assert!(size_of::<$type>() % $crate::record::ALIGNMENT == 0);
            assert!(align_of::<$type>() <= $crate::record::ALIGNMENT);
            $(assert!(core::mem::offset_of!($type, $field) == $offset);)+
        };
    };
}
pub(crate) use assert_layout;

assert_layout!(Head, size: 24,
    struct_size: 0, kind: 4, clock: 5, row_size: 6, rows: 8, sequence: 12, time: 16);

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn kinds_round_trip_through_their_numbers() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_u8(kind as u8), Some(kind));
            assert!((kind as usize) < Kind::COUNT);
        }
        assert_eq!(Kind::from_u8(Kind::COUNT as u8), None);
    }

    #[test]
    fn a_shorter_record_reads_with_zeroed_tail_and_a_longer_one_without_its_tail() {
        let mut request = Request::new_zeroed();
        request.head = Head::new(Kind::Request, size_of::<Request>());
        request.request = 7;
        request.worker = 9;
        let bytes = request.as_bytes();
        let old = Request::read(&bytes[..32]).unwrap();
        assert_eq!((old.request, old.worker), (7, 0));
        let longer = [bytes, &[0xff; 16]].concat();
        assert_eq!(Request::read(&longer).unwrap(), request);
        assert!(Request::read(&bytes[..23]).is_none());
    }
}
