//! The only place where pointers of the caller are turned into references.

use std::ffi::c_char;
use std::marker::PhantomData;

use zerocopy::FromBytes;

use super::status::Status;
use crate::record::{ALIGNMENT, Head, Record};

/// A record that a caller passed, checked. Fields that a later version of the struct added are left out.
#[derive(Clone, Copy)]
pub(super) struct ForeignRecord<'a, T> {
    /// The caller's bytes, as far as our struct goes.
    bytes: &'a [u8],
    record: PhantomData<T>,
}

impl<T: Record> ForeignRecord<'_, T> {
    /// The caller's head.
    #[inline]
    pub(super) fn head(&self) -> Head {
        Head::read_from_prefix(self.bytes).expect("every struct begins with a head").0
    }

    /// The bytes behind the head, as far as our struct goes.
    #[inline]
    pub(super) fn tail(&self) -> &[u8] {
        &self.bytes[size_of::<Head>()..]
    }

    /// The record, with zeros where an older caller has no field.
    pub(super) fn copy(&self) -> T {
        let mut copy = T::new_zeroed();
        copy.as_mut_bytes()[..self.bytes.len()].copy_from_slice(self.bytes);
        copy
    }
}

/// Check a pointer to a struct that begins with its size. An older caller's struct is shorter than ours,
/// but never shorter than in version 1.
///
/// # Safety
///
/// If `record` is neither NULL nor misaligned, it points to at least `struct_size` readable bytes that
/// nobody writes during `'a`.
pub(super) unsafe fn record<'a, T: Record>(
    record: *const T,
) -> Result<ForeignRecord<'a, T>, Status> {
    check_pointer(record.cast())?;
    // SAFETY: non-NULL and aligned; every caller's struct begins with `struct_size`.
    let size = unsafe { record.cast::<u32>().read() } as usize;
    if size < T::V1_SIZE {
        return Err(Status::StructTooSmall);
    }
    // SAFETY: as many bytes are readable, by the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(record.cast(), size.min(size_of::<T>())) };
    Ok(ForeignRecord { bytes, record: PhantomData })
}

/// Rows that a caller passed, checked.
#[derive(Clone, Copy)]
pub(super) struct ForeignRows<'a, T> {
    bytes: &'a [u8],
    stride: usize,
    row: PhantomData<T>,
}

impl<'a, T> ForeignRows<'a, T> {
    /// The bytes of all rows when they follow one another without a gap.
    pub(super) fn contiguous(&self) -> Option<&'a [u8]> {
        (self.stride == size_of::<T>()).then_some(self.bytes)
    }

    /// The bytes of each row, as far as our struct goes.
    pub(super) fn each(&self) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.chunks(self.stride).map(|row| &row[..row.len().min(size_of::<T>())])
    }
}

/// Check a pointer to `count` rows that are `stride` bytes apart, `v1_size` at least.
///
/// # Safety
///
/// If `rows` is neither NULL nor misaligned, it points to `count * stride` readable bytes that nobody
/// writes during `'a`.
pub(super) unsafe fn rows<'a, T>(
    rows: *const T,
    count: u32,
    stride: u32,
    v1_size: usize,
) -> Result<ForeignRows<'a, T>, Status> {
    check_pointer(rows.cast())?;
    let stride = stride as usize;
    if stride < v1_size {
        return Err(Status::StructTooSmall);
    }
    if !stride.is_multiple_of(ALIGNMENT) {
        return Err(Status::Misaligned);
    }
    let bytes = stride.checked_mul(count as usize).filter(|bytes| isize::try_from(*bytes).is_ok());
    let bytes = bytes.ok_or(Status::InvalidArgument)?;
    // SAFETY: by the caller's promise, `bytes` bytes are readable; the length fits an isize.
    let bytes = unsafe { std::slice::from_raw_parts(rows.cast::<u8>(), bytes) };
    Ok(ForeignRows { bytes, stride, row: PhantomData })
}

