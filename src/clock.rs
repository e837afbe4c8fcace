//! The one clock: raw ticks on the hot path, anchors that tie them to wall time.
//!
//! Ticks are the time-stamp counter where the processor says that it runs at a constant rate in all
//! power states, the generic timer on 64-bit Arm, and `CLOCK_MONOTONIC` nanoseconds elsewhere. Readers
//! interpolate between anchors; the collector does with the anchors that it has by then.

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
#[inline(never)]
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
    if source() == TickSource::Monotonic { monotonic_ns() } else { counter() }
}

/// Whether a tick is known to be read from a register of the processor, without a call; not before the first
/// time was asked for.
#[must_use]
#[inline]
pub(crate) fn has_counter() -> bool {
    matches!(SOURCE.load(Ordering::Relaxed), 1 | 2)
}

/// The current time in ticks where [`has_counter`] says that they are counted by the processor.
#[must_use]
#[inline]
pub(crate) fn counter() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 processor has `rdtsc`; it reads a register and touches no memory.
        unsafe { core::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let ticks: u64;
        // SAFETY: Linux lets user space read the virtual counter; no memory is touched.
        unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
        ticks
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        monotonic_ns()
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds. Cold to the hooks: most machines have ticks of their own.
#[must_use]
#[cold]
#[inline(never)]
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

/// How ticks turn into nanoseconds, as far as is known by now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickRate {
    first: Anchor,
    ns_per_tick: f64,
}

impl TickRate {
    /// Begin to measure; until [`TickRate::refresh`] a tick counts as a nanosecond.
    #[must_use]
    pub(crate) fn begin() -> Self {
        Self { first: anchor(), ns_per_tick: 1.0 }
    }

    /// Measure over all the time since the beginning.
    pub(crate) fn refresh(&mut self) {
        let now = anchor();
        let ticks = now.head.time.saturating_sub(self.first.head.time);
        let ns = now.monotonic_ns.saturating_sub(self.first.monotonic_ns);
        if ticks > 0 && ns > 0 {
            self.ns_per_tick = ns as f64 / ticks as f64;
        }
    }

    /// Nanoseconds since the beginning; 0 for what was before it.
    #[must_use]
    pub(crate) fn ns(&self, ticks: u64) -> u64 {
        (ticks.saturating_sub(self.first.head.time) as f64 * self.ns_per_tick) as u64
    }

    /// Ticks in a nanosecond, as they were last measured. The longer ago the beginning, the better they are
    /// known: after a second to about a millionth.
    #[must_use]
    pub(crate) fn ticks_per_ns(&self) -> f64 {
        1.0 / self.ns_per_tick
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
        let mut rate = TickRate { first, ns_per_tick: 1.0 };
        rate.refresh();
        assert!((rate.ticks_per_ns() / ticks_per_ns - 1.0).abs() < 0.01);
    }

    #[test]
    fn ticks_turn_into_nanoseconds() {
        let mut rate = TickRate::begin();
        std::thread::sleep(std::time::Duration::from_millis(20));
        rate.refresh();
        let (ticks, ns) = (ticks(), monotonic_ns());
        let elapsed = ns - rate.first.monotonic_ns;
        assert!(rate.ns(ticks).abs_diff(elapsed) < elapsed / 20, "{} {elapsed}", rate.ns(ticks));
        assert_eq!(rate.ns(0), 0);
    }
}
