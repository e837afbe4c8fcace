//! What was begun, written and lost, by kind.

use crate::record::{Kind, LossReason};
use crate::ring::Snapshot;

/// The accounts of several producers together. Rows count as events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Events begun, indexed by [`Kind`].
    pub(crate) produced: [u64; Kind::COUNT],
    /// Events in the file, indexed by [`Kind`].
    pub(crate) written: [u64; Kind::COUNT],
    /// Events lost, indexed by [`Kind`] and [`LossReason`].
    pub(crate) lost: [[u64; LossReason::SLOTS]; Kind::COUNT],
}

impl Totals {
    /// Add another producer's.
    pub(crate) fn add(&mut self, other: &Self) {
        add(&mut self.produced, &other.produced);
        add(&mut self.written, &other.written);
        for (sum, lost) in self.lost.iter_mut().zip(&other.lost) {
            add(sum, lost);
        }
    }

    /// Count events that were begun and lost after the last session.
    pub(crate) fn add_losses(&mut self, losses: &Snapshot) {
        add(&mut self.produced, &losses.produced);
        for (reason, kinds) in losses.lost.iter().enumerate() {
            for (sum, lost) in self.lost.iter_mut().zip(kinds) {
                sum[reason] += lost;
            }
        }
    }

    /// So many events of each kind that counted as written are lost after all.
    pub(crate) fn lose_written(&mut self, events: &[u64; Kind::COUNT]) {
        for kind in Kind::ALL.map(|kind| kind as usize) {
            self.written[kind] -= events[kind];
            self.lost[kind][LossReason::Io as usize] += events[kind];
        }
    }

    /// Events begun, of all kinds.
    #[must_use]
    pub(crate) fn all_produced(&self) -> u64 {
        self.produced.iter().sum()
    }

    /// Events in the file, of all kinds.
    #[must_use]
    pub(crate) fn all_written(&self) -> u64 {
        self.written.iter().sum()
    }

    /// Events lost, of all kinds, indexed by [`LossReason`].
    #[must_use]
    pub(crate) fn all_lost(&self) -> [u64; LossReason::SLOTS] {
        let mut sum = [0; LossReason::SLOTS];
        self.lost.iter().for_each(|lost| add(&mut sum, lost));
        sum
    }
}

fn add<const N: usize>(sums: &mut [u64; N], values: &[u64; N]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
