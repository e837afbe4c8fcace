//! The ledger of events: what was produced, what was written, what was lost and why.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// Why an event is not in the file.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossReason {
    /// The producer's ring had no room.
    Full = 0,
    /// The event is larger than half a ring.
    TooBig = 1,
    /// The producer could not have a ring: too many threads, no memory, or an event inside an event.
    NoRing = 2,
    /// The session had stopped, or stopped while the event was being recorded. Events between two
    /// sessions of a process are in the ledger of the later one.
    AfterShutdown = 3,
    /// The file could not be written, or the collector failed before it was.
    Io = 4,
    /// The recording was switched off.
    SwitchedOff = 5,
    /// A block event whose hash is not in the sample: wanted, not suffered.
    SampledOut = 6,
}

impl LossReason {
    /// All reasons, in number order; the index into [`Loss::lost`].
    pub const ALL: [Self; 7] = [
        Self::Full,
        Self::TooBig,
        Self::NoRing,
        Self::AfterShutdown,
        Self::Io,
        Self::SwitchedOff,
        Self::SampledOut,
    ];

    /// Number of reasons.
    ///
    /// cbindgen:ignore
    pub const COUNT: usize = Self::ALL.len();

    /// Places that records keep for reasons.
    ///
    /// cbindgen:ignore
    pub const SLOTS: usize = 8;

    /// The name used in reports and JSON keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooBig => "too_big",
            Self::NoRing => "no_ring",
            Self::AfterShutdown => "after_shutdown",
            Self::Io => "io",
            Self::SwitchedOff => "switched_off",
            Self::SampledOut => "sampled_out",
        }
    }
}

/// The account of one producer and kind since the session started.
///
/// The law of conservation: `produced` = `written` + the sum of `lost`. It holds in the ledgers of a
/// file's last packet; earlier ledgers may still have events in the ring.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Loss {
    /// Common head.
    pub head: Head,
    /// Events that hooks began, counted by the producer itself.
    pub produced: u64,
    /// Events that stand in the file.
    pub written: u64,
    /// Events lost, indexed by `LossReason`; what has no reason is zero.
    pub lost: [u64; LossReason::SLOTS],
    /// The producer; 0 stands for all threads that had no ring and for the collector.
    pub producer: u32,
    /// `Kind` that is accounted for.
    pub of_kind: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

impl_record!(Loss, Kind::Loss, v1_size: 112);
assert_layout!(Loss, size: 112,
    head: 0, produced: 24, written: 32, lost: 40, producer: 104, of_kind: 108, reserved: 109);

impl Loss {
    /// Events lost for any reason.
    #[must_use]
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Whether `produced` = `written` + lost.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.written.checked_add(self.lost_total()) == Some(self.produced)
    }
}
