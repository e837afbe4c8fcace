//! Copies on CUDA streams, against a driver that is a fake: what it is asked, what stands in the file, and
//! that the host notices nothing whatever it answers.

mod counting;
mod support;

use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nashtrace::abi::{Counters, Status, StreamKind};
use nashtrace::record::{Outcome, Timing, Transfer, UNKNOWN_U32, UNKNOWN_U64};
use nashtrace::trace::{Item, Reader};
use support::fake_cuda::{FakeCuda, fake_cuda};
use support::{api, metrics_text, options, start, stop, turn};
use zerocopy::FromZeros;

const CUDA: u32 = StreamKind::Cuda as u32;
const MILLISECOND: u64 = 1_000_000;

fn copy(number: u64) -> Transfer {
    let mut transfer = Transfer::new_zeroed();
    transfer.head.struct_size = size_of::<Transfer>() as u32;
    transfer.transfer = number;
    transfer.bytes = 4096;
    transfer.device = UNKNOWN_U32;
    transfer.worker = UNKNOWN_U64;
    transfer
}

fn begin(number: u64, stream: *mut c_void) -> u64 {
    let mut token = 0;
    // SAFETY: the record is whole, the token writable, the stream is one of the fake's.
    let status = unsafe { (api().transfer_begin)(&copy(number), stream, CUDA, &raw mut token) };
    assert_eq!(status, Status::Ok);
    assert_ne!(token, 0);
    token
}

fn enqueued(token: u64) {
    assert_eq!((api().transfer_enqueued)(token), Status::Ok);
}

fn done(token: u64) {
    assert_eq!((api().transfer_done)(token, Outcome::Done as u32), Status::Ok);
}

/// Copy until a copy is timed: the collector has prepared the stream's context then.
fn warm_up(fake: &FakeCuda, stream: *mut c_void) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let calls = fake.calls_of(|| {
            let token = begin(0, stream);
            enqueued(token);
            done(token);
        });
        if calls.iter().filter(|call| *call == "cuEventRecord").count() == 2 {
            return;
        }
        assert!(Instant::now() < deadline, "the context is never prepared: {calls:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The copies of a directory but for those of the warm-up, by number.
fn copies(directory: &Path) -> Vec<Transfer> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let mut reader = Reader::open(&file.unwrap().path()).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Packet(packet) = item else { panic!("damage") };
            found.extend(packet.records().filter_map(|record| record.to::<Transfer>()));
        }
    }
    found.retain(|copy| copy.transfer != 0);
    found.sort_by_key(|copy| copy.transfer);
    found
}

fn is_conserved(counters: &Counters) -> bool {
    counters.produced == counters.written + counters.lost.iter().sum::<u64>()
}

/// Events and streams that a test before could not give back, because the driver refused to take them.
static LEFT: [AtomicI32; 2] = [const { AtomicI32::new(0) }; 2];

/// Events and streams that there are.
fn alive(fake: &FakeCuda) -> [i32; 2] {
    // SAFETY: plain questions.
    unsafe { [(fake.fake_live_events)(), (fake.fake_live_streams)()] }
}

/// The session ends, nothing is lost, and all that was made of the driver's is given back.
fn stop_cleanly(fake: &FakeCuda) {
    let counters = stop();
    assert!(is_conserved(&counters) && counters.lost == [0; 8], "{counters:?}");
    assert_eq!(alive(fake), LEFT.each_ref().map(|left| left.load(Ordering::Relaxed)));
    // SAFETY: plain questions.
    unsafe {
        assert_eq!(((fake.fake_captured_events)(), (fake.fake_spoilt_captures)()), (0, 0));
    }
}

/// Contexts of a test that begins.
fn contexts<const N: usize>(fake: &FakeCuda) -> [*mut c_void; N] {
    for (left, count) in LEFT.iter().zip(alive(fake)) {
        left.store(count, Ordering::Relaxed);
    }
    // SAFETY: the fake has room for as many as these tests make.
    std::array::from_fn(|device| unsafe { (fake.fake_context)(device as i32) })
}

fn stream_in(fake: &FakeCuda, context: *mut c_void) -> *mut c_void {
    // SAFETY: a context of the fake's.
    unsafe { (fake.fake_stream)(context) }
}

fn work(fake: &FakeCuda, stream: *mut c_void, ns: u64) {
    // SAFETY: a stream of the fake's.
    unsafe { (fake.fake_work)(stream, ns) };
}

