//! One capture session at a time: started, flushed and stopped by the host, running on one collector
//! thread of ours.

#[cfg(test)]
mod panic_tests;
mod switch;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender};
use once_cell::sync::OnceCell;
use parking_lot::{Mutex, MutexGuard};

use self::switch::Cause;

use crate::clock;
use crate::collector::{self, Command, Owner, Places, StartError, Stopped};
use crate::config::Config;
use crate::cuda;
use crate::lock;
use crate::metrics;
use crate::record::{BlockSample, LossReason};
use crate::ring::{
    self, BlockLane, Hook, Registry, SWITCHED_OFF, SessionLosses, SharedLosses, Snapshot,
};
use crate::state::Totals;

/// The number of the running session, 0 if none runs, even otherwise, with [`SWITCHED_OFF`] while it records nothing.
/// The only thing that a hook looks at.
static RUNNING: AtomicU64 = AtomicU64::new(0);

/// The number of the last session that was started.
static LAST: AtomicU64 = AtomicU64::new(0);

/// The [`BlockSample`] that is recorded; [`NO_BLOCKS`] if no block event is wanted.
static BLOCK_SAMPLE: AtomicU64 = AtomicU64::new(u64::MAX);

/// What is no sample.
const NO_BLOCKS: u64 = 0;

/// Set in the child of a fork: rings and collector belong to the parent.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Events that found no ring or no session.
static WITHOUT_RING: SharedLosses = SharedLosses::new();

/// Panics that reached the boundary.
static PANICS: AtomicU64 = AtomicU64::new(0);

static SESSION: Mutex<Option<Session>> = Mutex::new(None);

/// How the last session ended.
static LAST_STOP: Mutex<LastStop> =
    Mutex::new(LastStop { without_ring: Snapshot::NONE, totals: None });

static PROCESS_HOOKS: OnceCell<()> = OnceCell::new();

/// How long an exiting process waits for its trace to be completed.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a caller waits for the session table, which is only ever held for moments.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// The metrics of the running session, or of the last one.
static METRICS: Mutex<Option<prometheus::Registry>> = Mutex::new(None);

struct Session {
    number: u64,
    registry: Arc<Registry>,
    commands: Sender<Command>,
    /// Its collector has died, and may still be settling the accounts.
    is_dead: Arc<AtomicBool>,
}

struct LastStop {
    /// What had been counted without a ring by then; the rest belongs to the next session's file.
    without_ring: Snapshot,
    /// `None` if no session ended, or the last one did not say how.
    totals: Option<Totals>,
}

/// Why a session could not be started, flushed or stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// A session runs already.
    #[error("a session is already running")]
    AlreadyRunning,
    /// No session runs.
    #[error("no session is running")]
    NotRunning,
    /// This process is the child of a fork.
    #[error("the session belongs to the parent of this forked process")]
    Forked,
    /// The trace file or the collector thread could not be made.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The collector did not answer in time.
    #[error("the collector did not answer in time")]
    Timeout,
}

impl From<StartError> for SessionError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Timeout => Self::Timeout,
            StartError::Io(error) => Self::Io(error),
        }
    }
}

/// In the child of a fork there is nothing to start or to stop, and locks may be held for ever by
/// threads that the child does not have.
///
/// # Errors
///
/// [`SessionError::Forked`] in a forked child.
pub(crate) fn not_forked() -> Result<(), SessionError> {
    if FORKED.load(Ordering::Relaxed) { Err(SessionError::Forked) } else { Ok(()) }
}

