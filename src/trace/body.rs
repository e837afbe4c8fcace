//! The body of a packet, record by record: one table per kind and size of record.
//!
//! Within a packet, records keep their order through the sequence number in their heads.

use zerocopy::{FromBytes, IntoBytes};

use super::packet::MAX_RAW_BYTES;
use super::planes;
use super::tables::TableHeader;
use crate::record::Head;

/// Records of one kind and size: their structs, and their rows in the same order.
#[derive(Debug, Clone, Default)]
pub(super) struct TableOfRows {
    struct_size: usize,
    row_size: usize,
    kind: u8,
    structs: Vec<u8>,
    rows: Vec<u8>,
}

impl TableOfRows {
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

/// The tables of a packet. Their memory is reused from packet to packet.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    tables: Vec<TableOfRows>,
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
            self.tables.push(TableOfRows::default());
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

    /// Replace the tables by those that stand in a packet as planes.
    pub(super) fn interleave<'a>(&mut self, tables: impl Iterator<Item = super::Table<'a>>) {
        self.clear();
        self.forget_large_tables();
        for encoded in tables {
            let (records, rows) = encoded.planes();
            let index = self.open_table(encoded.kind(), records.width(), rows.width());
            let table = &mut self.tables[index];
            records.interleave(&mut table.structs);
            rows.interleave(&mut table.rows);
            self.bytes += table.structs.len() + table.rows.len();
        }
    }

    pub(super) fn tables(&self) -> &[TableOfRows] {
        &self.tables[..self.used]
    }
}

impl TableOfRows {
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