#[test]
fn a_copy_has_the_devices_time_on_the_traces_clock() {
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [context] = contexts(fake);
    let stream = stream_in(fake, context);
    start(&options(folder.path()));
    warm_up(fake, stream);
    let clock = (api().ticks)();
    let began = Instant::now();
    // Told to have ended, and not told.
    for number in 1..=10 {
        let token = begin(number, stream);
        work(fake, stream, 3 * MILLISECOND);
        enqueued(token);
        std::thread::sleep(Duration::from_millis(5));
        if number % 2 == 1 {
            done(token);
            assert_eq!((api().transfer_done)(token, 1), Status::InvalidArgument);
        }
        assert_eq!((api().transfer_enqueued)(token), Status::InvalidArgument);
    }
    let ticks_per_ns = ((api().ticks)() - clock) as f64 / began.elapsed().as_nanos() as f64;
    std::thread::sleep(Duration::from_millis(100));
    stop_cleanly(fake);
    let copies = copies(folder.path());
    assert_eq!(copies.len(), 10);
    for copy in &copies {
        assert_eq!((copy.timing, copy.outcome), (Timing::CudaEvents as u8, Outcome::Done as u8));
        assert_eq!((copy.device, copy.bytes), (0, 4096));
        assert!(copy.device_ns >= 3 * MILLISECOND, "{copy:?}");
        assert!(copy.head.time <= copy.enqueued);
        let is_told = copy.transfer % 2 == 1;
        assert_eq!(copy.ended != UNKNOWN_U64, is_told, "{copy:?}");
        assert!(!is_told || copy.ended >= copy.enqueued);
    }
    // A machine that stands still between two calls makes a copy longer and its beginning later, but not every one's.
    assert!(copies.iter().any(|copy| copy.device_ns < 5 * MILLISECOND), "{copies:?}");
    // The anchor is as good as a few calls of the fake are long.
    let late_ns =
        |copy: &Transfer| (copy.device_began as f64 - copy.head.time as f64) / ticks_per_ns;
    assert!(copies.iter().any(|copy| (-2e7..2e7).contains(&late_ns(copy))), "{copies:?}");
}

#[test]
fn the_driver_is_asked_in_order_and_contexts_stay_as_they_were() {
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [ours, other] = contexts(fake);
    let stream = stream_in(fake, ours);
    start(&options(folder.path()));
    warm_up(fake, stream);
    let pushed = (["cuCtxPushCurrent_v2"], ["cuCtxPopCurrent_v2"]);
    let none: ([&str; 0], [&str; 0]) = ([], []);
    // Without a context, with another one, and with the stream's own.
    for (current, (push, pop)) in [
        (std::ptr::null_mut(), (&pushed.0[..], &pushed.1[..])),
        (other, (&pushed.0[..], &pushed.1[..])),
        (ours, (&none.0[..], &none.1[..])),
    ] {
        // SAFETY: NULL or a context of the fake's.
        unsafe { (fake.fake_set_current)(current) };
        // SAFETY: plain questions.
        let state = || unsafe { ((fake.fake_depth)(), (fake.fake_current)()) };
        let before = state();
        let mut token = 0;
        let calls = fake.calls_of(|| token = begin(1, stream));
        let ask = ["cuStreamIsCapturing", "cuStreamGetCtx", "cuCtxGetId", "cuCtxGetCurrent"];
        assert_eq!(calls, [&ask[..], push, &["cuEventRecord"], pop].concat());
        let calls = fake.calls_of(|| enqueued(token));
        let ask = ["cuStreamIsCapturing", "cuCtxGetCurrent"];
        assert_eq!(calls, [&ask[..], push, &["cuEventRecord"], pop].concat());
        assert_eq!(fake.calls_of(|| done(token)), [""; 0]);
        assert_eq!(state(), before);
    }
    // The legacy default stream is a stream, of the current context.
    let token = begin(4, std::ptr::null_mut());
    work(fake, std::ptr::null_mut(), MILLISECOND);
    enqueued(token);
    done(token);
    // SAFETY: takes the thread's context away.
    unsafe { (fake.fake_set_current)(std::ptr::null_mut()) };
    stop_cleanly(fake);
    let copies = copies(folder.path());
    assert_eq!(copies.len(), 4);
    assert!(copies.iter().all(|copy| copy.timing == Timing::CudaEvents as u8), "{copies:?}");
    assert!(copies[3].device_ns >= MILLISECOND);
}

