//! Blocks, pools, transfers and planners through the C ABI: what is recorded stands in the file, what a
//! caller does wrong he is told, and a sample takes whole lives.

mod support;

use std::collections::BTreeSet;

use nashtrace::abi::{Api, Status};
use nashtrace::record::{
    Block, BlockEvent, BlockPool, LossReason, NameSpace, PlannerDecision, PlannerEffect,
    PlannerTick, Record, Tier, Transfer, UNKNOWN_U32, UNKNOWN_U64,
};
use nashtrace::trace::{Item, Reader};
use support::{api, declare, empty, name, options, start, stop, turn};

fn records<T: Record>(directory: &std::path::Path) -> Vec<T> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let mut reader = Reader::open(&file.unwrap().path()).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Packet(packet) = item else { panic!("damage") };
            found.extend(packet.records().filter_map(|record| record.to::<T>()));
        }
    }
    found
}

/// Times of what the collector itself has written, in the order of the file.
fn own_times(directory: &std::path::Path) -> Vec<u64> {
    let mut times = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let mut reader = Reader::open(&file.unwrap().path()).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Packet(packet) = item else { panic!("damage") };
            if packet.header.producer == 0 {
                times.extend(
                    packet.records().map(|record| (record.head.sequence, record.head.time)),
                );
            }
        }
    }
    times.sort_unstable_by_key(|(sequence, _)| *sequence);
    times.into_iter().map(|(_, time)| time).collect()
}

#[test]
fn what_is_recorded_stands_in_the_file() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let pool_name = name(NameSpace::BlockPool, "G1");
    let capacity_blocks = 100;
    let pool = BlockPool {
        capacity_blocks,
        name: pool_name,
        tier: Tier::G1 as u8,
        worker: UNKNOWN_U64,
        rank: UNKNOWN_U32,
        ..empty()
    };
    let id = declare(&pool);
    assert_eq!(declare(&BlockPool { id, bytes_per_block: 4096, ..pool }), id);
    let event = BlockEvent::Evict as u8;
    let block = Block { hash: 7, pool: id, block: 3, count: 1, event, ..empty() };
    let transfer = Transfer { bytes: 1 << 20, blocks: 2, device_ns: 5, ..empty() };
    let tick = PlannerTick { tick: 1, observed_ttft_ms: f64::NAN, gpus: 8.0, ..empty() };
    let decision = PlannerDecision { tick: 1, ready: 2, decided: 3, ..empty() };
    let effect = PlannerEffect { tick: 2, from: 2, to: 3, ..empty() };
    // SAFETY: all are whole.
    unsafe {
        assert_eq!((api().block)(&block), Status::Ok);
        assert_eq!((api().transfer)(&transfer), Status::Ok);
        assert_eq!((api().planner_tick)(&tick), Status::Ok);
        assert_eq!((api().planner_decision)(&decision), Status::Ok);
        assert_eq!((api().planner_effect)(&effect), Status::Ok);
    }
    let counters = stop();
    assert_eq!((counters.produced - counters.written, counters.lost), (0, [0; 8]));

    let path = directory.path();
    assert!(own_times(path).is_sorted(), "the collector's own time goes back");
    // Other tests of this process may have declared pools too.
    let pools: Vec<BlockPool> = records(path);
    let ours: Vec<_> = pools.iter().filter(|pool| pool.id == id).collect();
    assert_eq!(ours.iter().map(|pool| pool.bytes_per_block).collect::<Vec<_>>(), [0, 4096]);
    assert!(ours.iter().all(|pool| (pool.capacity_blocks, pool.name) == (100, pool_name)));
    let [found] = records::<Block>(path)[..] else { panic!("one block event") };
    assert_eq!((found.hash, found.pool, found.block, found.event), (7, id, 3, event));
    assert_ne!(found.head.time, 0);
    let [found] = records::<Transfer>(path)[..] else { panic!("one transfer") };
    assert_eq!((found.bytes, found.blocks, found.device_ns), (1 << 20, 2, 5));
    let [found] = records::<PlannerTick>(path)[..] else { panic!("one tick") };
    assert!(found.observed_ttft_ms.is_nan() && found.gpus == 8.0);
    let [found] = records::<PlannerDecision>(path)[..] else { panic!("one decision") };
    assert_eq!((found.ready, found.decided), (2, 3));
    let [found] = records::<PlannerEffect>(path)[..] else { panic!("one effect") };
    assert_eq!((found.from, found.to), (2, 3));
}

