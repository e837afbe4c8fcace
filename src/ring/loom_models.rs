//! The ring under loom: every order in which two threads can see its atomics, with at most six
//! preemptions. `scripts/loom` runs them.
//!
//! What is modelled: the ring's own code, its counters, the bytes of its memory (as cells of eight
//! bytes, see `access.rs`) and the protocol of a stopping session, with full fences for the asymmetric
//! barrier. What is not: the mapping itself, `membarrier(2)`, thread locals and signal handlers.

use std::sync::Arc as StdArc;
use std::sync::atomic::AtomicUsize;

use loom::sync::Arc;
use loom::thread;

use super::consumer::Consumer;
use super::counts::SharedLosses;
use super::lane::{LaneEntry, Lender, Put, Stamp, lane};
use super::quiesce::{enter_and_look, order_hooks_before_stop};
use super::spsc::{Hook, Producer, channel};
use super::sync::{AtomicU64, Ordering};
use crate::record::{Block, BlockEvent, BlockReason, Head, Kind, LossReason, Record, Tier};

const CAPACITY: usize = 64;
/// More than half a ring: lost and counted without a word to the consumer.
const TOO_BIG: usize = 40;
const ALL: usize = usize::MAX >> 1;
const REQUEST: usize = Kind::Request as usize;

/// Explore a model. `outcomes` counts how often each of the outcomes that `model` tells occurred: a
/// model in which one of them never does has lost its point.
fn explore<const N: usize>(name: &str, model: impl Fn() -> [bool; N] + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(6);
    builder.max_branches = 10_000;
    let runs = StdArc::new(AtomicUsize::new(0));
    let outcomes: StdArc<[AtomicUsize; N]> = StdArc::new([const { AtomicUsize::new(0) }; N]);
    let (counted, seen) = (StdArc::clone(&runs), StdArc::clone(&outcomes));
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        for (count, occurred) in seen.iter().zip(model()) {
            count.fetch_add(usize::from(occurred), Ordering::Relaxed);
        }
    });
    println!("{name}: {runs:?} interleavings, of which with each outcome {outcomes:?}");
    assert!(outcomes.iter().all(|count| count.load(Ordering::Relaxed) > 0));
}

fn fill(hook: Hook<'_>, bytes: usize) -> Result<(), LossReason> {
    let mut grant = hook.reserve(Head::new(Kind::Request, bytes), None)?;
    grant.append_zeros(bytes - size_of::<Head>());
    grant.commit()
}

fn push(producer: &Producer, bytes: usize) -> Result<(), LossReason> {
    fill(producer.enter().unwrap(), bytes)
}

/// Read and free what waits, in the collector's way. Entries are numbered by the ring.
fn drain(consumer: &mut Consumer, found: &mut Vec<u32>) {
    drain_up_to(ALL, consumer, found);
}

fn drain_up_to(limit: usize, consumer: &mut Consumer, found: &mut Vec<u32>) {
    consumer.look();
    let mut entries = consumer.read(0, limit);
    for entry in entries.by_ref() {
        assert_eq!(entry[4], Kind::Request as u8, "bytes that are no record");
        found.push(u32::from_le_bytes(entry[12..16].try_into().unwrap()));
    }
    let consumed = entries.consumed();
    consumer.release(consumed);
}

#[test]
fn what_is_published_is_consumed_whole_and_in_order() {
    explore("publish and consume", || {
        let (producer, mut consumer) = channel(CAPACITY, 1).unwrap();
        let producing = thread::spawn(move || {
            push(&producer, 24).unwrap();
            push(&producer, 32).unwrap();
        });
        let mut found = Vec::new();
        drain(&mut consumer, &mut found);
        let first = found.len();
        drain(&mut consumer, &mut found);
        let second = found.len() - first;
        producing.join().unwrap();
        drain(&mut consumer, &mut found);
        assert_eq!(found, [0, 1]);
        [first == 0, first == 1, first == 2, second == 1, second == 2]
    });
}

#[test]
fn a_full_ring_overwrites_nothing_and_counts_what_it_drops() {
    explore("full ring", || {
        let (producer, mut consumer) = channel(CAPACITY, 1).unwrap();
        push(&producer, 32).unwrap();
        let producing = thread::spawn(move || [32, 32, 32].map(|bytes| push(&producer, bytes)));
        let mut found = Vec::new();
        drain(&mut consumer, &mut found);
        drain(&mut consumer, &mut found);
        let outcomes = producing.join().unwrap();
        drain(&mut consumer, &mut found);
        assert_eq!(outcomes[0], Ok(()), "there was room");
        // The gaps in the numbers are the losses.
        let recorded = (1..).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let expected: Vec<u32> =
            [0].into_iter().chain(recorded.map(|(number, _)| number)).collect();
        assert_eq!(found, expected);
        let lost = 4 - found.len();
        let counts = consumer.counts();
        assert_eq!((counts.produced[REQUEST], counts.lost_of(Kind::Request)), (4, lost as u64));
        [lost == 0, lost == 1, lost == 2]
    });
}

