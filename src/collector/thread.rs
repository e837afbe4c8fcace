//! The thread that the collector runs on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::files::Files;
use super::{Collector, Command, Owner};
use crate::config::Config;
use crate::copies::Watch;
use crate::metrics::{Listener, Metrics};
use crate::ring::{Registry, SessionLosses};
use crate::thread::with_all_signals_blocked;

/// How long a host waits for a session to begin, whose directory may be on a file system that hangs.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a collector finds what it writes, and what it is asked.
pub(crate) struct Places {
    /// The rings.
    pub(crate) registry: Arc<Registry>,
    /// What the host asks.
    pub(crate) commands: Receiver<Command>,
    /// What was lost without a ring.
    pub(crate) without_ring: SessionLosses,
}

/// Why a collector does not run.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The trace file or the thread could not be made.
    Io(io::Error),
    /// The trace file could not be made in time.
    Timeout,
}

/// Start a collector. The thread creates the trace file, and this returns when it has.
///
/// `warnings` are written by the thread, `owner` is told if it panics, and what the control file asks for.
///
/// # Errors
///
/// If the file cannot be created, at all or in time, or the operating system gives no thread.
pub(crate) fn spawn(
    config: Config,
    warnings: Vec<String>,
    places: Places,
    exposition: prometheus::Registry,
    owner: impl Owner,
) -> Result<(), StartError> {
    // Without room: whoever no longer waits takes nothing.
    let (ready, is_ready) = crossbeam_channel::bounded(0);
    let thread = move || {
        let mut death = Death { owner: &owner, is_told: false };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let _log = log_to_stderr(config.log_level);
            // Here and not on the host's thread, which SIGPIPE would kill if standard error is a broken pipe.
            warnings.iter().for_each(|warning| tracing::warn!("nashtrace: {warning}"));
            // So is the file, because a process that may write no files at all would be killed by SIGXFSZ.
            let collector = match make(config, places, &exposition, owner.session()) {
                Ok(collector) => collector,
                Err(error) => return drop(ready.send(Err(error))),
            };
            match ready.send(Ok(())) {
                Ok(()) => work(collector, &owner),
                Err(_) => collector.withdraw(),
            }
        }));
        if outcome.is_ok() {
            death.is_told = true;
        }
    };
    with_all_signals_blocked(|| std::thread::Builder::new().name("nashtrace".into()).spawn(thread))
        .map_err(StartError::Io)?;
    match is_ready.recv_timeout(START_TIMEOUT) {
        Ok(made) => made.map_err(StartError::Io),
        Err(RecvTimeoutError::Timeout) => Err(StartError::Timeout),
        Err(RecvTimeoutError::Disconnected) => {
            Err(StartError::Io(io::Error::other("the collector failed to start")))
        }
    }
}

/// Only this thread's messages: the host's own subscriber is none of our business.
fn log_to_stderr(level: tracing::Level) -> tracing::subscriber::DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| QuietStderr)
        .log_internal_errors(false)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .finish();
    tracing::subscriber::set_default(subscriber)
}

fn make(
    config: Config,
    places: Places,
    exposition: &prometheus::Registry,
    session: u64,
) -> io::Result<Collector> {
    let files = Files::create(&config)?;
    let metrics = Metrics::new(exposition, &config);
    let watch = Watch::new(session, config.transfer_timeout);
    let address = config.metrics_address;
    let mut collector = Collector::new(config, files, places, metrics, watch)?;
    let listener = address.map(|address| Listener::start(address, exposition.clone())).transpose();
    collector.listener = listener.unwrap_or_else(|reason| {
        tracing::warn!("nashtrace: {reason}");
        None
    });
    Ok(collector)
}

/// Run the collector. If it panics, nothing is recorded any more, and the accounts are settled.
fn work(mut collector: Collector, owner: &impl Owner) {
    if catch_unwind(AssertUnwindSafe(|| collector.run(owner))).is_err() {
        owner.collector_died();
        tracing::error!("nashtrace: the collector has failed, and nothing is recorded any more");
        owner.gave_up(catch_unwind(AssertUnwindSafe(|| collector.give_up())).ok());
    }
}

/// Tells the owner when it is dropped, which a panic cannot prevent.
struct Death<'a, O: Owner> {
    owner: &'a O,
    is_told: bool,
}

impl<O: Owner> Drop for Death<'_, O> {
    fn drop(&mut self) {
        if !self.is_told {
            self.owner.collector_died();
            self.owner.gave_up(None);
        }
    }
}

/// Standard error for a guest: if it is closed or broken, nobody is told.
struct QuietStderr;

impl io::Write for QuietStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
