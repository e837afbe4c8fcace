//! Block events on their way to the metrics, in the order of time.
//!
//! Rings are written one after another, and a quiet one later than a busy one. What a block event means depends
//! on those before it, whoever recorded them, so that the collector takes them in from all rings whenever it
//! looks, long before they are written, and hands them on when nothing older is to be expected.

use std::time::Duration;

use zerocopy::FromBytes;

use super::Collector;
use crate::record::{Block, Clock, Head, Kind, Record};

/// So long after its time an event is handed on. A thread that stamps an event takes less until it is in the
/// ring, unless it is kept from running that long, by the scheduler or with a lock in its hands.
const MARGIN: Duration = Duration::from_millis(50);

/// Events of one clock that wait at most; they take about 5 MB. Beyond it the older half goes on at once.
const MOST_HELD: usize = 1 << 16;

/// The events that wait.
#[derive(Default)]
pub(super) struct BlockOrder {
    /// Those with the time of the process's clock.
    timed: Vec<Held>,
    /// Those with a time of the caller's, of which nobody knows how far it has come: they are put in order
    /// within one look.
    callers: Vec<Held>,
}

struct Held {
    producer: u32,
    block: Block,
}

impl Held {
    fn order(&self) -> (u64, u32, u32) {
        (self.block.head.time, self.producer, self.block.head.sequence)
    }
}

impl BlockOrder {
    /// Take an event in. `each` gets those that there is no room for.
    fn take_in(&mut self, producer: u32, block: Block, mut each: impl FnMut(&Block)) {
        let is_callers = block.head.clock == Clock::Caller as u8;
        let held = if is_callers { &mut self.callers } else { &mut self.timed };
        held.push(Held { producer, block });
        if held.len() >= MOST_HELD {
            held.sort_by_key(Held::order);
            held.drain(..MOST_HELD / 2).for_each(|held| each(&held.block));
        }
    }

    /// Give `each` what is not younger than `ticks`, in order. Whether that was the last that waited.
    fn hand_on(&mut self, ticks: u64, mut each: impl FnMut(&Block)) -> bool {
        let was_empty = self.timed.is_empty() && self.callers.is_empty();
        self.callers.sort_by_key(Held::order);
        self.callers.drain(..).for_each(|held| each(&held.block));
        self.timed.sort_by_key(Held::order);
        let old = self.timed.partition_point(|held| held.block.head.time <= ticks);
        self.timed.drain(..old).for_each(|held| each(&held.block));
        !was_empty && self.timed.is_empty()
    }
}

impl Collector {
    /// Take in the block events that wait in the rings, as many bytes of each, and let the metrics see those that
    /// are old enough, or all. `before` is the time before the rings were looked at. Whether the metrics have now
    /// seen the last event of a while.
    pub(super) fn look_at_blocks(
        &mut self,
        waiting: &[usize],
        before: u64,
        everything: bool,
    ) -> bool {
        let Self { rings, block_order, metrics, tick_rate, .. } = self;
        let mut observe = |block: &Block| {
            let is_callers = block.head.clock == Clock::Caller as u8;
            let time = block.head.time;
            metrics.blocks.event(block, if is_callers { time } else { tick_rate.ns(time) });
        };
        for (of, waiting) in rings.iter_mut().zip(waiting) {
            let producer = of.ring.id();
            while of.looked_at < *waiting {
                let mut entries = of.ring.read(of.looked_at, *waiting);
                for entry in entries.by_ref() {
                    let head = Head::read_from_prefix(entry).expect("rings hold whole records").0;
                    if head.kind == Kind::Block as u8 {
                        let block = Block::read(entry).expect("rings hold whole records");
                        block_order.take_in(producer, block, &mut observe);
                    }
                }
                of.looked_at += entries.consumed();
            }
        }
        let margin = MARGIN.as_nanos() as f64 * tick_rate.ticks_per_ns();
        let until = if everything { u64::MAX } else { before.saturating_sub(margin as u64) };
        block_order.hand_on(until, &mut observe)
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    fn block(clock: Clock, time: u64, sequence: u32, hash: u64) -> Block {
        let mut block = Block::new_zeroed();
        (block.head.clock, block.head.time, block.hash) = (clock as u8, time, hash);
        block.head.sequence = sequence;
        block
    }

    fn nothing(_: &Block) {
        panic!("there is room");
    }

    fn handed_on(order: &mut BlockOrder, ticks: u64) -> Vec<u64> {
        let mut hashes = Vec::new();
        order.hand_on(ticks, |block| hashes.push(block.hash));
        hashes
    }

    #[test]
    fn events_of_several_rings_go_on_in_order_when_they_are_old_enough() {
        let mut order = BlockOrder::default();
        for (producer, time, sequence, hash) in
            [(1, 10, 0, 1), (1, 30, 1, 4), (2, 20, 0, 2), (2, 20, 1, 3), (2, 50, 2, 6)]
        {
            order.take_in(producer, block(Clock::Ticks, time, sequence, hash), nothing);
        }
        assert_eq!(handed_on(&mut order, 9), []);
        assert_eq!(handed_on(&mut order, 20), [1, 2, 3]);
        order.take_in(1, block(Clock::Ticks, 40, 2, 5), nothing);
        assert_eq!(handed_on(&mut order, u64::MAX), [4, 5, 6]);
    }

    #[test]
    fn the_callers_time_is_not_compared_with_the_clock() {
        let mut order = BlockOrder::default();
        order.take_in(1, block(Clock::Caller, 2_000, 0, 2), nothing);
        order.take_in(2, block(Clock::Caller, 1_000, 0, 1), nothing);
        order.take_in(2, block(Clock::Ticks, 100, 1, 3), nothing);
        assert_eq!(handed_on(&mut order, 50), [1, 2]);
    }

    #[test]
    fn what_does_not_fit_goes_on_oldest_first() {
        let mut order = BlockOrder::default();
        let mut hashes = Vec::new();
        for time in (1..=MOST_HELD as u64).rev() {
            let block = block(Clock::Ticks, time, 0, time);
            order.take_in(1, block, |block| hashes.push(block.hash));
        }
        assert!(hashes.iter().copied().eq(1..=MOST_HELD as u64 / 2));
        assert_eq!(order.timed.len(), MOST_HELD / 2);
    }
}