#[test]
fn an_entry_that_wraps_around_is_padded_and_read_whole() {
    explore("wrap-around", || {
        let (producer, mut consumer) = channel(2 * CAPACITY, 1).unwrap();
        let mut found = Vec::new();
        // From offset 80 the next entry does not fit: with its padding it reaches into the second one.
        push(&producer, 24).unwrap();
        push(&producer, 56).unwrap();
        let producing = thread::spawn(move || [push(&producer, 56), push(&producer, 56)]);
        drain_up_to(24, &mut consumer, &mut found);
        drain(&mut consumer, &mut found);
        let outcomes = producing.join().unwrap();
        drain(&mut consumer, &mut found);
        let recorded = (2..).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let expected: Vec<u32> =
            [0, 1].into_iter().chain(recorded.map(|(number, _)| number)).collect();
        assert_eq!(found, expected);
        assert_eq!(consumer.look(), 0);
        outcomes.map(|outcome| outcome.is_ok())
    });
}

#[test]
fn a_ring_that_is_retired_and_empty_stays_empty_and_its_counts_are_final() {
    explore("retire against drain", || {
        let (producer, mut consumer) = channel(CAPACITY, 1).unwrap();
        let ending = thread::spawn(move || {
            push(&producer, 24).unwrap();
            push(&producer, 32).unwrap();
            push(&producer, TOO_BIG).unwrap_err();
        });
        let mut found = Vec::new();
        drain(&mut consumer, &mut found);
        // The collector's condition for forgetting a ring, in its order.
        let forgotten = consumer.is_retired() && consumer.look() == 0;
        let (seen, counts) = (found.len(), consumer.counts());
        ending.join().unwrap();
        if forgotten {
            assert_eq!(seen, 2);
            assert_eq!((counts.produced[REQUEST], counts.lost_of(Kind::Request)), (3, 1));
        }
        assert!(consumer.is_retired());
        drain(&mut consumer, &mut found);
        assert_eq!(found, [0, 1]);
        [forgotten, !forgotten]
    });
}

/// A session with one ring: what a stop does, as `session::stop` and the collector do it.
struct Stop {
    consumer: Consumer,
    running: Arc<AtomicU64>,
}

/// What the collector found in the ring, and what the producer had begun by then.
struct Found {
    written: Vec<u32>,
    begun: u64,
    was_busy: bool,
}

impl Stop {
    fn new(bytes: usize) -> (Self, impl FnOnce() -> Result<(), LossReason> + Send + 'static) {
        let (producer, consumer) = channel(CAPACITY, 1).unwrap();
        let running = Arc::new(AtomicU64::new(1));
        let seen = Arc::clone(&running);
        let hook = move || {
            let (hook, session) =
                enter_and_look(&producer, || seen.load(Ordering::Relaxed)).unwrap();
            if session != 1 {
                return Err(LossReason::AfterShutdown);
            }
            fill(hook, bytes)
        };
        (Self { consumer, running }, hook)
    }

    /// Stop without waiting for hooks, as if their time were over.
    fn run(&mut self) -> Found {
        self.running.store(0, Ordering::SeqCst);
        order_hooks_before_stop();
        let was_busy = self.consumer.is_busy();
        self.close_and_drain(was_busy)
    }

    fn run_patiently(&mut self) -> Found {
        self.running.store(0, Ordering::SeqCst);
        order_hooks_before_stop();
        while self.consumer.is_busy() {
            thread::yield_now();
        }
        self.close_and_drain(false)
    }

    fn close_and_drain(&mut self, was_busy: bool) -> Found {
        self.consumer.close();
        if was_busy {
            order_hooks_before_stop();
        }
        let mut written = Vec::new();
        drain(&mut self.consumer, &mut written);
        Found { written, begun: self.consumer.counts().produced[REQUEST], was_busy }
    }
}

#[test]
fn an_event_that_was_acknowledged_is_found_by_a_stop_that_does_not_wait() {
    explore("stop against a hook", || {
        let (mut stop, hook) = Stop::new(24);
        let hook = thread::spawn(hook);
        let found = stop.run();
        let outcome = hook.join().unwrap();
        if outcome.is_ok() {
            assert_eq!(found.written, [0], "acknowledged, but not in the file");
        }
        // What was begun and is not written is booked as lost after shutdown; it is never negative.
        assert!(found.written.len() as u64 <= found.begun);
        if !found.was_busy {
            // Nothing is under way: the account is final.
            assert_eq!(found.written.len() as u64, found.begun);
            assert_eq!(outcome.is_ok(), found.begun == 1);
            assert_eq!(stop.consumer.counts().produced[REQUEST], found.begun);
        }
        let is_written = !found.written.is_empty();
        [
            outcome.is_ok(),
            outcome.is_err() && !is_written,
            found.was_busy,
            outcome.is_err() && is_written,
        ]
    });
}

