//! Trace files: what is written is read, and what is damaged is named and skipped.

use std::path::Path;

use nashtrace::record::{Candidate, Decision, Head, Kind, Record, Request};
use nashtrace::trace::{
    Damage, DamageKind, FileHeader, Item, OpenError, PacketBuilder, PacketFlags, PacketMeta,
    Reader, Writer,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use zerocopy::{FromZeros, IntoBytes};

fn header() -> FileHeader {
    FileHeader {
        library_version: "0.0.0-test".into(),
        host: "host/with odd:characters".into(),
        process_id: 42,
        process_name: "router".into(),
        started_wall_ns: 1_000,
        started_monotonic_ns: 4,
        started_ticks: 5,
        tick_source: "tsc".into(),
        settings: vec![("ring_bytes".into(), "4096".into())],
    }
}

/// Random records of several kinds and numbers of rows, as bytes.
fn records(seed: u64, count: u32) -> Vec<(Head, Vec<u8>)> {
    println!("seed {seed}");
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    (0..count)
        .map(|sequence| {
            let mut bytes;
            let mut head;
            if random.random_bool(0.5) {
                let rows = random.random_range(0..20);
                let mut decision = Decision::new_zeroed();
                random.fill(&mut decision.as_mut_bytes()[24..]);
                head = Head::new(Kind::Decision, size_of::<Decision>());
                head.row_size = size_of::<Candidate>() as u16;
                head.rows = rows;
                bytes = decision.as_bytes().to_vec();
                bytes.extend(
                    (0..rows as usize * size_of::<Candidate>()).map(|_| random.random::<u8>() & 1),
                );
            } else {
                let mut request = Request::new_zeroed();
                request.request = u64::from(sequence);
                head = Head::new(Kind::Request, size_of::<Request>());
                bytes = request.as_bytes().to_vec();
            }
            head.sequence = sequence.wrapping_add(u32::MAX - 10);
            head.time = u64::from(sequence) * 3;
            bytes[..24].copy_from_slice(head.as_bytes());
            (head, bytes)
        })
        .collect()
}

/// Write records as packets of one producer; returns the path and where each packet begins.
fn write(directory: &Path, packets: &[&[(Head, Vec<u8>)]]) -> (std::path::PathBuf, Vec<usize>) {
    let mut writer = Writer::create(directory, &header()).unwrap();
    let mut builder = PacketBuilder::new(1).unwrap();
    let mut starts = Vec::new();
    let mut end = std::fs::metadata(writer.path()).unwrap().len() as usize;
    for (sequence, packet) in packets.iter().enumerate() {
        for (head, bytes) in *packet {
            builder.push(head, bytes);
        }
        let flags = if sequence + 1 == packets.len() { PacketFlags::FINAL } else { 0 };
        let meta =
            PacketMeta { producer: 3, sequence: sequence as u64, flags, ..PacketMeta::default() };
        let bytes = builder.finish(&meta).unwrap();
        writer.append(bytes).unwrap();
        starts.push(end);
        end += bytes.len();
    }
    (writer.path().to_owned(), starts)
}

fn read(path: &Path) -> (Vec<Vec<u8>>, Vec<Damage>) {
    let mut reader = Reader::open(path).unwrap();
    let (mut records, mut damage) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Packet(packet) => {
                assert_eq!(packet.header.producer, 3);
                records.extend(packet.records().map(|r| [r.fixed, r.rows].concat()));
            }
            Item::Damage(found) => damage.push(found),
        }
    }
    (records, damage)
}

fn bytes_of(records: &[(Head, Vec<u8>)]) -> Vec<Vec<u8>> {
    records.iter().map(|(_, bytes)| bytes.clone()).collect()
}

#[test]
fn records_of_all_kinds_round_trip_in_order() {
    for seed in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let records = records(seed, 300);
        let (path, _) = write(directory.path(), &[&records[..120], &records[120..]]);
        let (found, damage) = read(&path);
        assert!(damage.is_empty());
        assert_eq!(found, bytes_of(&records));
    }
}

#[test]
fn only_the_user_may_read_the_file_and_its_name_says_who_wrote_it() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new/nested");
    let first = Writer::create(&directory, &header()).unwrap();
    let second = Writer::create(&directory, &header()).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(first.path()), mode(&directory)), (0o600, 0o700));
    assert_eq!(first.path().file_name().unwrap(), "host_with_odd_characters-42-1000.nash");
    assert_eq!(second.path().file_name().unwrap(), "host_with_odd_characters-42-1001.nash");
}

