//! Recording a run: the library is loaded by the shim inside Dynamo's router, exactly as in a serving
//! process, because the variables say so.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// What the library counted, rows included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Events begun by hooks.
    pub produced: u64,
    /// Events in the trace.
    pub written: u64,
    /// Events lost, for any reason.
    pub lost: u64,
}

/// Where `cargo build --release` leaves the library.
#[must_use]
pub fn default_library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libnashtrace.so")
}

/// A simulator takes decisions far faster than a router that waits for requests, so its thread gets a
/// larger ring, unless the variable says otherwise.
const RING_BYTES: &str = "16777216";

/// The library, if there is such a file.
///
/// # Errors
///
/// If there is not.
pub fn find(library: &Path) -> anyhow::Result<PathBuf> {
    library.canonicalize().with_context(|| {
        format!(
            "{} cannot be used: build it with cargo build --release in the root of the repository, \
             name another one with --library, or record nothing with --no-capture",
            library.display()
        )
    })
}

/// Tell the shim which library to load, where the trace goes, and for one in how many hashes of KV blocks it
/// has events, unless a variable says otherwise. Call it before any thread is started and before Dynamo's
/// router is made.
pub fn enable(library: &Path, directory: &Path, block_sample: u64) {
    // SAFETY: by the function's contract this is the only thread.
    unsafe {
        std::env::set_var("NASHTRACE_LIB", library);
        std::env::set_var("NASHTRACE_DIR", directory);
        if std::env::var_os("NASHTRACE_RING_BYTES").is_none() {
            std::env::set_var("NASHTRACE_RING_BYTES", RING_BYTES);
        }
        if std::env::var_os("NASHTRACE_BLOCK_SAMPLE").is_none() {
            std::env::set_var("NASHTRACE_BLOCK_SAMPLE", block_sample.to_string());
        }
    }
}

/// Make sure that the shim loads nothing. Call it before any thread is started.
pub fn disable() {
    // SAFETY: by the function's contract this is the only thread.
    unsafe { std::env::remove_var("NASHTRACE_LIB") };
}

/// Complete the trace. `None` if nothing was recorded, because the library was not loaded.
///
/// # Errors
///
/// If the trace could not be completed.
#[cfg(feature = "instrumented")]
pub fn finish() -> anyhow::Result<Option<Counts>> {
    use nashtrace::abi::{Counters, Status};
    const TIMEOUT_MS: u32 = 30_000;

    let Some(api) = dynamo_kv_router::nashtrace::api() else { return Ok(None) };
    // SAFETY: the table is the library's own.
    let status = unsafe { (api.session_stop)(TIMEOUT_MS) };
    if status != Status::Ok as u32 {
        anyhow::bail!("the trace could not be completed (status {status})");
    }
    let mut counters = Counters {
        struct_size: size_of::<Counters>() as u32,
        reserved: 0,
        produced: 0,
        written: 0,
        lost: [0; 8],
        panics: 0,
    };
    // SAFETY: `counters` is writable and begins with its size.
    let status = unsafe { (api.session_counters)((&raw mut counters).cast(), TIMEOUT_MS) };
    if status != Status::Ok as u32 {
        anyhow::bail!("the library does not tell what it recorded (status {status})");
    }
    Ok(Some(Counts {
        produced: counters.produced,
        written: counters.written,
        lost: counters.lost.iter().sum(),
    }))
}

/// Complete the trace; there is none, because Dynamo's sources are not patched in this build.
///
/// # Errors
///
/// Never.
#[cfg(not(feature = "instrumented"))]
pub fn finish() -> anyhow::Result<Option<Counts>> {
    Ok(None)
}
