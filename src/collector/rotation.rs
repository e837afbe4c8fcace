//! One file ends and the next one begins.
//!
//! Every file is whole in itself: it has the names that its records use, and its last ledgers account for
//! everything in it. What waits in the rings at that moment belongs to the next file.

use std::time::Instant;

use super::Collector;
use crate::trace::PacketFlags;

impl Collector {
    /// Go on in another file if it is time to.
    pub(super) fn rotate_if_due(&mut self, now: Instant) {
        if !self.files.is_due(now) {
            return;
        }
        let successor = match self.files.successor() {
            Ok(successor) => successor,
            Err(error) => return self.io.note(Err(error)),
        };
        self.refresh_counts();
        self.rings.iter_mut().for_each(|ring| ring.account.leave_the_rest());
        if !self.write_ledgers(PacketFlags::FINAL) {
            // The disk is full: this file goes on, so that its accounts stay right.
            successor.discard();
            return;
        }
        for ring in &mut self.rings {
            self.settled.add(&ring.account.totals());
            ring.account.begin_file();
        }
        self.settled.add(&self.own.account.totals());
        self.own = self.own.of_next_file();
        self.without_ring.before = self.own.without_ring_at_last_look;
        self.names_written = 0;
        self.files.change_to(successor, now);
        self.metrics.health.files_deleted(self.files.deleted());
        self.write_names();
        self.write_accounts(0);
    }
}
