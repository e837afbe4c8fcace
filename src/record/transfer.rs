//! Copies of KV blocks between tiers and workers.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Head, Kind, assert_layout, impl_record};

/// The memory at one end of a copy.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// Not told.
    Unknown = 0,
    /// Pageable host memory.
    System = 1,
    /// Page-locked host memory.
    Pinned = 2,
    /// Device memory.
    Device = 3,
    /// Local disk.
    Disk = 4,
    /// Object storage.
    Object = 5,
}

/// How a copy is made.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strategy {
    /// Not told.
    Unknown = 0,
    /// By the processor, in the call.
    Memcpy = 1,
    /// Host to device, on a CUDA stream.
    CudaHostToDevice = 2,
    /// Device to host, on a CUDA stream.
    CudaDeviceToHost = 3,
    /// Device to device, on a CUDA stream.
    CudaDeviceToDevice = 4,
    /// NIXL read.
    NixlRead = 5,
    /// NIXL write.
    NixlWrite = 6,
    /// GPUDirect storage.
    GpuDirectStorage = 7,
    /// To or from an object store.
    ObjectStore = 8,
    /// In simulated time.
    Simulated = 9,
}

impl Strategy {
    /// All strategies, in number order.
    pub const ALL: [Self; 10] = [
        Self::Unknown,
        Self::Memcpy,
        Self::CudaHostToDevice,
        Self::CudaDeviceToHost,
        Self::CudaDeviceToDevice,
        Self::NixlRead,
        Self::NixlWrite,
        Self::GpuDirectStorage,
        Self::ObjectStore,
        Self::Simulated,
    ];

    /// The strategy with this number; [`Strategy::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports, JSON keys and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Memcpy => "memcpy",
            Self::CudaHostToDevice => "cuda_h2d",
            Self::CudaDeviceToHost => "cuda_d2h",
            Self::CudaDeviceToDevice => "cuda_d2d",
            Self::NixlRead => "nixl_read",
            Self::NixlWrite => "nixl_write",
            Self::GpuDirectStorage => "gds",
            Self::ObjectStore => "object_store",
            Self::Simulated => "simulated",
        }
    }
}

/// What a copy's duration was measured with.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timing {
    /// The host's clock only: no CUDA stream, no driver, or the events failed.
    HostClock = 0,
    /// A pair of CUDA events on the copy's stream.
    CudaEvents = 1,
    /// Simulated time.
    Simulated = 2,
}

impl Timing {
    /// All timings, in number order.
    pub const ALL: [Self; 3] = [Self::HostClock, Self::CudaEvents, Self::Simulated];

    /// The timing with this number; [`Timing::HostClock`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::CudaEvents,
            2 => Self::Simulated,
            _ => Self::HostClock,
        }
    }

    /// The name used in reports, JSON keys and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostClock => "host_clock",
            Self::CudaEvents => "cuda_events",
            Self::Simulated => "simulated",
        }
    }
}

/// How a copy ended.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Nobody told, and nobody will.
    Unknown = 0,
    /// All bytes are at their destination.
    Done = 1,
    /// It failed.
    Failed = 2,
    /// It was given up.
    Cancelled = 3,
    /// The end was never seen: the event did not complete in time, or the device was lost.
    Lost = 4,
}

impl Outcome {
    /// All outcomes, in number order.
    pub const ALL: [Self; 5] =
        [Self::Unknown, Self::Done, Self::Failed, Self::Cancelled, Self::Lost];

    /// The outcome with this number; [`Outcome::Unknown`] for a number of a later version.
    #[must_use]
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Unknown }
    }

    /// The name used in reports, JSON keys and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// A copy of blocks. Its head's time is when it began; all times are on the head's clock.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Transfer {
    /// Common head.
    pub head: Head,
    /// The caller's number of the copy or of the batch it belongs to, 0 if there is none.
    pub transfer: u64,
    /// Bytes copied; 0 if unknown.
    pub bytes: u64,
    /// Dynamo's worker id; `UNKNOWN_U64`.
    pub worker: u64,
    /// When all of it was handed to the stream or the agent; `UNKNOWN_U64`.
    pub enqueued: u64,
    /// When the host saw that it had ended; `UNKNOWN_U64`.
    pub ended: u64,
    /// When the device began with it; `UNKNOWN_U64` unless timed by CUDA events.
    pub device_began: u64,
    /// Nanoseconds that the device took; `UNKNOWN_U64` unless timed by CUDA events.
    pub device_ns: u64,
    /// Blocks copied.
    pub blocks: u32,
    /// CUDA ordinal; `UNKNOWN_U32`.
    pub device: u32,
    /// Tier it comes from (`tier`).
    pub from_tier: u8,
    /// Tier it goes to (`tier`).
    pub to_tier: u8,
    /// Memory it comes from (`medium`).
    pub from_medium: u8,
    /// Memory it goes to (`medium`).
    pub to_medium: u8,
    /// How it is made (`strategy`).
    pub strategy: u8,
    /// What the duration was measured with (`timing`).
    pub timing: u8,
    /// How it ended (`outcome`).
    pub outcome: u8,
    /// Zero.
    pub reserved: u8,
}

impl_record!(Transfer, Kind::Transfer, v1_size: 96);
assert_layout!(Transfer, size: 96,
    head: 0, transfer: 24, bytes: 32, worker: 40, enqueued: 48, ended: 56, device_began: 64,
    device_ns: 72, blocks: 80, device: 84, from_tier: 88, to_tier: 89, from_medium: 90,
    to_medium: 91, strategy: 92, timing: 93, outcome: 94, reserved: 95);
