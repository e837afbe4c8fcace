//! `libnashtrace.so`, loaded and called as a patched Dynamo does.

use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nashtrace::abi::{ABI_VERSION, Api, Counters, SessionOptions, Status};

/// How long the collector may take to answer.
const TIMEOUT_MS: u32 = 20_000;

/// How long it may take to write what is waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// The library's function table.
#[derive(Clone, Copy)]
pub struct Library {
    api: &'static Api,
}

/// How a session is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Bytes of each ring; 0 for the default.
    pub ring_bytes: u64,
    /// How often the collector looks into the rings; 0 for the default.
    pub poll_ms: u32,
}

impl Library {
    /// Load the library; it is never unloaded.
    pub fn load(path: &Path) -> Result<Self> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let entry = symbol(&path, c"nashtrace_get_api")?;
        // SAFETY: the entry symbol has this signature in every version of the ABI.
        let get_api: extern "C" fn(u32) -> *const Api = unsafe { std::mem::transmute(entry) };
        // SAFETY: the table is NULL or lives for ever.
        let api = unsafe { get_api(ABI_VERSION).as_ref() }.context("another version of the ABI")?;
        ensure!(api.struct_size as usize >= size_of::<Api>(), "the function table is too small");
        Ok(Self { api })
    }

    /// The function table.
    pub fn api(&self) -> &'static Api {
        self.api
    }

    /// Start a session whose trace goes to a directory.
    pub fn start(&self, directory: &Path, options: Options) -> Result<()> {
        let bytes = directory.as_os_str().as_bytes();
        let options = SessionOptions {
            struct_size: size_of::<SessionOptions>() as u32,
            max_producers: 0,
            directory: bytes.as_ptr().cast(),
            directory_length: bytes.len(),
            ring_bytes: options.ring_bytes,
            flush_ms: 0,
            poll_ms: options.poll_ms,
        };
        // SAFETY: the options and the directory's bytes live until the call returns.
        expect_ok(unsafe { (self.api.session_start)(&raw const options) }, "session_start")
    }

    /// Write everything that was recorded so far.
    pub fn flush(&self) -> Result<()> {
        expect_ok((self.api.session_flush)(TIMEOUT_MS), "session_flush")
    }

    /// Stop the session.
    pub fn stop(&self) -> Result<()> {
        expect_ok((self.api.session_stop)(TIMEOUT_MS), "session_stop")
    }

    /// What was produced, written and lost; rows count as events.
    pub fn counters(&self) -> Result<Counters> {
        let mut counters = Counters {
            struct_size: size_of::<Counters>() as u32,
            reserved: 0,
            produced: 0,
            written: 0,
            lost: [0; 8],
            panics: 0,
        };
        // SAFETY: the struct is writable and says its size.
        let status = unsafe { (self.api.session_counters)(&raw mut counters, TIMEOUT_MS) };
        expect_ok(status, "session_counters")?;
        Ok(counters)
    }

    /// Wait until so many events of the session are in the file.
    pub fn wait_until_written(&self, events: u64) -> Result<()> {
        let began = Instant::now();
        while self.counters()?.written < events {
            ensure!(began.elapsed() < PATIENCE, "the collector does not keep up");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

fn expect_ok(status: Status, call: &str) -> Result<()> {
    ensure!(status == Status::Ok, "{call} answers {status:?}");
    Ok(())
}

/// A symbol of a shared object, which is loaded and stays so.
pub fn symbol(path: &CStr, name: &CStr) -> Result<*mut c_void> {
    // SAFETY: both are C strings.
    let object = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if object.is_null() {
        // SAFETY: after a failed `dlopen`, `dlerror` gives a C string.
        bail!("{}", unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy());
    }
    // SAFETY: the object stays loaded; the name is a C string.
    let symbol = unsafe { libc::dlsym(object, name.as_ptr()) };
    ensure!(!symbol.is_null(), "{name:?} is missing in {path:?}");
    Ok(symbol)
}
