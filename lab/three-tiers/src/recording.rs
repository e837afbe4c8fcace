//! The library that kvbm-logical's shim has loaded: waiting for it, and completing its trace.

use kvbm_logical::nashtrace as shim;

const TIMEOUT_MS: u32 = 60_000;

/// Wait until everything is in the file.
///
/// # Errors
///
/// If the trace cannot be written.
pub fn flush() -> anyhow::Result<()> {
    let Some(api) = shim::api() else { return Ok(()) };
    // SAFETY: the table is the library's own.
    let status = unsafe { (api.session_flush)(TIMEOUT_MS) };
    anyhow::ensure!(status == shim::STATUS_OK, "the trace cannot be written (status {status})");
    Ok(())
}

/// Complete the trace.
///
/// # Errors
///
/// If the library was not loaded, or the trace could not be completed.
pub fn stop() -> anyhow::Result<()> {
    let api = shim::api().ok_or_else(|| anyhow::anyhow!("the library was not loaded"))?;
    // SAFETY: as above.
    let status = unsafe { (api.session_stop)(TIMEOUT_MS) };
    anyhow::ensure!(status == shim::STATUS_OK, "the trace is incomplete (status {status})");
    Ok(())
}
