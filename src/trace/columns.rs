//! Reading single fields of many records: only the bytes of that field are touched.

use std::marker::PhantomData;

use super::planes::{Plane, Planes};
use sealed::Unsigned;

/// A number as a field holds it: `u8`, `u16`, `u32`, `u64` or `f64`.
pub trait Number: sealed::Bits {}

/// Where a field stands in a struct or a row, and what it holds. Made by [`field!`](crate::field).
#[derive(Debug)]
pub struct Field<T> {
    offset: usize,
    number: PhantomData<T>,
}

impl<T> Clone for Field<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Field<T> {}

impl<T: Number> Field<T> {
    /// The field that begins so many bytes behind the beginning of the struct or row.
    #[must_use]
    pub const fn at(offset: usize) -> Self {
        Self { offset, number: PhantomData }
    }

    /// For [`field!`](crate::field): the second argument says what the field holds.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<R>(offset: usize, _: fn(&R) -> T) -> Self {
        Self::at(offset)
    }
}

/// A [`Field`](crate::trace::Field) of a record or row, by name: `field!(Candidate, cost)`,
/// `field!(Decision, head.time)`.
#[macro_export]
macro_rules! field {
    ($record:ty, $($name:ident).+) => {
        $crate::trace::Field::of(
            ::core::mem::offset_of!($record, $($name).+),
            |record: &$record| record.$($name).+,
        )
    };
}

/// One field of all records of a table, or of all their rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Column<'b, T> {
    /// The same number everywhere, so many times.
    Same(T, usize),
    /// The number of each.
    Each(&'b [T]),
}

impl<T: Number> Column<'_, T> {
    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Same(_, count) => *count,
            Self::Each(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of the numbers.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> T {
        match self {
            Self::Same(number, count) => {
                assert!(index < *count, "number {index} of {count}");
                *number
            }
            Self::Each(numbers) => numbers[index],
        }
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// Structs or rows of one kind and size, as columns.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    planes: Planes<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(planes: Planes<'a>) -> Self {
        Self { planes }
    }

    /// How many structs or rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.planes.lines()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of a struct or row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.planes.width()
    }

    /// A field of all structs or rows, whatever size they were recorded with: bytes that they do not
    /// have are zero. Takes no time for a field that does not vary. `buffer` is overwritten; it is there
    /// to be used again.
    pub fn read<'b, T: Number>(&self, field: Field<T>, buffer: &'b mut Vec<T>) -> Column<'b, T> {
        let mut planes = [Plane::Same(0); 8];
        let planes = &mut planes[..size_of::<T>()];
        for (plane, of_matrix) in planes.iter_mut().zip(self.planes.columns_from(field.offset)) {
            *plane = of_matrix;
        }
        gather(planes, self.len(), buffer)
    }

    /// The first bytes of one struct or row; bytes that it does not have are zero.
    ///
    /// # Panics
    ///
    /// If there are not so many structs or rows.
    pub fn copy(&self, index: usize, bytes: &mut [u8]) {
        assert!(index < self.len(), "line {index} of {}", self.len());
        self.planes.line(index, bytes);
    }
}

/// The numbers whose bytes, from the lowest, are in `planes`.
fn gather<'b, T: Number>(
    planes: &[Plane<'_>],
    count: usize,
    buffer: &'b mut Vec<T>,
) -> Column<'b, T> {
    let mut same = T::Unsigned::default();
    for (byte, plane) in planes.iter().enumerate() {
        if let Plane::Same(value) = plane {
            same |= T::Unsigned::from(*value) << (8 * byte);
        }
    }
    if planes.iter().all(|plane| matches!(plane, Plane::Same(_))) {
        return Column::Same(T::from_bits(same), count);
    }
    buffer.clear();
    buffer.resize(count, T::from_bits(same));
    add_planes(planes, T::bits_of(buffer));
    Column::Each(buffer)
}

/// Put the bytes that vary into their places, which are zero.
#[inline]
fn add_planes<U: Unsigned>(planes: &[Plane<'_>], numbers: &mut [U]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: this processor has what the function is compiled for.
        return unsafe { add_planes_with_avx2(planes, numbers) };
    }
    add_planes_anywhere(planes, numbers);
}

/// The same with wider registers: a third of the instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_planes_with_avx2<U: Unsigned>(planes: &[Plane<'_>], numbers: &mut [U]) {
    add_planes_anywhere(planes, numbers);
}

#[inline(always)]
fn add_planes_anywhere<U: Unsigned>(planes: &[Plane<'_>], numbers: &mut [U]) {
    for (byte, plane) in planes.iter().enumerate() {
        if let Plane::Each(cells) = plane {
            for (number, cell) in numbers.iter_mut().zip(*cells) {
                *number |= U::from(*cell) << (8 * byte);
            }
        }
    }
}

mod sealed {
    use std::ops::{BitOrAssign, Shl};

    /// Bits to put together.
    pub trait Unsigned:
        Copy + Default + From<u8> + BitOrAssign + Shl<usize, Output = Self>
    {
    }

    impl<U> Unsigned for U where U: Copy + Default + From<u8> + BitOrAssign + Shl<usize, Output = Self> {}

    /// Numbers that can be put together byte by byte.
    pub trait Bits: Copy {
        /// The unsigned number of the same size.
        type Unsigned: Unsigned;

        /// The number with these bits.
        fn from_bits(bits: Self::Unsigned) -> Self;

        /// The bits of some numbers.
        fn bits_of(numbers: &mut [Self]) -> &mut [Self::Unsigned];
    }
}

macro_rules! impl_number {
    ($($number:ty: $unsigned:ty, $from_bits:expr;)+) => { $(
        impl sealed::Bits for $number {
            type Unsigned = $unsigned;

            fn from_bits(bits: $unsigned) -> Self {
                $from_bits(bits)
            }

            fn bits_of(numbers: &mut [Self]) -> &mut [$unsigned] {
                zerocopy::transmute_mut!(numbers)
            }
        }

        impl Number for $number {}
    )+ };
}

impl_number! {
    u8: u8, std::convert::identity;
    u16: u16, std::convert::identity;
    u32: u32, std::convert::identity;
    u64: u64, std::convert::identity;
    f64: u64, f64::from_bits;
}
