//! The fake driver of `ffi-tests/fakes`, compiled and loaded.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)+) => {
        /// What the fake has beside the driver API.
        pub(crate) struct FakeCuda {
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)+
        }

        impl FakeCuda {
            fn find(library: *mut c_void) -> Self {
                $(
                    let name = CString::new(stringify!($name)).unwrap();
                    // SAFETY: the handle is open, the name is a C string.
                    let $name = unsafe { libc::dlsym(library, name.as_ptr()) };
                    assert!(!$name.is_null(), "the fake lacks {name:?}");
                )+
                // SAFETY: the functions have the signatures of libcuda.h.
                unsafe {
                    Self {
                        $($name: std::mem::transmute::<
                            *mut c_void,
                            unsafe extern "C" fn($($argument),*) $(-> $result)?,
                        >($name),)+
                    }
                }
            }
        }
    };
}

functions! {
    fake_context: fn(c_int) -> *mut c_void;
    fake_destroy_context: fn(*mut c_void);
    fake_stream: fn(*mut c_void) -> *mut c_void;
    fake_work: fn(*mut c_void, u64);
    fake_hang: fn(*mut c_void);
    fake_capture: fn(*mut c_void, c_int);
    fake_fail: fn(*const c_char, c_int);
    fake_watch: fn(c_int);
    fake_calls: fn(*mut *const c_char) -> c_int;
    fake_depth: fn() -> c_int;
    fake_current: fn() -> *mut c_void;
    fake_live_events: fn() -> c_int;
    fake_live_streams: fn() -> c_int;
    fake_captured_events: fn() -> c_int;
    fake_spoilt_captures: fn() -> c_int;
    fake_set_current: fn(*mut c_void);
}

/// The driver of this process, which stays loaded.
pub(crate) fn fake_cuda() -> &'static FakeCuda {
    static FAKE: OnceLock<FakeCuda> = OnceLock::new();
    FAKE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libcuda.so.1");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("ffi-tests/fakes/libcuda.c");
        let compiled = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
            .args(["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", "-shared", "-fPIC"])
            .args(["-Wl,-soname,libcuda.so.1", "-o"])
            .args([&library, &sources])
            .status();
        assert!(compiled.expect("a C compiler").success());
        let path = CString::new(library.to_str().unwrap()).unwrap();
        // SAFETY: the path is a C string; the library has no constructor that matters.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null());
        FakeCuda::find(handle)
    })
}

impl FakeCuda {
    /// What this thread calls of the driver while it runs something.
    pub(crate) fn calls_of(&self, run: impl FnOnce()) -> Vec<String> {
        let mut names = [std::ptr::null(); 64];
        // SAFETY: there is room for as many as the fake puts down; names are static C strings.
        unsafe {
            (self.fake_watch)(1);
            run();
            (self.fake_watch)(0);
            let count = (self.fake_calls)(names.as_mut_ptr());
            let text = |name: &*const c_char| CStr::from_ptr(*name).to_str().unwrap().to_owned();
            names[..count as usize].iter().map(text).collect()
        }
    }

    /// Let all calls of a function fail from now on, or none.
    pub(crate) fn fail(&self, name: Option<&str>) {
        let name = name.map(|name| CString::new(name).unwrap());
        let text = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
        // SAFETY: NULL or a C string, which is copied.
        unsafe { (self.fake_fail)(text, 0) };
    }
}
