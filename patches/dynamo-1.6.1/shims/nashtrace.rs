// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace shim: calls the library that `NASHTRACE_LIB` names, and does nothing without it.
//!
//! A disabled hook costs one relaxed load and a branch.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicPtr, Ordering, fence};

#[path = "nashtrace_abi.rs"]
mod abi;

pub use abi::*;

#[cfg_attr(target_os = "linux", link(name = "dl"))]
unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

const RTLD_NOW: c_int = 2;
const RTLD_LOCAL: c_int = 0;

/// Neither loaded nor found absent yet.
const UNTRIED: *mut Api = std::ptr::without_provenance_mut(1);

/// Null when there is nothing to call.
static API: AtomicPtr<Api> = AtomicPtr::new(UNTRIED);

/// The library, if there is one.
#[inline(always)]
pub fn api() -> Option<&'static Api> {
    let api = API.load(Ordering::Relaxed);
    if api.is_null() { None } else { present(api) }
}

#[inline]
fn present(api: *mut Api) -> Option<&'static Api> {
    if api == UNTRIED {
        return load();
    }
    fence(Ordering::Acquire);
    // SAFETY: the pointer was checked by `find`; the library and its table are never unloaded.
    Some(unsafe { &*api })
}

/// Load the library once. Threads that come by in the meantime go on without it.
#[cold]
fn load() -> Option<&'static Api> {
    API.compare_exchange(UNTRIED, std::ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed)
        .ok()?;
    let path = std::env::var_os("NASHTRACE_LIB").filter(|path| !path.is_empty())?;
    let shown = path.to_string_lossy().into_owned();
    match CString::new(path.into_vec())
        .map_err(|_| "the path contains a NUL".to_owned())
        .and_then(find)
    {
        Ok(api) => {
            API.store(std::ptr::from_ref(api).cast_mut(), Ordering::Release);
            Some(api)
        }
        Err(why) => {
            // A host whose standard error is gone must not hear of it from us.
            let _ = writeln!(
                std::io::stderr(),
                "nashtrace: nothing is recorded: NASHTRACE_LIB={shown}: {why}"
            );
            None
        }
    }
}

fn find(path: CString) -> Result<&'static Api, String> {
    if path.as_bytes()[0] != b'/' {
        return Err("give an absolute path".to_owned());
    }
    // SAFETY: both are C strings; `dlerror` is read on the thread of the failed call.
    let library = unsafe { dlopen(path.as_ptr(), RTLD_NOW | RTLD_LOCAL) };
    if library.is_null() {
        // SAFETY: after a failed `dlopen`, `dlerror` gives a C string.
        return Err(unsafe { CStr::from_ptr(dlerror()) }.to_string_lossy().into_owned());
    }
    // SAFETY: the library stays loaded; the symbol's name is a C string.
    let entry = unsafe { dlsym(library, c"nashtrace_get_api".as_ptr()) };
    if entry.is_null() {
        return Err("not a nashtrace library: nashtrace_get_api is missing".to_owned());
    }
    // SAFETY: the entry symbol has had this signature in every version of the ABI.
    let get_api: unsafe extern "C" fn(u32) -> *const Api = unsafe { std::mem::transmute(entry) };
    // SAFETY: any version may be asked for.
    let table = unsafe { get_api(ABI_VERSION) };
    if table.is_null() {
        return Err("the library does not speak ABI version 1".to_owned());
    }
    // SAFETY: a table lives for ever and begins with its size and its version.
    let [struct_size, version] = unsafe { *table.cast::<[u32; 2]>() };
    if version != ABI_VERSION || (struct_size as usize) < size_of::<Api>() {
        let needed = size_of::<Api>();
        return Err(format!(
            "ABI version {ABI_VERSION} with a table of {needed} bytes is needed, the library has version {version} with {struct_size}"
        ));
    }
    // SAFETY: the table is at least as large as ours.
    let api = unsafe { &*table };
    // SAFETY: NULL lets the variables decide.
    match unsafe { (api.session_start)(std::ptr::null()) } {
        STATUS_OK | STATUS_ALREADY_RUNNING => Ok(api),
        status => Err(format!(
            "the session did not start (status {status}): is NASHTRACE_DIR set and writable?"
        )),
    }
}

