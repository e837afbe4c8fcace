//! Bytes of the fuzzer as arguments of a C function.

use std::alloc::Layout;
use std::ptr::NonNull;

/// What is left of an input. At its end it gives zeros.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// A number, more often a small one than not.
    pub(crate) fn number(&mut self) -> u32 {
        match self.byte() {
            255 => {
                let mut bytes = [0; 4];
                let taken = self.take(4);
                bytes[..taken.len()].copy_from_slice(taken);
                u32::from_le_bytes(bytes)
            }
            254 => u32::MAX,
            byte => byte.into(),
        }
    }

    /// A stride, more often the right one than not.
    pub(crate) fn stride(&mut self, right: u32) -> u32 {
        match self.byte() {
            0..128 => right,
            byte @ 128..192 => right + u32::from(byte - 128) * 8,
            _ => self.number(),
        }
    }

    /// A struct of `size` bytes whose own idea of its size is anything. The buffer ends where the smaller
    /// of the two does.
    pub(crate) fn record(&mut self, size: usize) -> Buffer {
        let claimed = match self.byte() {
            0..192 => size as u32,
            _ => self.number(),
        };
        // The size itself is always there.
        let readable = (claimed as usize).clamp(4, size);
        let mut record = vec![0; size];
        record[..4].copy_from_slice(&claimed.to_le_bytes());
        // Kind and row sizes are the library's to write; a caller may leave anything there.
        let fields = self.take(size - 4);
        record[4..4 + fields.len()].copy_from_slice(fields);
        exact_buffer(readable, &record[..readable])
    }

    /// Bytes to fill rows with.
    pub(crate) fn filling(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte()) * 2;
        self.take(count)
    }
}

/// Memory of an exact size on a multiple of eight.
pub(crate) struct Buffer {
    start: NonNull<u8>,
    layout: Layout,
}

/// A buffer of `size` bytes, one at least, filled with `filling` over and over.
pub(crate) fn exact_buffer(size: usize, filling: &[u8]) -> Buffer {
    let layout = Layout::from_size_align(size.max(1), 8).expect("a small size");
    // SAFETY: the layout has a size.
    let start = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).expect("memory");
    // SAFETY: so many bytes were just allocated, and nobody else knows of them.
    let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), size) };
    for (byte, value) in bytes.iter_mut().zip(filling.iter().cycle()) {
        *byte = *value;
    }
    Buffer { start, layout }
}

impl Buffer {
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.start.as_ptr()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `exact_buffer`.
        unsafe { std::alloc::dealloc(self.start.as_ptr(), self.layout) };
    }
}
