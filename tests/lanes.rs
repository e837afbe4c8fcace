//! Lanes: block events that patched Dynamo hands over without a call, by the shim's own code.

mod support;

#[allow(dead_code, unreachable_pub, reason = "written for patched Dynamo, which uses all of it")]
#[path = "../patches/dynamo-1.6.1/shims/nashtrace.rs"]
mod nashtrace;
#[allow(dead_code, unreachable_pub, reason = "written for patched Dynamo, which uses all of it")]
#[path = "../patches/dynamo-1.6.1/shims/nashtrace_blocks.rs"]
mod nashtrace_blocks;
#[allow(unreachable_pub, reason = "written for patched Dynamo")]
#[path = "../patches/dynamo-1.6.1/shims/nashtrace_lane.rs"]
mod nashtrace_lane;

use std::collections::BTreeMap;
use std::path::Path;

use ::nashtrace::abi::{Counters, SessionOptions, Status};
use ::nashtrace::record::{Block, Kind, LossReason};
use ::nashtrace::trace::{Item, Reader};
use nashtrace_blocks::{Event, Named, Pool, Reason, Tier};
use nashtrace_lane::{Common, Happening, put_early, put_next, put_now, put_shared, share};
use support::{api, options, settle_ledger, start, stop, turn};

const POOL: Pool = Pool::of_tier(Tier::G1);

/// The library's table as the shim knows it.
fn table() -> &'static nashtrace::Api {
    // SAFETY: the shim's table is the beginning of ours; `tests/shim.rs` compares them.
    unsafe { &*std::ptr::from_ref(api()).cast() }
}

fn idle(hash: u64) -> Happening {
    let lineage = (3 << (64 + 54)) | (u128::from(hash) << 54);
    Happening { event: Event::Idle, reason: Reason::Unknown, slot_or_count: 7, lineage }
}

fn hit(count: usize) -> Happening {
    let (event, reason) = (Event::Hit, Reason::Unknown);
    Happening { event, reason, slot_or_count: count, lineage: u128::MAX }
}

/// Record an event as the patch of kvbm-logical does. Whether the lane took it, or was too full to.
fn record(hash: u64) -> bool {
    match put_early(Common::of(&POOL), 0, idle(hash)) {
        Ok(_) => true,
        Err(no_room) => {
            if no_room.is_closed {
                let named = Named { hash, block: 7, position: 3, ..Named::default() };
                let time = nashtrace_lane::now(table());
                let event = POOL.event(time, Event::Idle, Reason::Unknown, named);
                nashtrace_lane::tell(table(), &event);
            }
            !no_room.is_closed
        }
    }
}

fn record_all(hashes: impl IntoIterator<Item = u64>) {
    for hash in hashes {
        record(hash);
    }
}

fn has_lanes() -> bool {
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
}

/// All block events of the only trace of a directory, by producer, in the order of their numbers.
fn blocks(directory: &Path) -> BTreeMap<u32, Vec<Block>> {
    let mut found: BTreeMap<u32, Vec<Block>> = BTreeMap::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let mut reader = Reader::open(&file.unwrap().path()).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Packet(packet) = item else { panic!("damage") };
            let of_packet = packet.records().filter_map(|record| record.to::<Block>());
            found.entry(packet.header.producer).or_default().extend(of_packet);
        }
    }
    found.retain(|_, blocks| !blocks.is_empty());
    found.values_mut().for_each(|blocks| blocks.sort_by_key(|block| block.head.sequence));
    found
}

fn hashes(directory: &Path) -> Vec<u64> {
    let mut hashes: Vec<u64> =
        blocks(directory).values().flatten().map(|block| block.hash).collect();
    hashes.sort_unstable();
    hashes
}

fn assert_conserved(counters: &Counters) {
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
}

#[test]
fn the_second_event_of_a_thread_goes_by_its_lane_and_stands_in_the_file_like_the_first() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    assert!(!record(1));
    assert_eq!([2, 3, 4].map(record), [has_lanes(); 3]);
    let counters = stop();
    assert_eq!(counters.lost, [0; 8]);
    assert_conserved(&counters);
    assert_eq!(hashes(folder.path()), [1, 2, 3, 4]);
    let blocks = blocks(folder.path());
    assert_eq!(blocks.len(), 1 + usize::from(has_lanes()), "a ring and a lane");
    let mut times = Vec::new();
    for of_producer in blocks.values() {
        for block in of_producer {
            let told = (block.block, block.position, block.event, block.tier, block.count);
            assert_eq!(told, (7, 3, Event::Idle as u8, Tier::G1 as u8, 1));
            assert_eq!((block.head.kind, block.head.rows), (Kind::Block as u8, 0));
            times.push((block.hash, block.head.time));
        }
        let first = of_producer[0].head.sequence;
        assert!((first..).zip(of_producer).all(|(number, block)| block.head.sequence == number));
    }
    times.sort_unstable();
    assert!(times.is_sorted_by_key(|(_, time)| time), "{times:?}");
}

