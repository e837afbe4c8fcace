use super::entry::Stamp;
use super::reading::{AT_A_TIME, ENTRY};
use super::*;
use crate::record::{Block, BlockEvent, BlockReason, Head, Record, Tier, UNKNOWN_U32};
use crate::ring::counts::Snapshot;

static LATE: SharedLosses = SharedLosses::new();

/// An event of a block at position 3 whose hash is `hash`.
fn event(hash: u64) -> LaneEntry {
    let lineage = (3 << (64 + 54)) | (u128::from(hash) << 54) | 77;
    LaneEntry::event(BlockEvent::Idle, BlockReason::Capacity, 5, lineage)
}

/// Hand over an event with a stamp.
fn put(lender: &Lender, hash: u64, time: u64) -> Put {
    lender.put(&[Stamp::of(time, Tier::G1, 2).entry(), event(hash)])
}

fn drain(consumer: &mut Consumer) -> Vec<Block> {
    consumer.look();
    let mut entries = consumer.read(0, usize::MAX >> 1);
    let found = entries.by_ref().map(|entry| Block::read(entry).unwrap()).collect();
    let consumed = entries.consumed();
    consumer.release(consumed);
    found
}

fn sequences(blocks: &[Block]) -> Vec<u32> {
    blocks.iter().map(|block| block.head.sequence).collect()
}

#[test]
fn events_come_out_as_records_of_what_was_told() {
    let (lender, mut consumer) = lane(128, 1, &LATE).unwrap();
    for round in 0..100 {
        for number in 0..3 {
            assert_eq!(put(&lender, round, 1000 + 7 * number), Put::HandedOver);
        }
        let found = drain(&mut consumer);
        assert_eq!(sequences(&found), [0, 1, 2].map(|number| 3 * round as u32 + number));
        for (number, found) in (0..).zip(found) {
            let told = (found.hash, found.position, found.block, found.pool, found.count);
            assert_eq!(told, (round, 3, 5, 2, 1));
            assert_eq!((found.event, found.reason, found.tier), (6, 1, 1));
            assert_eq!((found.request, found.to_tier, found.reserved), (0, 0, [0; 4]));
            let head = Head {
                time: 1000 + 7 * number,
                sequence: found.head.sequence,
                ..Head::new(Kind::Block, size_of::<Block>())
            };
            assert_eq!(found.head, head);
        }
    }
}

#[test]
fn a_lookup_counts_blocks_and_names_no_slot() {
    let (lender, mut consumer) = lane(128, 1, &LATE).unwrap();
    for kind in [BlockEvent::Hit, BlockEvent::Miss] {
        lender.put(&[LaneEntry::event(kind, BlockReason::Unknown, 128, 4 << 54)]);
        let [found] = drain(&mut consumer)[..] else { panic!("one event") };
        assert_eq!((found.event, found.tier), (kind as u8, 0));
        assert_eq!((found.hash, found.block, found.count), (4, UNKNOWN_U32, 128));
    }
}

#[test]
fn what_follows_without_a_stamp_happened_in_the_same_pool_a_tick_later() {
    let (lender, mut consumer) = lane(128, 1, &LATE).unwrap();
    let mut found = Vec::new();
    for number in 0..50 {
        // Every fifth has a stamp, which may have been read long ago.
        if number % 5 == 0 {
            put(&lender, number, 100 * number)
        } else {
            lender.put(&[event(number)])
        };
        if number % 3 == 0 {
            found.append(&mut drain(&mut consumer));
        }
    }
    found.append(&mut drain(&mut consumer));
    for (number, block) in (0..50).zip(&found) {
        let time = 100 * (number - number % 5) + number % 5;
        assert_eq!((block.hash, block.head.time), (number, time));
        assert_eq!((block.pool, block.tier), (2, Tier::G1 as u8));
        assert_eq!(u64::from(block.head.sequence), number);
    }
    assert_eq!((found.len(), consumer.counts().produced[Kind::Block as usize]), (50, 50));
}

