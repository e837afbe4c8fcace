//! Strategies coming into force, so that a trace says which profile it was recorded under.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// One of the three players of the game.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Player {
    /// A player of a later version.
    Unknown = 0,
    /// The KV-aware router.
    Router = 1,
    /// The planner.
    Planner = 2,
    /// The KV block manager.
    KvManager = 3,
}

/// Bits of a setting's flags.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingFlag {
    /// The old value is known.
    OldKnown = 1 << 0,
}

/// A parameter of a player took a value.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Setting {
    /// Common head.
    pub head: Head,
    /// Value before, if the flag `OLD_KNOWN` is set.
    pub old_value: f64,
    /// Value from now on.
    pub new_value: f64,
    /// Name id of the parameter.
    pub parameter: u32,
    /// Name id of the pool that it applies to, 0 for all.
    pub pool: u32,
    /// The player whose parameter it is (`player`).
    pub player: u8,
    /// Bits (`setting_flag`).
    pub flags: u8,
    /// Zero.
    pub reserved: [u8; 6],
}

impl_record!(Setting, Kind::Setting, v1_size: 56);
assert_layout!(Setting, size: 56,
    head: 0, old_value: 24, new_value: 32, parameter: 40, pool: 44, player: 48, flags: 49,
    reserved: 50);
