//! Events recorded by signal handlers, wherever they interrupt a thread.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nashtrace::abi::Status;
use nashtrace::record::{Loss, Setting};
use support::*;
use zerocopy::FromZeros;

/// A thread that records requests as fast as it can, and tells how many were recorded and lost.
struct Recording {
    stopped: Arc<AtomicBool>,
    events: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<[u64; 2]>,
    id: libc::pthread_t,
}

impl Recording {
    fn begin() -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let events = Arc::new(AtomicU64::new(0));
        let (tell, id) = std::sync::mpsc::channel();
        let thread = std::thread::spawn({
            let (stopped, events) = (Arc::clone(&stopped), Arc::clone(&events));
            move || {
                let mut outcomes = [0; 2];
                let mut record = || {
                    let status = record_request(1);
                    assert!(matches!(status, Status::Ok | Status::Lost), "{status:?}");
                    outcomes[usize::from(status == Status::Lost)] += 1;
                    events.fetch_add(1, Ordering::Relaxed);
                };
                // SAFETY: a thread may always ask for its own id.
                tell.send(unsafe { libc::pthread_self() }).unwrap();
                while !stopped.load(Ordering::Relaxed) {
                    record();
                }
                outcomes
            }
        });
        let id = id.recv().unwrap();
        Self { stopped, events, thread, id }
    }

    /// Wait until the thread has its ring: to get one it allocates and takes locks, which a handler must
    /// not hold up.
    fn wait_for_ring(&self) {
        let before = self.events.load(Ordering::Relaxed);
        while self.events.load(Ordering::Relaxed) < before + 2 {
            std::hint::spin_loop();
        }
    }

    fn interrupt(&self) {
        // SAFETY: the thread runs until `end`.
        assert_eq!(unsafe { libc::pthread_kill(self.id, libc::SIGUSR1) }, 0);
    }

    fn end(self) -> [u64; 2] {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn handle_with(handler: extern "C" fn(libc::c_int)) {
    // SAFETY: the handlers below call nothing but what a signal handler may call.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
}

#[test]
fn a_handler_may_record_anything_anywhere_and_every_event_is_accounted_for() {
    static EVENTS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    extern "C" fn record_everything(_: libc::c_int) {
        let mut setting = Setting::new_zeroed();
        setting.head.struct_size = size_of::<Setting>() as u32;
        let rows = [candidate(1, 1.0), candidate(2, 2.0)];
        let events = [
            (1, record_request(2)),
            (3, record_decision(&decision(0), &rows)),
            // SAFETY: the struct is whole.
            (1, unsafe { (api().setting)(&raw const setting) }),
        ];
        for (units, status) in events {
            EVENTS[usize::from(status != Status::Ok)].fetch_add(units, Ordering::SeqCst);
        }
        // SAFETY: NULL is refused before it is followed.
        assert_eq!(unsafe { (api().request)(std::ptr::null()) }, Status::NullPointer);
        assert!((api().ticks)() > 0);
        HANDLED.fetch_add(1, Ordering::SeqCst);
    }
    let _turn = turn();
    handle_with(record_everything);
    let directory = tempfile::tempdir().unwrap();
    let options =
        nashtrace::abi::SessionOptions { ring_bytes: 1 << 20, ..options(directory.path()) };
    start(&options);
    let recording = Recording::begin();
    recording.wait_for_ring();
    for signals in 0..2_000 {
        recording.interrupt();
        while HANDLED.load(Ordering::SeqCst) <= signals {
            std::hint::spin_loop();
        }
    }
    let [recorded, lost] = recording.end();
    let counters = stop();
    let [from_handler, lost_by_handler] = [0, 1].map(|n| EVENTS[n].load(Ordering::SeqCst));
    assert_eq!(from_handler + lost_by_handler, 2_000 * 5);
    assert!(from_handler > 0 && lost_by_handler > 0, "{from_handler}, {lost_by_handler}");
    assert_eq!(counters.lost.iter().sum::<u64>(), lost + lost_by_handler);
    let contents = contents(directory.path());
    let found = contents.requests.len() + 3 * contents.decisions.len() + contents.settings.len();
    assert_eq!(found as u64, recorded + from_handler);
    assert!(contents.ledgers.values().all(Loss::is_conserved), "{:?}", contents.ledgers);
}

/// The handler's event finds another session than the one that the interrupted event belongs to: the
/// thread gets another ring while it is about to use the one before.
#[test]
fn a_handler_may_find_another_session_than_the_event_that_it_interrupts() {
    static STEP: AtomicU32 = AtomicU32::new(IDLE);
    const IDLE: u32 = 0;
    const HELD: u32 = 1;
    const GO_ON: u32 = 2;
    extern "C" fn wait_and_record(_: libc::c_int) {
        STEP.store(HELD, Ordering::SeqCst);
        while STEP.load(Ordering::SeqCst) == HELD {
            std::hint::spin_loop();
        }
        record_request(3);
        STEP.store(IDLE, Ordering::SeqCst);
    }
    let _turn = turn();
    handle_with(wait_and_record);
    let directory = tempfile::tempdir().unwrap();
    let restart = || {
        // If it is a hook that is held up, the stop waits for it in vain.
        assert_eq!((api().session_stop)(TIMEOUT_MS), Status::Ok);
        start(&options(directory.path()));
    };
    start(&options(directory.path()));
    let recording = Recording::begin();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        recording.wait_for_ring();
        recording.interrupt();
        while STEP.load(Ordering::SeqCst) != HELD {
            std::hint::spin_loop();
        }
        restart();
        STEP.store(GO_ON, Ordering::SeqCst);
        while STEP.load(Ordering::SeqCst) != IDLE {
            std::hint::spin_loop();
        }
    }
    let [recorded, _] = recording.end();
    assert!(recorded > 0);
    stop();
}