#[test]
fn a_stop_that_waits_for_hooks_loses_nothing_that_was_begun() {
    explore("stop that waits for a hook", || {
        let (mut stop, hook) = Stop::new(24);
        let hook = thread::spawn(hook);
        let found = stop.run_patiently();
        let outcome = hook.join().unwrap();
        assert_eq!(outcome.is_ok(), found.written == [0]);
        assert_eq!(found.begun, found.written.len() as u64);
        assert_eq!(stop.consumer.counts().produced[REQUEST], found.begun);
        [outcome.is_ok(), outcome == Err(LossReason::AfterShutdown)]
    });
}

#[test]
fn a_stop_that_waits_for_hooks_finds_what_they_lost() {
    explore("stop that waits for a loss", || {
        let (mut stop, hook) = Stop::new(TOO_BIG);
        let hook = thread::spawn(hook);
        let found = stop.run_patiently();
        let lost = stop.consumer.counts().lost_of(Kind::Request);
        let outcome = hook.join().unwrap();
        let is_begun = outcome == Err(LossReason::TooBig);
        assert_eq!((found.begun, lost), (u64::from(is_begun), u64::from(is_begun)));
        [is_begun, outcome == Err(LossReason::AfterShutdown)]
    });
}

const LANE: usize = CAPACITY;

/// Hand a block event over as a host does, alone or behind a stamp.
fn put(lender: &Lender, hash: u64, is_stamped: bool) -> Put {
    let lineage = u128::from(hash) << 54;
    let event = LaneEntry::event(BlockEvent::Idle, BlockReason::Unknown, 0, lineage);
    let entries = [Stamp::of(hash, Tier::G1, 1).entry(), event];
    lender.put(&entries[usize::from(!is_stamped)..])
}

/// Read hashes and times.
fn drain_lane(consumer: &mut Consumer, found: &mut Vec<(u64, u64)>) {
    consumer.look();
    let mut entries = consumer.read(0, ALL);
    let blocks = entries.by_ref().map(|entry| Block::read(entry).unwrap());
    found.extend(blocks.map(|block| (block.hash, block.head.time)));
    let consumed = entries.consumed();
    consumer.release(consumed);
}

#[test]
fn a_lane_gives_whole_events_in_order_and_counts_what_it_is_too_full_for() {
    static LATE: SharedLosses = SharedLosses::new();
    explore("lane", || {
        let (lender, mut consumer) = lane(LANE, 1, &LATE).unwrap();
        // The second one follows the first without a stamp, a tick later.
        let producing = thread::spawn(move || [1, 2, 3].map(|hash| put(&lender, hash, hash != 2)));
        let mut found = Vec::new();
        drain_lane(&mut consumer, &mut found);
        drain_lane(&mut consumer, &mut found);
        let outcomes = producing.join().unwrap();
        drain_lane(&mut consumer, &mut found);
        assert!(outcomes[..2] == [Put::HandedOver; 2], "there was room");
        let is_third_in = outcomes[2] == Put::HandedOver;
        assert!(
            found.iter().copied().eq((1..=2 + u64::from(is_third_in)).map(|hash| (hash, hash)))
        );
        let counts = consumer.counts();
        let lost = counts.lost_of(Kind::Block);
        assert_eq!(lost, u64::from(outcomes[2] == Put::Lost));
        assert_eq!(counts.produced[Kind::Block as usize], found.len() as u64 + lost);
        [is_third_in, !is_third_in]
    });
}

#[test]
fn what_a_stop_does_not_find_in_a_lane_is_counted_when_the_lane_goes() {
    static LATE: SharedLosses = SharedLosses::new();
    explore("stop against a lane", || {
        let before = LATE.snapshot();
        let (lender, mut consumer) = lane(LANE, 1, &LATE).unwrap();
        let gate = lender.gate();
        let producing = thread::spawn(move || put(&lender, 1, true));
        gate.open(false);
        order_hooks_before_stop();
        let mut found = Vec::new();
        drain_lane(&mut consumer, &mut found);
        let begun = consumer.counts().produced[Kind::Block as usize];
        drop((consumer, gate));
        let outcome = producing.join().unwrap();
        let late = LATE.snapshot().since(&before).lost_of(Kind::Block);
        let handed_over = u64::from(outcome == Put::HandedOver);
        assert_eq!(handed_over, begun + late, "every event is accounted for once");
        assert!(outcome != Put::Lost && found.len() as u64 == begun);
        [late == 1, found == [(1, 1)], outcome == Put::Closed]
    });
}