#[test]
fn a_file_torn_anywhere_gives_every_whole_packet() {
    let directory = tempfile::tempdir().unwrap();
    let records = records(1, 30);
    let (path, starts) =
        write(directory.path(), &[&records[..10], &records[10..20], &records[20..]]);
    let whole = std::fs::read(&path).unwrap();
    let torn = directory.path().join("torn.nash");
    for length in starts[0]..whole.len() {
        std::fs::write(&torn, &whole[..length]).unwrap();
        let (found, damage) = read(&torn);
        let packets = starts.iter().filter(|start| **start < length).count();
        let at_boundary = starts.contains(&length);
        let complete = if at_boundary { packets } else { packets - 1 };
        assert_eq!(found, bytes_of(&records[..10 * complete]), "cut at {length}");
        if at_boundary {
            assert!(damage.is_empty(), "cut at {length}");
        } else {
            let [damage] = damage[..] else { panic!("cut at {length}: {damage:?}") };
            assert_eq!((damage.kind, damage.offset), (DamageKind::Torn, starts[complete] as u64));
        }
    }
}

#[test]
fn a_flipped_bit_costs_one_packet_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let records = records(2, 30);
    let (path, starts) =
        write(directory.path(), &[&records[..10], &records[10..20], &records[20..]]);
    let whole = std::fs::read(&path).unwrap();
    let flipped = directory.path().join("flipped.nash");
    for at in starts[1]..starts[2] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&flipped, &bytes).unwrap();
        let (found, damage) = read(&flipped);
        assert_eq!(
            found,
            [bytes_of(&records[..10]), bytes_of(&records[20..])].concat(),
            "flip at {at}"
        );
        assert_eq!(damage.len(), 1, "flip at {at}");
        assert_eq!(damage[0].offset, starts[1] as u64);
        assert_eq!(damage[0].length, (starts[2] - starts[1]) as u64);
        assert!(matches!(damage[0].kind, DamageKind::NoPacket | DamageKind::Checksum));
    }
}

#[test]
fn garbage_between_packets_is_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let records = records(3, 20);
    let (path, starts) = write(directory.path(), &[&records[..10], &records[10..]]);
    let mut bytes = std::fs::read(&path).unwrap();
    // Even if the garbage looks like the beginning of a packet.
    bytes.splice(starts[1]..starts[1], *b"NTPKNTPKgarbageNTP");
    std::fs::write(&path, &bytes).unwrap();
    let (found, damage) = read(&path);
    assert_eq!(found, bytes_of(&records));
    assert_eq!((damage[0].kind, damage[0].length), (DamageKind::NoPacket, 18));
}

#[test]
fn files_that_are_no_traces_are_refused_with_file_and_offset() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.nash");
    let refusal = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Reader::open(&path) {
            Err(error @ OpenError::Header { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let place = format!("{}: offset 0: ", path.display());
    assert_eq!(refusal(b""), format!("{place}the file is empty"));
    assert_eq!(
        refusal(b"PAR1 this is a parquet file"),
        format!("{place}not a nashtrace file: it does not begin with NASHTRC")
    );
    let mut newer = header().encode().unwrap();
    newer[8] = 7;
    assert_eq!(
        refusal(&newer),
        format!("{place}format version 7, but this program reads version 1")
    );
    assert_eq!(
        refusal(&header().encode().unwrap()[..40]),
        format!("{place}the file header is torn or damaged")
    );
    assert!(
        Reader::open(Path::new("/nonexistent/x.nash")).unwrap_err().to_string().contains("No such")
    );
}

#[test]
fn a_packet_that_claims_more_than_it_may_is_refused() {
    use nashtrace::trace::PacketHeader;
    let directory = tempfile::tempdir().unwrap();
    let records = records(4, 10);
    let (path, starts) = write(directory.path(), &[&records]);
    let mut bytes = std::fs::read(&path).unwrap();
    let size = size_of::<PacketHeader>();
    let at = starts[0];
    let mut header = PacketHeader::decode(&bytes[at..]).unwrap();
    header.raw_size = u32::MAX;
    header.header_crc = crc32fast::hash(&header.as_bytes()[..size - 4]);
    bytes[at..at + size].copy_from_slice(header.as_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let (found, damage) = read(&path);
    assert!(found.is_empty());
    assert_eq!(damage[0].kind, DamageKind::NoPacket);
}

#[test]
fn a_record_of_an_unknown_kind_and_size_is_handed_over_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut head = Head::new(Kind::Request, 32);
    head.kind = 200;
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend([7; 8]);
    let mut longer = Request::new_zeroed();
    longer.head = Head::new(Kind::Request, size_of::<Request>() + 8);
    longer.head.sequence = 1;
    longer.request = 99;
    let longer_bytes = [longer.as_bytes(), &[0xff; 8]].concat();
    let (path, _) =
        write(directory.path(), &[&[(head, bytes.clone()), (longer.head, longer_bytes)]]);
    let mut reader = Reader::open(&path).unwrap();
    let Some(Item::Packet(packet)) = reader.next_item().unwrap() else { panic!("a packet") };
    let found: Vec<_> = packet.records().collect();
    assert_eq!((found[0].fixed, found[0].to::<Request>()), (&bytes[..], None));
    assert_eq!(found[1].to::<Request>().unwrap().request, 99);
    assert_eq!(Request::KIND, Kind::Request);
}
