use super::*;
use crate::record::Head;

const ALL: usize = usize::MAX >> 1;

/// A record of `bytes` bytes; the ring numbers them from 0, lost ones included.
fn push(producer: &Producer, bytes: usize) -> Result<(), LossReason> {
    let hook = producer.enter().unwrap();
    let mut grant = hook.reserve(Head::new(Kind::Request, bytes), None)?;
    grant.append_zeros(bytes - size_of::<Head>());
    grant.commit()
}

fn sequences(consumer: &mut Consumer) -> Vec<u32> {
    consumer.look();
    let mut entries = consumer.read(0, ALL);
    let found = entries
        .by_ref()
        .map(|entry| u32::from_le_bytes(entry[12..16].try_into().unwrap()))
        .collect();
    let consumed = entries.consumed();
    consumer.release(consumed);
    found
}

#[test]
fn entries_come_out_whole_and_in_order_across_the_end_of_the_memory() {
    let (producer, mut consumer) = channel(256, 1).unwrap();
    let mut next = 0;
    let mut expected = 0;
    // Sizes that do not divide the capacity move the wrap to every offset.
    for round in 0..1000 {
        for bytes in [24, 40, 56].into_iter().take(1 + round % 3) {
            push(&producer, bytes).unwrap();
            next += 1;
        }
        for sequence in sequences(&mut consumer) {
            assert_eq!(sequence, expected);
            expected += 1;
        }
        assert_eq!(expected, next);
    }
}

#[test]
fn a_full_ring_drops_the_newest_and_counts_it() {
    let (producer, mut consumer) = channel(256, 1).unwrap();
    for _ in 0..8 {
        push(&producer, 32).unwrap();
    }
    assert_eq!(push(&producer, 32), Err(LossReason::Full));
    assert_eq!(push(&producer, 24), Err(LossReason::Full));
    let counts = consumer.counts();
    assert_eq!(counts.produced[Kind::Request as usize], 10);
    assert_eq!(counts.lost[LossReason::Full as usize][Kind::Request as usize], 2);
    assert_eq!(sequences(&mut consumer), (0..8).collect::<Vec<_>>());
    push(&producer, 32).unwrap();
    // The gap in the numbers is as long as the loss.
    assert_eq!(sequences(&mut consumer), [10]);
}

#[test]
fn an_event_larger_than_half_a_ring_is_too_big_even_if_the_ring_is_empty() {
    let (producer, consumer) = channel(256, 1).unwrap();
    assert_eq!(push(&producer, 136), Err(LossReason::TooBig));
    push(&producer, 128).unwrap();
    assert_eq!(consumer.counts().lost_of(Kind::Request), 1);
}

#[test]
fn rows_are_counted_with_their_record() {
    let (producer, mut consumer) = channel(256, 1).unwrap();
    let reserve = |row_size| {
        let mut head = Head::new(Kind::Decision, size_of::<Head>());
        (head.rows, head.row_size) = (3, row_size);
        producer.enter().unwrap().reserve(head, Some(Kind::Candidate))
    };
    assert!(reserve(96).is_err());
    // Reserved but never committed: counted as produced, not published.
    drop(reserve(8));
    let counts = consumer.counts();
    assert_eq!(counts.produced[Kind::Decision as usize], 2);
    assert_eq!(counts.produced[Kind::Candidate as usize], 6);
    assert_eq!(counts.lost_of(Kind::Candidate), 3);
    assert_eq!(consumer.look(), 0);
}

#[test]
fn an_event_inside_an_event_is_refused() {
    let (producer, consumer) = channel(256, 1).unwrap();
    let hook = producer.enter().unwrap();
    assert!(consumer.is_busy());
    assert!(producer.enter().is_none());
    drop(hook);
    assert!(!consumer.is_busy());
    assert!(producer.enter().is_some());
}

