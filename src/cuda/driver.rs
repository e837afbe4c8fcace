//! The functions of the driver API that are used, found at run time.
//!
//! Types and names are cudarc's; its functions are not called. They panic where the library or a symbol is
//! missing, and return an enum, which a newer driver's error number would make undefined behaviour: here a
//! missing function is an error once, and a result is a number. All of them are in every driver since CUDA
//! 11; `cuCtxGetId` came with CUDA 12 and is done without before.

use std::ffi::{CStr, c_int, c_uint};
use std::sync::atomic::{AtomicBool, Ordering};

use cudarc::driver::sys;
use once_cell::sync::OnceCell;

/// What a function of the driver says: 0, or one of `CUresult`'s numbers, also of a later version.
pub(super) type Code = c_int;

const SUCCESS: Code = sys::CUresult::CUDA_SUCCESS as Code;

/// The driver's answer that an event is not complete yet.
pub(super) const NOT_READY: Code = sys::CUresult::CUDA_ERROR_NOT_READY as Code;

/// The driver's answer where a capture that is under way forbids the call.
pub(super) const CAPTURE_IMPLICIT: Code = sys::CUresult::CUDA_ERROR_STREAM_CAPTURE_IMPLICIT as Code;

/// A context's number, for drivers that give none.
const NO_ID: u64 = 0;

/// See the module documentation.
pub(super) struct Driver {
    ctx_get_current: unsafe extern "C" fn(*mut sys::CUcontext) -> Code,
    ctx_set_current: unsafe extern "C" fn(sys::CUcontext) -> Code,
    ctx_push_current: unsafe extern "C" fn(sys::CUcontext) -> Code,
    ctx_pop_current: unsafe extern "C" fn(*mut sys::CUcontext) -> Code,
    ctx_get_device: unsafe extern "C" fn(*mut c_int) -> Code,
    ctx_get_id: Option<unsafe extern "C" fn(sys::CUcontext, *mut u64) -> Code>,
    stream_get_ctx: unsafe extern "C" fn(sys::CUstream, *mut sys::CUcontext) -> Code,
    stream_is_capturing: unsafe extern "C" fn(sys::CUstream, *mut c_int) -> Code,
    stream_create: unsafe extern "C" fn(*mut sys::CUstream, c_uint) -> Code,
    stream_destroy: unsafe extern "C" fn(sys::CUstream) -> Code,
    event_create: unsafe extern "C" fn(*mut sys::CUevent, c_uint) -> Code,
    event_destroy: unsafe extern "C" fn(sys::CUevent) -> Code,
    event_record: unsafe extern "C" fn(sys::CUevent, sys::CUstream) -> Code,
    event_query: unsafe extern "C" fn(sys::CUevent) -> Code,
    event_elapsed_time: unsafe extern "C" fn(*mut f32, sys::CUevent, sys::CUevent) -> Code,
    thread_exchange_capture_mode: unsafe extern "C" fn(*mut c_int) -> Code,
}

static DRIVER: OnceCell<Option<Driver>> = OnceCell::new();

/// A hook has asked for the driver.
static IS_WANTED: AtomicBool = AtomicBool::new(false);

/// The driver: the outer `None` before anybody looked for it, the inner one if there is none.
#[inline]
pub(super) fn driver() -> Option<Option<&'static Driver>> {
    DRIVER.get().map(Option::as_ref)
}

/// Let the collector look for the driver.
pub(super) fn want() {
    IS_WANTED.store(true, Ordering::Relaxed);
}

/// Look for the driver if a hook has asked for it. What is missing is said once.
pub(super) fn load_if_wanted() -> Option<&'static Driver> {
    if DRIVER.get().is_none() && IS_WANTED.load(Ordering::Relaxed) {
        let found = Driver::find();
        if let Err(missing) = &found {
            tracing::warn!(
                "nashtrace: copies on CUDA streams are timed by the host's clock only: {missing}"
            );
        }
        // This is the only place that sets it.
        let _ = DRIVER.set(found.ok());
    }
    driver().flatten()
}

/// What of the driver is missing.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("there is no driver library libcuda.so.1 in this process")]
    Library,
    #[error("the driver library has no function {0}")]
    Function(&'static str),
}

