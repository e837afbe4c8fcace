//! The thread that the collector runs on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::{Collector, Command};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::ring::{Registry, SessionLosses};
use crate::thread::with_all_signals_blocked;
use crate::trace::{FileHeader, Writer};

/// Start a collector. The thread creates the trace file, and this returns when it has.
///
/// `on_death` is called if the thread panics.
///
/// # Errors
///
/// If the file cannot be created or the operating system gives no thread.
pub(crate) fn spawn(
    config: Config,
    header: FileHeader,
    registry: Arc<Registry>,
    commands: Receiver<Command>,
    without_ring: SessionLosses,
    exposition: prometheus::Registry,
    on_death: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let (ready, is_ready) = crossbeam_channel::bounded(1);
    let level = config.log_level;
    let thread = move || {
        let mut death = Death(Some(on_death));
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
            let made = Writer::create(&config.directory, &header).and_then(|writer| {
                let metrics = Metrics::new(&exposition, config.metrics_workers);
                Collector::new(config, registry, writer, commands, without_ring, metrics)
            });
            let collector = match made {
                Ok(collector) => collector,
                Err(error) => return drop(ready.send(Err(error))),
            };
            if ready.send(Ok(())).is_ok() {
                collector.run();
            }
        }));
        if outcome.is_ok() {
            death.0 = None;
        }
    };
    with_all_signals_blocked(|| {
        std::thread::Builder::new().name("nashtrace".into()).spawn(thread)
    })?;
    is_ready.recv().unwrap_or_else(|_| Err(io::Error::other("the collector failed to start")))
}

/// Calls its function when it is dropped, which a panic cannot prevent.
struct Death<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for Death<F> {
    fn drop(&mut self) {
        if let Some(on_death) = self.0.take() {
            on_death();
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
