//! The tables of a packet as they stand in its decompressed body: one per kind and size of record, as
//! byte planes. Nothing is copied; what is not looked at costs nothing.

use std::mem::offset_of;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::columns::{Column, Columns, Field};
use super::packet::MAX_RAW_BYTES;
use super::planes::{Plane, Planes};
use crate::record::{ALIGNMENT, Head, assert_layout};

/// What stands before the planes of a table.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub(super) struct TableHeader {
    /// Bytes of the struct.
    pub(super) struct_size: u32,
    /// Records.
    pub(super) records: u32,
    /// Rows of all records together.
    pub(super) rows: u32,
    /// Bytes of a row.
    pub(super) row_size: u16,
    /// `Kind` of the records.
    pub(super) kind: u8,
    /// Zero.
    pub(super) reserved: u8,
}

assert_layout!(TableHeader, size: 16,
    struct_size: 0, records: 4, rows: 8, row_size: 12, kind: 14, reserved: 15);

/// Tables that a packet may have; there are far fewer kinds.
const MAX_TABLES: usize = 64;

/// All records of a packet that are of one kind and size, as columns.
///
/// The records are in the order in which they were recorded, and so are the rows: the first record's
/// rows, as many as its head says, then the second's. Between tables the order is that of the heads'
/// sequence numbers.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    header: TableHeader,
    records: Planes<'a>,
    rows: Planes<'a>,
}

impl<'a> Table<'a> {
    /// The kind of the records; a number that no [`Kind`](crate::record::Kind) has is of a later version.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.header.kind
    }

    /// The structs, heads included: a line for each record.
    #[must_use]
    pub fn records(&self) -> Columns<'a> {
        Columns::new(self.records)
    }

    /// The rows of all records.
    #[must_use]
    pub fn rows(&self) -> Columns<'a> {
        Columns::new(self.rows)
    }

    pub(super) fn planes(&self) -> (Planes<'a>, Planes<'a>) {
        (self.records, self.rows)
    }

    /// The table at the beginning of `encoded`, and the bytes behind it. `None` if it is cut short.
    fn split(encoded: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, rest) = TableHeader::read_from_prefix(encoded).ok()?;
        let (records, rest) =
            Planes::split(rest, header.records as usize, header.struct_size as usize)?;
        let (rows, rest) = Planes::split(rest, header.rows as usize, header.row_size.into())?;
        Some((Self { header, records, rows }, rest))
    }

    /// Bytes of all records. `None` if the numbers overflow.
    fn bytes(&self) -> Option<usize> {
        let structs = self.records.width().checked_mul(self.records.lines())?;
        structs.checked_add(self.rows.width().checked_mul(self.rows.lines())?)
    }

    fn holds_the_same_as(&self, other: &Self) -> bool {
        let (a, b) = (&self.header, &other.header);
        (a.kind, a.struct_size, a.row_size) == (b.kind, b.struct_size, b.row_size)
    }

    /// Whether the sizes are those of records.
    fn is_plausible(&self) -> bool {
        let (struct_size, row_size) = (self.records.width(), self.rows.width());
        self.records.lines() > 0
            && struct_size >= size_of::<Head>()
            && struct_size.is_multiple_of(ALIGNMENT)
            && row_size.is_multiple_of(ALIGNMENT)
            && (row_size > 0 || self.rows.lines() == 0)
    }

    /// Whether every head is of this table and the heads' rows add up to its rows. `buffer` is
    /// overwritten.
    fn heads_agree(&self, buffer: &mut Vec<u32>) -> bool {
        let TableHeader { struct_size, row_size, kind, .. } = self.header;
        let says = |offset: usize, bytes: &[u8]| {
            bytes.iter().zip(self.records.columns_from(offset)).all(|(expected, plane)| match plane
            {
                Plane::Same(byte) => byte == *expected,
                Plane::Each(cells) => cells.iter().all(|byte| byte == expected),
            })
        };
        let rows = match self.records().read(Field::<u32>::at(offset_of!(Head, rows)), buffer) {
            Column::Same(rows, records) => u64::from(rows).checked_mul(records as u64),
            // 2^32 records of 2^32 rows each do not overflow.
            Column::Each(rows) => Some(rows.iter().map(|rows| u64::from(*rows)).sum()),
        };
        says(offset_of!(Head, struct_size), &struct_size.to_le_bytes())
            && says(offset_of!(Head, kind), &[kind])
            && says(offset_of!(Head, row_size), &row_size.to_le_bytes())
            && rows == Some(u64::from(self.header.rows))
    }
}

/// Iterator over the tables of a packet.
#[derive(Debug, Clone)]
pub struct Tables<'a> {
    rest: &'a [u8],
}

impl<'a> Tables<'a> {
    /// The tables of a decompressed body, which ends with the first that is cut short.
    pub(super) fn new(encoded: &'a [u8]) -> Self {
        Self { rest: encoded }
    }

    /// `None` unless all of it are tables as a packet may hold them: none that is cut short, empty,
    /// repeated, too large, of odd sizes or with rows that its heads do not add up to, and not too many.
    /// `buffer` is overwritten.
    pub(super) fn check(encoded: &'a [u8], buffer: &mut Vec<u32>) -> Option<()> {
        let mut tables = Self::new(encoded);
        let (mut count, mut bytes) = (0, 0_usize);
        for table in tables.by_ref() {
            let is_repeated =
                || Self::new(encoded).take(count).any(|earlier| earlier.holds_the_same_as(&table));
            bytes = bytes.checked_add(table.bytes()?)?;
            let may_stand_here = count < MAX_TABLES
                && bytes <= MAX_RAW_BYTES
                && table.is_plausible()
                && !is_repeated()
                && table.heads_agree(buffer);
            if !may_stand_here {
                return None;
            }
            count += 1;
        }
        tables.rest.is_empty().then_some(())
    }
}

impl<'a> Iterator for Tables<'a> {
    type Item = Table<'a>;

    fn next(&mut self) -> Option<Table<'a>> {
        let (table, rest) = Table::split(self.rest)?;
        self.rest = rest;
        Some(table)
    }
}
