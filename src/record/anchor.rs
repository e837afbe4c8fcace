//! The process clocks, read together.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// Ticks, monotonic and wall time of one moment. `head.time` holds the ticks.
///
/// Written when a session starts, every few seconds, and when it stops; times between two anchors are
/// interpolated.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Anchor {
    /// Common head; `time` is in ticks.
    pub head: Head,
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub monotonic_ns: u64,
    /// `CLOCK_REALTIME`, nanoseconds since 1970-01-01T00:00:00Z.
    pub wall_ns: u64,
    /// Ticks that passed while the clocks were read; half of it bounds the error.
    pub uncertainty_ticks: u64,
}

impl_record!(Anchor, Kind::Anchor, v1_size: 48);
assert_layout!(Anchor, size: 48,
    head: 0, monotonic_ns: 24, wall_ns: 32, uncertainty_ticks: 40);
