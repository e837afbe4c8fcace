//! Counters of produced and lost events, per kind and reason.

use std::sync::atomic;

use super::sync::{AtomicU64, Ordering};
use crate::record::{Kind, LossReason};

/// What one producer began and lost, per [`Kind`] and [`LossReason`].
#[derive(Debug, Default)]
pub(crate) struct Counts {
    produced: [AtomicU64; Kind::COUNT],
    lost: [[AtomicU64; Kind::COUNT]; LossReason::COUNT],
}

/// The values of [`Counts`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Events begun, by kind.
    pub(crate) produced: [u64; Kind::COUNT],
    /// Events lost, by reason and kind.
    pub(crate) lost: [[u64; Kind::COUNT]; LossReason::COUNT],
}

impl Counts {
    /// Count events begun. Only one thread may call this and [`Counts::lose`] on a given value: a load
    /// and a store replace the locked instruction.
    #[inline]
    pub(crate) fn produce(&self, kind: Kind, events: u64) {
        add_alone(&self.produced[kind as usize], events, Ordering::Relaxed);
    }

    /// Count events lost; see [`Counts::produce`].
    #[inline]
    pub(crate) fn lose(&self, reason: LossReason, kind: Kind, events: u64) {
        add_alone(&self.lost[reason as usize][kind as usize], events, Ordering::Release);
    }

    /// The counter of events lost; see [`Counts::produce`].
    pub(super) fn lost(&self, reason: LossReason, kind: Kind) -> &AtomicU64 {
        &self.lost[reason as usize][kind as usize]
    }

    /// The current values. No event is found lost that is not found begun, while hooks go on.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Snapshot {
        let read = |cells: &[AtomicU64; Kind::COUNT], order| {
            std::array::from_fn(|kind| cells[kind].load(order))
        };
        // An event is counted as begun first: whoever sees it lost sees that too, if he looks afterwards.
        let lost = std::array::from_fn(|reason| read(&self.lost[reason], Ordering::Acquire));
        Snapshot { produced: read(&self.produced, Ordering::Relaxed), lost }
    }
}

/// What was lost before it reached a ring. Any thread counts here, at any time.
#[derive(Debug, Default)]
pub(crate) struct SharedLosses {
    lost: [[atomic::AtomicU64; Kind::COUNT]; LossReason::COUNT],
}

impl SharedLosses {
    /// Counters at zero.
    #[must_use]
    pub(crate) const fn new() -> Self {
        Self { lost: [const { [const { atomic::AtomicU64::new(0) }; Kind::COUNT] }; _] }
    }

    /// Count events lost.
    pub(crate) fn lose(&self, reason: LossReason, kind: Kind, events: u64) {
        self.lost[reason as usize][kind as usize].fetch_add(events, Ordering::Relaxed);
    }

    /// The current values. All that was produced here was lost.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Snapshot {
        let lost: [[u64; Kind::COUNT]; LossReason::COUNT] = std::array::from_fn(|reason| {
            std::array::from_fn(|kind| self.lost[reason][kind].load(Ordering::Relaxed))
        });
        let produced = std::array::from_fn(|kind| lost.iter().map(|kinds| kinds[kind]).sum());
        Snapshot { produced, lost }
    }
}

/// What is lost without a ring during one session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLosses {
    /// The counters, which outlive sessions.
    pub(crate) counters: &'static SharedLosses,
    /// What they said when the session before this one ended.
    pub(crate) before: Snapshot,
}

#[inline]
fn add_alone(cell: &AtomicU64, events: u64, order: Ordering) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(events), order);
}

impl Snapshot {
    /// Nothing was counted.
    pub(crate) const NONE: Self =
        Self { produced: [0; Kind::COUNT], lost: [[0; Kind::COUNT]; LossReason::COUNT] };

    /// What was counted since an earlier snapshot of the same counters.
    #[must_use]
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let subtract = |now: &[u64; Kind::COUNT], then: &[u64; Kind::COUNT]| {
            std::array::from_fn(|kind| now[kind].wrapping_sub(then[kind]))
        };
        Self {
            produced: subtract(&self.produced, &earlier.produced),
            lost: std::array::from_fn(|reason| subtract(&self.lost[reason], &earlier.lost[reason])),
        }
    }

    /// Add what was counted since this snapshot.
    pub(crate) fn add(&mut self, later: &Self) {
        let add = |sums: &mut [u64; Kind::COUNT], values: &[u64; Kind::COUNT]| {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum = sum.wrapping_add(*value));
        };
        add(&mut self.produced, &later.produced);
        self.lost.iter_mut().zip(&later.lost).for_each(|(sums, values)| add(sums, values));
    }

    /// Events of a kind that were lost, for any reason counted here.
    #[must_use]
    pub(crate) fn lost_of(&self, kind: Kind) -> u64 {
        self.lost.iter().map(|kinds| kinds[kind as usize]).sum()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_found_lost_that_is_not_found_begun() {
        let (counts, is_over) = (Counts::default(), atomic::AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(atomic::Ordering::Relaxed) {
                    counts.produce(Kind::Request, 1);
                    counts.lose(LossReason::SwitchedOff, Kind::Request, 1);
                }
            });
            let deadline = std::time::Instant::now() + std::time::Duration::from_millis(500);
            let mut worst = 0;
            while std::time::Instant::now() < deadline {
                let now = counts.snapshot();
                let excess =
                    now.lost_of(Kind::Request).saturating_sub(now.produced[Kind::Request as usize]);
                worst = worst.max(excess);
            }
            is_over.store(true, atomic::Ordering::Relaxed);
            assert_eq!(worst, 0, "events that were lost before they were begun");
        });
    }
}
