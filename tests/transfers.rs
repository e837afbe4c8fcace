//! Copies without a stream, and on a stream where there is no driver: the host's clock, and the same law of
//! conservation as for everything else.

mod counting;
mod support;

use std::path::Path;
use std::ptr;
use std::time::Duration;

use nashtrace::abi::{Counters, Status, StreamKind};
use nashtrace::record::{LossReason, Outcome, Strategy, Tier, Timing, Transfer, UNKNOWN_U64};
use nashtrace::trace::{Item, Reader};
use support::{api, metrics_text, options, settle_ledger, start, stop, turn};
use zerocopy::FromZeros;

const NONE: u32 = StreamKind::None as u32;
const CUDA: u32 = StreamKind::Cuda as u32;

fn copy(number: u64) -> Transfer {
    let mut transfer = Transfer::new_zeroed();
    transfer.head.struct_size = size_of::<Transfer>() as u32;
    transfer.transfer = number;
    transfer.bytes = 1_000;
    transfer.from_tier = Tier::G2 as u8;
    transfer.to_tier = Tier::G3 as u8;
    transfer.strategy = Strategy::NixlWrite as u8;
    transfer
}

fn try_begin(number: u64, stream_kind: u32) -> (Status, u64) {
    let mut token = 0;
    // SAFETY: the record is whole and the token writable; NULL is a stream where one is asked for.
    let status = unsafe {
        (api().transfer_begin)(&copy(number), ptr::null_mut(), stream_kind, &raw mut token)
    };
    (status, token)
}

fn begin(number: u64, stream_kind: u32) -> u64 {
    let (status, token) = try_begin(number, stream_kind);
    assert_eq!(status, Status::Ok);
    token
}

fn enqueued(token: u64) -> Status {
    (api().transfer_enqueued)(token)
}

fn done(token: u64, outcome: Outcome) -> Status {
    (api().transfer_done)(token, outcome as u32)
}

fn copies(directory: &Path) -> Vec<Transfer> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let mut reader = Reader::open(&file.unwrap().path()).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Packet(packet) = item else { panic!("damage") };
            found.extend(packet.records().filter_map(|record| record.to::<Transfer>()));
        }
    }
    found.sort_by_key(|copy| copy.transfer);
    found
}

fn is_conserved(counters: &Counters) -> bool {
    counters.produced == counters.written + counters.lost.iter().sum::<u64>()
}