#[test]
fn a_hook_that_outlives_the_session_says_that_its_event_is_lost() {
    let (producer, consumer) = channel(256, 1).unwrap();
    let grant = producer.enter().unwrap().reserve(Head::new(Kind::Request, 24), None).unwrap();
    consumer.close();
    assert_eq!(grant.commit(), Err(LossReason::AfterShutdown));
}

#[test]
fn reading_up_to_a_limit_leaves_the_rest() {
    let (producer, mut consumer) = channel(256, 1).unwrap();
    for _ in 0..4 {
        push(&producer, 32).unwrap();
    }
    consumer.look();
    let mut entries = consumer.read(0, 64);
    assert_eq!(entries.by_ref().count(), 2);
    let consumed = entries.consumed();
    consumer.release(consumed);
    assert_eq!(sequences(&mut consumer), [2, 3]);
}

#[test]
fn a_producing_thread_that_ends_retires_its_ring() {
    let (producer, mut consumer) = channel(1 << 12, 7).unwrap();
    std::thread::spawn(move || push(&producer, 24).unwrap()).join().unwrap();
    assert!(consumer.is_retired());
    assert_eq!(sequences(&mut consumer), [0]);
}

#[test]
fn two_threads_lose_nothing_that_they_do_not_count() {
    const EVENTS: u32 = 200_000;
    let (producer, mut consumer) = channel(1 << 12, 1).unwrap();
    let producing = std::thread::spawn(move || {
        (0..EVENTS).filter(|event| push(&producer, 24 + 8 * (*event as usize % 5)).is_ok()).count()
    });
    let mut received = 0;
    let mut last = None;
    loop {
        let retired = consumer.is_retired();
        for sequence in sequences(&mut consumer) {
            assert!(last.is_none_or(|last| sequence > last));
            last = Some(sequence);
            received += 1;
        }
        if retired && consumer.look() == 0 {
            break;
        }
    }
    let counts = consumer.counts();
    assert_eq!(received, producing.join().unwrap());
    assert_eq!(counts.produced[Kind::Request as usize], u64::from(EVENTS));
    assert_eq!(counts.lost_of(Kind::Request) + received as u64, u64::from(EVENTS));
}

/// Bytes of the ring's memory that are resident.
fn resident(consumer: &Consumer) -> usize {
    let memory = &consumer.shared.memory;
    let mut pages = vec![0; memory.length() / 4096];
    // SAFETY: the mapping is as long, and there is a byte for each of its pages.
    let status = unsafe {
        libc::mincore(memory.start().as_ptr().cast(), memory.length(), pages.as_mut_ptr())
    };
    assert_eq!(status, 0);
    pages.iter().filter(|page| **page & 1 == 1).count() * 4096
}

#[test]
#[cfg_attr(miri, ignore = "it has no pages")]
fn a_ring_in_use_is_populated_ahead_of_its_producer_and_an_idle_one_is_not() {
    const MIB: usize = 1 << 20;
    let (producer, mut consumer) = channel(64 * MIB, 1).unwrap();
    let write = |bytes: usize| (0..bytes / 4096).for_each(|_| push(&producer, 4096).unwrap());
    write(MIB / 32);
    consumer.look();
    consumer.populate_ahead();
    // A kernel may give more than is touched: huge pages of 2 MiB.
    assert!(resident(&consumer) <= 2 * MIB, "not worth it");
    write(MIB / 8);
    consumer.look();
    consumer.populate_ahead();
    let ahead = resident(&consumer);
    if ahead <= 2 * MIB {
        println!("this kernel cannot populate memory");
        return;
    }
    // 64 times the 160 KiB that wait.
    assert!((10 * MIB..=12 * MIB).contains(&ahead), "{ahead}");
    consumer.look();
    consumer.populate_ahead();
    assert_eq!(resident(&consumer), ahead, "not further as long as the producer stays");
    for _ in 0..70 {
        write(MIB);
        let waiting = consumer.look();
        consumer.populate_ahead();
        consumer.release(waiting);
    }
    assert_eq!(resident(&consumer), 64 * MIB);
}
