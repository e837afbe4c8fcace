//! A disk that is full: events are lost, counted as such, and nobody waits.

use std::time::{Duration, Instant};

use nashtrace::abi::{ABI_VERSION, Counters, SessionOptions, Status, nashtrace_get_api};
use nashtrace::record::{Kind, Loss, LossReason, Request};
use nashtrace::trace::{Item, Reader};
use zerocopy::FromZeros;

/// Limit the size of the files that this process writes. Reaching it fails a write as a full disk
/// does, and would also send SIGXFSZ if the collector's thread did not block it.
fn limit_file_size(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the struct is whole.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }, 0);
}

#[test]
fn what_cannot_be_written_is_counted_as_lost_and_writing_goes_on_when_there_is_room() {
    const LIMIT: u64 = 20_000;
    // SAFETY: the table is static.
    let api = unsafe { nashtrace_get_api(ABI_VERSION).as_ref() }.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().to_str().unwrap();
    let options = SessionOptions {
        struct_size: size_of::<SessionOptions>() as u32,
        max_producers: 0,
        directory: text.as_ptr().cast(),
        directory_length: text.len(),
        ring_bytes: 1 << 22,
        flush_ms: 1,
        poll_ms: 1,
    };
    let record = |count: u64| {
        let mut request = Request::new_zeroed();
        request.head.struct_size = size_of::<Request>() as u32;
        for _ in 0..count {
            // Keys that do not compress.
            request.request = request.request.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(99);
            // SAFETY: the struct is whole.
            assert_eq!(unsafe { (api.request)(&raw const request) }, Status::Ok);
        }
    };
    // SAFETY: the options are whole.
    assert_eq!(unsafe { (api.session_start)(&raw const options) }, Status::Ok);
    record(100);
    assert_eq!((api.session_flush)(20_000), Status::Ok);
    limit_file_size(LIMIT);
    let began = Instant::now();
    record(20_000);
    assert!(began.elapsed() < Duration::from_secs(5), "a hook waited for the disk");
    assert_eq!((api.session_flush)(20_000), Status::Io);
    limit_file_size(libc::RLIM_INFINITY);
    record(100);
    assert_eq!((api.session_stop)(20_000), Status::Ok);

    let mut counters = Counters {
        struct_size: size_of::<Counters>() as u32,
        reserved: 0,
        produced: 0,
        written: 0,
        lost: [0; 8],
        panics: 0,
    };
    // SAFETY: the struct is writable.
    assert_eq!(unsafe { (api.session_counters)(&raw mut counters, 20_000) }, Status::Ok);
    let lost = counters.lost[LossReason::Io as usize];
    assert!(lost > 0);
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());

    // What fits is whole, what did not is a gap in the numbering, and the ledger says so.
    let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let mut reader = Reader::open(&file).unwrap();
    let (mut requests, mut ledger, mut missing, mut next, mut next_own) = (0, None, 0, 0, 0);
    while let Some(item) = reader.next_item().unwrap() {
        let Item::Packet(packet) = item else { panic!("a failed write left a torn packet") };
        if packet.header.producer == 1 {
            missing += packet.header.sequence - next;
            next = packet.header.sequence + 1;
        }
        for record in packet.records() {
            if packet.header.producer == 0 {
                assert_eq!(record.head.sequence, next_own, "the collector's records have no gap");
                next_own += 1;
            }
            requests += u64::from(record.to::<Request>().is_some());
            if let Some(loss) = record.to::<Loss>()
                && loss.of_kind == Kind::Request as u8
            {
                ledger = Some(loss);
            }
        }
    }
    let ledger = ledger.unwrap();
    assert!(missing > 0);
    assert_eq!((ledger.produced, ledger.written), (20_200, requests));
    assert_eq!(ledger.lost[LossReason::Io as usize], 20_200 - requests);
}