/// All that a hook or the collector asks for a copy, but what ends all timing for good (`ffi-tests/transfers.c`).
#[test]
fn whatever_the_driver_refuses_the_copy_is_recorded_and_the_host_undisturbed() {
    let (_turn, fake) = (turn(), fake_cuda());
    for function in [
        "cuStreamIsCapturing",
        "cuStreamGetCtx",
        "cuCtxGetId",
        "cuCtxGetCurrent",
        "cuCtxPushCurrent_v2",
        "cuEventRecord",
        "cuEventQuery",
        "cuEventElapsedTime",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let [context, hosts] = contexts(fake);
        let stream = stream_in(fake, context);
        start(&options(folder.path()));
        warm_up(fake, stream);
        // SAFETY: a context of the fake's.
        unsafe { (fake.fake_set_current)(hosts) };
        fake.fail(Some(function));
        let token = begin(1, stream);
        enqueued(token);
        done(token);
        // The collector looks meanwhile.
        assert_eq!((api().session_flush)(20_000), Status::Ok);
        fake.fail(None);
        // One that fails between its two events.
        let token = begin(2, stream);
        fake.fail(Some(function));
        enqueued(token);
        done(token);
        // The collector looks meanwhile.
        assert_eq!((api().session_flush)(20_000), Status::Ok);
        fake.fail(None);
        // SAFETY: plain questions; then the thread's context is taken away.
        unsafe {
            assert_eq!(((fake.fake_depth)(), (fake.fake_current)()), (1, hosts), "{function}");
            (fake.fake_set_current)(std::ptr::null_mut());
        }
        let counters = stop();
        assert!(is_conserved(&counters) && counters.lost == [0; 8], "{function}: {counters:?}");
        let copies = copies(folder.path());
        assert_eq!(copies.len(), 2, "{function}");
        for copy in copies {
            // What only the beginning asks does not keep the second copy from being timed.
            let may_be_timed = copy.transfer == 2 && ["cuStreamGetCtx"].contains(&function);
            let is_timed = copy.timing == Timing::CudaEvents as u8;
            assert!(!is_timed || may_be_timed, "{function}: {copy:?}");
            assert_eq!(copy.outcome, Outcome::Done as u8, "{function}");
            assert_ne!(copy.ended, UNKNOWN_U64);
        }
    }
}

