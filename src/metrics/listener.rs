//! The optional listener: `GET /metrics` for a Prometheus that is not served by the host.
//!
//! Whoever reaches the address may connect as often and stay as long as he likes. So one thread serves all
//! connections, few at a time, none of them for long, and the newest before the oldest.

mod connection;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prometheus::Registry;

use self::connection::{Connection, State};
use crate::thread::with_all_signals_blocked;

/// Connections at once. When another one comes, the one that has been silent longest gives way.
const MOST_CONNECTIONS: usize = 4;

/// How long no connection is accepted after one could not be, for want of a descriptor for instance.
const PAUSE: Duration = Duration::from_millis(100);

/// A running listener; it ends when this is dropped.
pub(crate) struct Listener {
    /// Its closing wakes the thread.
    waker: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listen at an address.
    ///
    /// # Errors
    ///
    /// A sentence: why the address cannot be listened at.
    pub(crate) fn start(address: SocketAddr, registry: Registry) -> Result<Self, String> {
        Self::listen(address, registry).map_err(|reason| {
            format!("NASHTRACE_METRICS_ADDR={address} cannot be listened at: {reason}")
        })
    }

    fn listen(address: SocketAddr, registry: Registry) -> io::Result<Self> {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let (waker, end) = UnixStream::pair()?;
        let mut server =
            Server { socket, end, registry, connections: Vec::new(), accepts_from: None };
        let thread = with_all_signals_blocked(|| {
            std::thread::Builder::new().name("nashtrace-http".into()).spawn(move || server.run())
        })?;
        Ok(Self { waker: Some(waker), thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.waker.take());
        // It waits for nobody, and when it has ended the address is free.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Server {
    socket: TcpListener,
    /// Readable when the listener is to end.
    end: UnixStream,
    registry: Registry,
    /// In the order in which they came.
    connections: Vec<Connection>,
    /// After a failure.
    accepts_from: Option<Instant>,
}

impl Server {
    fn run(&mut self) {
        loop {
            let mut polled = self.polled();
            wait(&mut polled, self.next_deadline());
            let ready = |at: usize| polled[at].revents != 0;
            if ready(0) {
                return;
            }
            let now = Instant::now();
            let is_ready: Vec<bool> = (2..polled.len()).map(ready).collect();
            self.serve(&is_ready, now);
            if ready(1) {
                self.accept(now);
            }
        }
    }

    /// What is waited for: the end, another connection, and the next step of each.
    fn polled(&mut self) -> Vec<libc::pollfd> {
        if self.accepts_from.is_some_and(|from| Instant::now() >= from) {
            self.accepts_from = None;
        }
        // A negative descriptor is not waited for.
        let socket = if self.accepts_from.is_none() { self.socket.as_raw_fd() } else { -1 };
        let wanted = |fd: RawFd, events| libc::pollfd { fd, events, revents: 0 };
        let mut polled =
            vec![wanted(self.end.as_raw_fd(), libc::POLLIN), wanted(socket, libc::POLLIN)];
        polled.extend(self.connections.iter().map(|connection| {
            let events =
                if connection.state() == State::Answers { libc::POLLOUT } else { libc::POLLIN };
            wanted(connection.descriptor(), events)
        }));
        polled
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.connections.iter().map(Connection::deadline).chain(self.accepts_from).min()
    }

    /// Go on with the connections that can go on, and close those that are done or have had their time.
    fn serve(&mut self, is_ready: &[bool], now: Instant) {
        let mut is_ready = is_ready.iter();
        let registry = &self.registry;
        self.connections.retain_mut(|connection| {
            let can_go_on = is_ready.next().is_some_and(|is_ready| *is_ready);
            (!can_go_on || connection.go_on(registry, now)) && now < connection.deadline()
        });
    }

    fn accept(&mut self, now: Instant) {
        match self.socket.accept() {
            Ok((stream, _)) => {
                if self.connections.len() == MOST_CONNECTIONS {
                    let silent =
                        self.connections.iter().position(|it| it.state() != State::Answers);
                    self.connections.remove(silent.unwrap_or(0));
                }
                self.connections.extend(Connection::of(stream, now));
            }
            // The client has gone away, or another one's hurry was first.
            Err(error) if is_passing(error.kind()) => {}
            Err(_) => self.accepts_from = Some(now + PAUSE),
        }
    }
}

fn is_passing(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
    matches!(error, ConnectionAborted | Interrupted | WouldBlock)
}

/// Wait until one of the descriptors is ready, or until the deadline.
fn wait(polled: &mut [libc::pollfd], deadline: Option<Instant>) {
    let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
    // One more than is left, so that it has passed then.
    let timeout = left.map_or(-1, |left| left.as_millis().min(60_000) as libc::c_int + 1);
    // SAFETY: the slice is writable for its length.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, timeout) };
    if ready < 0 {
        // All signals are blocked, so the kernel is out of memory: that passes.
        polled.iter_mut().for_each(|polled| polled.revents = 0);
        std::thread::sleep(PAUSE);
    }
}