/// Start a session. Its file is created before this returns; its thread does everything else, and writes
/// the warnings to standard error. Without the listener that the configuration asks for it goes on.
///
/// # Errors
///
/// If a session runs already, or the trace file or the thread cannot be made, or not in time.
pub(crate) fn start(config: Config, warnings: Vec<String>) -> Result<(), SessionError> {
    not_forked()?;
    let mut slot = vacant_slot()?;
    PROCESS_HOOKS.get_or_try_init(register_process_hooks)?;
    let registry = Registry::new(config.ring_bytes, config.max_producers);
    let (commands, received) = crossbeam_channel::unbounded();
    let generation = LAST.load(Ordering::Relaxed) + 2 * SWITCHED_OFF;
    let before = lock::take(&LAST_STOP).ok_or(SessionError::Timeout)?.without_ring;
    let without_ring = SessionLosses { counters: &WITHOUT_RING, before };
    let metrics = prometheus::Registry::new();
    let blocks = match config.block_sample {
        0 => NO_BLOCKS,
        hashes => BlockSample::one_in(hashes).largest,
    };
    BLOCK_SAMPLE.store(blocks, Ordering::Relaxed);
    cuda::switch(config.cuda);
    switch::begin(generation).ok_or(SessionError::Timeout)?;
    let is_dead = Arc::new(AtomicBool::new(false));
    let owner =
        Running { generation, is_dead: Arc::clone(&is_dead), registry: Arc::clone(&registry) };
    let places = Places { registry: Arc::clone(&registry), commands: received, without_ring };
    collector::spawn(config, warnings, places, metrics.clone(), owner)?;
    // Nobody holds it for long; should it be held all the same, the text of the session before stays.
    if let Some(mut shown) = lock::take(&METRICS) {
        *shown = Some(metrics);
    }
    LAST.store(generation, Ordering::Relaxed);
    let_run(Session { number: generation, registry, commands, is_dead }, &mut slot)
}

/// # Errors
///
/// If the session's collector has died meanwhile.
fn let_run(session: Session, slot: &mut Option<Session>) -> Result<(), SessionError> {
    switch::run(&RUNNING, session.number).ok_or(SessionError::Timeout)?;
    // One that died before this found nothing to end; one that dies from now on ends it.
    if session.is_dead.load(Ordering::SeqCst) {
        RUNNING.store(0, Ordering::SeqCst);
        return Err(collector_failed());
    }
    *slot = Some(session);
    Ok(())
}

/// The place of the session, with none in it. A session whose collector has died is given the time to
/// settle its accounts.
fn vacant_slot() -> Result<MutexGuard<'static, Option<Session>>, SessionError> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        let slot = lock::take(&SESSION).ok_or(SessionError::Timeout)?;
        match &*slot {
            None => return Ok(slot),
            Some(session)
                if session.is_dead.load(Ordering::SeqCst) && Instant::now() < deadline => {}
            Some(_) => return Err(SessionError::AlreadyRunning),
        }
        drop(slot);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn collector_failed() -> SessionError {
    SessionError::Io(std::io::Error::other("the collector has failed"))
}

/// The metrics of the running session, or of the last one, as Prometheus reads them.
///
/// # Errors
///
/// If there was no session.
pub(crate) fn metrics_text() -> Result<String, SessionError> {
    not_forked()?;
    let registry = lock::take(&METRICS).ok_or(SessionError::Timeout)?.clone();
    registry.map(|registry| metrics::text(&registry)).ok_or(SessionError::NotRunning)
}

/// Write everything that was recorded before this call, and make it durable.
///
/// # Errors
///
/// If no session runs, the file cannot be written, or the time is over.
pub(crate) fn flush(timeout: Duration) -> Result<(), SessionError> {
    ask(Command::Flush, timeout)?.map_err(SessionError::Io)
}

/// Like [`flush`], but a flight recorder writes what it remembers to disk, and begins to remember anew.
///
/// # Errors
///
/// As for [`flush`].
pub(crate) fn dump(timeout: Duration) -> Result<(), SessionError> {
    ask(Command::Dump, timeout)?.map_err(SessionError::Io)
}

/// Ask the collector something, and wait for the answer.
fn ask<T>(command: fn(Sender<T>) -> Command, timeout: Duration) -> Result<T, SessionError> {
    not_forked()?;
    let commands = commands()?;
    let (reply, replied) = crossbeam_channel::bounded(1);
    commands.send(command(reply)).map_err(|_| SessionError::NotRunning)?;
    replied.recv_timeout(timeout).map_err(|error| match error {
        RecvTimeoutError::Timeout => SessionError::Timeout,
        RecvTimeoutError::Disconnected => SessionError::NotRunning,
    })
}

/// Stop the session and complete its file. Later events are lost, and counted as such.
///
/// # Errors
///
/// If no session runs, the file could not be completed, or the time is over; the session is stopped
/// in any case.
pub(crate) fn stop(timeout: Duration) -> Result<(), SessionError> {
    not_forked()?;
    let session = end_session()?;
    let (reply, replied) = crossbeam_channel::bounded(1);
    session.commands.send(Command::Stop(reply)).map_err(|_| SessionError::NotRunning)?;
    let stopped = replied.recv_timeout(timeout).map_err(|error| match error {
        RecvTimeoutError::Timeout => SessionError::Timeout,
        RecvTimeoutError::Disconnected => collector_failed(),
    })?;
    let Stopped { totals, without_ring, result } = stopped;
    tell_last_stop(LastStop { without_ring, totals: Some(totals) });
    result.map_err(SessionError::Io)
}

