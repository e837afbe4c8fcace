//! The layout of records before compression: byte planes.
//!
//! Records of one kind have one size, so a sequence of them is a matrix with a row per record and a
//! column per byte. Most columns never change within a packet (the high bytes of counters, unused
//! fields, weights), and the others compress far better beside their own kind. The matrix is stored as
//! its first row, a bit per column that says whether the column varies, and the varying columns one
//! after the other.

/// Append the planes of `matrix`, whose rows have `width` bytes. An empty matrix takes no bytes.
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

/// For every column the bits in which some row differs from the first.
fn varying_columns(matrix: &[u8], first: &[u8]) -> Vec<u8> {
    let mut varying = vec![0; first.len()];
    for row in matrix.chunks_exact(first.len()) {
        for ((bits, byte), first) in varying.iter_mut().zip(row).zip(first) {
            *bits |= byte ^ first;
        }
    }
    varying
}

/// Append the matrix whose planes stand at the beginning of `planes`, and return the bytes behind
/// them. `None` if there are not enough.
pub(super) fn decode<'a>(
    planes: &'a [u8],
    rows: usize,
    width: usize,
    out: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    if rows == 0 {
        return Some(planes);
    }
    let (first, rest) = planes.split_at_checked(width)?;
    let (bitmap, mut rest) = rest.split_at_checked(width.div_ceil(8))?;
    let start = out.len();
    out.reserve_exact(rows.checked_mul(width)?);
    for _ in 0..rows {
        out.extend_from_slice(first);
    }
    for column in (0..width).filter(|column| bitmap[column / 8] & (1 << (column % 8)) != 0) {
        let (plane, behind) = rest.split_at_checked(rows)?;
        for (cell, byte) in out[start + column..].iter_mut().step_by(width).zip(plane) {
            *cell = *byte;
        }
        rest = behind;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(matrix: &[u8], width: usize) -> usize {
        let mut planes = vec![7];
        encode(matrix, width, &mut planes);
        let used = planes.len() - 1;
        planes.extend_from_slice(b"tail");
        let mut decoded = vec![9];
        let rest = decode(&planes[1..], matrix.len() / width, width, &mut decoded).unwrap();
        assert_eq!((rest, &decoded[1..]), (&b"tail"[..], matrix));
        used
    }

    #[test]
    fn matrices_round_trip() {
        assert_eq!(round_trip(&[], 16), 0);
        for width in [1, 8, 24, 96] {
            for rows in [1, 2, 7, 100] {
                let matrix: Vec<u8> = (0..width * rows)
                    .map(|i: usize| (i.wrapping_mul(2_654_435_761) >> 7) as u8)
                    .collect();
                round_trip(&matrix, width);
            }
        }
    }

    #[test]
    fn columns_that_never_change_take_no_room() {
        let row = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(round_trip(&row.repeat(1000), 8), 8 + 1);
    }

    #[test]
    fn a_cut_plane_is_refused() {
        let mut planes = Vec::new();
        encode(&[1, 2, 3, 4, 5, 6], 2, &mut planes);
        for end in 0..planes.len() {
            assert!(decode(&planes[..end], 3, 2, &mut Vec::new()).is_none(), "{end} bytes");
        }
    }
}
