//! The text behind the small numbers that stand for names.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// What a name is a name of. Ids are counted separately in each space, from 1.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameSpace {
    /// A pool of workers, for instance `prefill`.
    Pool = 1,
    /// A worker type label as Dynamo writes it.
    WorkerType = 2,
    /// A selection policy.
    Policy = 3,
    /// A parameter of a player.
    Parameter = 4,
    /// A pool of KV blocks.
    BlockPool = 5,
    /// A word of the planner's: an action, a reason, a kind of error.
    Planner = 6,
}

impl NameSpace {
    /// All spaces, in number order.
    pub const ALL: [Self; 6] = [
        Self::Pool,
        Self::WorkerType,
        Self::Policy,
        Self::Parameter,
        Self::BlockPool,
        Self::Planner,
    ];

    /// The space with this number, or `None` for an unknown one.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Pool),
            2 => Some(Self::WorkerType),
            3 => Some(Self::Policy),
            4 => Some(Self::Parameter),
            5 => Some(Self::BlockPool),
            6 => Some(Self::Planner),
            _ => None,
        }
    }
}

/// A name was interned. Its UTF-8 text follows in rows of eight bytes, padded with zeros.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Name {
    /// Common head.
    pub head: Head,
    /// The id that records carry.
    pub id: u32,
    /// Bytes of the text.
    pub length: u32,
    /// `NameSpace`.
    pub space: u8,
    /// Zero.
    pub reserved: [u8; 7],
}

impl_record!(Name, Kind::Name, v1_size: 40, rows: Name::TEXT_ROW);
assert_layout!(Name, size: 40, head: 0, id: 24, length: 28, space: 32, reserved: 33);

impl Name {
    /// Bytes of one row of text.
    pub const TEXT_ROW: usize = 8;

    /// Longest text that is taken, in bytes.
    pub const MAX_LENGTH: usize = 256;
}