impl Driver {
    fn find() -> Result<Self, Missing> {
        let library = Library::find().ok_or(Missing::Library)?;
        // SAFETY: each function has the signature of its field in every version of the driver API; the
        // names with `_v2` are the versions that the signatures are of.
        unsafe {
            Ok(Self {
                ctx_get_current: library.get("cuCtxGetCurrent", c"cuCtxGetCurrent")?,
                ctx_set_current: library.get("cuCtxSetCurrent", c"cuCtxSetCurrent")?,
                ctx_push_current: library.get("cuCtxPushCurrent", c"cuCtxPushCurrent_v2")?,
                ctx_pop_current: library.get("cuCtxPopCurrent", c"cuCtxPopCurrent_v2")?,
                ctx_get_device: library.get("cuCtxGetDevice", c"cuCtxGetDevice")?,
                ctx_get_id: library.get("cuCtxGetId", c"cuCtxGetId").ok(),
                stream_get_ctx: library.get("cuStreamGetCtx", c"cuStreamGetCtx")?,
                stream_is_capturing: library.get("cuStreamIsCapturing", c"cuStreamIsCapturing")?,
                stream_create: library.get("cuStreamCreate", c"cuStreamCreate")?,
                stream_destroy: library.get("cuStreamDestroy", c"cuStreamDestroy_v2")?,
                event_create: library.get("cuEventCreate", c"cuEventCreate")?,
                event_destroy: library.get("cuEventDestroy", c"cuEventDestroy_v2")?,
                event_record: library.get("cuEventRecord", c"cuEventRecord")?,
                event_query: library.get("cuEventQuery", c"cuEventQuery")?,
                event_elapsed_time: library.get("cuEventElapsedTime", c"cuEventElapsedTime")?,
                thread_exchange_capture_mode: library.get(
                    "cuThreadExchangeStreamCaptureMode",
                    c"cuThreadExchangeStreamCaptureMode",
                )?,
            })
        }
    }

    /// The calling thread's context, which may be NULL.
    pub(super) fn current(&self) -> Result<sys::CUcontext, Code> {
        let mut context = std::ptr::null_mut();
        // SAFETY: the pointer is writable.
        checked(unsafe { (self.ctx_get_current)(&raw mut context) }).map(|()| context)
    }

    /// Replace the calling thread's context; NULL takes it away.
    pub(super) fn set_current(&self, context: sys::CUcontext) -> Result<(), Code> {
        // SAFETY: the driver checks the handle.
        checked(unsafe { (self.ctx_set_current)(context) })
    }

    pub(super) fn push(&self, context: sys::CUcontext) -> Result<(), Code> {
        // SAFETY: the driver checks the handle.
        checked(unsafe { (self.ctx_push_current)(context) })
    }

    pub(super) fn pop(&self) -> Result<(), Code> {
        let mut popped = std::ptr::null_mut();
        // SAFETY: the pointer is writable.
        checked(unsafe { (self.ctx_pop_current)(&raw mut popped) })
    }

    /// CUDA ordinal of the calling thread's context.
    pub(super) fn device(&self) -> Result<u32, Code> {
        let mut device = 0;
        // SAFETY: the pointer is writable.
        checked(unsafe { (self.ctx_get_device)(&raw mut device) })?;
        Ok(device.unsigned_abs())
    }

    /// A number that no other context of the process ever has, where the driver gives one. An error says
    /// that the context is gone.
    pub(super) fn id(&self, context: sys::CUcontext) -> Result<u64, Code> {
        let Some(get_id) = self.ctx_get_id else { return Ok(NO_ID) };
        let mut id = NO_ID;
        // SAFETY: the driver checks the handle, the pointer is writable.
        checked(unsafe { get_id(context, &raw mut id) }).map(|()| id)
    }

    pub(super) fn context_of(&self, stream: sys::CUstream) -> Result<sys::CUcontext, Code> {
        let mut context = std::ptr::null_mut();
        // SAFETY: the caller's stream is his to vouch for, as in any call of the driver; the pointer is
        // writable.
        checked(unsafe { (self.stream_get_ctx)(stream, &raw mut context) }).map(|()| context)
    }

    pub(super) fn is_capturing(&self, stream: sys::CUstream) -> Result<bool, Code> {
        let mut status = 0;
        // SAFETY: as for `context_of`.
        checked(unsafe { (self.stream_is_capturing)(stream, &raw mut status) })?;
        Ok(status != sys::CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_NONE as c_int)
    }

    /// A stream in the current context that waits for no other one.
    pub(super) fn new_stream(&self) -> Result<sys::CUstream, Code> {
        let flags = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as c_uint;
        let mut stream = std::ptr::null_mut();
        // SAFETY: the pointer is writable.
        checked(unsafe { (self.stream_create)(&raw mut stream, flags) }).map(|()| stream)
    }

