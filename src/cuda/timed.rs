//! What a copy that is being timed has of the driver's.

use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use cudarc::driver::sys::{CUstream, CUstream_st};

/// A stream of the host's. NULL is the legacy default stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stream(pub(super) CUstream);

impl Stream {
    /// The handle that a caller gave, which is never followed here.
    pub(crate) fn of(handle: *mut std::ffi::c_void) -> Self {
        Self(handle.cast())
    }

    /// Whether the handle means another stream on each thread, so that its events complete in any order.
    pub(super) fn is_per_thread(self) -> bool {
        const PER_THREAD: usize = 2;
        self.0.addr() == PER_THREAD
    }
}

/// A pair of events of a context, in use on a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    pub(super) context: u8,
    pub(super) pair: u16,
    pub(super) stream: Stream,
    /// The second event could not be recorded.
    pub(super) failed: bool,
}

impl Timed {
    /// Whether its second event could not be recorded.
    pub(crate) fn failed(self) -> bool {
        self.failed
    }

    /// What tells its stream from all others.
    pub(crate) fn stream_key(self) -> (u8, Stream) {
        (self.context, self.stream)
    }

    /// Whether events on its stream complete in the order in which they were recorded.
    pub(crate) fn is_ordered(self) -> bool {
        !self.stream.is_per_thread()
    }
}

/// A [`Timed`] or none.
pub(crate) struct AtomicTimed {
    place: AtomicU32,
    stream: AtomicPtr<CUstream_st>,
}

const PRESENT: u32 = 1 << 31;
const FAILED: u32 = 1 << 30;

impl AtomicTimed {
    /// None.
    pub(crate) const fn none() -> Self {
        Self { place: AtomicU32::new(0), stream: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Keep it for others, who learn of it by something that is released later.
    pub(crate) fn store(&self, timed: Option<Timed>) {
        let place = timed.map_or(0, |timed| {
            self.stream.store(timed.stream.0, Ordering::Relaxed);
            PRESENT | u32::from(timed.context) << 16 | u32::from(timed.pair)
        });
        self.place.store(place, Ordering::Relaxed);
    }

    /// What is kept.
    pub(crate) fn load(&self) -> Option<Timed> {
        self.unpack(self.place.load(Ordering::Relaxed))
    }

    /// What is kept, and keep nothing.
    pub(crate) fn take(&self) -> Option<Timed> {
        self.unpack(self.place.swap(0, Ordering::Relaxed))
    }

    /// Its second event could not be recorded.
    pub(crate) fn has_failed(&self) {
        self.place.fetch_or(FAILED, Ordering::Relaxed);
    }

    fn unpack(&self, place: u32) -> Option<Timed> {
        (place & PRESENT != 0).then(|| Timed {
            context: (place >> 16) as u8,
            pair: place as u16,
            stream: Stream(self.stream.load(Ordering::Relaxed)),
            failed: place & FAILED != 0,
        })
    }
}
