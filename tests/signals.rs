//! Events recorded by signal handlers, wherever they interrupt a thread.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nashtrace::abi::Status;
use nashtrace::record::{BlockPool, Loss, NameSpace};
use support::*;

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
        let rows = [candidate(1, 1.0), candidate(2, 2.0)];
        let events = [(1, record_request(2)), (3, record_decision(&decision(0), &rows))];
        let others = record_the_others().map(|status| (1, status));
        for (units, status) in events.into_iter().chain(others) {
            EVENTS[usize::from(status != Status::Ok)].fetch_add(units, Ordering::SeqCst);
        }
        // SAFETY: NULL is refused before it is followed.
        unsafe {
            assert_eq!((api().request)(std::ptr::null()), Status::NullPointer);
            assert_eq!((api().block)(std::ptr::null()), Status::NullPointer);
            assert!((api().request_key)(c"x".as_ptr(), 1) > 0);
        }
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
    assert_eq!(from_handler + lost_by_handler, 2_000 * 10);
    assert!(from_handler > 0 && lost_by_handler > 0, "{from_handler}, {lost_by_handler}");
    assert_eq!(counters.lost.iter().sum::<u64>(), lost + lost_by_handler);
    let contents = contents(directory.path());
    let single = contents.requests.len() + contents.settings.len() + contents.others;
    let found = single + 3 * contents.decisions.len();
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

/// What takes a lock is not for a handler, but a handler that calls it all the same must not wait for ever for
/// the thread that it has interrupted: it is told so, and nothing has happened.
#[test]
fn a_handler_that_declares_while_its_thread_does_is_answered() {
    static TOLD: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
    extern "C" fn declare_too(_: libc::c_int) {
        let mut id = 0;
        let pool: BlockPool = empty();
        // SAFETY: the text has that many bytes, the record is whole, and the id is writable.
        let statuses = unsafe {
            [
                (api().name)(NameSpace::Policy as u8, c"handler".as_ptr(), 7, &raw mut id),
                (api().block_pool)(&pool, &raw mut id),
            ]
        };
        for status in statuses {
            assert!(matches!(status, Status::Ok | Status::Timeout), "{status:?}");
            TOLD[usize::from(status == Status::Timeout)].fetch_add(1, Ordering::SeqCst);
        }
    }
    let _turn = turn();
    handle_with(declare_too);
    let stopped = Arc::new(AtomicBool::new(false));
    let (tell, id) = std::sync::mpsc::channel();
    let declaring = std::thread::spawn({
        let stopped = Arc::clone(&stopped);
        move || {
            // SAFETY: a thread may always ask for its own id.
            tell.send(unsafe { libc::pthread_self() }).unwrap();
            let mut declared = 0;
            while !stopped.load(Ordering::Relaxed) {
                let mut id = 0;
                // SAFETY: as in the handler.
                let status = unsafe {
                    (api().name)(NameSpace::Policy as u8, c"thread".as_ptr(), 6, &raw mut id)
                };
                assert_eq!(status, Status::Ok);
                declared += 1;
            }
            declared
        }
    });
    let id = id.recv().unwrap();
    let told = |refused: usize| TOLD[refused].load(Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(60);
    while told(1) < 2 || told(0) < 2 {
        assert!(Instant::now() < deadline, "no call was interrupted, or one never ends");
        let before = told(0) + told(1);
        // SAFETY: the thread runs until it is told to stop.
        assert_eq!(unsafe { libc::pthread_kill(id, libc::SIGUSR1) }, 0);
        while told(0) + told(1) < before + 2 {
            assert!(Instant::now() < deadline, "the handler hangs");
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    stopped.store(true, Ordering::Relaxed);
    assert!(declaring.join().unwrap() > 0);
}