    pub(super) fn destroy_stream(&self, stream: sys::CUstream) -> Result<(), Code> {
        // SAFETY: a stream of ours that is used no more.
        checked(unsafe { (self.stream_destroy)(stream) })
    }

    /// An event with a time stamp in the current context.
    pub(super) fn new_event(&self) -> Result<sys::CUevent, Code> {
        let flags = sys::CUevent_flags::CU_EVENT_DEFAULT as c_uint;
        let mut event = std::ptr::null_mut();
        // SAFETY: the pointer is writable.
        checked(unsafe { (self.event_create)(&raw mut event, flags) }).map(|()| event)
    }

    pub(super) fn destroy_event(&self, event: sys::CUevent) -> Result<(), Code> {
        // SAFETY: an event of ours that is used no more; it may still be pending.
        checked(unsafe { (self.event_destroy)(event) })
    }

    pub(super) fn record(&self, event: sys::CUevent, stream: sys::CUstream) -> Result<(), Code> {
        // SAFETY: an event of ours of the stream's context, which is current; the stream is the caller's to
        // vouch for.
        checked(unsafe { (self.event_record)(event, stream) })
    }

    /// Whether all work before an event's last record is complete.
    pub(super) fn is_complete(&self, event: sys::CUevent) -> Result<bool, Code> {
        // SAFETY: an event of ours.
        match unsafe { (self.event_query)(event) } {
            SUCCESS => Ok(true),
            NOT_READY => Ok(false),
            code => Err(code),
        }
    }

    /// Milliseconds from one complete event to another; below 0 if the other came first.
    pub(super) fn milliseconds(&self, from: sys::CUevent, to: sys::CUevent) -> Result<f64, Code> {
        let mut milliseconds = 0.0;
        // SAFETY: events of ours in one context; the pointer is writable.
        checked(unsafe { (self.event_elapsed_time)(&raw mut milliseconds, from, to) })?;
        Ok(f64::from(milliseconds))
    }

    /// From now on no call of this thread spoils a capture that is under way on another one: by default
    /// an event's query does, if it was begun in the mode that is called global.
    pub(super) fn keep_out_of_captures(&self) -> Result<(), Code> {
        let mut mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED as c_int;
        // SAFETY: the pointer is readable and writable.
        checked(unsafe { (self.thread_exchange_capture_mode)(&raw mut mode) })
    }
}

fn checked(code: Code) -> Result<(), Code> {
    if code == SUCCESS { Ok(()) } else { Err(code) }
}

/// The driver's library, which stays loaded.
enum Library {
    /// As the host has loaded it.
    Host(*mut std::ffi::c_void),
    /// As cudarc finds it.
    Cudarc,
}

impl Library {
    /// A stream comes from a driver that is loaded already, and another copy of it, as a toolkit's stub of
    /// the library would be, knows nothing of it. Only if it has another name is it searched for.
    fn find() -> Option<Self> {
        // SAFETY: the name is a C string; nothing is loaded.
        let loaded =
            unsafe { libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
        if !loaded.is_null() {
            return Some(Self::Host(loaded));
        }
        // SAFETY: whatever constructors the driver's library has, the host would have run them.
        unsafe { sys::is_culib_present() }.then_some(Self::Cudarc)
    }

    /// A function of the library.
    ///
    /// # Safety
    ///
    /// The function has the signature `F`, which is that of a function pointer.
    unsafe fn get<F: Copy>(&self, name: &'static str, symbol: &CStr) -> Result<F, Missing> {
        const { assert!(size_of::<F>() == size_of::<*mut std::ffi::c_void>()) };
        match self {
            Self::Host(library) => {
                // SAFETY: the handle is open, the name is a C string.
                let address = unsafe { libc::dlsym(*library, symbol.as_ptr()) };
                if address.is_null() {
                    return Err(Missing::Function(name));
                }
                // SAFETY: by the caller's promise a function pointer of this type; the sizes are equal.
                Ok(unsafe { std::mem::transmute_copy(&address) })
            }
            Self::Cudarc => {
                // SAFETY: by the caller's promise.
                let found = unsafe { sys::culib().get::<F>(symbol.to_bytes_with_nul()) };
                found.map(|function| *function).map_err(|_| Missing::Function(name))
            }
        }
    }
}
