//! Clocks that go back, stand still and jump: nothing that a caller tells of time, or a broken counter would, is
//! taken for granted by the hooks, the collector, the metrics or the reader.

mod support;

use nashtrace::abi::{Status, StreamKind};
use nashtrace::record::{Clock, Loss, Outcome, Phase, Record, Transfer};
use support::*;

/// Times in no order, at the ends of what a time can be, and less than half a second around the present.
fn times() -> Vec<u64> {
    let now = (api().ticks)();
    let fixed = [u64::MAX, 1, u64::MAX - 1, 2, 1 << 63, (1 << 63) - 1, 1_000, 999, 1_000];
    let around = (0..50).map(|step: u64| now.saturating_sub(step * step * 1_000));
    fixed.into_iter().chain(around).collect()
}

/// The record with a time on a clock; 0 on the library's own has it read.
fn at<T: Record>(mut record: T, clock: Clock, time: u64) -> T {
    let head = record.head_mut();
    (head.clock, head.time) = (clock as u8, time);
    record
}

fn record_everything_at(clock: Clock, time: u64) {
    let api = api();
    let booked = at(request(7), clock, time);
    let mut finished = booked;
    finished.phase = Phase::Finished as u8;
    let mut transfer: Transfer = at(empty(), clock, time);
    // Ended before it was enqueued, and that before it began.
    (transfer.enqueued, transfer.ended) = (time.wrapping_sub(1_000), time.wrapping_sub(2_000));
    let decided = at(decision(0), clock, time);
    // SAFETY: every record is whole.
    let statuses = unsafe {
        [
            (api.request)(&raw const booked),
            (api.request)(&raw const finished),
            record_decision(&decided, &[candidate(1, 1.0), candidate(2, 2.0)]),
            (api.setting)(&at(empty(), clock, time)),
            (api.block)(&at(empty(), clock, time)),
            (api.transfer)(&raw const transfer),
            (api.planner_tick)(&at(empty(), clock, time)),
            (api.planner_decision)(&at(empty(), clock, time)),
            (api.planner_effect)(&at(empty(), clock, time)),
        ]
    };
    assert_eq!(statuses, [Status::Ok; 9]);
}

/// A copy that began at a time of the caller's, and goes on by the library's clock.
fn copy_begun_at(time: u64) {
    const NO_STREAM: u32 = StreamKind::None as u32;
    let transfer: Transfer = at(empty(), Clock::Ticks, time);
    let mut token = 0;
    // SAFETY: the record is whole, there is no stream, and the token is writable.
    let begun = unsafe {
        (api().transfer_begin)(&raw const transfer, std::ptr::null_mut(), NO_STREAM, &raw mut token)
    };
    assert_eq!(begun, Status::Ok);
    assert_eq!((api().transfer_enqueued)(token), Status::Ok);
    assert_eq!((api().transfer_done)(token, Outcome::Done as u32), Status::Ok);
}

#[test]
fn times_that_go_back_are_recorded_as_they_were_told_and_disturb_nothing() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let times = times();
    for time in &times {
        for clock in [Clock::Caller, Clock::Ticks] {
            record_everything_at(clock, *time);
        }
        copy_begun_at(*time);
        flush();
    }
    // The metrics are still numbers, and no duration is negative.
    let text = metrics_text();
    for (sample, value) in metrics_samples(&text) {
        assert!(value.is_finite() && value >= 0.0, "{sample} {value}");
    }
    let counters = stop();
    assert_eq!(counters.lost.iter().sum::<u64>(), 0);
    assert_eq!(counters.produced, counters.written);

    let contents = contents(folder.path());
    assert!(contents.complete);
    assert!(contents.ledgers.values().all(Loss::is_conserved), "{:?}", contents.ledgers);
    let told: Vec<u64> = contents.requests.iter().map(|(_, request)| request.head.time).collect();
    let expected: Vec<u64> = times.iter().flat_map(|time| [*time; 4]).collect();
    assert_eq!(told, expected);
    assert_eq!(contents.decisions.len(), 2 * times.len());
    assert_eq!((contents.settings.len(), contents.others), (2 * times.len(), 11 * times.len()));
}
