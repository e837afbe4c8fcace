//! The collector's side: makes the events of each context, and reads them when they are complete.

use std::time::Instant;

use super::device_clock::DeviceClock;
use super::driver::{Code, Driver, driver, load_if_wanted};
use super::events::{CONTEXT, Context, MOST_PAIRS, is_twice};
use super::timed::Timed;
use super::timer::{disown, in_context, may_call, own};
use super::untimed::Untimed;

/// Pairs that a context begins with. They are doubled when a hook finds none free.
const FIRST_PAIRS: usize = 256;

/// What the device did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    /// When it began, in ticks, if the device's clock is known.
    pub(crate) began: Option<u64>,
    /// How long it took.
    pub(crate) ns: u64,
    /// CUDA ordinal.
    pub(crate) device: u32,
}

/// What has become of a copy that is being timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The stream has not got past it yet.
    Pending,
    /// It is complete; how long it took the driver may not have told.
    Complete(Option<Measured>),
    /// Its context is gone, or its device is.
    Gone,
}

/// All contexts that have events, as the collector of one session sees them.
pub(crate) struct Devices {
    session: u64,
    is_owner: bool,
    is_out_of_captures: bool,
    devices: [Option<Device>; CONTEXT.len()],
}

struct Device {
    ordinal: u32,
    clock: DeviceClock,
    pairs: usize,
}

impl Devices {
    /// Nothing yet.
    pub(crate) fn new(session: u64) -> Self {
        Self {
            session,
            is_owner: false,
            is_out_of_captures: false,
            devices: [const { None }; CONTEXT.len()],
        }
    }

    /// Whether events and what earlier sessions left of copies are this session's to look after.
    pub(crate) fn is_owner(&self) -> bool {
        self.is_owner
    }

    /// Make what hooks have asked for since the last call, and keep the clocks of devices in use right. Where a
    /// context was that is gone there is room for another one, unless a hook may still know of it.
    pub(crate) fn serve(&mut self, now: Instant, is_hook_inside: impl Fn() -> bool) {
        self.is_owner = self.is_owner || own(self.session);
        if !self.is_owner || !may_call() {
            return;
        }
        let Some(driver) = load_if_wanted() else { return };
        if !self.is_out_of_captures {
            if driver.keep_out_of_captures().is_err() {
                return;
            }
            self.is_out_of_captures = true;
        }
        for (place, device) in self.devices.iter_mut().enumerate() {
            let context = &CONTEXT[place];
            if context.is_wanted() && is_twice(place) {
                context.clear();
            } else if context.is_wanted() {
                *device = prepare(driver, context, now);
            } else if context.is_ready() {
                attend(driver, context, device.as_mut(), now);
            } else if context.is_dead()
                && !is_hook_inside()
                && !context.has_pairs_in_use()
                && !is_alive(driver, context)
            {
                // Its events and its clock went with it. A hook that was inside has taken its pair by now.
                *device = None;
                context.clear();
            }
        }
    }

    /// What has become of a copy. Its events are in order with those of other copies on its stream.
    pub(crate) fn progress(&self, timed: Timed, ticks_per_ns: f64) -> Progress {
        let context = &CONTEXT[usize::from(timed.context)];
        let device = self.devices[usize::from(timed.context)].as_ref();
        let (Some(device), Some(Some(driver))) = (device, driver()) else { return Progress::Gone };
        if !may_call() {
            return Progress::Pending;
        }
        if !context.is_ready() {
            return Progress::Gone;
        }
        let (start, end) = context.pair(timed.pair.into());
        match driver.is_complete(end) {
            Ok(false) => return Progress::Pending,
            Ok(true) => {}
            Err(_) => {
                // What has failed once fails for ever: an error of a device cannot be got over in a process.
                context.set_dead();
                Untimed::DriverFailed.count();
                return Progress::Gone;
            }
        }
        let read = in_context(driver, context.handle(), || {
            let ns = (driver.milliseconds(start, end)? * 1e6).round() as u64;
            let began = device.clock.ticks_of(driver, start, ticks_per_ns)?;
            Ok(Measured { began, ns, device: device.ordinal })
        });
        if read.is_err() {
            Untimed::DriverFailed.count();
        }
        Progress::Complete(read.ok())
    }

