//! Properties of the layers inside a packet: planes and tables.

use proptest::collection::vec;
use proptest::prelude::*;
use zerocopy::IntoBytes;

use super::body::Body;
use super::planes::{self, Planes};
use super::tables::Tables;
use crate::record::{Head, Kind};

/// A matrix of bytes in which many columns do not vary, and its width.
fn matrix() -> impl Strategy<Value = (Vec<u8>, usize)> {
    (1_usize..70, 0_usize..40).prop_flat_map(|(width, rows)| {
        (vec(any::<u8>(), rows * width), vec(any::<bool>(), width)).prop_map(
            move |(mut cells, varies)| {
                for (at, cell) in cells.iter_mut().enumerate() {
                    if !varies[at % width] {
                        *cell = at.wrapping_rem(width) as u8;
                    }
                }
                (cells, width)
            },
        )
    })
}

fn record((kind, words, row_words, rows): (u8, usize, u16, u32), sequence: u32) -> (Head, Vec<u8>) {
    let mut head = Head::new(Kind::Request, words * 8);
    (head.kind, head.sequence, head.row_size) = (kind, sequence, row_words * 8);
    head.rows = if row_words == 0 { 0 } else { rows };
    let size = head.record_size().expect("a small record");
    let mut bytes: Vec<u8> = (0..size).map(|at| at as u8 ^ sequence as u8).collect();
    bytes[..size_of::<Head>()].copy_from_slice(head.as_bytes());
    (head, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planes_round_trip_and_take_no_more_than_the_matrix_and_its_bitmap((cells, width) in matrix()) {
        let mut encoded = Vec::new();
        planes::encode(&cells, width, &mut encoded);
        prop_assert!(encoded.len() <= cells.len() + width + width.div_ceil(8));
        let (planes, rest) = Planes::split(&encoded, cells.len() / width, width).expect("planes");
        prop_assert!(rest.is_empty());
        let mut decoded = Vec::new();
        planes.interleave(&mut decoded);
        prop_assert_eq!(decoded, cells);
    }

    #[test]
    fn planes_of_anything_decode_to_their_size_or_to_nothing(
        bytes in vec(any::<u8>(), 0..500), rows in 0_usize..50, width in 1_usize..50,
    ) {
        if let Some((planes, _)) = Planes::split(&bytes, rows, width) {
            let mut decoded = Vec::new();
            planes.interleave(&mut decoded);
            prop_assert_eq!(decoded.len(), rows * width);
        }
    }

    #[test]
    fn tables_round_trip(
        shapes in vec((0_u8..4, 3_usize..8, 0_u16..3, 0_u32..5), 0..60),
    ) {
        let mut body = Body::default();
        let mut expected: Vec<Vec<u8>> = Vec::new();
        for (sequence, shape) in (0..).zip(shapes) {
            let (head, bytes) = record(shape, sequence);
            body.push(&head, &bytes);
            expected.push(bytes);
        }
        let mut encoded = Vec::new();
        body.encode(&mut encoded);
        let mut decoded = Body::default();
        // Whatever was decoded before leaves no trace.
        decoded.interleave(Tables::new(&encoded[..encoded.len() / 2]));
        prop_assert_eq!(Tables::check(&encoded, &mut vec![7]), Some(()));
        decoded.interleave(Tables::new(&encoded));
        prop_assert_eq!(decoded.bytes(), body.bytes());
        let mut found = Vec::new();
        for table in decoded.tables() {
            let mut cursor = super::body::Cursor::default();
            while let Some((_, fixed, rows, behind)) = table.record(cursor) {
                found.push([fixed, rows].concat());
                cursor = behind;
            }
        }
        found.sort_by_key(|bytes| u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_body_that_is_cut_or_changed_is_a_body_or_refused(
        shapes in vec((0_u8..4, 3_usize..8, 0_u16..3, 0_u32..5), 1..30),
        cut in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut body = Body::default();
        for (sequence, shape) in (0..).zip(shapes) {
            let (head, bytes) = record(shape, sequence);
            body.push(&head, &bytes);
        }
        let mut encoded = Vec::new();
        body.encode(&mut encoded);
        for (at, byte) in &changes {
            let at = at.index(encoded.len());
            encoded[at] = *byte;
        }
        let cut = cut.index(encoded.len() + 1);
        let is_whole = Tables::check(&encoded[..cut], &mut Vec::new()).is_some();
        if is_whole {
            let mut decoded = Body::default();
            decoded.interleave(Tables::new(&encoded[..cut]));
            if changes.is_empty() && cut < encoded.len() {
                // Cut between two tables.
                prop_assert!(decoded.tables().len() < body.tables().len());
            }
        }
    }
}
