//! Damaged and hostile files give a sentence or a partial reading, in bounded memory, and never a panic.

mod counting;
mod traces;

use std::path::Path;

use counting::peak_during;
use nashtrace::record::{Head, Kind};
use nashtrace::trace::{DamageKind, PacketHeader};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use traces::damage::{file_of, repair_checksums, scramble, scramble_tables, seal};
use traces::read::{Reading, read_everything};
use traces::{file_header, file_that_swells_every_table, valid_file};
use zerocopy::{FromZeros, IntoBytes};

/// What a reader may hold beside twice the file: a decompressed packet, its tables and those of the
/// packet before, and its buffers.
const CONSTANT: usize = 32 << 20;

fn number_from(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The tests count the memory of the whole process, so they take turns.
fn read_in_bounded_memory(path: &Path, bytes: &[u8]) -> Result<Reading, String> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    std::fs::write(path, bytes).unwrap();
    let _turn = TURN.lock();
    let (reading, peak) = peak_during(|| read_everything(path));
    assert!(peak <= 2 * bytes.len() + CONSTANT, "{peak} bytes for a file of {}", bytes.len());
    reading
}

#[test]
fn ten_thousand_mutations_never_cause_a_panic() {
    let seed = number_from("PROOF_SEED", 1);
    let mutations = number_from("PROOF_MUTATIONS", 10_000);
    println!("PROOF_SEED={seed} PROOF_MUTATIONS={mutations}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.nash");
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut outcomes = std::collections::BTreeMap::<String, u64>::new();
    let mut valid = valid_file(&mut random);
    for mutation in 0..mutations {
        if mutation % 50 == 0 {
            valid = valid_file(&mut random);
        }
        let mut bytes = valid.clone();
        match mutation % 3 {
            0 => scramble(&mut bytes, &mut random),
            1 => {
                scramble(&mut bytes, &mut random);
                repair_checksums(&mut bytes);
            }
            _ => scramble_tables(&mut bytes, &mut random),
        }
        match read_in_bounded_memory(&path, &bytes) {
            Err(sentence) => *outcomes.entry(without_path(&sentence, &path)).or_default() += 1,
            Ok(reading) if reading.damage.is_empty() => {
                *outcomes.entry("read as a whole".into()).or_default() += 1;
            }
            Ok(reading) => {
                for kind in reading.damage {
                    *outcomes.entry(kind.to_string()).or_default() += 1;
                }
            }
        }
    }
    println!("{outcomes:#?}");
    // Every answer that the reader has was given: the mutations reach all of its layers.
    for answer in [
        "offset 0: not a nashtrace file: it does not begin with NASHTRC",
        "offset 0: the file header is torn or damaged",
        "read as a whole",
        &DamageKind::Torn.to_string(),
        &DamageKind::NoPacket.to_string(),
        &DamageKind::Checksum.to_string(),
        &DamageKind::Compression.to_string(),
        &DamageKind::Tables.to_string(),
    ] {
        assert!(mutations < 1_000 || outcomes.contains_key(answer), "never answered: {answer}");
    }
}

fn without_path(sentence: &str, path: &Path) -> String {
    sentence.replace(&format!("{}: ", path.display()), "")
}

#[test]
fn every_packet_of_a_valid_file_is_read_before_it_is_spoilt() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = ChaCha12Rng::seed_from_u64(7);
    for _ in 0..20 {
        let bytes = valid_file(&mut random);
        let path = directory.path().join("x.nash");
        let reading = read_in_bounded_memory(&path, &bytes).unwrap();
        assert!(reading.damage.is_empty() && reading.packets > 0 && reading.records > 0);
    }
}

#[test]
fn a_packet_header_that_claims_four_gigabytes_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.nash");
    let valid = file_of(&file_header(), &[]);
    let at = file_header().encode().unwrap().len();
    let whole = PacketHeader::decode(&valid[at..]).unwrap();
    let with = |change: fn(&mut PacketHeader)| {
        let mut header = whole;
        change(&mut header);
        seal(&mut header);
        let mut bytes = valid.clone();
        bytes[at..at + size_of::<PacketHeader>()].copy_from_slice(header.as_bytes());
        read_in_bounded_memory(&path, &bytes).unwrap()
    };
    for reading in
        [with(|header| header.raw_size = u32::MAX), with(|header| header.body_size = u32::MAX)]
    {
        assert_eq!((reading.packets, reading.damage), (0, vec![DamageKind::NoPacket]));
    }
    // What a packet may claim, but the file does not hold.
    let reading = with(|header| header.body_size = 8 << 20);
    assert_eq!((reading.packets, reading.damage), (0, vec![DamageKind::Torn]));
}

#[test]
fn tables_that_claim_four_gigabytes_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.nash");
    let mut random = ChaCha12Rng::seed_from_u64(3);
    for _ in 0..500 {
        // struct_size, records, rows, row_size, kind: large and small ones in any combination.
        let sizes = [0, 8, 24, 4096, 1 << 23, 1 << 24, u32::MAX - 7, u32::MAX];
        let mut number = || sizes[random.random_range(0..sizes.len())];
        let mut tables =
            [number().to_le_bytes(), number().to_le_bytes(), number().to_le_bytes()].concat();
        tables.extend((number() as u16).to_le_bytes());
        tables.extend([Kind::Request as u8, 0]);
        let mut head = Head::new_zeroed();
        head.struct_size = number();
        tables.extend(head.as_bytes());
        tables.resize(4096, 0);
        read_in_bounded_memory(&path, &file_of(&file_header(), &tables)).unwrap();
    }
}

#[test]
fn a_file_that_makes_another_table_large_in_every_packet_is_read_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.nash");
    let reading = read_in_bounded_memory(&path, &file_that_swells_every_table()).unwrap();
    assert_eq!((reading.packets, reading.damage.len()), (12, 0));
}