#[test]
fn copies_have_the_hosts_times_and_what_the_host_said_of_their_end() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let before = (api().ticks)();
    let outcomes = [Outcome::Done, Outcome::Failed, Outcome::Cancelled];
    for (number, outcome) in (1..).zip(outcomes) {
        let token = begin(number, NONE);
        assert_eq!(enqueued(token), Status::Ok);
        assert_eq!(done(token, outcome), Status::Ok);
        // Each call is taken once.
        assert_eq!(enqueued(token), Status::InvalidArgument);
        assert_eq!(done(token, outcome), Status::InvalidArgument);
    }
    // A copy that failed before it was handed over, one that ends on another thread, and one on a stream
    // where there is no driver.
    let failed = begin(4, NONE);
    assert_eq!(done(failed, Outcome::Failed), Status::Ok);
    let elsewhere = begin(5, NONE);
    std::thread::spawn(move || assert_eq!(done(elsewhere, Outcome::Done), Status::Ok))
        .join()
        .unwrap();
    let on_stream = begin(6, CUDA);
    assert_eq!((enqueued(on_stream), done(on_stream, Outcome::Done)), (Status::Ok, Status::Ok));
    // One that is recorded when it is over, and one that is still under way when the session stops.
    let whole = Transfer { ended: before, outcome: Outcome::Done as u8, ..copy(7) };
    // SAFETY: the record is whole.
    assert_eq!(unsafe { (api().transfer)(&whole) }, Status::Ok);
    let open = begin(8, NONE);
    // A copy that is not recorded.
    assert_eq!((enqueued(0), done(0, Outcome::Done)), (Status::Ok, Status::Ok));
    let after = (api().ticks)();
    let counters = stop();
    assert!(is_conserved(&counters) && counters.lost == [0; 8], "{counters:?}");
    assert_eq!(
        (enqueued(open), done(open, Outcome::Done)),
        (Status::NotRunning, Status::NotRunning)
    );

    let copies = copies(folder.path());
    assert_eq!(
        copies.iter().map(|copy| copy.transfer).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6, 7, 8]
    );
    for (copy, outcome) in copies.iter().zip(outcomes) {
        assert_eq!(copy.outcome, outcome as u8);
        assert!(before <= copy.head.time && copy.head.time <= copy.enqueued);
        assert!(copy.enqueued <= copy.ended && copy.ended <= after);
    }
    for copy in &copies[..6] {
        assert_eq!(copy.timing, Timing::HostClock as u8);
        assert_eq!(
            (copy.bytes, copy.device_began, copy.device_ns),
            (1_000, UNKNOWN_U64, UNKNOWN_U64)
        );
    }
    assert_eq!((copies[3].enqueued, copies[3].outcome), (UNKNOWN_U64, Outcome::Failed as u8));
    assert_eq!((copies[7].ended, copies[7].outcome), (UNKNOWN_U64, Outcome::Unknown as u8));

    let text = metrics_text();
    let route = "from_tier=\"g2\",";
    let rest = "strategy=\"nixl_write\",";
    for line in [
        format!("dynamo_kvbm_transfers_total{{{route}outcome=\"done\",{rest}to_tier=\"g3\"}} 4"),
        format!("dynamo_kvbm_transfers_total{{{route}outcome=\"failed\",{rest}to_tier=\"g3\"}} 2"),
        // Done, and not told.
        format!(
            "dynamo_kvbm_transfer_bytes_total{{{route}strategy=\"nixl_write\",to_tier=\"g3\"}} 5000"
        ),
        format!(
            "dynamo_kvbm_transfer_seconds_count{{{route}{rest}timing=\"host_clock\",to_tier=\"g3\"}} 3"
        ),
        "nashtrace_cuda_untimed_total{reason=\"warming_up\"} 1".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn nobody_waits_for_ever_and_tokens_of_other_copies_are_refused() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: tests of this program take turns, and nothing else reads the environment meanwhile.
    unsafe { std::env::set_var("NASHTRACE_TRANSFER_TIMEOUT_MS", "30") };
    start(&options(folder.path()));
    // SAFETY: as above.
    unsafe { std::env::remove_var("NASHTRACE_TRANSFER_TIMEOUT_MS") };
    let forgotten = begin(1, NONE);
    assert_eq!(enqueued(forgotten), Status::Ok);
    std::thread::sleep(Duration::from_millis(200));
    // Its place is another copy's now; its token is still its own.
    let other = begin(2, NONE);
    assert_ne!(other, forgotten);
    assert_eq!(done(forgotten, Outcome::Done), Status::InvalidArgument);
    assert_eq!(enqueued(forgotten), Status::InvalidArgument);
    assert_eq!(done(other, Outcome::Done), Status::Ok);
    for token in [1, u64::MAX, 1 << 32, other + 1, other ^ (1 << 63), 4_097, u64::from(u32::MAX)] {
        assert_eq!(enqueued(token), Status::InvalidArgument);
        assert_eq!(done(token, Outcome::Done), Status::InvalidArgument);
    }
    stop();
    let outcomes: Vec<u8> = copies(folder.path()).iter().map(|copy| copy.outcome).collect();
    assert_eq!(outcomes, [Outcome::Lost as u8, Outcome::Done as u8]);
    // A token of a session that has stopped, in the next one.
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let old = begin(1, NONE);
    stop();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    assert_eq!(done(old, Outcome::Done), Status::InvalidArgument);
    stop();
    assert_eq!(copies(folder.path()), []);
}

