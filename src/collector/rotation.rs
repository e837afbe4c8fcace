//! One file ends and the next one begins.
//!
//! Every file is whole in itself: it has the names that its records use, and its last ledgers account for
//! everything in it. What waits in the rings at that moment belongs to the next file.

use std::io;
use std::time::Instant;

use super::Collector;
use crate::trace::PacketFlags;

impl Collector {
    /// Go on in another file if it is time to.
    pub(super) fn rotate_if_due(&mut self, now: Instant) {
        if self.files.is_due(now) {
            let result = self.rotate(now);
            if result.is_err() {
                self.files.postpone(now);
            }
            self.io.note(result);
        }
    }

    /// Make everything that was recorded so far durable: into the file of a stream, or, of a flight
    /// recorder, out of memory.
    ///
    /// # Errors
    ///
    /// If not everything could be written.
    pub(super) fn dump(&mut self, now: Instant) -> io::Result<()> {
        self.drain(now, true);
        if self.files.is_flight_recorder() {
            self.rotate(now)?;
            self.files.dump()?;
        } else {
            self.write_accounts(0);
        }
        self.durable()
    }

    /// # Errors
    ///
    /// If there can be no next file; the current one goes on.
    fn rotate(&mut self, now: Instant) -> io::Result<()> {
        let successor = self.files.successor()?;
        self.refresh_counts();
        self.rings.iter_mut().for_each(|ring| ring.account.leave_the_rest());
        if !self.write_ledgers(PacketFlags::FINAL) {
            successor.discard();
            return Err(io::Error::other("the last accounts of a file could not be written"));
        }
        for ring in &mut self.rings {
            self.settled.add(&ring.account.totals());
            ring.account.begin_file();
        }
        self.settled.add(&self.own.account.totals());
        self.own = self.own.of_next_file();
        self.without_ring.before = self.own.without_ring_at_last_look;
        self.declarations_written = 0;
        self.files.change_to(successor, now);
        self.metrics.health.files_deleted(self.files.deleted());
        self.write_declarations();
        self.write_accounts(0);
        Ok(())
    }
}