#[test]
fn a_copy_that_never_ends_is_given_up_and_its_events_are_used_again() {
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [context, doomed] = contexts(fake);
    let stream = stream_in(fake, context);
    // SAFETY: tests of this program take turns, and nothing else reads the environment meanwhile.
    unsafe { std::env::set_var("NASHTRACE_TRANSFER_TIMEOUT_MS", "50") };
    start(&options(folder.path()));
    // SAFETY: as above.
    unsafe { std::env::remove_var("NASHTRACE_TRANSFER_TIMEOUT_MS") };
    warm_up(fake, stream);
    let hung = stream_in(fake, context);
    // SAFETY: a stream of the fake's.
    unsafe { (fake.fake_hang)(hung) };
    // More than there are events to begin with, one after another on the way out.
    for number in 1..=300 {
        let token = begin(number, hung);
        enqueued(token);
        if number % 50 == 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    // SAFETY: a plain question.
    let events = unsafe { (fake.fake_live_events)() };
    assert!(events <= 2 * 256 + 2, "{events} events for 50 copies at a time");
    // A context that is gone: its copies end, and its events are not touched.
    let gone = stream_in(fake, doomed);
    warm_up(fake, gone);
    work(fake, gone, 1_000 * MILLISECOND);
    let token = begin(301, gone);
    enqueued(token);
    // SAFETY: a context of the fake's.
    unsafe { (fake.fake_destroy_context)(doomed) };
    let token = begin(302, stream);
    enqueued(token);
    std::thread::sleep(Duration::from_millis(200));
    let counters = stop();
    assert!(is_conserved(&counters) && counters.lost == [0; 8], "{counters:?}");
    let copies = copies(folder.path());
    assert_eq!(copies.len(), 302);
    for copy in &copies[..301] {
        assert_eq!((copy.timing, copy.outcome), (Timing::HostClock as u8, Outcome::Lost as u8));
    }
    assert_eq!(copies[301].timing, Timing::CudaEvents as u8);
}

/// More contexts than there are places, each lost with a copy on it: the next one is timed all the same.
#[test]
fn contexts_that_are_lost_make_room_for_others() {
    const CONTEXTS: i32 = 20;
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [] = contexts(fake);
    start(&options(folder.path()));
    for number in 1..=CONTEXTS {
        // SAFETY: the fake has room for one at a time; it is destroyed below.
        let context = unsafe { (fake.fake_context)(0) };
        let stream = stream_in(fake, context);
        warm_up(fake, stream);
        work(fake, stream, 1_000 * MILLISECOND);
        enqueued(begin(number as u64, stream));
        // SAFETY: a context of the fake's, which nothing of this test uses any more.
        unsafe { (fake.fake_destroy_context)(context) };
    }
    std::thread::sleep(Duration::from_millis(100));
    stop_cleanly(fake);
    let copies = copies(folder.path());
    assert_eq!(copies.len(), CONTEXTS as usize);
    assert!(copies.iter().all(|copy| copy.outcome == Outcome::Lost as u8), "{copies:?}");
}

#[test]
fn a_capture_is_left_alone() {
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [context] = contexts(fake);
    let [stream, captured] = [stream_in(fake, context), stream_in(fake, context)];
    start(&options(folder.path()));
    warm_up(fake, stream);
    let half = begin(1, captured);
    // SAFETY: a stream of the fake's.
    unsafe { (fake.fake_capture)(captured, 1) };
    enqueued(half);
    done(half);
    let token = begin(2, captured);
    enqueued(token);
    done(token);
    // The collector goes on asking for others while a capture of the global mode is under way.
    let token = begin(3, stream);
    enqueued(token);
    std::thread::sleep(Duration::from_millis(100));
    // SAFETY: a stream of the fake's.
    unsafe { (fake.fake_capture)(captured, 0) };
    stop_cleanly(fake);
    let timings: Vec<u8> = copies(folder.path()).iter().map(|copy| copy.timing).collect();
    let (host, events) = (Timing::HostClock as u8, Timing::CudaEvents as u8);
    assert_eq!(timings, [host, host, events]);
}

#[test]
fn streams_and_contexts_do_not_wait_for_one_another() {
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [first, second] = contexts(fake);
    let slow = stream_in(fake, first);
    let fast = [stream_in(fake, first), stream_in(fake, second)];
    start(&options(folder.path()));
    fast.iter().for_each(|stream| warm_up(fake, *stream));
    let token = begin(1, slow);
    work(fake, slow, 100_000 * MILLISECOND);
    enqueued(token);
    for (number, stream) in (2..).zip(fast) {
        let token = begin(number, stream);
        work(fake, stream, MILLISECOND);
        enqueued(token);
        done(token);
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((api().session_flush)(20_000), Status::Ok);
    let written = copies(folder.path());
    assert_eq!(
        written.iter().map(|copy| (copy.transfer, copy.device)).collect::<Vec<_>>(),
        [(2, 0), (3, 1)]
    );
    stop_cleanly(fake);
    let copies = copies(folder.path());
    let [unfinished, ..] = copies[..] else { panic!("three copies") };
    assert_eq!(
        (unfinished.timing, unfinished.outcome),
        (Timing::HostClock as u8, Outcome::Unknown as u8)
    );
    assert!(copies[1..].iter().all(|copy| copy.timing == Timing::CudaEvents as u8));
}

#[test]
fn ten_thousand_copies_share_a_few_events_and_their_hooks_allocate_nothing() {
    const COPIES: u64 = 10_000;
    let (_turn, fake, folder) = (turn(), fake_cuda(), tempfile::tempdir().unwrap());
    let [context] = contexts(fake);
    let streams = [stream_in(fake, context), stream_in(fake, context)];
    start(&options(folder.path()));
    warm_up(fake, streams[0]);
    let before = counting::calls_of_this_thread();
    for number in 1..=COPIES {
        let stream = streams[number as usize % 2];
        let token = begin(number, stream);
        work(fake, stream, 1_000);
        enqueued(token);
        done(token);
        if number % 64 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    assert_eq!(counting::calls_of_this_thread(), before);
    // SAFETY: a plain question.
    let events = unsafe { (fake.fake_live_events)() };
    assert!(events <= 2 * 1024 + 2, "{events} events");
    stop_cleanly(fake);
    let copies = copies(folder.path());
    assert_eq!(copies.len() as u64, COPIES);
    assert!(copies.iter().zip(1..).all(|(copy, number)| copy.transfer == number));
    let timed = copies.iter().filter(|copy| copy.timing == Timing::CudaEvents as u8);
    let timed = timed.map(|copy| assert!(copy.device_ns >= 1_000)).count();
    // A busy machine keeps the collector from giving events back; what has none is counted.
    let text = metrics_text();
    let untimed = text
        .lines()
        .find_map(|line| line.strip_prefix("nashtrace_cuda_untimed_total{reason=\"no_event\"} "));
    let untimed = untimed.map_or(0, |count| count.parse().unwrap());
    assert_eq!(timed + untimed, COPIES as usize);
    assert!(timed >= 1_000, "{timed} of {COPIES} are timed");
}