/// Nothing is recorded in the session from now on.
fn end_session() -> Result<Session, SessionError> {
    let mut slot = lock::take(&SESSION).ok_or(SessionError::Timeout)?;
    let session = slot.take().ok_or(SessionError::NotRunning)?;
    RUNNING.store(0, Ordering::SeqCst);
    session.registry.end_lanes();
    ring::order_hooks_before_stop();
    tell_last_stop(LastStop { without_ring: WITHOUT_RING.snapshot(), totals: None });
    Ok(session)
}

/// A session is over in any case, so a caller who has interrupted one that asks for the counters is not
/// refused: then they go on telling of the session before.
fn tell_last_stop(stop: LastStop) {
    if let Some(mut last) = lock::take(&LAST_STOP) {
        *last = stop;
    }
}

/// Turn the recording of the running session off or on, for the host's part: while the file says that it
/// is off, it is. Hooks that are under way are finished.
///
/// # Errors
///
/// If no session runs.
pub(crate) fn switch(on: bool) -> Result<(), SessionError> {
    not_forked()?;
    let session = running().ok_or(SessionError::NotRunning)?;
    let registry = registry().ok_or(SessionError::NotRunning)?;
    let is_set = switch::set(&RUNNING, session, Cause::Host, on, &registry);
    is_set.then_some(()).ok_or(SessionError::NotRunning)
}

/// An exported function has panicked: the host goes on, but nothing is recorded by a library that fails.
#[cold]
pub(crate) fn has_panicked() {
    PANICS.fetch_add(1, Ordering::Relaxed);
    // Where no session runs there is nothing to turn off.
    let _ = switch(false);
}

/// Panics of exported functions and of collectors since the library was loaded.
pub(crate) fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// What was produced, written and lost in the running session; if none runs, in the last one that was
/// stopped or whose collector died, and what was lost since.
///
/// # Errors
///
/// If there is nothing to tell or the time is over.
pub(crate) fn totals(timeout: Duration) -> Result<Totals, SessionError> {
    match ask(Command::Totals, timeout) {
        Err(SessionError::NotRunning) => {
            let last = lock::take(&LAST_STOP).ok_or(SessionError::Timeout)?;
            let mut totals = last.totals.ok_or(SessionError::NotRunning)?;
            totals.add_losses(&WITHOUT_RING.snapshot().since(&last.without_ring));
            Ok(totals)
        }
        told => told,
    }
}

