//! Why copies on a CUDA stream are timed with the host's clock only.

use std::sync::atomic::{AtomicU64, Ordering};

/// The reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untimed {
    /// The collector has not prepared the driver or the context yet.
    WarmingUp = 0,
    /// There is no driver library, or it lacks a function.
    NoDriver = 1,
    /// The process uses more contexts than there is room for.
    TooManyContexts = 2,
    /// All events of the context are in use.
    NoEvent = 3,
    /// The stream is being captured into a graph.
    Capturing = 4,
    /// The driver refused.
    DriverFailed = 5,
}

impl Untimed {
    /// All reasons, in number order.
    pub(crate) const ALL: [Self; 6] = [
        Self::WarmingUp,
        Self::NoDriver,
        Self::TooManyContexts,
        Self::NoEvent,
        Self::Capturing,
        Self::DriverFailed,
    ];

    /// The name used in metric labels.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::WarmingUp => "warming_up",
            Self::NoDriver => "no_driver",
            Self::TooManyContexts => "too_many_contexts",
            Self::NoEvent => "no_event",
            Self::Capturing => "capturing",
            Self::DriverFailed => "driver_failed",
        }
    }

    /// One more copy.
    pub(super) fn count(self) {
        COUNTS[self as usize].fetch_add(1, Ordering::Relaxed);
    }
}

static COUNTS: [AtomicU64; Untimed::ALL.len()] = [const { AtomicU64::new(0) }; Untimed::ALL.len()];

/// Copies since the process started, by reason in number order.
pub(crate) fn untimed() -> [u64; Untimed::ALL.len()] {
    std::array::from_fn(|reason| COUNTS[reason].load(Ordering::Relaxed))
}
