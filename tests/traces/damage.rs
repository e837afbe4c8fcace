//! Ways to damage a file: bytes anywhere, behind checksums that are made right again, and inside the
//! compressed tables, so that damage reaches every layer of the reader.

use nashtrace::trace::{FileHeader, PACKET_MAGIC, PacketHeader};
use rand::Rng;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Magic, version, length, CRC of a file's header.
const PREAMBLE: usize = 20;
const HEADER: usize = size_of::<PacketHeader>();

/// Change a few bytes, cut, repeat or drop a stretch.
pub(crate) fn scramble(bytes: &mut Vec<u8>, random: &mut impl Rng) {
    for _ in 0..random.random_range(1..5) {
        if bytes.is_empty() {
            return;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..64)).min(bytes.len());
        match random.random_range(0..8) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes[at..end].fill(*[0, 0xff, 0x7f, 0x80].get(at % 4).unwrap_or(&0)),
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let stretch = bytes[at..end].to_vec();
                let to = random.random_range(0..=bytes.len());
                bytes.splice(to..to, stretch);
            }
            6 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.random()),
            _ => {
                // A number that some field may be afraid of.
                let number = [0, 1, 7, 8, 24, 1 << 16, 1 << 31, u32::MAX - 7, u32::MAX];
                let number: u32 = number[random.random_range(0..number.len())];
                let width = (bytes.len() - at).min(4);
                bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
            }
        }
    }
}

/// Make the checksums of everything right that looks like a header or a packet.
pub(crate) fn repair_checksums(bytes: &mut [u8]) {
    if let Some(length) = bytes.get(12..16) {
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        if let Some(body) = bytes.get(PREAMBLE..).and_then(|rest| rest.get(..length)) {
            let crc = crc32fast::hash(body).to_le_bytes();
            bytes[16..PREAMBLE].copy_from_slice(&crc);
        }
    }
    for at in packets(bytes) {
        let (mut header, _) = PacketHeader::read_from_prefix(&bytes[at..]).unwrap();
        let body_at = at + usize::from(header.header_size);
        let body = bytes.get(body_at..).and_then(|rest| rest.get(..header.body_size as usize));
        if let Some(body) = body {
            header.body_crc = crc32fast::hash(body);
        }
        seal(&mut header);
        bytes[at..at + HEADER].copy_from_slice(header.as_bytes());
    }
}

/// Change the decompressed tables of a packet of the file, and pack them again as if they were meant so.
pub(crate) fn scramble_tables(bytes: &mut Vec<u8>, random: &mut impl Rng) {
    let packets = packets(bytes);
    let at = packets[random.random_range(0..packets.len())];
    let header = PacketHeader::decode(&bytes[at..]).expect("a packet of a valid file");
    let end = at + HEADER + header.body_size as usize;
    let body = &bytes[at + HEADER..end];
    let mut tables = zstd::bulk::decompress(body, header.raw_size as usize).expect("a valid body");
    scramble(&mut tables, random);
    bytes.splice(at..end, packet_of(header, &tables));
}

/// A packet that holds `tables`, whatever they are.
pub(crate) fn packet_of(mut header: PacketHeader, tables: &[u8]) -> Vec<u8> {
    let body = zstd::bulk::compress(tables, 1).expect("memory");
    header.magic = PACKET_MAGIC;
    header.header_size = HEADER as u16;
    header.raw_size = tables.len() as u32;
    header.body_size = body.len() as u32;
    header.body_crc = crc32fast::hash(&body);
    seal(&mut header);
    [header.as_bytes(), &body].concat()
}

/// A file with one packet that holds `tables`.
pub(crate) fn file_of(header: &FileHeader, tables: &[u8]) -> Vec<u8> {
    let mut file = header.encode().expect("a small header");
    file.extend(packet_of(PacketHeader::new_zeroed(), tables));
    file
}

/// Make a packet header's own checksum right.
pub(crate) fn seal(header: &mut PacketHeader) {
    header.header_crc = crc32fast::hash(&header.as_bytes()[..HEADER - 4]);
}

/// Where something begins that looks like a packet.
fn packets(bytes: &[u8]) -> Vec<usize> {
    let starts = 0..bytes.len().saturating_sub(HEADER - 1);
    starts.filter(|at| bytes[*at..].starts_with(&PACKET_MAGIC)).collect()
}
