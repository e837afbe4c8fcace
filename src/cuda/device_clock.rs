//! When something happened on a device, on the trace's clock.
//!
//! CUDA gives no time of an event, only the time between two. An anchor is an event on a stream of ours,
//! with the ticks before it was recorded and after it was found complete: it happened between the two, and
//! is taken to have happened in the middle. The narrowest of a few tries counts. From an anchor to another
//! event the device's own clock is believed; anchors are renewed while copies are timed, so that the two
//! clocks have no time to drift apart.

use std::time::{Duration, Instant};

use cudarc::driver::sys::{CUevent, CUstream};

use super::driver::{Code, Driver};
use crate::clock;

/// How often an anchor is renewed while it is used.
const INTERVAL: Duration = Duration::from_secs(1);

/// An anchor that could not be renewed for so long tells nothing: milliseconds in 32 bits have become coarse,
/// and the clocks have drifted.
const OLDEST: Duration = Duration::from_secs(10);

const TRIES: usize = 8;

/// How long one try may take. A device that is that busy is asked again later.
const PATIENCE: Duration = Duration::from_millis(1);

/// See the module documentation. Its events and its stream belong to one context.
pub(super) struct DeviceClock {
    stream: CUstream,
    anchor: CUevent,
    /// The event of the next try.
    spare: CUevent,
    taken: Option<Taken>,
}

#[derive(Clone, Copy)]
struct Taken {
    at: Instant,
    ticks: u64,
    /// Half of the time in which it may have happened.
    uncertainty_ticks: u64,
}

impl DeviceClock {
    /// A clock in the current context, without an anchor.
    pub(super) fn new(driver: &Driver) -> Result<Self, Code> {
        let stream = driver.new_stream()?;
        let events = driver.new_event().and_then(|anchor| match driver.new_event() {
            Ok(spare) => Ok((anchor, spare)),
            Err(code) => {
                let _ = driver.destroy_event(anchor);
                Err(code)
            }
        });
        match events {
            Ok((anchor, spare)) => Ok(Self { stream, anchor, spare, taken: None }),
            Err(code) => {
                let _ = driver.destroy_stream(stream);
                Err(code)
            }
        }
    }

    /// Give events and stream back to the driver; their context is current.
    pub(super) fn destroy(self, driver: &Driver) {
        for event in [self.anchor, self.spare] {
            let _ = driver.destroy_event(event);
        }
        let _ = driver.destroy_stream(self.stream);
    }

    /// Whether there is no anchor, or an old one.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.taken.is_none_or(|taken| now.saturating_duration_since(taken.at) >= INTERVAL)
    }

    /// How wrong a time may be by the anchor alone, in ticks.
    pub(super) fn uncertainty_ticks(&self) -> Option<u64> {
        self.taken.map(|taken| taken.uncertainty_ticks)
    }

    /// Take an anchor; the clock's context is current. The one before stays if none can be had.
    pub(super) fn renew(&mut self, driver: &Driver, now: Instant) -> Result<(), Code> {
        let mut best: Option<Taken> = None;
        for _ in 0..TRIES {
            let before = clock::ticks();
            driver.record(self.spare, self.stream)?;
            if !is_complete_soon(driver, self.spare)? {
                break;
            }
            let uncertainty_ticks = clock::ticks().saturating_sub(before).div_ceil(2);
            if best.is_none_or(|best| uncertainty_ticks < best.uncertainty_ticks) {
                best =
                    Some(Taken { at: now, ticks: before + uncertainty_ticks, uncertainty_ticks });
                std::mem::swap(&mut self.anchor, &mut self.spare);
                self.taken = best;
            }
        }
        Ok(())
    }

    /// When a complete event of the clock's context happened, in ticks. Without a fresh anchor nobody knows.
    pub(super) fn ticks_of(
        &self,
        driver: &Driver,
        event: CUevent,
        ticks_per_ns: f64,
    ) -> Result<Option<u64>, Code> {
        let Some(taken) = self.taken.filter(|taken| taken.at.elapsed() < OLDEST) else {
            return Ok(None);
        };
        let ns = driver.milliseconds(self.anchor, event)? * 1e6;
        let ticks = (ns * ticks_per_ns).round() as i64;
        Ok(Some(taken.ticks.saturating_add_signed(ticks)))
    }
}

/// Ask for an event until it is complete, or too much time has passed: the collector waits for no device.
fn is_complete_soon(driver: &Driver, event: CUevent) -> Result<bool, Code> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if driver.is_complete(event)? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::hint::spin_loop();
    }
}