#[test]
fn a_lane_is_closed_while_the_recording_is_off_and_after_the_session() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    record_all(1..=3);
    assert_eq!((api().session_switch)(0), Status::Ok);
    assert!(!record(4) && !record(5));
    assert_eq!((api().session_switch)(1), Status::Ok);
    assert_eq!(record(6), has_lanes());
    let counters = stop();
    assert_eq!(counters.lost[LossReason::SwitchedOff as usize], 2);
    assert_eq!(counters.lost.iter().sum::<u64>(), 2);
    assert_conserved(&counters);
    assert_eq!(hashes(folder.path()), [1, 2, 3, 6]);

    assert!(!record(7));
    let counters = support::counters();
    assert_eq!(counters.lost[LossReason::AfterShutdown as usize], 1);
    assert_conserved(&counters);
    settle_ledger();
    // The next session lends another one.
    let next = tempfile::tempdir().unwrap();
    start(&options(next.path()));
    assert!(!record(8));
    assert_eq!(record(9), has_lanes());
    let counters = stop();
    assert_conserved(&counters);
    assert_eq!(hashes(next.path()), [8, 9]);
}

#[test]
fn what_finds_a_lane_full_is_lost_and_counted() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    // The collector comes by when it is asked to.
    start(&SessionOptions { poll_ms: 1000, ..options(folder.path()) });
    const EVENTS: u64 = 6000;
    record_all(1..=EVENTS);
    let counters = stop();
    assert_conserved(&counters);
    let hashes = hashes(folder.path());
    let lost = counters.lost[LossReason::Full as usize];
    assert_eq!(hashes.len() as u64 + lost, EVENTS);
    assert_eq!(lost, counters.lost.iter().sum::<u64>());
    assert!(lost > 0, "a ring of {} bytes holds 4096", options(folder.path()).ring_bytes);
}

#[test]
fn a_reading_of_the_clock_serves_for_255_events_or_until_the_collector_has_come_by() {
    let _turn = turn();
    if !has_lanes() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The collector comes by when it is asked to.
    start(&SessionOptions { poll_ms: 1000, ..options(folder.path()) });
    const EVENTS: u64 = 800;
    record_all(0..=EVENTS);
    assert_eq!((api().session_flush)(support::TIMEOUT_MS), Status::Ok);
    record_all(EVENTS + 1..EVENTS + 5);
    stop();
    let blocks = blocks(folder.path());
    let lane = blocks.values().find(|blocks| blocks.len() > 1).unwrap();
    let times: Vec<u64> = lane.iter().map(|block| block.head.time).collect();
    assert_eq!(times.len() as u64, EVENTS + 4);
    assert!(times.is_sorted_by(|earlier, later| earlier < later));
    // What goes by one reading is a tick apart.
    let runs: Vec<usize> =
        times.chunk_by(|earlier, later| earlier + 1 == *later).map(<[u64]>::len).collect();
    let are_before: usize = runs
        .iter()
        .copied()
        .scan(0, |sum, run| {
            *sum += run;
            Some(*sum)
        })
        .filter(|sum| *sum == EVENTS as usize)
        .count();
    assert_eq!(are_before, 1, "the flush came between: {runs:?}");
    // The collector may have come by more often, if this thread was kept from running.
    assert!(runs.iter().all(|run| *run <= 255) && runs.len() < 40, "{runs:?}");
}

#[test]
fn a_lookup_is_handed_over_with_its_count() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    record(1);
    if has_lanes() {
        let time = nashtrace_lane::now(table());
        assert_eq!(put_next(Common::of(&POOL), time, hit(128)).ok(), Some(time));
    }
    stop();
    let blocks: Vec<Block> = blocks(folder.path()).into_values().flatten().collect();
    assert_eq!(blocks.len(), 1 + usize::from(has_lanes()));
    for hit in blocks.iter().filter(|block| block.event == Event::Hit as u8) {
        assert_eq!((hit.hash, hit.block, hit.count), (0, nashtrace::UNKNOWN_U32, 128));
        assert_eq!((hit.tier, hit.position), (Tier::G1 as u8, nashtrace::UNKNOWN_U32));
    }
}

#[test]
fn a_time_that_is_shared_serves_for_the_next_event_alone() {
    let _turn = turn();
    if !has_lanes() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    record(1);
    let pool = Common::of(&POOL);
    let time = put_now(pool, 0, idle(2)).ok().expect("the lane is open");
    share();
    let hits = [1, 2].map(|count| put_shared(pool, hit(count)).ok().expect("the lane is open"));
    assert!(hits[0] == time + 1 && hits[1] > hits[0] + 1, "{time}, {hits:?}");
    stop();
    let blocks: Vec<Block> = blocks(folder.path()).into_values().flatten().collect();
    let found = blocks.iter().filter(|block| block.event == Event::Hit as u8);
    let found: Vec<(u32, u64)> = found.map(|hit| (hit.count, hit.head.time)).collect();
    assert_eq!(found, [(1, hits[0]), (2, hits[1])]);
}

