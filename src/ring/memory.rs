//! The bytes of a ring.

use std::ptr::NonNull;

use super::access::Access;

/// The operating system refused the memory of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system refused {0} bytes for a ring")]
pub(crate) struct OutOfMemory(pub usize);

/// A zeroed, page-aligned region of anonymous memory, given back when dropped.
///
/// The host's allocator is not used: a ring is larger than what it is tuned for. Pages come as they are
/// first written, or [populated](Memory::populate); a ring that has been gone through once is resident as a whole.
#[derive(Debug)]
pub(super) struct Memory {
    start: NonNull<u8>,
    length: usize,
    access: Access,
}

// SAFETY: the region is plain memory that belongs to this value; it has no thread affinity.
unsafe impl Send for Memory {}
// SAFETY: a shared `Memory` only gives out its address; `spsc` decides who may access which bytes.
unsafe impl Sync for Memory {}

impl Memory {
    pub(super) fn new(length: usize) -> Result<Self, OutOfMemory> {
        // SAFETY: an anonymous private mapping at an address of the kernel's choice; no existing
        // memory is affected.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(OutOfMemory(length));
        }
        let start = NonNull::new(start.cast()).ok_or(OutOfMemory(length))?;
        Ok(Self { start, length, access: Access::new(length) })
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Who reads and writes which bytes, for loom.
    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// Have the pages of a range, which begins at a multiple of a page, now, so that the host waits for none when it first writes there. Nothing happens
    /// where the kernel cannot do that (before Linux 5.14).
    pub(super) fn populate(&self, range: std::ops::Range<usize>) {
        let range = range.start.min(self.length)..range.end.min(self.length);
        // SAFETY: the range is within the mapping made in `new`, whose contents do not change.
        unsafe {
            let start = self.start.as_ptr().add(range.start);
            libc::madvise(start.cast(), range.len(), libc::MADV_POPULATE_WRITE);
        }
    }

    /// Tell the processor that `bytes` bytes from a position will be written soon. The collector has read
    /// them on another core since they were last written: they are fetched while the host goes on, and
    /// not when the next event waits for them. Small events gain less than this costs.
    #[inline]
    pub(super) fn prepare_for_writing(&self, position: u64, bytes: u64) {
        const LINE: u64 = 64;
        const WORTHWHILE: u64 = 4 * LINE;
        const MOST: u64 = 32 * LINE;
        if bytes >= WORTHWHILE {
            for line in 0..bytes.min(MOST) / LINE {
                let index = (position + line * LINE) & (self.length as u64 - 1);
                prefetch_for_writing(self.start.as_ptr().wrapping_add(index as usize));
            }
        }
    }
}

#[inline]
fn prefetch_for_writing(line: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // Not the intrinsic, which fetches for reading unless a newer processor than the baseline is asked for.
    // SAFETY: a prefetch never faults and changes nothing but caches. A 64-bit processor that lacks this
    // one takes it for a no-op.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) line.addr(), options(nomem, nostack, preserves_flags));
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    let _ = line;
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `start` and `length` are those of the mapping made in `new`, and nothing refers to
        // it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
