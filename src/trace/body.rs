//! The body of a packet: one table per kind and size of record, each as byte planes.
//!
//! Within a packet, records keep their order through the sequence number in their heads.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::packet::MAX_RAW_BYTES;
use super::planes;
use crate::record::{ALIGNMENT, Head, assert_layout};

/// What stands before the planes of a table.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
struct TableHeader {
    /// Bytes of the struct.
    struct_size: u32,
    /// Records.
    records: u32,
    /// Rows of all records together.
    rows: u32,
    /// Bytes of a row.
    row_size: u16,
    /// `Kind` of the records.
    kind: u8,
    /// Zero.
    reserved: u8,
}

assert_layout!(TableHeader, size: 16,
    struct_size: 0, records: 4, rows: 8, row_size: 12, kind: 14, reserved: 15);

/// Records of one kind and size: their structs, and their rows in the same order.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    struct_size: usize,
    row_size: usize,
    kind: u8,
    structs: Vec<u8>,
    rows: Vec<u8>,
}

impl Table {
    fn holds(&self, head: &Head) -> bool {
        self.kind == head.kind
            && self.struct_size == head.struct_size as usize
            && self.row_size == usize::from(head.row_size)
    }

    fn header(&self) -> TableHeader {
        let rows = self.rows.len().checked_div(self.row_size).unwrap_or(0);
        TableHeader {
            struct_size: self.struct_size as u32,
            records: (self.structs.len() / self.struct_size) as u32,
            rows: rows as u32,
            row_size: self.row_size as u16,
            kind: self.kind,
            reserved: 0,
        }
    }
}

/// Tables that a packet may have; there are far fewer kinds.
const MAX_TABLES: usize = 64;

/// The tables of a packet. Their memory is reused from packet to packet.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    tables: Vec<Table>,
    used: usize,
    bytes: usize,
}

impl Body {
    pub(super) fn clear(&mut self) {
        self.used = 0;
        self.bytes = 0;
    }

    /// Give memory back if the tables keep more than a packet can fill. A hostile file could make
    /// another table large in every packet.
    fn forget_large_tables(&mut self) {
        let kept: usize =
            self.tables.iter().map(|table| table.structs.capacity() + table.rows.capacity()).sum();
        if kept > MAX_RAW_BYTES {
            self.tables.clear();
        }
    }

    /// Bytes of all records.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Add a record with its rows.
    pub(super) fn push(&mut self, head: &Head, record: &[u8]) {
        self.bytes += record.len();
        let known = self.tables[..self.used].iter().position(|table| table.holds(head));
        let index = known.unwrap_or_else(|| {
            self.open_table(head.kind, head.struct_size as usize, usize::from(head.row_size))
        });
        let (fixed, rows) = record.split_at(head.struct_size as usize);
        self.tables[index].structs.extend_from_slice(fixed);
        self.tables[index].rows.extend_from_slice(rows);
    }

    fn open_table(&mut self, kind: u8, struct_size: usize, row_size: usize) -> usize {
        let index = self.used;
        if index == self.tables.len() {
            self.tables.push(Table::default());
        }
        let table = &mut self.tables[index];
        (table.kind, table.struct_size, table.row_size) = (kind, struct_size, row_size);
        table.structs.clear();
        table.rows.clear();
        self.used += 1;
        index
    }

    /// Append the encoded tables.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for table in &self.tables[..self.used] {
            out.extend_from_slice(table.header().as_bytes());
            planes::encode(&table.structs, table.struct_size, out);
            planes::encode(&table.rows, table.row_size, out);
        }
    }

    /// Replace the tables by those that `encoded` holds. `None` if it is not a body: tables that are
    /// cut short, empty, repeated, too many, too large, of odd sizes, or with rows that their heads do
    /// not add up to.
    pub(super) fn decode(&mut self, mut encoded: &[u8]) -> Option<()> {
        self.clear();
        self.forget_large_tables();
        while !encoded.is_empty() {
            let (header, rest) = TableHeader::read_from_prefix(encoded).ok()?;
            let (struct_size, row_size) =
                (header.struct_size as usize, usize::from(header.row_size));
            let (records, rows) = (header.records as usize, header.rows as usize);
            let size = struct_size
                .checked_mul(records)?
                .checked_add(row_size.checked_mul(rows)?)?
                .checked_add(self.bytes)?;
            let is_known = self.tables[..self.used].iter().any(|table| {
                (table.kind, table.struct_size, table.row_size)
                    == (header.kind, struct_size, row_size)
            });
            let odd = records == 0
                || is_known
                || self.used == MAX_TABLES
                || struct_size < size_of::<Head>()
                || !struct_size.is_multiple_of(ALIGNMENT)
                || !row_size.is_multiple_of(ALIGNMENT)
                || (row_size == 0 && rows > 0);
            if odd || size > MAX_RAW_BYTES {
                return None;
            }
            self.bytes = size;
            let index = self.open_table(header.kind, struct_size, row_size);
            let table = &mut self.tables[index];
            let rest = planes::decode(rest, records, struct_size, &mut table.structs)?;
            encoded = planes::decode(rest, rows, row_size, &mut table.rows)?;
            table.check_heads(rows)?;
        }
        Some(())
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.tables[..self.used]
    }
}

impl Table {
    /// `None` unless every head is of this table and the heads' rows add up to `rows`.
    fn check_heads(&self, rows: usize) -> Option<()> {
        let mut sum = 0_usize;
        for record in self.structs.chunks_exact(self.struct_size) {
            let (head, _) = Head::read_from_prefix(record).ok()?;
            if !self.holds(&head) {
                return None;
            }
            sum = sum.checked_add(head.rows as usize)?;
        }
        (sum == rows).then_some(())
    }

    /// The record at a cursor, and the cursor behind it.
    pub(super) fn record(&self, cursor: Cursor) -> Option<(Head, &[u8], &[u8], Cursor)> {
        let fixed = self.structs.get(cursor.structs..)?.get(..self.struct_size)?;
        let (head, _) = Head::read_from_prefix(fixed).ok()?;
        let rows_size = head.rows as usize * self.row_size;
        let rows = self.rows.get(cursor.rows..)?.get(..rows_size)?;
        let behind =
            Cursor { structs: cursor.structs + self.struct_size, rows: cursor.rows + rows_size };
        Some((head, fixed, rows, behind))
    }
}

/// A place in a table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    structs: usize,
    rows: usize,
}
