//! Turning the recording off and on while it runs.

mod support;

use nashtrace::abi::Status;
use nashtrace::record::{Kind, LossReason};
use support::files::wait_until;
use support::{
    api, candidate, contents, counters, decision, options, record_decision, record_request, start,
    stop, turn,
};

fn switch(on: u32) -> Status {
    (api().session_switch)(on)
}

#[test]
fn what_happens_while_it_is_off_is_counted_and_nothing_else() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    assert_eq!(record_request(1), Status::Ok);
    assert_eq!(switch(0), Status::Ok);
    assert_eq!(record_request(2), Status::Lost);
    let offered = [candidate(1, 1.0), candidate(2, 2.0), candidate(3, 3.0)];
    assert_eq!(record_decision(&decision(0), &offered), Status::Lost);
    // A thread whose first event comes now has no ring yet, and gets one when it may record.
    let other = std::thread::spawn(|| {
        assert_eq!(record_request(3), Status::Lost);
        assert_eq!(switch(1), Status::Ok);
        assert_eq!(record_request(4), Status::Ok);
    });
    other.join().unwrap();
    assert_eq!(record_request(5), Status::Ok);
    let counters = stop();
    let off = LossReason::SwitchedOff as usize;
    assert_eq!(counters.lost[off], 6, "two requests, a decision and its three candidates");
    assert_eq!(counters.lost.iter().sum::<u64>(), 6);
    assert_eq!(counters.produced, counters.written + 6);

    let contents = contents(folder.path());
    let mut requests: Vec<u64> = contents.requests.iter().map(|(_, r)| r.request).collect();
    requests.sort_unstable();
    assert_eq!(requests, [1, 4, 5]);
    assert!(contents.decisions.is_empty() && contents.complete);
    let lost = |kind: Kind| -> u64 {
        let ledgers = contents.ledgers.values().filter(|ledger| ledger.of_kind == kind as u8);
        ledgers.map(|ledger| ledger.lost[off]).sum()
    };
    assert_eq!([lost(Kind::Request), lost(Kind::Decision), lost(Kind::Candidate)], [2, 1, 3]);
    assert!(contents.ledgers.values().all(nashtrace::record::Loss::is_conserved));
}

#[test]
fn a_file_in_the_directory_turns_it_off() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    let file = folder.path().join("nashtrace.off");
    std::fs::write(&file, "").unwrap();
    wait_until(|| record_request(1) == Status::Lost);
    std::fs::remove_file(&file).unwrap();
    wait_until(|| record_request(2) == Status::Ok);
    let counters = stop();
    assert!(counters.lost[LossReason::SwitchedOff as usize] > 0);
    assert_eq!(counters.produced, counters.written + counters.lost.iter().sum::<u64>());
}

#[test]
fn without_a_session_there_is_nothing_to_switch() {
    let _turn = turn();
    assert_eq!((switch(0), switch(1)), (Status::NotRunning, Status::NotRunning));
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    assert_eq!(switch(2), Status::InvalidArgument);
    // A session that is stopped while it is off does not leave the next one off.
    assert_eq!(switch(0), Status::Ok);
    stop();
    let folder = tempfile::tempdir().unwrap();
    start(&options(folder.path()));
    assert_eq!(record_request(1), Status::Ok);
    stop();
    assert_eq!(counters().lost, [0; 8]);
}
