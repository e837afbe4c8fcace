//! The collector's side: which copies have ended, and how long they took.

use std::time::{Duration, Instant};

use super::hooks::{TABLE, abandon, any_inside};
use super::slots::{Seen, Slot};
use crate::clock::TickRate;
use crate::cuda::{self, Devices, Measured, Progress, Timed};
use crate::record::{Outcome, Timing, Transfer, UNKNOWN_U32, UNKNOWN_U64};

/// How long the end of a copy that the device has completed waits for the host to say that it saw it.
const DONE_GRACE: Duration = Duration::from_millis(50);

/// How long a copy on a stream that is not timed does.
const UNTIMED_GRACE: Duration = Duration::from_secs(1);

/// How long a stopping session waits for hooks that are under way.
const HOOK_TIMEOUT: Duration = Duration::from_millis(200);

/// How long it waits for copies that are under way on devices.
const DEVICE_TIMEOUT: Duration = Duration::from_millis(50);

/// See the module documentation.
pub(crate) struct Watch {
    session: u64,
    timeout: Duration,
    devices: Devices,
    /// By slot.
    known: Vec<Known>,
    /// Copies whose events are to be asked for, in the order in which their streams complete them.
    asked: Vec<Asked>,
    ended: Vec<Transfer>,
    is_finished: bool,
}

/// What the collector knows of the copy in a slot.
#[derive(Clone, Copy)]
struct Known {
    generation: Option<u64>,
    since: Instant,
    enqueued_since: Option<Instant>,
    /// When the device was found to be through with it, and how long it took.
    complete: Option<(Instant, Option<Measured>)>,
}

struct Asked {
    timed: Timed,
    enqueued: u64,
    index: usize,
    seen: Seen,
}

impl Watch {
    /// The watch of a session. A copy whose end nobody sees is given up after `timeout`.
    pub(crate) fn new(session: u64, timeout: Duration) -> Self {
        Self {
            session,
            timeout,
            devices: Devices::new(session),
            known: Vec::new(),
            asked: Vec::new(),
            ended: Vec::new(),
            is_finished: false,
        }
    }

    /// Find out which copies have ended.
    pub(crate) fn look(&mut self, now: Instant, rate: &TickRate) {
        if self.is_finished {
            return;
        }
        self.devices.serve(now, any_inside);
        self.asked.clear();
        for (index, slot, seen) in TABLE.in_use() {
            if seen.session == self.session {
                self.consider(now, index, slot, seen);
            } else if seen.session < self.session && self.devices.is_owner() {
                // Its hook was still at work when that session stopped.
                abandon(index, seen);
            }
        }
        if !self.asked.is_empty() {
            self.ask(now, rate.ticks_per_ns());
        }
    }

    /// The copies that have ended, for the caller to take.
    pub(crate) fn ended(&mut self) -> &mut Vec<Transfer> {
        &mut self.ended
    }

    /// How wrong a device's times may be by its anchor, in ticks, for each CUDA ordinal.
    pub(crate) fn uncertainties(&self) -> impl Iterator<Item = (u32, u64)> {
        self.devices.uncertainties()
    }