/// A pool's events do not go back in time, and each pool has its own stamp.
#[test]
fn an_event_has_the_time_that_its_pool_asks_for_and_the_pool_that_it_is_of() {
    let _turn = turn();
    if !has_lanes() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    record(0);
    let pools = [Tier::G1, Tier::G2].map(Pool::of_tier);
    let now = nashtrace_lane::now(table());
    let mut told = vec![];
    for (hash, (pool, not_before)) in (1..).zip([(0, now), (0, now), (1, now), (1, now + 9)]) {
        let time = put_next(Common::of(&pools[pool]), not_before, idle(hash)).ok();
        told.push((hash, pools[pool], time.expect("the lane is open")));
    }
    assert_eq!(told.iter().map(|told| told.2 - now).collect::<Vec<_>>(), [0, 1, 0, 9]);
    stop();
    let found: BTreeMap<u64, Block> =
        blocks(folder.path()).into_values().flatten().map(|block| (block.hash, block)).collect();
    for (hash, pool, time) in told {
        let told = pool.event(time, Event::Idle, Reason::Unknown, Named::default());
        assert_eq!((found[&hash].tier, found[&hash].head.time), (told.tier, time));
    }
}

#[test]
fn a_time_that_is_shared_does_not_wait_for_an_event_that_finds_room() {
    let _turn = turn();
    if !has_lanes() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The collector comes by when it is asked to, or once a second: then there is room after all.
    start(&SessionOptions { poll_ms: 1000, ..options(folder.path()) });
    let pool = Common::of(&POOL);
    loop {
        record_all(0..6000);
        share();
        if put_shared(pool, hit(1)).is_err_and(|no_room| !no_room.is_closed) {
            break;
        }
    }
    assert_eq!((api().session_flush)(support::TIMEOUT_MS), Status::Ok);
    let before = nashtrace_lane::now(table());
    let time = put_shared(pool, hit(2)).ok().expect("the collector has come by");
    assert!(time > before, "it would be that of the last event that found room");
    stop();
}

#[test]
fn nothing_is_lent_where_blocks_are_sampled() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    support::files::start_with(folder.path(), &[("NASHTRACE_BLOCK_SAMPLE", "2")]);
    assert!((1..=100).all(|hash| !record(hash)));
    let counters = stop();
    assert_conserved(&counters);
    let left_out = counters.lost[LossReason::SampledOut as usize];
    assert!((20..80).contains(&left_out), "{left_out}");
    assert_eq!(hashes(folder.path()).len() as u64 + left_out, 100);
}

#[test]
fn lanes_of_threads_that_end_are_emptied_and_every_event_is_accounted_for() {
    const THREADS: u64 = 8;
    const EVENTS: u64 = 20_000;
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || record_all(thread * EVENTS..(thread + 1) * EVENTS));
        }
        for switch in 0..20 {
            assert_eq!((api().session_switch)(switch % 2), Status::Ok);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let counters = stop();
    assert_conserved(&counters);
    let mut hashes = hashes(folder.path());
    assert_eq!(hashes.len() as u64 + counters.lost.iter().sum::<u64>(), THREADS * EVENTS);
    hashes.dedup();
    assert_eq!(hashes.len() as u64 + counters.lost.iter().sum::<u64>(), THREADS * EVENTS, "twice");
}

#[test]
fn a_thread_that_goes_on_recording_while_the_session_ends_loses_nothing_unseen() {
    const EVENTS: u64 = 30_000;
    let _turn = turn();
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        start(&options(folder.path()));
        let recording = std::thread::spawn(|| record_all(0..EVENTS));
        std::thread::sleep(std::time::Duration::from_micros(300));
        assert_eq!((api().session_stop)(support::TIMEOUT_MS), Status::Ok);
        recording.join().unwrap();
        let counters = support::counters();
        assert_conserved(&counters);
        // A thread may only have begun when the session was over; before the first session nothing counts.
        assert!(counters.produced >= EVENTS, "{counters:?}");
        let written = hashes(folder.path()).len() as u64;
        assert_eq!(written + counters.lost.iter().sum::<u64>(), EVENTS, "{counters:?}");
        settle_ledger();
    }
}

#[test]
fn a_forked_child_has_no_lane() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    assert_eq!([record(1), record(2)], [false, has_lanes()]);
    // SAFETY: the child looks at its lane, and calls `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let has_room = record(3) || record(4);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(i32::from(has_room)) };
    }
    let mut status = 0;
    // SAFETY: the status is writable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child has a lane");
    assert_eq!(record(5), has_lanes());
    stop();
    assert_eq!(hashes(folder.path()), [1, 2, 5]);
}

#[test]
fn pointers_that_cannot_be_used_have_no_effect() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let block: Block = support::empty();
    let mut lane = std::ptr::null();
    // SAFETY: what is not NULL is whole.
    let statuses = unsafe {
        [
            (api().block_lane)(std::ptr::null(), &raw mut lane),
            (api().block_lane)(&raw const block, std::ptr::null_mut()),
        ]
    };
    assert_eq!(statuses, [Status::NullPointer; 2]);
    assert!(lane.is_null());
    assert_eq!(stop().lost, [0; 8]);
    assert!(hashes(folder.path()).is_empty());
}