#[test]
fn a_stamp_without_an_event_is_passed_and_not_counted() {
    let (lender, mut consumer) = lane(128, 1, &LATE).unwrap();
    lender.put(&[Stamp::of(7, Tier::G2, 3).entry()]);
    assert!(drain(&mut consumer).is_empty());
    assert_eq!(consumer.look(), 0, "it was freed");
    lender.put(&[event(1)]);
    let [found] = drain(&mut consumer)[..] else { panic!("one event") };
    assert_eq!((found.head.time, found.pool, found.head.sequence), (7, 3, 0));
    assert_eq!(consumer.counts().produced[Kind::Block as usize], 1);
}

/// The collector reads everything once for its metrics, far ahead of what it writes and frees.
#[test]
fn a_record_is_the_same_wherever_a_read_begins() {
    let (lender, mut consumer) = lane(1 << 14, 1, &LATE).unwrap();
    for number in 0..300 {
        if number % 7 == 0 {
            put(&lender, number, 10 * number)
        } else {
            lender.put(&[event(number)])
        };
    }
    let waiting = consumer.look();
    let mut all = Vec::new();
    let mut ends = vec![0];
    let mut passed = 0;
    while passed < waiting {
        let mut entries = consumer.read(passed, waiting);
        while let Some(entry) = entries.next() {
            all.push(Block::read(entry).unwrap());
            ends.push(passed + entries.consumed());
        }
        passed += entries.consumed();
    }
    assert_eq!(sequences(&all), (0..300).collect::<Vec<u32>>());
    for begin in [299, 0, 150, 7, 8, 250, 13] {
        let mut entries = consumer.read(ends[begin], waiting);
        let first = Block::read(entries.next().unwrap()).unwrap();
        assert_eq!(first, all[begin]);
    }
    consumer.release(ends[100]);
    for begin in [101, 299, 200, 100] {
        let mut entries = consumer.read(ends[begin] - ends[100], waiting);
        assert_eq!(Block::read(entries.next().unwrap()).unwrap(), all[begin]);
    }
}

#[test]
fn a_record_has_the_same_number_however_often_it_is_looked_at() {
    let (lender, mut consumer) = lane(128, 1, &LATE).unwrap();
    for number in 0..3 {
        put(&lender, number, 1);
        consumer.look();
        assert_eq!(consumer.read(32 * number as usize, usize::MAX >> 1).count(), 1);
    }
    assert_eq!(sequences(&drain(&mut consumer)), [0, 1, 2]);
}

#[test]
fn a_full_lane_counts_what_finds_no_room_and_leaves_a_gap_in_the_numbers() {
    let (lender, mut consumer) = lane(64, 1, &LATE).unwrap();
    let put = |hash| put(&lender, hash, 1);
    assert_eq!([1, 2, 3].map(put), [Put::HandedOver, Put::HandedOver, Put::Lost]);
    // The gap stands before what had not been read when the loss became known.
    assert_eq!(sequences(&drain(&mut consumer)), [1, 2]);
    assert_eq!(put(4), Put::HandedOver);
    assert_eq!(sequences(&drain(&mut consumer)), [3]);
    let counts = consumer.counts();
    assert_eq!((counts.produced[Kind::Block as usize], counts.lost_of(Kind::Block)), (4, 1));
}

