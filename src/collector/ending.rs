//! How a session ends: as it should, or because its collector has failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::{Collector, Stopped};
use crate::record::LossReason;
use crate::ring::order_hooks_before_stop;
use crate::trace::PacketFlags;

/// How long an ending session waits for hooks that are under way.
const HOOK_TIMEOUT: Duration = Duration::from_millis(200);

impl Collector {
    /// Hooks that began before the session stopped are let finish; then everything is written.
    pub(super) fn finish(&mut self) -> Stopped {
        self.wait_for_hooks();
        self.close_rings();
        self.watch.finish(&self.tick_rate);
        self.drain(Instant::now(), true);
        // What a stalled hook had begun and will not finish in time is lost after shutdown. This is the last look: what
        // is begun after it is not of this session.
        self.refresh_counts();
        self.book_the_rest(LossReason::AfterShutdown);
        self.write_ledgers(PacketFlags::FINAL);
        self.stopped()
    }

    /// The collector has panicked, and the session records no more: what was not written by then is lost,
    /// and accounted for, but nothing more is written. What a flight recorder remembers is saved.
    pub(super) fn give_up(&mut self) -> Stopped {
        self.metrics.health.collector_runs(false);
        self.wait_for_hooks();
        self.close_rings();
        // It may be the copies that the collector has failed at.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.watch.finish(&self.tick_rate);
            let ended = std::mem::take(self.watch.ended());
            self.own.begin_transfers(ended.len() as u64);
        }));
        self.refresh_counts();
        self.book_the_rest(LossReason::Io);
        self.own.account.book_the_rest(LossReason::Io);
        self.io.failed = true;
        self.stopped()
    }

    /// Nobody waits for the session any more that has just been made: it leaves nothing behind.
    pub(super) fn withdraw(self) {
        self.files.discard();
    }

    fn wait_for_hooks(&mut self) {
        let deadline = Instant::now() + HOOK_TIMEOUT;
        self.admit_arrivals();
        while self.rings.iter().any(|ring| ring.ring.is_busy()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// No hook that is still under way will say that its event was recorded.
    fn close_rings(&self) {
        let mut any_busy = false;
        for ring in &self.rings {
            any_busy |= ring.ring.is_busy();
            ring.ring.close();
        }
        if any_busy {
            order_hooks_before_stop();
        }
    }

    /// What was begun at the last look and is neither written nor lost by now is lost.
    fn book_the_rest(&mut self, reason: LossReason) {
        for ring in &mut self.rings {
            ring.account.book_the_rest(reason);
        }
        for account in &mut self.departed {
            account.book_the_rest(reason);
        }
    }

    /// The totals, when the files are as complete as they will be. What a flight recorder cannot save was
    /// not written after all.
    fn stopped(&mut self) -> Stopped {
        let (mut totals, without_ring) = (self.totals(), self.own.without_ring_at_last_look);
        let durable = self.durable();
        let saved = self.files.finish();
        totals.lose_written(&self.files.take_unsaved());
        self.metrics.health.show(&totals, self.rings.len());
        self.metrics.health.collector_runs(false);
        // Before anybody is told, so that the next session can have the address.
        self.listener = None;
        Stopped { totals, without_ring, result: durable.and(saved) }
    }
}