#[test]
fn more_copies_than_there_is_room_for_are_lost_and_counted() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let begun: Vec<(Status, u64)> = (0..5_000).map(|number| try_begin(number, NONE)).collect();
    let refused = begun.iter().filter(|(status, _)| *status == Status::Lost).count();
    assert!(begun.iter().all(|(status, token)| (*status == Status::Ok) == (*token != 0)));
    for (_, token) in begun.iter().filter(|(status, _)| *status == Status::Ok) {
        assert_eq!(done(*token, Outcome::Done), Status::Ok);
    }
    // What has been written makes room.
    assert_eq!((api().session_flush)(20_000), Status::Ok);
    // While it is switched off no copy begins; those that have begun end.
    let begun_before = begin(9_999, NONE);
    assert_eq!((api().session_switch)(0), Status::Ok);
    assert_eq!(try_begin(10_000, NONE), (Status::Lost, 0));
    assert_eq!(done(begun_before, Outcome::Done), Status::Ok);
    let counters = stop();
    assert_eq!(try_begin(10_001, NONE), (Status::Lost, 0));
    assert!(is_conserved(&counters), "{counters:?}");
    assert_eq!(counters.lost[LossReason::Full as usize], refused as u64);
    assert_eq!(counters.lost[LossReason::SwitchedOff as usize], 1);
    assert_eq!(refused, 5_000 - 4_096);
    assert_eq!(copies(folder.path()).len(), 4_096 + 1);
    settle_ledger();
}

#[test]
fn threads_copy_at_once_and_nothing_is_lost_or_allocated() {
    const EACH: u64 = 5_000;
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let work = |thread: u64| {
        move || {
            let before = counting::calls_of_this_thread();
            let mut begun = 0;
            for number in 0..EACH {
                if number % 500 == 0 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let (status, token) = try_begin(thread * EACH + number, NONE);
                if status == Status::Ok {
                    begun += 1;
                    assert_eq!(enqueued(token), Status::Ok);
                    assert_eq!(done(token, Outcome::Done), Status::Ok);
                }
            }
            assert_eq!(counting::calls_of_this_thread(), before);
            begun
        }
    };
    let threads: Vec<_> = (0..4).map(|thread| std::thread::spawn(work(thread))).collect();
    let begun: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    let counters = stop();
    assert!(is_conserved(&counters), "{counters:?}");
    assert_eq!(begun + counters.lost[LossReason::Full as usize], 4 * EACH);
    let copies = copies(folder.path());
    assert_eq!(copies.len() as u64, begun);
    assert!(
        copies.windows(2).all(|pair| pair[0].transfer < pair[1].transfer),
        "one is there twice"
    );
}

#[test]
fn what_a_caller_does_wrong_he_is_told() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let check = || {
        let begin = api().transfer_begin;
        let null = ptr::null_mut();
        let whole = copy(1);
        let mut tokens = [77_u64; 2];
        let token = &raw mut tokens[0];
        // SAFETY: pointers are whole, NULL, misaligned, or come with a size that is refused before they are
        // followed.
        unsafe {
            assert_eq!(begin(ptr::null(), null, NONE, token), Status::NullPointer);
            assert_eq!(begin(&whole, null, NONE, ptr::null_mut()), Status::NullPointer);
            for by in 1..8 {
                let moved = (&raw const whole).wrapping_byte_add(by);
                assert_eq!(begin(moved, null, NONE, token), Status::Misaligned);
                let moved = token.wrapping_byte_add(by);
                assert_eq!(begin(&whole, null, NONE, moved), Status::Misaligned);
            }
            for struct_size in [0, 1, 23, 24, 95] {
                let mut small = whole;
                small.head.struct_size = struct_size;
                assert_eq!(begin(&small, null, NONE, token), Status::StructTooSmall);
            }
            for clock in [1, 2, 255] {
                let mut bad = whole;
                bad.head.clock = clock;
                assert_eq!(begin(&bad, null, NONE, token), Status::InvalidArgument);
            }
            for kind in [2, 3, u32::MAX] {
                assert_eq!(begin(&whole, null, kind, token), Status::InvalidArgument);
            }
            // A stream that is none.
            let stream = ptr::dangling_mut::<u8>().cast();
            assert_eq!(begin(&whole, stream, NONE, token), Status::InvalidArgument);
        }
        for outcome in [5, 6, u32::MAX] {
            assert_eq!((api().transfer_done)(0, outcome), Status::InvalidArgument);
        }
        assert_eq!(tokens, [77; 2], "an out-parameter is written on success only");
    };
    check();
    start(&options(folder.path()));
    check();
    assert_eq!(stop().lost, [0; 8]);
    assert_eq!(copies(folder.path()), []);
}