#[test]
fn a_closed_lane_takes_and_counts_nothing() {
    let (lender, mut consumer) = lane(64, 1, &LATE).unwrap();
    let put = |hash| put(&lender, hash, 1);
    let gate = lender.gate();
    assert!(put(1) == Put::HandedOver && gate.is_of(&consumer));
    gate.open(false);
    assert_eq!(put(2), Put::Closed);
    // What is read meanwhile does not open it.
    assert_eq!(drain(&mut consumer).len(), 1);
    assert_eq!(put(3), Put::Closed);
    gate.open(true);
    assert_eq!([4, 5, 6].map(put), [Put::HandedOver, Put::HandedOver, Put::Lost]);
    gate.open(false);
    assert_eq!(put(7), Put::Closed);
    assert_eq!(drain(&mut consumer).iter().map(|block| block.hash).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(consumer.counts().lost_of(Kind::Block), 1);
    gate.open(true);
    consumer.close();
    assert_eq!(put(8), Put::Closed);
}

#[test]
fn what_is_handed_over_when_nobody_counts_any_more_is_lost_and_counted_once() {
    static LATE: SharedLosses = SharedLosses::new();
    let (lender, mut consumer) = lane(64, 1, &LATE).unwrap();
    put(&lender, 1, 1);
    drain(&mut consumer);
    assert_eq!(consumer.counts().produced[Kind::Block as usize], 1);
    let puts = [2, 3].map(|hash| put(&lender, hash, 1));
    assert_eq!(puts, [Put::HandedOver; 2]);
    assert_eq!(lender.put(&[event(4)]), Put::Lost);
    drop(consumer);
    assert_eq!(LATE.snapshot(), Snapshot::NONE, "the lane is still there");
    drop(lender);
    let lost = LATE.snapshot().lost[LossReason::AfterShutdown as usize];
    assert_eq!(lost[Kind::Block as usize], 3);
}

#[test]
fn the_terms_lead_to_the_ends_and_the_memory() {
    let (lender, mut consumer) = lane(64, 1, &LATE).unwrap();
    let terms = lender.terms();
    // SAFETY: the lane is alive, and only this thread uses it; an event fits.
    unsafe {
        assert_eq!((terms.tail.read(), terms.limit.read(), terms.mask), (0, 64 * 256, 63));
        terms.entries.cast::<[LaneEntry; 2]>().write([Stamp::of(3, Tier::G1, 2).entry(), event(9)]);
        terms.tail.write(32);
        terms.lost.write(5);
    }
    let found = drain(&mut consumer);
    assert_eq!((found.len(), found[0].hash, found[0].head.time), (1, 9, 3));
    assert_eq!(consumer.counts().produced[Kind::Block as usize], 6);
    // SAFETY: as above.
    unsafe {
        assert_eq!(terms.limit.read() / 256, 64 + 32);
        let nothing = BlockLane::closed();
        assert!(nothing.limit.read() < 0);
    }
}

#[test]
fn the_limit_changes_whenever_the_consumer_finds_something_new_and_only_then() {
    let (lender, mut consumer) = lane(4096, 1, &LATE).unwrap();
    let limit = || Ends::of(&lender.shared).limit.load(Ordering::Acquire);
    let mut before = [limit(); 3];
    for number in 0..200 {
        put(&lender, number, 1);
        assert_eq!(limit(), before[0], "the host does not change it");
        let waiting = consumer.look();
        assert!(!before.contains(&limit()), "after {number}");
        before = [limit(), before[0], before[1]];
        assert_eq!(consumer.look(), waiting);
        assert_eq!((limit(), limit() / 256), (before[0], 4096 + 32 * number as i64));
        assert_eq!(drain(&mut consumer).len(), 1);
        before[0] = limit();
    }
}

#[test]
fn a_lane_that_holds_more_than_is_read_at_a_time_is_read_in_parts() {
    const EVENTS: u64 = 3 * AT_A_TIME as u64;
    let (lender, mut consumer) =
        lane((8 * EVENTS * ENTRY).next_power_of_two() as usize, 1, &LATE).unwrap();
    for number in 0..EVENTS {
        assert_eq!(put(&lender, number, number), Put::HandedOver);
    }
    let (mut passed, waiting, mut found) = (0, consumer.look(), Vec::new());
    while passed < waiting {
        let mut entries = consumer.read(passed, waiting);
        found.extend(entries.by_ref().map(|entry| Block::read(entry).unwrap().hash));
        assert!(entries.consumed() > 0);
        passed += entries.consumed();
    }
    assert!(found.into_iter().eq(0..EVENTS));
    consumer.release(passed);
    assert_eq!(consumer.look(), 0);
}
