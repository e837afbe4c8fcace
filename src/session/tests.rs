use super::*;
use crate::record::{Head, Kind, Request};

/// What a hook is told that records a request now.
pub(super) fn record() -> Result<(), LossReason> {
    let head = Head::new(Kind::Request, size_of::<Request>());
    let fill = |hook: Hook<'_>| {
        let mut grant = hook.reserve(head, None)?;
        grant.append_zeros(size_of::<Request>() - size_of::<Head>());
        grant.commit()
    };
    with_producer(fill, |_| Err(LossReason::SwitchedOff))?
}

pub(super) fn begin(config: Config) {
    start(config, Vec::new()).unwrap();
}

/// One session runs per process, so tests take turns.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock()
}

pub(super) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_panic_of_the_collector_ends_the_session_and_nothing_else() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let config = || Config::new(folder.path().into());
    begin(config());
    assert_eq!(record(), Ok(()));
    commands().unwrap().send(Command::Panic).unwrap();
    wait_until(|| RUNNING.load(Ordering::Relaxed) == 0);
    assert_eq!(record(), Err(LossReason::AfterShutdown));
    assert!(matches!(flush(Duration::from_secs(1)), Err(SessionError::NotRunning)));
    // The host may begin anew.
    begin(config());
    assert_eq!(record(), Ok(()));
    stop(Duration::from_secs(20)).unwrap();
}

#[test]
fn what_a_dead_collector_did_not_write_is_lost_and_counted() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().into());
    // What is not flushed stays in the rings.
    config.flush_interval = Duration::from_secs(60);
    begin(config);
    (0..3).for_each(|_| record().unwrap());
    flush(Duration::from_secs(20)).unwrap();
    (0..5).for_each(|_| record().unwrap());
    commands().unwrap().send(Command::Panic).unwrap();
    wait_until(|| matches!(commands(), Err(SessionError::NotRunning)));
    count_without_ring(|losses| losses.lose(LossReason::AfterShutdown, Kind::Request, 1));
    let totals = totals(Duration::from_secs(20)).unwrap();
    let request = Kind::Request as usize;
    assert_eq!((totals.produced[request], totals.written[request]), (9, 3));
    assert_eq!(totals.lost[request][LossReason::Io as usize], 5);
    assert_eq!(totals.lost[request][LossReason::AfterShutdown as usize], 1);
    let lost: u64 = totals.all_lost().iter().sum();
    assert_eq!(totals.all_produced(), totals.all_written() + lost);
    let text = metrics_text().unwrap();
    assert!(text.contains("\nnashtrace_collector_up 0\n"), "{text}");
    assert!(text.contains("nashtrace_events_lost_total{kind=\"request\",reason=\"io\"} 5\n"));
    // It is nobody else's loss: the next session begins with a clean ledger.
    begin(Config::new(folder.path().into()));
    stop(Duration::from_secs(20)).unwrap();
    let lost = super::totals(Duration::from_secs(20)).unwrap().all_lost();
    assert_eq!(lost[LossReason::Io as usize], 0);
}

#[test]
fn what_a_dead_collector_remembers_is_saved() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().into());
    config.mode = crate::config::SessionMode::Flight;
    begin(config);
    record().unwrap();
    flush(Duration::from_secs(20)).unwrap();
    commands().unwrap().send(Command::Panic).unwrap();
    wait_until(|| matches!(commands(), Err(SessionError::NotRunning)));
    assert_eq!(totals(Duration::from_secs(20)).unwrap().written[Kind::Request as usize], 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_collector_that_dies_while_its_session_is_being_started_leaves_none() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut slot = vacant_slot().unwrap();
    let generation = LAST.load(Ordering::Relaxed) + 2 * SWITCHED_OFF;
    let registry = Registry::new(1 << 12, 1);
    let owner = Running { generation, is_dead: Arc::default(), registry: Arc::clone(&registry) };
    switch::begin(generation).unwrap();
    // Whoever holds the lock for longer than the dying collector waits is told by what it left.
    owner.collector_died();
    owner.gave_up(None);
    let session = Session {
        number: generation,
        registry,
        commands: crossbeam_channel::unbounded().0,
        is_dead: owner.is_dead,
    };
    assert!(matches!(let_run(session, &mut slot), Err(SessionError::Io(_))));
    assert!(slot.is_none());
    drop(slot);
    assert_eq!(RUNNING.load(Ordering::SeqCst), 0);
    begin(Config::new(folder.path().into()));
    assert_eq!(record(), Ok(()));
    stop(Duration::from_secs(20)).unwrap();
}

#[test]
fn the_recording_is_on_when_neither_the_host_nor_the_file_has_turned_it_off() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    begin(Config::new(folder.path().into()));
    let session = running().unwrap();
    let rings = registry().unwrap();
    let file = |on| assert!(switch::set(&RUNNING, session, Cause::File, on, &rings));
    let is_on = || record() == Ok(());
    switch(false).unwrap();
    file(false);
    file(true);
    assert!(!is_on(), "the host has not turned it on again");
    file(false);
    switch(true).unwrap();
    assert!(!is_on(), "the file is there");
    file(true);
    assert!(is_on());
    stop(Duration::from_secs(20)).unwrap();
    assert!(!switch::set(&RUNNING, session + 2, Cause::File, false, &rings), "no such session");
    assert_eq!(RUNNING.load(Ordering::SeqCst), 0);
}

#[test]
fn a_file_that_is_found_before_the_session_runs_turns_it_off() {
    let _turn = turn();
    let session = LAST.load(Ordering::Relaxed) + 2 * SWITCHED_OFF;
    switch::begin(session).unwrap();
    let rings = Registry::new(1 << 12, 1);
    assert!(switch::set(&RUNNING, session, Cause::File, false, &rings));
    assert_eq!(RUNNING.load(Ordering::SeqCst), 0);
    let running = AtomicU64::new(0);
    switch::run(&running, session).unwrap();
    assert_eq!(running.into_inner(), session | SWITCHED_OFF);
}
