//! What waits in a ring or a lane, entry by entry.

use zerocopy::IntoBytes;

use super::lane::LaneRecord;
use super::memory::Memory;
use crate::record::Kind;

/// Iterator over whole entries in a ring.
pub(crate) struct Entries<'a> {
    place: Place<'a>,
    consumed: usize,
}

/// Where the entries are.
pub(super) enum Place<'a> {
    Ring {
        memory: &'a Memory,
        position: u64,
        end: u64,
    },
    /// Records that were made of a lane's entries between two positions.
    Lane {
        records: std::slice::Iter<'a, LaneRecord>,
        begin: u64,
        end: u64,
    },
}

impl<'a> Entries<'a> {
    pub(super) fn new(place: Place<'a>) -> Self {
        Self { place, consumed: 0 }
    }

    /// Bytes that the iterator has passed, padding included.
    #[must_use]
    pub(crate) fn consumed(&self) -> usize {
        self.consumed
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match &mut self.place {
            Place::Ring { memory, position, end } => {
                let begin = *position;
                let entry = next_entry(memory, position, *end);
                self.consumed += (*position - begin) as usize;
                entry
            }
            Place::Lane { records, begin, end } => {
                let record = records.next();
                // Behind the last record there may be a stamp.
                self.consumed = (record.map_or(*end, |record| record.end) - *begin) as usize;
                record.map(|record| record.block.as_bytes())
            }
        }
    }
}

/// The entry at a position or behind the padding there, which becomes that of the one behind it. `None` at the end.
fn next_entry<'a>(memory: &'a Memory, position: &mut u64, end: u64) -> Option<&'a [u8]> {
    while *position < end {
        let capacity = memory.length() as u64;
        let index = (*position & (capacity - 1)) as usize;
        memory.access().read(index, 8);
        // SAFETY: the bytes between head and tail were published by the producer's release store
        // and stay untouched until `release`; entries start at multiples of eight and are
        // contiguous, so eight bytes can be read here.
        let (size, kind) = unsafe {
            let at = memory.start().as_ptr().add(index);
            (at.cast::<u32>().read() as usize, at.add(4).read())
        };
        if kind == Kind::Padding as u8 {
            *position += size as u64;
            continue;
        }
        // SAFETY: as above; every entry begins with the head that its bytes were reserved by, and
        // is committed as a whole.
        let entry = unsafe {
            let at = memory.start().as_ptr().add(index);
            let row_size = at.add(6).cast::<u16>().read() as usize;
            let rows = at.add(8).cast::<u32>().read() as usize;
            std::slice::from_raw_parts(at, size + rows * row_size)
        };
        memory.access().read(index, entry.len());
        *position += entry.len() as u64;
        return Some(entry);
    }
    None
}