/// Check bytes of a text.
///
/// # Safety
///
/// If `text` is not NULL, it points to `length` readable bytes that nobody writes during `'a`.
pub(super) unsafe fn bytes<'a>(text: *const c_char, length: usize) -> Result<&'a [u8], Status> {
    if text.is_null() {
        return Err(Status::NullPointer);
    }
    if isize::try_from(length).is_err() {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: by the caller's promise; the length fits an isize.
    Ok(unsafe { std::slice::from_raw_parts(text.cast(), length) })
}

/// Check a text that is a name. One that is too long for a name is not looked at.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(
    text: *const c_char,
    length: usize,
    longest: usize,
) -> Result<&'a str, Status> {
    if !text.is_null() && length > longest {
        return Err(Status::NameRefused);
    }
    // SAFETY: by the caller's promise.
    std::str::from_utf8(unsafe { bytes(text, length) }?).map_err(|_| Status::NotUtf8)
}

/// Read options that begin with their size, `v1_size` bytes at least. Fields that an older caller's
/// struct lacks keep the value that they have in `default`.
///
/// # Safety
///
/// If `options` is neither NULL nor misaligned, it points to at least as many readable bytes as its
/// first field says. Any bytes are valid for every field of `T`.
pub(super) unsafe fn options<T>(
    options: *const T,
    v1_size: usize,
    default: T,
) -> Result<T, Status> {
    check_pointer(options.cast())?;
    // SAFETY: non-NULL and aligned; the first field is the size, by the caller's promise.
    let size = unsafe { options.cast::<u32>().read() } as usize;
    if size < v1_size {
        return Err(Status::StructTooSmall);
    }
    let mut copy = default;
    // SAFETY: both sides have that many bytes, and `copy` is ours alone.
    unsafe {
        (&raw mut copy)
            .cast::<u8>()
            .copy_from_nonoverlapping(options.cast(), size.min(size_of::<T>()));
    }
    Ok(copy)
}

/// Write as much of a struct as the caller has room for, `v1_size` bytes at least; its first field tells
/// him how much was written.
///
/// # Safety
///
/// If `out` is neither NULL nor misaligned, it points to at least as many writable bytes as its first
/// field says.
pub(super) unsafe fn write_sized<T>(
    out: *mut T,
    v1_size: usize,
    value: impl FnOnce(u32) -> Result<T, Status>,
) -> Result<(), Status> {
    check_pointer(out.cast())?;
    // SAFETY: non-NULL and aligned; the first field is the size, by the caller's promise.
    let room = unsafe { out.cast::<u32>().read() } as usize;
    if room < v1_size {
        return Err(Status::StructTooSmall);
    }
    let size = room.min(size_of::<T>());
    let value = value(size as u32)?;
    // SAFETY: both sides have that many bytes.
    unsafe { out.cast::<u8>().copy_from_nonoverlapping((&raw const value).cast(), size) };
    Ok(())
}

/// Check an out-parameter.
pub(super) fn check_out<T>(out: *mut T) -> Result<(), Status> {
    if out.is_null() {
        Err(Status::NullPointer)
    } else if out.is_aligned() {
        Ok(())
    } else {
        Err(Status::Misaligned)
    }
}

/// Write an out-parameter.
///
/// # Safety
///
/// If `out` is neither NULL nor misaligned, it points to a writable `T`.
pub(super) unsafe fn write<T>(out: *mut T, value: T) -> Result<(), Status> {
    check_out(out)?;
    // SAFETY: by the caller's promise.
    unsafe { out.write(value) };
    Ok(())
}

fn check_pointer(pointer: *const u8) -> Result<(), Status> {
    if pointer.is_null() {
        Err(Status::NullPointer)
    } else if pointer.addr().is_multiple_of(ALIGNMENT) {
        Ok(())
    } else {
        Err(Status::Misaligned)
    }
}
