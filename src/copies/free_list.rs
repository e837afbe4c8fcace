//! Which of a fixed number of places are free.
//!
//! Not `crossbeam_queue::ArrayQueue`: there a thread that is preempted inside an operation makes others
//! yield until it goes on, and a hook waits for nobody.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A stack of free places. Any thread may take one and give one back at any time.
pub(crate) struct FreeList<const N: usize> {
    /// In the lower half the number of the first free place and one more, 0 if there is none; in the upper
    /// half the number of changes, so that a place that came back meanwhile is not taken for untouched.
    head: AtomicU64,
    /// The same of the place that follows each one.
    next: [AtomicU32; N],
    /// Places that were taken at least once.
    used: AtomicU32,
    /// Places that there are.
    count: AtomicU32,
}

impl<const N: usize> FreeList<N> {
    /// A list of the first `count` places, all of them free.
    pub(crate) const fn new(count: u32) -> Self {
        Self {
            head: AtomicU64::new(0),
            next: [const { AtomicU32::new(0) }; N],
            used: AtomicU32::new(0),
            count: AtomicU32::new(count),
        }
    }

    /// There are so many places now; there are never fewer than before.
    pub(crate) fn grow(&self, count: usize) {
        self.count.store(count.min(N) as u32, Ordering::Release);
    }

    /// Places that there are.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire) as usize
    }

    /// Places from 0 that may be taken.
    pub(crate) fn high_water(&self) -> usize {
        self.used.load(Ordering::Acquire) as usize
    }

    /// Take a free place.
    #[inline]
    pub(crate) fn take(&self) -> Option<usize> {
        let mut head = self.head.load(Ordering::Acquire);
        while let Some(place) = (head as u32).checked_sub(1) {
            let next = self.next[place as usize].load(Ordering::Relaxed);
            match self.change(head, next) {
                Ok(_) => return Some(place as usize),
                Err(changed) => head = changed,
            }
        }
        let count = self.count.load(Ordering::Acquire);
        let one_more = |used| (used < count).then_some(used + 1);
        let used = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        used.ok().map(|place| place as usize)
    }

    /// Give a place back that was taken.
    #[inline]
    pub(crate) fn give(&self, place: usize) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            self.next[place].store(head as u32, Ordering::Relaxed);
            match self.change(head, place as u32 + 1) {
                Ok(_) => return,
                Err(changed) => head = changed,
            }
        }
    }

    fn change(&self, head: u64, first: u32) -> Result<u64, u64> {
        let changed = ((head >> 32).wrapping_add(1) << 32) | u64::from(first);
        self.head.compare_exchange_weak(head, changed, Ordering::AcqRel, Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn every_place_is_given_out_once_and_again_when_it_is_back() {
        let list = FreeList::<8>::new(2);
        let mut taken = [list.take(), list.take()];
        taken.sort();
        assert_eq!(taken, [Some(0), Some(1)]);
        assert_eq!((list.take(), list.high_water()), (None, 2));
        list.grow(4);
        assert_eq!((list.take(), list.take(), list.take()), (Some(2), Some(3), None));
        list.give(1);
        list.give(3);
        assert_eq!((list.take(), list.take(), list.take()), (Some(3), Some(1), None));
        list.grow(100);
        assert_eq!(list.count(), 8);
    }

    #[test]
    fn threads_never_hold_the_same_place() {
        static LIST: FreeList<5> = FreeList::new(5);
        static HELD: [AtomicBool; 5] = [const { AtomicBool::new(false) }; 5];
        let rounds: usize = if cfg!(miri) { 200 } else { 200_000 };
        let work = move || {
            let mut mine = Vec::new();
            for round in 0..rounds {
                if let Some(place) = LIST.take() {
                    assert!(!HELD[place].swap(true, Ordering::SeqCst), "{place} is held twice");
                    mine.push(place);
                }
                if mine.len() > round % 3 {
                    let place = mine.swap_remove(round % mine.len());
                    HELD[place].store(false, Ordering::SeqCst);
                    LIST.give(place);
                }
            }
            mine.len()
        };
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
        let held: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        let free = std::iter::from_fn(|| LIST.take()).count();
        assert_eq!(held + free, 5);
    }
}
