//! A host whose standard error is a pipe that nobody reads, and that SIGPIPE kills, as it does a program in C.

mod support;

use std::os::fd::AsRawFd;

use nashtrace::abi::Status;
use support::files::start_with;
use support::{record_request, stop};

#[test]
fn a_warning_does_not_kill_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    // SAFETY: the descriptors are open; no handler of Rust's is replaced that anything here needs.
    let stderr = unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let stderr = libc::dup(libc::STDERR_FILENO);
        libc::dup2(writer.as_raw_fd(), libc::STDERR_FILENO);
        stderr
    };
    // Neither the value nor the address can be used: one warning before the collector, one of it.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    start_with(
        folder.path(),
        &[("NASHTRACE_POLL_MS", "often"), ("NASHTRACE_METRICS_ADDR", &address)],
    );
    assert_eq!(record_request(1), Status::Ok);
    assert_eq!(stop().lost, [0; 8]);
    // SAFETY: as above.
    unsafe { libc::dup2(stderr, libc::STDERR_FILENO) };
}