    /// The session has stopped: whatever is under way ends now, as far as anybody knows.
    pub(crate) fn finish(&mut self, rate: &TickRate) {
        let deadline = Instant::now() + HOOK_TIMEOUT;
        while any_inside() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(100));
        }
        let deadline = Instant::now() + DEVICE_TIMEOUT;
        loop {
            self.look(Instant::now(), rate);
            if !self.is_any_under_way_on_a_device() || Instant::now() >= deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        for (index, slot, seen) in TABLE.in_use() {
            if seen.session == self.session {
                let complete = self.known.get(index).and_then(|known| known.complete);
                let outcome = if complete.is_some() { Outcome::Done } else { Outcome::Unknown };
                self.write(index, slot, seen, complete.and_then(|(_, measured)| measured), outcome);
            }
        }
        self.devices.finish(any_inside());
        self.is_finished = true;
    }

    fn is_any_under_way_on_a_device(&self) -> bool {
        let is_under_way = |asked: &Asked| self.known[asked.index].complete.is_none();
        cuda::may_call() && self.asked.iter().any(is_under_way)
    }

    /// Write a copy that has ended, or put it down to be asked for.
    fn consider(&mut self, now: Instant, index: usize, slot: &Slot, seen: Seen) {
        let timeout = self.timeout;
        let known = self.known(now, index, seen);
        if seen.is_enqueued() {
            known.enqueued_since.get_or_insert(now);
        }
        let Known { since, enqueued_since, complete, .. } = *known;
        let is_past = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        if let Some((at, measured)) = complete {
            if seen.is_done() || is_past(at, DONE_GRACE) {
                self.write(index, slot, seen, measured, Outcome::Done);
            }
            return;
        }
        // Of a copy on a stream that is not timed nobody may ever tell the end.
        let is_left_alone = seen.is_on_stream()
            && enqueued_since.is_some_and(|since| is_past(since, UNTIMED_GRACE));
        let timed = slot.timed.load().filter(|timed| seen.is_enqueued() && !timed.failed());
        if is_past(since, timeout) {
            self.write(index, slot, seen, None, Outcome::Lost);
        } else if let Some(timed) = timed {
            self.asked.push(Asked { timed, enqueued: slot.enqueued(), index, seen });
        } else if seen.is_done() || is_left_alone {
            self.write(index, slot, seen, None, Outcome::Unknown);
        }
    }

    fn known(&mut self, now: Instant, index: usize, seen: Seen) -> &mut Known {
        let unknown = Known { generation: None, since: now, enqueued_since: None, complete: None };
        if self.known.len() <= index {
            self.known.resize(index + 1, unknown);
        }
        let known = &mut self.known[index];
        if known.generation != Some(seen.generation()) {
            *known = Known { generation: Some(seen.generation()), ..unknown };
        }
        known
    }

    /// Ask the driver for copies under way. What follows a copy on its stream that is not complete is not
    /// complete either.
    fn ask(&mut self, now: Instant, ticks_per_ns: f64) {
        let mut asked = std::mem::take(&mut self.asked);
        asked.sort_unstable_by_key(|asked| (asked.timed.stream_key(), asked.enqueued));
        let mut pending = None;
        for Asked { timed, index, seen, .. } in &asked {
            if pending == Some(timed.stream_key()) {
                continue;
            }
            match self.devices.progress(*timed, ticks_per_ns) {
                Progress::Pending if timed.is_ordered() => pending = Some(timed.stream_key()),
                Progress::Pending => {}
                Progress::Complete(measured) => {
                    self.known[*index].complete = Some((now, measured));
                    if seen.is_done() {
                        self.write(*index, TABLE.at(*index), *seen, measured, Outcome::Done);
                    }
                }
                Progress::Gone => self.write(*index, TABLE.at(*index), *seen, None, Outcome::Lost),
            }
        }
        self.asked = asked;
    }

    /// Write a copy's record, unless something happened to it meanwhile; then it is considered again.
    fn write(
        &mut self,
        index: usize,
        slot: &Slot,
        seen: Seen,
        measured: Option<Measured>,
        otherwise: Outcome,
    ) {
        if !TABLE.take_away(index, seen) {
            return;
        }
        let mut transfer = slot.record(seen, otherwise);
        if let Some(Measured { began, ns, device }) = measured {
            transfer.timing = Timing::CudaEvents as u8;
            transfer.device_began = began.unwrap_or(UNKNOWN_U64);
            transfer.device_ns = ns;
            if transfer.device == UNKNOWN_U32 {
                transfer.device = device;
            }
        }
        cuda::give_back(slot.timed.take());
        TABLE.release(index);
        self.ended.push(transfer);
    }
}