/// Everything that can be wrong with a record without rows.
fn break_promises<T: Record>(record: unsafe extern "C" fn(*const T) -> Status) {
    let whole = empty::<T>();
    // SAFETY: NULL and misaligned pointers are refused before they are read; the others are whole.
    unsafe {
        assert_eq!(record(std::ptr::null()), Status::NullPointer);
        for by in 1..8 {
            let moved = (&raw const whole).wrapping_byte_add(by);
            assert_eq!(record(moved), Status::Misaligned);
        }
        for struct_size in [0, 1, 23, T::V1_SIZE as u32 - 1] {
            let mut small = whole;
            small.head_mut().struct_size = struct_size;
            assert_eq!(record(&small), Status::StructTooSmall);
        }
        let mut bad = whole;
        bad.head_mut().clock = 9;
        assert_eq!(record(&bad), Status::InvalidArgument);
    }
}

#[test]
fn what_a_caller_does_wrong_he_is_told() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let Api { block, transfer, planner_tick, planner_decision, planner_effect, .. } = *api();
    break_promises(block);
    break_promises(transfer);
    break_promises(planner_tick);
    break_promises(planner_decision);
    break_promises(planner_effect);
    let mut id = 77;
    let pool = empty::<BlockPool>();
    let never_declared = BlockPool { id: u32::MAX, ..pool };
    // SAFETY: what is not NULL is whole.
    unsafe {
        let declare = api().block_pool;
        assert_eq!(declare(std::ptr::null(), &raw mut id), Status::NullPointer);
        assert_eq!(declare(&pool, std::ptr::null_mut()), Status::NullPointer);
        assert_eq!(declare(&never_declared, &raw mut id), Status::InvalidArgument);
    }
    assert_eq!(id, 77, "an out-parameter is written on success only");
    assert_eq!(stop().lost, [0; 8]);
}

/// Start a session that records one in so many hashes.
fn start_sampling(directory: &std::path::Path, sample: &str) {
    // SAFETY: tests of this program take turns, and nothing else reads the environment meanwhile.
    unsafe { std::env::set_var("NASHTRACE_BLOCK_SAMPLE", sample) };
    start(&options(directory));
    // SAFETY: as above.
    unsafe { std::env::remove_var("NASHTRACE_BLOCK_SAMPLE") };
}

#[test]
fn a_sample_of_none_takes_nothing_and_counts_nothing() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start_sampling(directory.path(), "0");
    for hash in [0, 7] {
        let block = Block { hash, count: 1, ..empty() };
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (api().block)(&block) }, Status::Ok);
    }
    assert_eq!(stop().lost, [0; 8]);
    assert_eq!(records::<Block>(directory.path()), []);
}

#[test]
fn a_sample_takes_all_events_of_one_hash_in_so_many() {
    const HASHES: u64 = 4_096;
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start_sampling(directory.path(), "64");
    let events = [BlockEvent::Register, BlockEvent::Idle, BlockEvent::Evict];
    for event in events {
        for hash in 0..HASHES {
            let block = Block { hash, event: event as u8, count: 1, ..empty() };
            // SAFETY: the struct is whole.
            assert_eq!(unsafe { (api().block)(&block) }, Status::Ok);
        }
    }
    let counters = stop();
    let blocks = records::<Block>(directory.path());
    let of_event = |event: BlockEvent| -> BTreeSet<u64> {
        let same = blocks.iter().filter(|block| block.event == event as u8);
        same.map(|block| block.hash).collect()
    };
    let taken = of_event(events[0]);
    assert!((32..128).contains(&taken.len()), "{} of {HASHES}", taken.len());
    assert!(taken.contains(&0), "without a hash it is always taken");
    assert!(events.iter().all(|event| of_event(*event) == taken));
    let left_out = counters.lost[LossReason::SampledOut as usize];
    assert_eq!(left_out + blocks.len() as u64, 3 * HASHES);
}
