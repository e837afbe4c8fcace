//! The law of conservation under stress: many threads, random sizes, rings that overflow, a collector
//! that is starved, hosts that flush and ask in between. What was produced is written or counted as lost,
//! to the unit.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nashtrace::abi::{SessionOptions, Status};
use nashtrace::record::Loss;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use support::*;

const THREADS: u64 = 16;
const EVENTS: u32 = 1_000;

/// Runs of the default, and the variable that asks for more.
const RUNS: u64 = 10;
const RUNS_VARIABLE: &str = "PROOF_STRESS_RUNS";

/// Units, rows included, that the library said were recorded and lost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    recorded: u64,
    lost: u64,
}

/// Record events of random sizes, with pauses that let the collector catch up now and then.
fn produce(mut random: ChaCha12Rng) -> Outcome {
    let mut outcome = Outcome::default();
    let mut rows = Vec::new();
    for _ in 0..random.random_range(1..EVENTS) {
        let count = if random.random_bool(0.3) { 0 } else { random.random_range(1..60) };
        let status = if count == 0 {
            record_request(1)
        } else {
            rows.clear();
            rows.extend((0..count).map(|worker| candidate(worker, 1.0)));
            record_decision(&decision(0), &rows)
        };
        match status {
            Status::Ok => outcome.recorded += 1 + count,
            Status::Lost => outcome.lost += 1 + count,
            other => panic!("{other:?}"),
        }
        if random.random_bool(0.02) {
            std::thread::sleep(Duration::from_micros(random.random_range(1..3_000)));
        }
    }
    outcome
}

/// Let the collector's thread run only when no other thread wants to, or like any other again.
fn starve_collector(is_starved: bool) {
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        if std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name == "nashtrace\n") {
            let id = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
            // SAFETY: plain data; all zeros is the only priority that these classes have.
            let priority = unsafe { std::mem::zeroed::<libc::sched_param>() };
            let class = if is_starved { libc::SCHED_IDLE } else { libc::SCHED_OTHER };
            // SAFETY: the struct is whole. A sandbox may refuse: then the collector is not starved.
            unsafe { libc::sched_setscheduler(id, class, &raw const priority) };
        }
    }
}

/// A host that flushes, switches the recording off and on, starves the collector, and asks for counters while
/// others record. The counters never claim more than was produced.
fn meddle(stopped: &AtomicBool, starves: bool, mut random: ChaCha12Rng) {
    while !stopped.load(Ordering::Relaxed) {
        if starves && random.random_bool(0.3) {
            // Never while somebody waits for it: on a busy machine it might not run at all.
            starve_collector(true);
            std::thread::sleep(Duration::from_millis(random.random_range(1..50)));
            starve_collector(false);
        }
        if random.random_bool(0.5) {
            assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
        }
        if random.random_bool(0.2) {
            assert_eq!((api().session_switch)(0), Status::Ok);
            std::thread::sleep(Duration::from_micros(random.random_range(1..500)));
            assert_eq!((api().session_switch)(1), Status::Ok);
        }
        let told = counters();
        assert!(told.written + told.lost.iter().sum::<u64>() <= told.produced, "{told:?}");
        std::thread::sleep(Duration::from_micros(random.random_range(1..5_000)));
    }
}

fn run(seed: u64) -> Outcome {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let directory = tempfile::tempdir().unwrap();
    start(&SessionOptions {
        ring_bytes: 1 << random.random_range(12..20),
        poll_ms: random.random_range(1..60),
        flush_ms: random.random_range(1..200),
        // Sometimes too few for all.
        max_producers: random.random_range(12..20),
        ..options(directory.path())
    });
    let starves = random.random_bool(0.5);
    let stopped = Arc::new(AtomicBool::new(false));
    let meddling = std::thread::spawn({
        let (stopped, random) = (Arc::clone(&stopped), ChaCha12Rng::seed_from_u64(seed ^ 1 << 40));
        move || meddle(&stopped, starves, random)
    });
    let producing: Vec<_> = (0..THREADS)
        .map(|thread| {
            let random = ChaCha12Rng::seed_from_u64(seed * THREADS + thread + (1 << 32));
            std::thread::spawn(move || produce(random))
        })
        .collect();
    let outcome = producing.into_iter().map(|thread| thread.join().unwrap()).fold(
        Outcome::default(),
        |sum, part| Outcome { recorded: sum.recorded + part.recorded, lost: sum.lost + part.lost },
    );
    stopped.store(true, Ordering::Relaxed);
    meddling.join().unwrap();
    let counters = stop();

    let lost = counters.lost.iter().sum::<u64>();
    assert_eq!(lost, outcome.lost);
    assert_eq!(counters.produced, counters.written + lost);
    let contents = contents(directory.path());
    assert!(contents.complete);
    let rows = contents.decisions.iter().map(|(_, rows)| 1 + rows.len()).sum::<usize>();
    assert_eq!((contents.requests.len() + rows) as u64, outcome.recorded);
    assert!(contents.ledgers.values().all(Loss::is_conserved), "{:?}", contents.ledgers);
    let sum = |part: fn(&Loss) -> u64| contents.ledgers.values().map(part).sum::<u64>();
    assert_eq!(sum(|ledger| ledger.produced), counters.produced);
    assert_eq!((sum(|ledger| ledger.written), sum(Loss::lost_total)), (counters.written, lost));
    outcome
}

#[test]
fn produced_equals_written_plus_lost_to_the_unit() {
    let runs = std::env::var(RUNS_VARIABLE).map_or(RUNS, |text| text.parse().expect("a number"));
    let mut with_losses = 0;
    for seed in 0..runs {
        let outcome = run(seed);
        println!("seed {seed}: {outcome:?}");
        assert!(outcome.recorded > 0);
        with_losses += u64::from(outcome.lost > 0);
    }
    assert!(with_losses > 0, "no ring ever overflowed: this proves little");
}
