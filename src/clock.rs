//! The one clock: raw ticks on the hot path, anchors that tie them to wall time.
//!
//! Ticks are the time-stamp counter where the processor says that it runs at a constant rate in all
//! power states, the generic timer on 64-bit Arm, and `CLOCK_MONOTONIC` nanoseconds elsewhere. No
//! calibration takes place: readers interpolate between anchors.

use std::sync::atomic::{AtomicU8, Ordering};

use zerocopy::FromZeros;

use crate::record::{Anchor, Head, Kind};

/// What a tick is on this machine.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TickSource {
    /// x86-64 invariant time-stamp counter.
    TimeStampCounter = 1,
    /// 64-bit Arm generic timer.
    GenericTimer = 2,
    /// `CLOCK_MONOTONIC` in nanoseconds.
    Monotonic = 3,
}

impl TickSource {
    /// The name written into the file header.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TimeStampCounter => "tsc",
            Self::GenericTimer => "cntvct",
            Self::Monotonic => "monotonic",
        }
    }
}

/// 0 until the source was looked up. A race looks it up twice with the same result.
static SOURCE: AtomicU8 = AtomicU8::new(0);

/// The tick source of this machine.
#[must_use]
#[inline]
pub(crate) fn source() -> TickSource {
    match SOURCE.load(Ordering::Relaxed) {
        1 => TickSource::TimeStampCounter,
        2 => TickSource::GenericTimer,
        3 => TickSource::Monotonic,
        _ => detect(),
    }
}

#[cold]
fn detect() -> TickSource {
    let source = if cfg!(target_arch = "x86_64") && has_invariant_tsc() {
        TickSource::TimeStampCounter
    } else if cfg!(target_arch = "aarch64") {
        TickSource::GenericTimer
    } else {
        TickSource::Monotonic
    };
    SOURCE.store(source as u8, Ordering::Relaxed);
    source
}

#[cfg(target_arch = "x86_64")]
fn has_invariant_tsc() -> bool {
    use core::arch::x86_64::__cpuid;
    const POWER_MANAGEMENT_LEAF: u32 = 0x8000_0007;
    const INVARIANT_TSC: u32 = 1 << 8;
    let largest = __cpuid(0x8000_0000).eax;
    largest >= POWER_MANAGEMENT_LEAF && __cpuid(POWER_MANAGEMENT_LEAF).edx & INVARIANT_TSC != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn has_invariant_tsc() -> bool {
    false
}

/// The current time in ticks.
#[must_use]
#[inline]
pub(crate) fn ticks() -> u64 {
    match source() {
        #[cfg(target_arch = "x86_64")]
        TickSource::TimeStampCounter => {
            // SAFETY: every x86-64 processor has `rdtsc`; it reads a register and touches no memory.
            unsafe { core::arch::x86_64::_rdtsc() }
        }
        #[cfg(target_arch = "aarch64")]
        TickSource::GenericTimer => {
            let ticks: u64;
            // SAFETY: Linux lets user space read the virtual counter; no memory is touched.
            unsafe {
                core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack))
            };
            ticks
        }
        _ => monotonic_ns(),
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
#[must_use]
pub(crate) fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// `CLOCK_REALTIME` in nanoseconds since the Unix epoch.
#[must_use]
pub(crate) fn wall_ns() -> u64 {
    read(libc::CLOCK_REALTIME)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to, and both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
        + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Read all clocks together. Of several tries the one that took the fewest ticks is kept.
#[must_use]
pub(crate) fn anchor() -> Anchor {
    const TRIES: usize = 8;
    let mut best = Anchor::new_zeroed();
    best.head = Head::new(Kind::Anchor, size_of::<Anchor>());
    best.uncertainty_ticks = u64::MAX;
    for _ in 0..TRIES {
        let before = ticks();
        let monotonic_ns = monotonic_ns();
        let wall_ns = wall_ns();
        let took = ticks().saturating_sub(before);
        if took < best.uncertainty_ticks {
            best.head.time = before + took / 2;
            best.monotonic_ns = monotonic_ns;
            best.wall_ns = wall_ns;
            best.uncertainty_ticks = took;
        }
    }
    best
}

/// How many ticks there are in a nanosecond, measured from a moment on.
pub(crate) struct TickRate {
    ticks: u64,
    monotonic_ns: u64,
}

impl TickRate {
    /// Measured from now on.
    pub(crate) fn from_now() -> Self {
        let anchor = anchor();
        Self { ticks: anchor.head.time, monotonic_ns: anchor.monotonic_ns }
    }

    /// The rate up to now. The longer ago the beginning, the better it is known: after a second to about
    /// a millionth.
    #[must_use]
    pub(crate) fn ticks_per_ns(&self) -> f64 {
        let anchor = anchor();
        let ticks = anchor.head.time.saturating_sub(self.ticks) as f64;
        match anchor.monotonic_ns.saturating_sub(self.monotonic_ns) {
            0 => 1.0,
            ns => ticks / ns as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_go_back() {
        let mut last = ticks();
        for _ in 0..10_000 {
            let now = ticks();
            assert!(now >= last, "{now} < {last} ({:?})", source());
            last = now;
        }
    }

    #[test]
    fn two_anchors_give_a_plausible_tick_rate() {
        let first = anchor();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let second = anchor();
        let ns = second.monotonic_ns - first.monotonic_ns;
        let ticks_per_ns = (second.head.time - first.head.time) as f64 / ns as f64;
        assert!((0.001..=10.0).contains(&ticks_per_ns), "{ticks_per_ns} ticks per ns");
        assert!(second.wall_ns > 1_600_000_000_000_000_000);
        let rate = TickRate { ticks: first.head.time, monotonic_ns: first.monotonic_ns };
        assert!((rate.ticks_per_ns() / ticks_per_ns - 1.0).abs() < 0.01);
    }
}
