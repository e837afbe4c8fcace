//! Faults that are injected: they are contained and counted, and the recording ends.

use super::tests::{begin, record, turn, wait_until};
use super::*;
use crate::record::Request;
use crate::{abi, trace};

#[test]
fn a_panic_of_the_writer_is_counted_and_ends_the_session_and_nothing_else() {
    let _turn = turn();
    let before = panics();
    let folder = tempfile::tempdir().unwrap();
    begin(Config::new(folder.path().into()));
    assert_eq!(record(), Ok(()));
    std::fs::write(folder.path().join(trace::WRITER_FAULT), "").unwrap();
    wait_until(|| RUNNING.load(Ordering::Relaxed) == 0);
    assert_eq!(panics(), before + 1);
    assert_eq!(record(), Err(LossReason::AfterShutdown));
    assert!(matches!(flush(Duration::from_secs(1)), Err(SessionError::NotRunning)));
    std::fs::remove_file(folder.path().join(trace::WRITER_FAULT)).unwrap();
    begin(Config::new(folder.path().into()));
    assert_eq!(record(), Ok(()));
    stop(Duration::from_secs(20)).unwrap();
}

#[test]
fn a_panic_of_an_exported_function_is_counted_and_switches_the_recording_off() {
    let _turn = turn();
    // SAFETY: the table is static.
    let api = unsafe { abi::nashtrace_get_api(abi::ABI_VERSION).as_ref() }.unwrap();
    let fails: [(&str, &dyn Fn() -> bool); 4] = [
        // SAFETY: NULL is allowed, and is not looked at in a call that fails.
        ("request", &|| unsafe { (api.request)(std::ptr::null()) } == abi::Status::Panicked),
        ("session_flush", &|| (api.session_flush)(1_000) == abi::Status::Panicked),
        // SAFETY: the text has that many bytes.
        ("request_key", &|| unsafe { (api.request_key)(c"x".as_ptr(), 1) } == 0),
        ("ticks", &|| (api.ticks)() == 0),
    ];
    for (function, fails) in fails {
        let folder = tempfile::tempdir().unwrap();
        begin(Config::new(folder.path().into()));
        assert_eq!(record(), Ok(()));
        let before = panics();
        abi::fault::ask();
        assert!(fails(), "{function}");
        assert_eq!(panics(), before + 1, "{function}");
        assert_eq!(record(), Err(LossReason::SwitchedOff), "{function}");
        // The next call is served, and what was recorded is kept.
        assert!((api.ticks)() > 0);
        stop(Duration::from_secs(20)).unwrap();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut reader = trace::Reader::open(&file).unwrap();
        let mut requests = 0;
        while let Some(trace::Item::Packet(packet)) = reader.next_item().unwrap() {
            requests += packet.records().filter_map(|record| record.to::<Request>()).count();
        }
        assert_eq!(requests, 1, "{function}");
    }
}
