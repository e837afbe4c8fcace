//! The metrics listener among clients who mean no good: it stays small, and it answers.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use support::files::{start_with, wait_until};
use support::{flush, record_request, stop, turn};

/// A session that listens at a port that was free a moment ago.
fn listen(folder: &std::path::Path) -> SocketAddr {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    start_with(folder, &[("NASHTRACE_METRICS_ADDR", &address.to_string())]);
    record_request(1);
    flush();
    address
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn scrape(address: SocketAddr) -> String {
    let mut stream = connect(address);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn idle_connections_cost_neither_threads_nor_descriptors_nor_the_scrape() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let address = listen(folder.path());
    let (threads, descriptors) = (count("/proc/self/task"), count("/proc/self/fd"));
    let mut idle: Vec<TcpStream> = (0..100).map(|_| connect(address)).collect();
    // Half of them have begun a question.
    idle.iter_mut().step_by(2).for_each(|stream| drop(stream.write_all(b"GET /met")));
    let began = Instant::now();
    let answer = scrape(address);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\nnashtrace_events_written_total{kind=\"request\"} 1\n"), "{answer}");
    // A hundred of them are the clients' own.
    let most = descriptors + 100 + 4;
    assert!(count("/proc/self/fd") <= most, "{} of {most} descriptors", count("/proc/self/fd"));
    assert_eq!(count("/proc/self/task"), threads);
    // The patience with each of them has an end.
    let began = Instant::now();
    for stream in &mut idle {
        // It is closed or reset; what matters is that it is.
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    wait_until(|| count("/proc/self/fd") <= descriptors + 100);
    stop();
    wait_until(|| count("/proc/self/task") < threads);
}

#[test]
fn what_is_no_question_is_answered_and_the_next_one_too() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let address = listen(folder.path());
    let ask = |question: &[u8]| {
        let mut stream = connect(address);
        stream.write_all(question).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    };
    assert!(ask(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").starts_with("HTTP/1.1 400 "));
    let fields = "Field: value\r\n".repeat(100);
    let long = format!("GET /metrics HTTP/1.1\r\n{fields}\r\n");
    assert!(ask(long.as_bytes()).starts_with("HTTP/1.1 431 "));
    let endless = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(20_000));
    assert!(ask(endless.as_bytes()).starts_with("HTTP/1.1 431 "));
    let head = ask(b"HEAD /metrics HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    let body = "x".repeat(100_000);
    let post = format!("POST /metrics HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{body}");
    assert!(ask(post.as_bytes()).starts_with("HTTP/1.1 405 "));
    assert!(scrape(address).starts_with("HTTP/1.1 200 "));
    stop();
}

#[test]
fn it_goes_on_after_there_was_no_descriptor_for_a_connection() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let address = listen(folder.path());
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is writable.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    let before = limit.rlim_cur;
    // The sockets are made before, so that it is the listener that finds none.
    let mut clients: Vec<TcpStream> = Vec::new();
    limit.rlim_cur = count("/proc/self/fd") as libc::rlim_t + 2;
    // SAFETY: the struct is whole.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    while let Ok(client) = TcpStream::connect(address) {
        clients.push(client);
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    limit.rlim_cur = before;
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    assert!(!clients.is_empty());
    assert!(scrape(address).starts_with("HTTP/1.1 200 "));
    stop();
}
