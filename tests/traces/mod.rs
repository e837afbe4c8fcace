//! Trace files to be spoilt: valid ones, ways to damage them, and a reading that checks what a reader
//! must always hold to.

// Each test program and fuzz target uses a part of this.
#![allow(dead_code)]

pub(crate) mod damage;
pub(crate) mod read;

use nashtrace::record::{Anchor, Decision, Head, Kind, Loss, Name, Record, Request, Setting};
use nashtrace::trace::{FileHeader, PacketBuilder, PacketFlags, PacketMeta};
use rand::Rng;

pub(crate) fn file_header() -> FileHeader {
    FileHeader {
        library_version: "0.0.0-test".into(),
        host: "host".into(),
        process_id: 42,
        process_name: "router".into(),
        started_wall_ns: 1_000,
        started_monotonic_ns: 4,
        started_ticks: 5,
        tick_source: "tsc".into(),
        settings: vec![("ring_bytes".into(), "4096".into()), ("poll_ms".into(), "5".into())],
    }
}

/// A record of kind `T` with random fields and so many rows of random bytes.
pub(crate) fn record<T: Record>(
    random: &mut impl Rng,
    rows: u32,
    sequence: u32,
) -> (Head, Vec<u8>) {
    let mut record = T::new_zeroed();
    random.fill(record.as_mut_bytes());
    let mut head = Head::new(T::KIND, size_of::<T>());
    head.row_size = T::ROW_SIZE as u16;
    head.rows = if T::ROW_SIZE == 0 { 0 } else { rows };
    head.sequence = sequence;
    head.time = random.random();
    *record.head_mut() = head;
    let mut bytes = record.as_bytes().to_vec();
    let rows_at = bytes.len();
    bytes.resize(head.record_size().unwrap(), 0);
    // Half of the columns vary, as in life.
    bytes[rows_at..].iter_mut().step_by(2).for_each(|byte| *byte = random.random());
    (head, bytes)
}

/// A record of a random kind.
pub(crate) fn any_record(random: &mut impl Rng, sequence: u32) -> (Head, Vec<u8>) {
    let rows = random.random_range(0..12);
    match random.random_range(0..6) {
        0 => record::<Decision>(random, rows, sequence),
        1 => record::<Request>(random, rows, sequence),
        2 => record::<Setting>(random, rows, sequence),
        3 => record::<Anchor>(random, rows, sequence),
        4 => record::<Loss>(random, rows, sequence),
        _ => record::<Name>(random, rows, sequence),
    }
}

/// The bytes of a valid file with a few packets of several producers.
pub(crate) fn valid_file(random: &mut impl Rng) -> Vec<u8> {
    let mut file = file_header().encode().unwrap();
    let mut builder = PacketBuilder::new(1).unwrap();
    let packets = random.random_range(1..6);
    for packet in 0..packets {
        for sequence in 0..random.random_range(1..40) {
            let (head, bytes) = any_record(random, sequence);
            builder.push(&head, &bytes);
        }
        let flags = if packet + 1 == packets { PacketFlags::FINAL } else { 0 };
        let meta = PacketMeta { producer: packet % 3, flags, ..PacketMeta::default() };
        file.extend_from_slice(builder.finish(&meta).unwrap());
    }
    file
}

/// Twelve packets, each of which makes another table large: 7 MiB that compress to nothing.
pub(crate) fn file_that_swells_every_table() -> Vec<u8> {
    const STRUCT: usize = 4096;
    let mut file = file_header().encode().unwrap();
    let mut builder = PacketBuilder::new(1).unwrap();
    for packet in 0..12_u8 {
        for table in 0..=packet {
            let is_large = table == packet;
            let mut head = Head::new(Kind::Request, STRUCT);
            head.kind = 100 + table;
            let mut bytes = vec![0; STRUCT];
            bytes[..size_of::<Head>()].copy_from_slice(zerocopy::IntoBytes::as_bytes(&head));
            for _ in 0..if is_large { (7 << 20) / STRUCT } else { 1 } {
                builder.push(&head, &bytes);
            }
        }
        file.extend_from_slice(builder.finish(&PacketMeta::default()).unwrap());
    }
    file
}
