//! The layout of records before compression: byte planes.
//!
//! Records of one kind have one size, so a sequence of them is a matrix with a line per record and a
//! column per byte. Most columns never change within a packet (the high bytes of counters, unused
//! fields, weights), and the others compress far better beside their own kind. The matrix is stored as
//! its first line, a bit per column that says whether the column varies, and the varying columns one
//! after the other.

/// Append the planes of `matrix`, whose lines have `width` bytes. An empty matrix takes no bytes.
pub(super) fn encode(matrix: &[u8], width: usize, out: &mut Vec<u8>) {
    if matrix.is_empty() {
        return;
    }
    let (first, _) = matrix.split_at(width);
    out.extend_from_slice(first);
    let bitmap_at = out.len();
    out.resize(bitmap_at + width.div_ceil(8), 0);
    let varying = varying_columns(matrix, first);
    for (column, _) in varying.iter().enumerate().filter(|(_, bits)| **bits != 0) {
        out[bitmap_at + column / 8] |= 1 << (column % 8);
        out.extend(matrix[column..].iter().step_by(width));
    }
}

/// For every column the bits in which some line differs from the first.
fn varying_columns(matrix: &[u8], first: &[u8]) -> Vec<u8> {
    let mut varying = vec![0; first.len()];
    for line in matrix.chunks_exact(first.len()) {
        for ((bits, byte), first) in varying.iter_mut().zip(line).zip(first) {
            *bits |= byte ^ first;
        }
    }
    varying
}

/// An encoded matrix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes<'a> {
    lines: usize,
    width: usize,
    /// The first line; empty if there is none.
    first: &'a [u8],
    /// The bits of the columns that vary.
    bitmap: &'a [u8],
    /// The columns that vary.
    cells: &'a [u8],
}

/// One column of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plane<'a> {
    /// The same byte in every line.
    Same(u8),
    /// The byte of each line.
    Each(&'a [u8]),
}

impl<'a> Planes<'a> {
    /// The matrix that stands at the beginning of `encoded`, and the bytes behind it. `None` if there
    /// are not enough.
    pub(super) fn split(encoded: &'a [u8], lines: usize, width: usize) -> Option<(Self, &'a [u8])> {
        if lines == 0 {
            return Some((Self { lines, width, first: &[], bitmap: &[], cells: &[] }, encoded));
        }
        let (first, rest) = encoded.split_at_checked(width)?;
        let (bitmap, rest) = rest.split_at_checked(width.div_ceil(8))?;
        let (cells, rest) = rest.split_at_checked(lines.checked_mul(ones(bitmap, width))?)?;
        Some((Self { lines, width, first, bitmap, cells }, rest))
    }

    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The columns of the matrix from one on.
    pub(super) fn columns_from(&self, column: usize) -> impl Iterator<Item = Plane<'a>> {
        let column = column.min(self.first.len());
        // Without lines there are no columns to take cells from.
        let before = ones(self.bitmap, column) * self.lines;
        let mut cells = self.cells[before..].chunks_exact(self.lines.max(1));
        let planes = *self;
        (column..planes.first.len()).map(move |column| {
            let cells = if planes.varies(column) { cells.next() } else { None };
            cells.map_or(Plane::Same(planes.first[column]), Plane::Each)
        })
    }

    fn varies(&self, column: usize) -> bool {
        self.bitmap[column / 8] & (1 << (column % 8)) != 0
    }

    /// Append the matrix line by line.
    pub(super) fn interleave(&self, out: &mut Vec<u8>) {
        // So few lines at a time that they stay in the nearest cache while their columns come in.
        const BLOCK_BYTES: usize = 1 << 13;
        let start = out.len();
        out.reserve_exact(self.lines * self.width);
        for _ in 0..self.lines {
            out.extend_from_slice(self.first);
        }
        let lines_of_a_block = (BLOCK_BYTES / self.width.max(1)).max(1);
        let blocks = out[start..].chunks_mut((lines_of_a_block * self.width).max(1));
        for (number, block) in blocks.enumerate() {
            let first_line = number * lines_of_a_block;
            for (column, plane) in self.columns_from(0).enumerate() {
                if let Plane::Each(cells) = plane {
                    let cells = &cells[first_line..];
                    let column = block[column..].iter_mut().step_by(self.width);
                    for (cell, byte) in column.zip(cells) {
                        *cell = *byte;
                    }
                }
            }
        }
    }

    /// One line of the matrix, as wide as `out`: what is missing is zero, what is too much is left out.
    pub(super) fn line(&self, line: usize, out: &mut [u8]) {
        out.fill(0);
        for (byte, plane) in out.iter_mut().zip(self.columns_from(0)) {
            *byte = match plane {
                Plane::Same(byte) => byte,
                Plane::Each(cells) => cells[line],
            };
        }
    }
}

/// Bits that are set among the first `bits` of a bitmap.
fn ones(bitmap: &[u8], bits: usize) -> usize {
    let (whole, rest) = bitmap.split_at(bits / 8);
    let last = rest.first().map_or(0, |byte| byte & ((1 << (bits % 8)) - 1));
    // Eight bytes at a time: not every processor counts bits by itself.
    let (words, bytes) = whole.as_chunks();
    let words = words.iter().map(|word| u64::from_le_bytes(*word).count_ones());
    let bytes = bytes.iter().chain([&last]).map(|byte| byte.count_ones());
    words.chain(bytes).sum::<u32>() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(matrix: &[u8], width: usize) -> usize {
        let mut encoded = vec![7];
        encode(matrix, width, &mut encoded);
        let used = encoded.len() - 1;
        encoded.extend_from_slice(b"tail");
        let (planes, rest) = Planes::split(&encoded[1..], matrix.len() / width, width).unwrap();
        let mut decoded = vec![9];
        planes.interleave(&mut decoded);
        assert_eq!((rest, &decoded[1..]), (&b"tail"[..], matrix));
        used
    }

    #[test]
    fn matrices_round_trip() {
        assert_eq!(round_trip(&[], 16), 0);
        for width in [1, 8, 24, 96] {
            for lines in [1, 2, 7, 100] {
                let matrix: Vec<u8> = (0..width * lines)
                    .map(|i: usize| (i.wrapping_mul(2_654_435_761) >> 7) as u8)
                    .collect();
                round_trip(&matrix, width);
            }
        }
    }

    #[test]
    fn columns_that_never_change_take_no_room() {
        let line = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(round_trip(&line.repeat(1000), 8), 8 + 1);
    }

    #[test]
    fn a_cut_plane_is_refused() {
        let mut encoded = Vec::new();
        encode(&[1, 2, 3, 4, 5, 6], 2, &mut encoded);
        for end in 0..encoded.len() {
            assert!(Planes::split(&encoded[..end], 3, 2).is_none(), "{end} bytes");
        }
    }

    #[test]
    fn a_column_is_found_without_the_lines() {
        let mut encoded = Vec::new();
        encode(&[1, 2, 3, 1, 5, 4], 3, &mut encoded);
        let (planes, _) = Planes::split(&encoded, 2, 3).unwrap();
        let found: Vec<_> = planes.columns_from(0).collect();
        assert_eq!(found, [Plane::Same(1), Plane::Each(&[2, 5]), Plane::Each(&[3, 4])]);
        assert_eq!(planes.columns_from(2).collect::<Vec<_>>(), found[2..]);
        assert_eq!(planes.columns_from(4).count(), 0);
        let mut line = [9; 4];
        planes.line(1, &mut line);
        assert_eq!(line, [1, 5, 4, 0]);
    }
}