    /// How wrong a device's times may be by its anchor, in ticks, for each CUDA ordinal.
    pub(crate) fn uncertainties(&self) -> impl Iterator<Item = (u32, u64)> {
        let devices = self.devices.iter().flatten();
        devices.filter_map(|device| Some((device.ordinal, device.clock.uncertainty_ticks()?)))
    }

    /// Give everything back to the driver. No copy is timed any more; if a hook is still under way, what it
    /// may use stays there until the next session has ended.
    pub(crate) fn finish(&mut self, is_hook_inside: bool) {
        if !self.is_owner {
            return;
        }
        if !is_hook_inside {
            for (place, device) in self.devices.iter_mut().enumerate() {
                let context = &CONTEXT[place];
                if let (Some(device), Some(Some(driver)), true) =
                    (device.take(), driver(), may_call())
                    && context.is_ready()
                    && is_alive(driver, context)
                {
                    // A context that refuses has nothing of ours left to give back.
                    let _ = in_context(driver, context.handle(), || {
                        destroy_pairs(driver, context, device.pairs);
                        device.clock.destroy(driver);
                        Ok(())
                    });
                }
                context.clear();
            }
        }
        disown(self.session);
        self.is_owner = false;
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        // A collector that has panicked keeps no other one from its work.
        disown(self.session);
    }
}

/// Make the first events of a context. Without them it is not asked again in this session.
fn prepare(driver: &Driver, context: &Context, now: Instant) -> Option<Device> {
    let prepared = in_context(driver, context.handle(), || {
        let ordinal = driver.device()?;
        let mut clock = DeviceClock::new(driver)?;
        let pairs = make_pairs(driver, context, 0, FIRST_PAIRS);
        match pairs.and_then(|()| clock.renew(driver, now)) {
            Ok(()) => Ok(Device { ordinal, clock, pairs: FIRST_PAIRS }),
            Err(code) => {
                destroy_pairs(driver, context, FIRST_PAIRS);
                clock.destroy(driver);
                Err(code)
            }
        }
    });
    match prepared {
        Ok(device) => {
            context.set_ready();
            Some(device)
        }
        Err(code) => {
            context.set_dead();
            tracing::warn!(
                "nashtrace: copies on a CUDA context are timed by the host's clock only: the driver \
                 refuses events (error {code})"
            );
            None
        }
    }
}

/// More pairs if a hook found none, and a new anchor in time.
fn attend(driver: &Driver, context: &Context, device: Option<&mut Device>, now: Instant) {
    // Without a device it is what an earlier collector could not give back: which of its events are in use
    // nobody knows any more.
    let Some(device) = device.filter(|_| is_alive(driver, context)) else {
        context.set_dead();
        return;
    };
    let is_short = context.was_short() && device.pairs < MOST_PAIRS;
    let is_due = context.has_pairs_in_use() && device.clock.is_due(now);
    if !is_short && !is_due {
        return;
    }
    let attended = in_context(driver, context.handle(), || {
        if is_short {
            let more = (2 * device.pairs).min(MOST_PAIRS);
            make_pairs(driver, context, device.pairs, more)?;
            device.pairs = more;
        }
        if is_due { device.clock.renew(driver, now) } else { Ok(()) }
    });
    if attended.is_err() {
        // The copies under way will tell whether the context is of any use.
        Untimed::DriverFailed.count();
    }
}

/// Whether a context is the one that it was. Its events are gone with it otherwise.
fn is_alive(driver: &Driver, context: &Context) -> bool {
    driver.id(context.handle()) == Ok(context.id())
}

/// Make the pairs of a range, all or none of them. The context is current.
fn make_pairs(driver: &Driver, context: &Context, from: usize, to: usize) -> Result<(), Code> {
    let mut made = Vec::with_capacity(2 * (to - from));
    for _ in 0..2 * (to - from) {
        match driver.new_event() {
            Ok(event) => made.push(event),
            Err(code) => {
                for event in made {
                    let _ = driver.destroy_event(event);
                }
                return Err(code);
            }
        }
    }
    for (pair, events) in (from..to).zip(made.chunks_exact(2)) {
        context.add_pair(pair, events[0], events[1]);
    }
    Ok(())
}

/// Destroy the first `count` pairs. The context is current, and no hook uses them.
fn destroy_pairs(driver: &Driver, context: &Context, count: usize) {
    for pair in 0..count {
        let (start, end) = context.pair(pair);
        for event in [start, end].into_iter().filter(|event| !event.is_null()) {
            let _ = driver.destroy_event(event);
        }
    }
}
