//! Copies that the collector itself has seen end.

use std::time::Instant;

use super::Collector;
use crate::record::{Kind, Transfer};

/// Records that go into one packet.
const MOST_IN_A_PACKET: usize = 2_048;

impl Collector {
    /// Look for copies that have ended, and write their records when they are due. Whether any was written.
    pub(super) fn write_transfers(&mut self, now: Instant, everything: bool) -> bool {
        self.watch.look(now, &self.tick_rate);
        let ended = self.watch.ended();
        if ended.is_empty() {
            return false;
        }
        let since = *self.transfers_waiting_since.get_or_insert(now);
        let is_old = now.saturating_duration_since(since) >= self.config.flush_interval;
        if !everything && !is_old && ended.len() < MOST_IN_A_PACKET {
            return false;
        }
        self.transfers_waiting_since = None;
        let ended = std::mem::take(ended);
        ended.chunks(MOST_IN_A_PACKET).for_each(|copies| self.write_packet_of_transfers(copies));
        true
    }

    fn write_packet_of_transfers(&mut self, copies: &[Transfer]) {
        let mut kinds = [0; Kind::COUNT];
        kinds[Kind::Transfer as usize] = copies.len() as u64;
        self.own.begin_transfers(copies.len() as u64);
        for copy in copies {
            self.metrics.transfers.transfer(copy, &self.tick_rate);
            self.own.push(*copy, &[], &mut self.builder);
        }
        let written = self.write_own_packet(&kinds, 0);
        self.io.note(written);
    }
}
