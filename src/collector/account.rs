//! What one producer began, got written and lost.

use zerocopy::FromZeros;

use crate::clock;
use crate::record::{Head, Kind, Loss, LossReason};
use crate::ring::Snapshot;
use crate::state::Totals;

/// The account of one producer since the session started.
pub(super) struct Account {
    pub(super) producer: u32,
    /// What the producer itself counted since the file began.
    pub(super) counts: Snapshot,
    /// What of it was accounted for in earlier files.
    before: Snapshot,
    written: [u64; Kind::COUNT],
    lost_io: [u64; Kind::COUNT],
    /// Begun, and neither written nor lost when the session ended, by reason.
    rest: [[u64; Kind::COUNT]; LossReason::COUNT],
    packets: u64,
    /// The totals that the last written ledgers show.
    told: Totals,
}

impl Account {
    pub(super) fn new(producer: u32) -> Self {
        Self {
            producer,
            counts: Snapshot::default(),
            before: Snapshot::default(),
            written: [0; Kind::COUNT],
            lost_io: [0; Kind::COUNT],
            rest: [[0; Kind::COUNT]; LossReason::COUNT],
            packets: 0,
            told: Totals::default(),
        }
    }

    /// Take over what the producer has counted by now.
    pub(super) fn look(&mut self, counts: &Snapshot) {
        self.counts = counts.since(&self.before);
    }

    /// What waits in the ring belongs to the next file: this one accounts for what it holds.
    pub(super) fn leave_the_rest(&mut self) {
        for kind in Kind::ALL {
            let accounted = self.written[kind as usize] + self.lost(kind).iter().sum::<u64>();
            self.counts.produced[kind as usize] = accounted;
        }
    }

    /// Begin the account of the next file with nothing in it.
    pub(super) fn begin_file(&mut self) {
        let mut before = self.before;
        before.add(&self.counts);
        *self = Self { before, ..Self::new(self.producer) };
    }

    /// Count events that the collector itself begins.
    pub(super) fn produce(&mut self, kind: Kind, events: u64) {
        self.counts.produced[kind as usize] += events;
    }

    /// The number of the next packet.
    pub(super) fn next_packet(&mut self) -> u64 {
        self.packets += 1;
        self.packets - 1
    }

    /// A packet with so many events of each kind was written, or could not be.
    pub(super) fn packet_done(&mut self, kinds: &[u64; Kind::COUNT], is_written: bool) {
        let counters = if is_written { &mut self.written } else { &mut self.lost_io };
        for (counter, events) in counters.iter_mut().zip(kinds) {
            *counter += events;
        }
    }

    /// Events that could not be written after all were: they are no longer lost.
    pub(super) fn recover(&mut self, kind: Kind, events: u64) {
        self.lost_io[kind as usize] -= events;
        self.counts.produced[kind as usize] -= events;
    }

    /// What was begun and is neither written nor lost will not be written: it is lost.
    pub(super) fn book_the_rest(&mut self, reason: LossReason) {
        for kind in Kind::ALL {
            let accounted = self.written[kind as usize] + self.lost(kind).iter().sum::<u64>();
            let begun = self.counts.produced[kind as usize];
            self.rest[reason as usize][kind as usize] += begun.saturating_sub(accounted);
        }
    }

    fn lost(&self, kind: Kind) -> [u64; LossReason::SLOTS] {
        let mut lost = [0; LossReason::SLOTS];
        for reason in LossReason::ALL {
            let reason = reason as usize;
            lost[reason] =
                self.counts.lost[reason][kind as usize] + self.rest[reason][kind as usize];
        }
        lost[LossReason::Io as usize] += self.lost_io[kind as usize];
        lost
    }

    pub(super) fn totals(&self) -> Totals {
        let mut lost = [[0; LossReason::SLOTS]; Kind::COUNT];
        for kind in Kind::ALL {
            lost[kind as usize] = self.lost(kind);
        }
        Totals { produced: self.counts.produced, written: self.written, lost }
    }

    /// The ledgers, if anything has happened since they were last written.
    pub(super) fn changed_ledgers(&self) -> Vec<Loss> {
        if self.totals() == self.told {
            Vec::new()
        } else {
            self.ledgers_including(&[0; Kind::COUNT])
        }
    }

    /// The ledgers are in the file.
    pub(super) fn ledgers_are_written(&mut self) {
        self.told = self.totals();
    }

    /// One ledger for each kind that anything was begun of; `about_to_be_written` stands before them in
    /// the same packet. Ledgers do not account for themselves.
    pub(super) fn ledgers_including(&self, about_to_be_written: &[u64; Kind::COUNT]) -> Vec<Loss> {
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Loss);
        let kinds = kinds.filter(|kind| self.counts.produced[*kind as usize] > 0);
        let ledger = |kind: Kind| {
            let mut ledger = Loss::new_zeroed();
            ledger.head = Head::new(Kind::Loss, size_of::<Loss>());
            ledger.head.time = clock::ticks();
            ledger.producer = self.producer;
            ledger.of_kind = kind as u8;
            ledger.produced = self.counts.produced[kind as usize];
            ledger.written = self.written[kind as usize] + about_to_be_written[kind as usize];
            ledger.lost = self.lost(kind);
            ledger
        };
        kinds.map(ledger).collect()
    }
}
