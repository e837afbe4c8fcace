//! Who touches which bytes of a ring. Loom sees no plain memory, so the ring tells it of every access;
//! without loom these calls are empty.

#[cfg(not(loom))]
#[derive(Debug)]
pub(super) struct Access;

#[cfg(not(loom))]
impl Access {
    pub(super) fn new(_length: usize) -> Self {
        Self
    }

    #[inline]
    pub(super) fn read(&self, _start: usize, _bytes: usize) {}

    #[inline]
    pub(super) fn write(&self, _start: usize, _bytes: usize) {}
}

/// A cell of loom's for every eight bytes, the ring's alignment. Loom fails a model in which a write is
/// not ordered against every other access to its cell.
#[cfg(loom)]
#[derive(Debug)]
pub(super) struct Access(Vec<loom::cell::UnsafeCell<()>>);

#[cfg(loom)]
impl Access {
    pub(super) fn new(length: usize) -> Self {
        Self((0..length / 8).map(|_| loom::cell::UnsafeCell::new(())).collect())
    }

    /// Around the end of the memory, like positions.
    pub(super) fn read(&self, start: usize, bytes: usize) {
        self.cells(start, bytes).for_each(|cell| cell.with(|_| ()));
    }

    pub(super) fn write(&self, start: usize, bytes: usize) {
        self.cells(start, bytes).for_each(|cell| cell.with_mut(|_| ()));
    }

    fn cells(
        &self,
        start: usize,
        bytes: usize,
    ) -> impl Iterator<Item = &loom::cell::UnsafeCell<()>> {
        (start / 8..(start + bytes).div_ceil(8)).map(|cell| &self.0[cell % self.0.len()])
    }
}
