//! The thread that the collector runs on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::files::Files;
use super::{Collector, Command, Owner};
use crate::config::Config;
use crate::copies::Watch;
use crate::metrics::Metrics;
use crate::ring::{Registry, SessionLosses};
use crate::thread::with_all_signals_blocked;

/// Start a collector. The thread creates the trace file, and this returns when it has.
///
/// `owner` is told if the thread panics, and what the control file asks for.
///
/// # Errors
///
/// If the file cannot be created or the operating system gives no thread.
pub(crate) fn spawn(
    config: Config,
    registry: Arc<Registry>,
    commands: Receiver<Command>,
    without_ring: SessionLosses,
    exposition: prometheus::Registry,
    owner: impl Owner,
) -> io::Result<()> {
    let (ready, is_ready) = crossbeam_channel::bounded(1);
    let level = config.log_level;
    let thread = move || {
        let mut death = Death { owner: &owner, is_told: false };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(level)
                .with_writer(|| QuietStderr)
                .log_internal_errors(false)
                .with_ansi(false)
                .with_target(false)
                .without_time()
                .finish();
            // Only this thread: the host's own subscriber is none of our business.
            let _log = tracing::subscriber::set_default(subscriber);
            // The file is made here and not on the host's thread, because signals are blocked here: a
            // process that may write no files at all would be killed by SIGXFSZ otherwise.
            let made = Files::create(&config).and_then(|files| {
                let metrics = Metrics::new(&exposition, &config);
                let watch = Watch::new(owner.session(), config.transfer_timeout);
                Collector::new(config, registry, files, commands, without_ring, metrics, watch)
            });
            let collector = match made {
                Ok(collector) => collector,
                Err(error) => return drop(ready.send(Err(error))),
            };
            if ready.send(Ok(())).is_ok() {
                collector.run(&owner);
            }
        }));
        if outcome.is_ok() {
            death.is_told = true;
        }
    };
    with_all_signals_blocked(|| {
        std::thread::Builder::new().name("nashtrace".into()).spawn(thread)
    })?;
    is_ready.recv().unwrap_or_else(|_| Err(io::Error::other("the collector failed to start")))
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