/// Add the library's metrics to a text that Prometheus reads; nothing without the library. Allocates:
/// for the host's own `/metrics`, not for a hook.
pub fn append_metrics(text: &mut String) {
    /// The text may grow between the question for its length and the answer.
    const TO_SPARE: usize = 16 << 10;
    let Some(api) = api() else { return };
    let mut length = 0;
    // SAFETY: NULL asks for the length alone.
    if unsafe { (api.metrics_text)(std::ptr::null_mut(), 0, &mut length) } != STATUS_OK {
        return;
    }
    let mut ours = vec![0; length + TO_SPARE];
    // SAFETY: the buffer is writable for its length.
    let status = unsafe { (api.metrics_text)(ours.as_mut_ptr().cast(), ours.len(), &mut length) };
    ours.truncate(length);
    if let (STATUS_OK, Ok(ours)) = (status, String::from_utf8(ours)) {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&ours);
    }
}

/// What a hook cannot see but something further up the same thread's stack can.
#[derive(Clone, Copy)]
struct Context {
    clock_ns: Option<u64>,
    pool: &'static str,
    queue_wait_ns: u64,
}

/// Names that this thread has interned, by the address of their text.
const CACHED_NAMES: usize = 16;

thread_local! {
    static CONTEXT: Cell<Context> = const { Cell::new(Context { clock_ns: None, pool: "", queue_wait_ns: 0 }) };
    static NAMES: Cell<[(u8, &'static str, u32); CACHED_NAMES]> = const { Cell::new([(0, "", 0); CACHED_NAMES]) };
}

/// From now on this thread's events happen at this simulated time, in this pool.
pub fn set_simulated(now_ms: f64, pool: &'static str) {
    let clock_ns = Some((now_ms.max(0.0) * 1e6).round() as u64);
    CONTEXT.with(|context| context.set(Context { clock_ns, pool, ..context.get() }));
}

/// The request that this thread admits next waited this long in the router's queue.
#[inline]
pub fn queued_since(wait: impl FnOnce() -> std::time::Duration) {
    if api().is_some() {
        set_queue_wait_ns(u64::try_from(wait().as_nanos()).unwrap_or(u64::MAX));
    }
}

/// That request was admitted or refused: its wait is not the next one's.
#[inline]
pub fn forget_queue_wait() {
    if api().is_some() {
        set_queue_wait_ns(0);
    }
}

fn set_queue_wait_ns(queue_wait_ns: u64) {
    CONTEXT.with(|context| context.set(Context { queue_wait_ns, ..context.get() }));
}

/// The queue wait of the decision that is being taken.
pub fn queue_wait_ns() -> u64 {
    CONTEXT.with(Cell::get).queue_wait_ns
}

/// The pool of this thread's events, or `otherwise` where nobody told.
pub fn pool_or(otherwise: &'static str) -> &'static str {
    let pool = CONTEXT.with(Cell::get).pool;
    if pool.is_empty() { otherwise } else { pool }
}

impl Head {
    /// The head of a record on the library's clock, which the library reads if `time` stays 0.
    pub fn of<T>() -> Self {
        Self { struct_size: size_of::<T>() as u32, clock: CLOCK_TICKS, ..Self::default() }
    }
}

impl Api {
    /// The head of a record that happens now.
    pub fn head<T>(&self) -> Head {
        let (clock, time) = match CONTEXT.with(Cell::get).clock_ns {
            Some(time) => (CLOCK_CALLER, time),
            None => (CLOCK_TICKS, 0),
        };
        Head { clock, time, ..Head::of::<T>() }
    }

    /// The library's clock.
    pub fn now(&self) -> u64 {
        // SAFETY: it takes nothing.
        unsafe { (self.ticks)() }
    }

    /// The key of a request id.
    pub fn key(&self, id: &str) -> u64 {
        // SAFETY: the text is valid for its length.
        unsafe { (self.request_key)(id.as_ptr().cast(), id.len()) }
    }

    /// The id of a name that is asked for often; 0 if the library refuses it.
    pub fn name_id(&self, space: u8, text: &'static str) -> u32 {
        let same = |known: &(u8, &str, u32)| known.0 == space && std::ptr::eq(known.1, text);
        let known = NAMES.with(|names| {
            let names: &Cell<[_]> = names;
            names.as_slice_of_cells().iter().map(Cell::get).find(same)
        });
        if let Some((_, _, id)) = known {
            return id;
        }
        let id = self.intern(space, text);
        NAMES.with(|cell| {
            let mut names = cell.get();
            names.rotate_right(1);
            names[0] = (space, text, id);
            cell.set(names);
        });
        id
    }

    /// The id of a name; 0 if the library refuses it. Takes a lock of the library's.
    pub fn intern(&self, space: u8, text: &str) -> u32 {
        let mut id = 0;
        // SAFETY: the text is valid for its length, `id` is writable.
        unsafe { (self.name)(space, text.as_ptr().cast(), text.len(), &raw mut id) };
        id
    }
}