/// Run `record` with the ring that the calling thread has for this session, or `refuse` if the recording is
/// switched off; `None` if there is more to it, which is for [`with_producer`].
#[inline]
pub(crate) fn with_ring<R>(
    record: impl FnOnce(Hook<'_>) -> R,
    refuse: impl FnOnce(Hook<'_>) -> R,
) -> Option<R> {
    ring::with_ring(&RUNNING, record, refuse)
}

/// Run `record` with the calling thread's ring, or `refuse` if the recording is switched off.
///
/// # Errors
///
/// Why the thread has no ring. Nothing is counted; see [`count_without_ring`].
pub(crate) fn with_producer<R>(
    record: impl FnOnce(Hook<'_>) -> R,
    refuse: impl FnOnce(Hook<'_>) -> R,
) -> Result<R, LossReason> {
    ring::with_producer(&RUNNING, registry, record, refuse)
}

/// The number of the running session if it records.
///
/// # Errors
///
/// Why nothing is recorded. Nothing is counted; see [`count_without_ring`].
#[inline]
pub(crate) fn recording() -> Result<u64, LossReason> {
    match RUNNING.load(Ordering::SeqCst) {
        0 => Err(LossReason::AfterShutdown),
        running if running & SWITCHED_OFF != 0 => Err(LossReason::SwitchedOff),
        running => Ok(running),
    }
}

/// The number of the running session, whether it records or is switched off.
#[inline]
pub(crate) fn running() -> Option<u64> {
    let running = RUNNING.load(Ordering::SeqCst) & !SWITCHED_OFF;
    (running != 0).then_some(running)
}

/// Whether an event of the block with this hash is recorded; `None` if no block event is wanted. Those of
/// blocks without a hash belong to every sample.
#[inline]
pub(crate) fn samples_block(hash: u64) -> Option<bool> {
    match BLOCK_SAMPLE.load(Ordering::Relaxed) {
        NO_BLOCKS => None,
        largest => Some(BlockSample { largest }.takes(hash)),
    }
}

/// Lend the calling thread a lane for its block events, if it may have one, and tell where it stands. Only where
/// all of them are wanted, because the host's code cannot tell what is to be left out, and where it can read the clock.
pub(crate) fn lend_lane() -> *const BlockLane {
    let are_all_wanted = BLOCK_SAMPLE.load(Ordering::Relaxed) == u64::MAX;
    let registry = || if are_all_wanted && clock::has_counter() { registry() } else { None };
    ring::lend_lane(&RUNNING, registry, &WITHOUT_RING)
}

/// Count an event that never reached a ring. Before the first session nothing counts as lost.
#[cold]
pub(crate) fn count_without_ring(count: impl FnOnce(&SharedLosses)) {
    if LAST.load(Ordering::Relaxed) != 0 && not_forked().is_ok() {
        count(&WITHOUT_RING);
    }
}

fn registry() -> Option<Arc<Registry>> {
    let session = lock::take(&SESSION)?;
    session.as_ref().map(|session| Arc::clone(&session.registry))
}

fn commands() -> Result<Sender<Command>, SessionError> {
    let session = lock::take(&SESSION).ok_or(SessionError::Timeout)?;
    session.as_ref().map(|session| session.commands.clone()).ok_or(SessionError::NotRunning)
}

/// A session as its collector knows it.
struct Running {
    generation: u64,
    is_dead: Arc<AtomicBool>,
    registry: Arc<Registry>,
}

impl Owner for Running {
    fn session(&self) -> u64 {
        self.generation
    }

    /// Hooks become no-ops, the host goes on.
    fn collector_died(&self) {
        PANICS.fetch_add(1, Ordering::Relaxed);
        self.is_dead.store(true, Ordering::SeqCst);
        let end = |running| (running & !SWITCHED_OFF == self.generation).then_some(0);
        let _ = RUNNING.fetch_update(Ordering::SeqCst, Ordering::SeqCst, end);
        self.registry.end_lanes();
        ring::order_hooks_before_stop();
    }

    fn gave_up(&self, stopped: Option<Stopped>) {
        // Behind the lock, so that a stop at the same time does not take the account away again. A start
        // that has it now sees by itself that the collector is dead.
        let mut slot = SESSION.try_lock_for(LOCK_TIMEOUT);
        if LAST.load(Ordering::Relaxed) <= self.generation {
            let without_ring =
                stopped.as_ref().map_or_else(|| WITHOUT_RING.snapshot(), |it| it.without_ring);
            let totals = stopped.map(|it| it.totals);
            *LAST_STOP.lock() = LastStop { without_ring, totals };
        }
        if let Some(slot) = slot.as_deref_mut()
            && slot.as_ref().is_some_and(|session| session.number == self.generation)
        {
            *slot = None;
        }
    }

    fn switch(&self, on: bool) {
        switch::set(&RUNNING, self.generation, Cause::File, on, &self.registry);
    }
}

fn register_process_hooks() -> std::io::Result<()> {
    // SAFETY: the handler only stores to atomics and to a thread's own variable, which is allowed in a forked child. The library is
    // linked so that it is never unloaded, so the pointer stays valid.
    let status = unsafe { libc::pthread_atfork(None, None, Some(in_forked_child)) };
    if status != 0 {
        return Err(std::io::Error::from_raw_os_error(status));
    }
    // SAFETY: as above, the library is never unloaded.
    if unsafe { libc::atexit(at_exit) } != 0 {
        return Err(std::io::Error::other("no room for an exit handler"));
    }
    Ok(())
}

extern "C" fn in_forked_child() {
    FORKED.store(true, Ordering::Relaxed);
    RUNNING.store(0, Ordering::Relaxed);
    ring::forget_lane();
}

extern "C" fn at_exit() {
    // A panic must not cross into the C library; a session that cannot be stopped in time is cut.
    let _ = std::panic::catch_unwind(|| {
        cuda::process_ends();
        let _ = stop(EXIT_TIMEOUT);
    });
}
