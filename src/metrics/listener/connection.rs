//! One connection of the listener: it asks, is answered, and is closed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use prometheus::Registry;

use crate::metrics::text;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long a client may take for its question, and for every step of taking the answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest question.
const MOST_BYTES: usize = 8 << 10;

/// Most header fields of a question.
const MOST_FIELDS: usize = 64;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The rest of the question.
    Asks,
    /// Room for the rest of the answer.
    Answers,
    /// The client has the answer when it closes; closed before that, an unread question would take it away.
    Leaves,
}

/// See the module documentation.
pub(super) struct Connection {
    stream: TcpStream,
    state: State,
    deadline: Instant,
    question: Vec<u8>,
    answer: Vec<u8>,
    sent: usize,
}

impl Connection {
    /// A connection that was just accepted; `None` if it cannot be served without waiting for it.
    pub(super) fn of(stream: TcpStream, now: Instant) -> Option<Self> {
        stream.set_nonblocking(true).ok()?;
        Some(Self {
            stream,
            state: State::Asks,
            deadline: now + TIMEOUT,
            question: Vec::new(),
            answer: Vec::new(),
            sent: 0,
        })
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// When it is closed if it is not ready before.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Do what can be done without waiting. `false` if the connection is over.
    pub(super) fn go_on(&mut self, registry: &Registry, now: Instant) -> bool {
        let step = match self.state {
            State::Asks => self.read(registry, now),
            State::Answers => self.write(now),
            State::Leaves => self.skip(),
        };
        match step {
            Ok(goes_on) => goes_on,
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }

    fn read(&mut self, registry: &Registry, now: Instant) -> io::Result<bool> {
        let mut bytes = [0; 2048];
        let count = self.stream.read(&mut bytes)?;
        self.question.extend_from_slice(&bytes[..count]);
        // A panic ends one answer, not the listener, and never the host.
        let answer = catch_unwind(AssertUnwindSafe(|| answer(&self.question, registry)));
        let Ok(answer) = answer else { return Ok(false) };
        if let Some(answer) = answer {
            self.answer = answer;
            self.state = State::Answers;
            self.deadline = now + TIMEOUT;
        }
        // Nothing more comes of a client that has closed its side, but it may wait for the answer.
        Ok(count > 0 || self.state == State::Answers)
    }

    fn write(&mut self, now: Instant) -> io::Result<bool> {
        self.sent += self.stream.write(&self.answer[self.sent..])?;
        self.deadline = now + TIMEOUT;
        if self.sent == self.answer.len() {
            self.answer = Vec::new();
            self.state = State::Leaves;
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(true)
    }

    fn skip(&mut self) -> io::Result<bool> {
        self.stream.read(&mut [0; 2048]).map(|count| count > 0)
    }
}

/// The answer to a question, if it is complete.
fn answer(question: &[u8], registry: &Registry) -> Option<Vec<u8>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let (status, body) = match request.parse(question) {
        Ok(httparse::Status::Partial) if question.len() < MOST_BYTES => return None,
        Ok(httparse::Status::Complete(_)) => answer_to(&request, registry),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            ("431 Request Header Fields Too Large", "the request is too long\n".to_owned())
        }
        Err(_) => ("400 Bad Request", "this is not HTTP\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let is_head_only = request.method == Some("HEAD");
    Some(if is_head_only { head } else { head + &body }.into_bytes())
}

fn answer_to(request: &httparse::Request<'_, '_>, registry: &Registry) -> (&'static str, String) {
    let path = request.path.unwrap_or_default().split('?').next();
    match (request.method, path) {
        (Some("GET" | "HEAD"), Some("/metrics")) => ("200 OK", text(registry)),
        (Some("GET" | "HEAD"), _) => ("404 Not Found", "the metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET is served\n".to_owned()),
    }
}
