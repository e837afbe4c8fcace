//! Any record, any header and any mixture of packets survive a round trip through a file.

mod traces;

use nashtrace::field;
use nashtrace::record::{Anchor, Decision, Head, Kind, Loss, Name, Record, Request, Setting};
use nashtrace::trace::{
    Columns, Field, FileHeader, Item, Number, Packet, PacketBuilder, PacketFlags, PacketHeader,
    PacketMeta, Reader,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// A record of any kind and size, as a library of any version may have written it.
fn any_record() -> impl Strategy<Value = (Head, Vec<u8>)> {
    let sizes = (3_usize..40, 0_usize..14, 0_u32..6);
    (any::<u8>(), any::<u8>(), any::<u64>(), sizes, any::<u64>()).prop_map(
        |(kind, clock, time, (words, row_words, rows), filling)| {
            let mut head = Head::new(Kind::Request, words * 8);
            (head.kind, head.clock, head.time) = (kind, clock, time);
            head.row_size = row_words as u16 * 8;
            head.rows = if row_words == 0 { 0 } else { rows };
            let size = head.record_size().expect("a small record");
            let bytes = (0..size as u64).map(|at| (filling.rotate_left(at as u32 % 64) ^ at) as u8);
            (head, bytes.collect())
        },
    )
}

/// Give the records of a packet their numbers, from any number on.
fn numbered(mut records: Vec<(Head, Vec<u8>)>, first: u32) -> Vec<(Head, Vec<u8>)> {
    for (number, (head, bytes)) in (0..).zip(&mut records) {
        head.sequence = first.wrapping_add(number);
        bytes[..size_of::<Head>()].copy_from_slice(head.as_bytes());
    }
    records
}

prop_compose! {
    fn any_header()(
        texts in proptest::collection::vec(".{0,40}", 4),
        process_id in any::<u32>(),
        started in any::<[u64; 3]>(),
        settings in proptest::collection::vec((".{0,20}", ".{0,20}"), 0..8),
    ) -> FileHeader {
        let [library_version, host, process_name, tick_source] =
            <[String; 4]>::try_from(texts).expect("four texts");
        let [started_wall_ns, started_monotonic_ns, started_ticks] = started;
        FileHeader {
            library_version, host, process_id, process_name, started_wall_ns, started_monotonic_ns,
            started_ticks, tick_source, settings,
        }
    }
}

prop_compose! {
    fn any_meta()(
        numbers in any::<[u64; 3]>(),
        lost in any::<[u64; 8]>(),
        producer in any::<u32>(),
        is_final in any::<bool>(),
    ) -> PacketMeta {
        let [sequence, produced, written_before] = numbers;
        let flags = if is_final { PacketFlags::FINAL } else { 0 };
        // So many events that the sum does not overflow: a producer does not reach 2^64.
        let written_before = written_before >> 1;
        PacketMeta { producer, sequence, produced, written_before, lost, flags }
    }
}

/// What stands at an offset of each line, as the column and as the lines say it.
fn check_field<T: Number + FromBytes + PartialEq + std::fmt::Debug>(
    columns: &Columns<'_>,
    lines: &[&[u8]],
    offset: usize,
) -> Result<(), TestCaseError> {
    let number = |line: &&[u8]| {
        let bytes = (offset..offset + size_of::<T>()).map(|at| line.get(at).copied().unwrap_or(0));
        T::read_from_bytes(&bytes.collect::<Vec<u8>>()).expect("as many bytes as a number has")
    };
    let mut buffer = Vec::new();
    let column = columns.read(Field::<T>::at(offset), &mut buffer);
    prop_assert_eq!(column.len(), lines.len());
    prop_assert_eq!(
        column.iter().collect::<Vec<_>>(),
        lines.iter().map(number).collect::<Vec<_>>()
    );
    Ok(())
}

/// Whether columns say the same as the lines that they were made of.
fn check_columns(columns: &Columns<'_>, lines: &[&[u8]]) -> Result<(), TestCaseError> {
    prop_assert_eq!((columns.len(), columns.is_empty()), (lines.len(), lines.is_empty()));
    // Around the end too, behind which everything is zero.
    let width = columns.width();
    for offset in (0..width).step_by(11).chain(width.saturating_sub(9)..width + 2) {
        check_field::<u8>(columns, lines, offset)?;
        check_field::<u16>(columns, lines, offset)?;
        check_field::<u32>(columns, lines, offset)?;
        check_field::<u64>(columns, lines, offset)?;
    }
    for (index, line) in lines.iter().enumerate() {
        for size in [width, width / 2, width + 8] {
            let mut found = vec![7; size];
            columns.copy(index, &mut found);
            let mut expected = line.to_vec();
            expected.resize(size, 0);
            prop_assert_eq!(found, expected);
        }
    }
    Ok(())
}

/// Whether a packet's tables hold what its records hold, each record in one of them.
fn check_tables(packet: &Packet<'_>) -> Result<(), TestCaseError> {
    let mut records = 0;
    for table in packet.tables() {
        let of_table: Vec<_> = packet
            .records()
            .filter(|record| {
                let head = record.head;
                (head.kind, head.struct_size as usize) == (table.kind(), table.records().width())
                    && usize::from(head.row_size) == table.rows().width()
            })
            .collect();
        let structs: Vec<_> = of_table.iter().map(|record| record.fixed).collect();
        let rows: Vec<_> = of_table.iter().flat_map(|record| record.rows()).collect();
        check_columns(&table.records(), &structs)?;
        check_columns(&table.rows(), &rows)?;
        records += of_table.len();
    }
    prop_assert_eq!(records, packet.records().count());
    Ok(())
}

/// At most as many kinds and sizes as a packet may have tables.
const RECORDS: std::ops::Range<usize> = 1..60;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_file_reads_as_it_was_written(
        header in any_header(),
        packets in proptest::collection::vec(
            (proptest::collection::vec(any_record(), RECORDS), any::<u32>(), any_meta()), 0..5),
        level in -3_i32..4,
    ) {
        let mut builder = PacketBuilder::new(level).unwrap();
        let mut file = header.encode().unwrap();
        let packets: Vec<_> = packets
            .into_iter()
            .map(|(records, first, meta)| (numbered(records, first), meta))
            .collect();
        for (records, meta) in &packets {
            records.iter().for_each(|(head, bytes)| builder.push(head, bytes));
            file.extend_from_slice(builder.finish(meta).unwrap());
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.nash");
        std::fs::write(&path, file).unwrap();

        let mut reader = Reader::open(&path).unwrap();
        prop_assert_eq!(reader.header(), &header);
        for (records, meta) in &packets {
            let Some(Item::Packet(packet)) = reader.next_item().unwrap() else {
                return Err(TestCaseError::fail("a packet is missing"));
            };
            let found: Vec<_> =
                packet.records().map(|record| [record.fixed, record.rows].concat()).collect();
            let expected: Vec<_> = records.iter().map(|(_, bytes)| bytes.clone()).collect();
            prop_assert_eq!(found, expected);
            check_tables(&packet)?;
            let header = packet.header;
            prop_assert_eq!(
                (header.producer, header.sequence, header.produced, header.lost, header.flags),
                (meta.producer, meta.sequence, meta.produced, meta.lost, meta.flags)
            );
            let times = records.iter().map(|(head, _)| head.time);
            prop_assert_eq!(Some(header.first_time), times.clone().min());
            prop_assert_eq!(Some(header.last_time), times.max());
            prop_assert_eq!(header.records as usize, records.len());
        }
        prop_assert!(reader.next_item().unwrap().is_none());
    }

    #[test]
    fn columns_of_records_with_varying_fields_are_their_rows(
        seed in any::<u64>(), records in 1_u32..80,
    ) {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut builder = PacketBuilder::new(1).unwrap();
        for sequence in 0..records {
            let (head, bytes) = traces::any_record(&mut random, sequence);
            builder.push(&head, &bytes);
        }
        let mut file = traces::file_header().encode().unwrap();
        file.extend_from_slice(builder.finish(&PacketMeta::default()).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.nash");
        std::fs::write(&path, file).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        let Some(Item::Packet(packet)) = reader.next_item().unwrap() else {
            return Err(TestCaseError::fail("the packet is missing"));
        };
        check_tables(&packet)?;
        let mut buffer = Vec::new();
        for table in packet.tables().filter(|table| table.kind() == Kind::Decision as u8) {
            let decisions = packet.records().filter_map(|record| record.to::<Decision>());
            let found = table.records().read(field!(Decision, propensity), &mut buffer);
            let bits = |number: f64| number.to_bits();
            prop_assert!(found.iter().map(bits).eq(decisions.map(|one| bits(one.propensity))));
        }
    }

    #[test]
    fn a_packet_header_is_itself_or_nothing(bytes in any::<[u8; 144]>(), flip in 0_usize..1152) {
        let mut header = PacketHeader::new_zeroed();
        header.as_mut_bytes().copy_from_slice(&bytes);
        header.magic = nashtrace::trace::PACKET_MAGIC;
        header.header_size = header.header_size.max(144);
        header.raw_size %= 8 << 20;
        header.body_size %= 8 << 20;
        traces::damage::seal(&mut header);
        prop_assert_eq!(PacketHeader::decode(header.as_bytes()), Some(header));
        // A checksum of 32 bits finds every single flipped bit.
        let mut flipped = header;
        flipped.as_mut_bytes()[flip / 8] ^= 1 << (flip % 8);
        prop_assert_eq!(PacketHeader::decode(flipped.as_bytes()), None);
    }

    #[test]
    fn every_record_reads_from_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        fn check<T: Record + std::fmt::Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
            let Some(record) = T::read(bytes) else {
                prop_assert!(bytes.len() < size_of::<Head>());
                return Ok(());
            };
            let shared = bytes.len().min(size_of::<T>());
            prop_assert_eq!(&record.as_bytes()[..shared], &bytes[..shared]);
            prop_assert!(record.as_bytes()[shared..].iter().all(|byte| *byte == 0));
            Ok(())
        }
        check::<Decision>(&bytes)?;
        check::<Request>(&bytes)?;
        check::<Setting>(&bytes)?;
        check::<Anchor>(&bytes)?;
        check::<Loss>(&bytes)?;
        check::<Name>(&bytes)?;
    }
}
