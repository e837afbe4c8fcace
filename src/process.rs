//! What a trace file says about the process that it was recorded in.

use crate::clock;
use crate::trace::FileHeader;

/// The header of a file that begins now.
pub(crate) fn file_header(settings: Vec<(String, String)>) -> FileHeader {
    FileHeader {
        library_version: env!("CARGO_PKG_VERSION").to_owned(),
        host: host_name(),
        process_id: std::process::id(),
        process_name: std::fs::read_to_string("/proc/self/comm")
            .map(|name| name.trim_end().to_owned())
            .unwrap_or_default(),
        started_wall_ns: clock::wall_ns(),
        started_monotonic_ns: clock::monotonic_ns(),
        started_ticks: clock::ticks(),
        tick_source: clock::source().name().to_owned(),
        settings,
    }
}

fn host_name() -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is writable for its length; the last byte is kept for the terminator.
    let failed = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) } != 0;
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(0);
    if failed || end == 0 {
        return "unknown".to_owned();
    }
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}
