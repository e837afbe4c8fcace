//! A packet: the records of one producer, in order, checked and compressed.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};
use zstd::zstd_safe::{CParameter, ParamSwitch};

use super::body::Body;
use crate::record::{Clock, Head, Kind, LossReason, assert_layout};

/// The first four bytes of every packet.
pub const PACKET_MAGIC: [u8; 4] = *b"NTPK";

/// The version of the record schema. Fields and kinds may be added without raising it.
///
/// cbindgen:ignore
pub const SCHEMA_VERSION: u16 = 1;

/// Largest event that is recorded, rows included.
///
/// cbindgen:ignore
pub const MAX_EVENT_BYTES: usize = 4 << 20;

/// Largest packet that is written or believed, in bytes of records and of encoded tables.
///
/// cbindgen:ignore
pub const MAX_RAW_BYTES: usize = 8 << 20;

/// Bits of [`PacketHeader::flags`].
#[derive(Debug, Clone, Copy)]
pub struct PacketFlags;

impl PacketFlags {
    /// The last packet of the session: the file is complete.
    ///
    /// cbindgen:ignore
    pub const FINAL: u16 = 1 << 0;
}

/// The value of [`PacketHeader::clock`] when the packet's records are on different clocks.
const MIXED_CLOCKS: u8 = u8::MAX;

/// The header of a packet.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PacketHeader {
    /// [`PACKET_MAGIC`].
    pub magic: [u8; 4],
    /// Bytes of this header.
    pub header_size: u16,
    /// [`SCHEMA_VERSION`].
    pub schema: u16,
    /// Number of this packet among those of its producer, from 0. A gap is a lost packet.
    pub sequence: u64,
    /// Smallest time of a record in the packet.
    pub first_time: u64,
    /// Largest time of a record in the packet.
    pub last_time: u64,
    /// Events that the producer began so far, rows included.
    pub produced: u64,
    /// Events of the producer that stand in the file, this packet and rows included. Ledgers are not
    /// counted.
    pub written: u64,
    /// Events of the producer that were lost so far, indexed by `LossReason`.
    pub lost: [u64; LossReason::SLOTS],
    /// The producer; 0 is the collector itself.
    pub producer: u32,
    /// Records in the packet.
    pub records: u32,
    /// Rows in the packet.
    pub rows: u32,
    /// Bytes of the body when decompressed: the tables.
    pub raw_size: u32,
    /// Bytes of the body in the file.
    pub body_size: u32,
    /// Bits of [`PacketFlags`].
    pub flags: u16,
    /// Clock of `first_time` and `last_time` (`Clock`), 255 if the records are on different clocks.
    pub clock: u8,
    /// Zero.
    pub reserved: u8,
    /// CRC-32 of the body as it stands in the file.
    pub body_crc: u32,
    /// CRC-32 of this header up to here.
    pub header_crc: u32,
}

assert_layout!(PacketHeader, size: 144,
    magic: 0, header_size: 4, schema: 6, sequence: 8, first_time: 16, last_time: 24, produced: 32,
    written: 40, lost: 48, producer: 112, records: 116, rows: 120, raw_size: 124, body_size: 128,
    flags: 132, clock: 134, reserved: 135, body_crc: 136, header_crc: 140);

impl PacketHeader {
    /// Read a header and check its magic, CRC and sizes. `None` if it is not one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, _) = Self::read_from_prefix(bytes).ok()?;
        let crc_at = std::mem::offset_of!(Self, header_crc);
        let plausible = header.magic == PACKET_MAGIC
            && usize::from(header.header_size) >= size_of::<Self>()
            && header.raw_size as usize <= MAX_RAW_BYTES
            && header.body_size as usize <= zstd::zstd_safe::compress_bound(MAX_RAW_BYTES);
        (plausible && crc32fast::hash(&bytes[..crc_at]) == header.header_crc).then_some(header)
    }

    /// Whether a bit of [`PacketFlags`] is set.
    #[must_use]
    pub const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// The common clock of the packet's records, if they share one.
    #[must_use]
    pub const fn common_clock(&self) -> Option<Clock> {
        Clock::from_u8(self.clock)
    }
}

/// What the collector knows about a packet beside its records.
#[derive(Debug, Clone, Copy, Default)]
pub struct PacketMeta {
    /// See [`PacketHeader::producer`].
    pub producer: u32,
    /// See [`PacketHeader::sequence`].
    pub sequence: u64,
    /// See [`PacketHeader::produced`].
    pub produced: u64,
    /// Events written before this packet.
    pub written_before: u64,
    /// See [`PacketHeader::lost`].
    pub lost: [u64; LossReason::SLOTS],
    /// See [`PacketHeader::flags`].
    pub flags: u16,
}

/// Collects records and turns them into the bytes of a packet. Its buffers are reused.
pub struct PacketBuilder {
    body: Body,
    encoded: Vec<u8>,
    packet: Vec<u8>,
    compressor: zstd::bulk::Compressor<'static>,
    records: u32,
    rows: u32,
    ledgers: u32,
    first_time: u64,
    last_time: u64,
    clock: Option<u8>,
}

impl PacketBuilder {
    /// An empty builder that compresses at a zstd level.
    ///
    /// # Errors
    ///
    /// If zstd has no memory.
    pub fn new(zstd_level: i32) -> std::io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(zstd_level)?;
        // What does not repeat is noise once the bytes stand in planes: to code it takes the reader a third
        // of its time and saves a few percent.
        compressor.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Disable))?;
        Ok(Self {
            body: Body::default(),
            encoded: Vec::new(),
            packet: Vec::new(),
            compressor,
            records: 0,
            rows: 0,
            ledgers: 0,
            first_time: u64::MAX,
            last_time: 0,
            clock: None,
        })
    }

    /// Bytes of the records collected.
    #[must_use]
    pub fn record_bytes(&self) -> usize {
        self.body.bytes()
    }

    /// Records collected.
    #[must_use]
    pub fn records(&self) -> u32 {
        self.records
    }

    /// Events collected: records but ledgers, and those of their rows that are counted.
    #[must_use]
    pub fn events(&self) -> u64 {
        u64::from(self.records - self.ledgers) + u64::from(self.rows)
    }

    /// Add a record with its rows.
    pub fn push(&mut self, head: &Head, record: &[u8]) {
        self.records += 1;
        self.ledgers += u32::from(head.kind == Kind::Loss as u8);
        if head.kind == Kind::Decision as u8 {
            self.rows += head.rows;
        }
        self.first_time = self.first_time.min(head.time);
        self.last_time = self.last_time.max(head.time);
        let clock = *self.clock.get_or_insert(head.clock);
        if clock != head.clock {
            self.clock = Some(MIXED_CLOCKS);
        }
        self.body.push(head, record);
    }

    /// The bytes of the packet with all records since the last call.
    ///
    /// # Errors
    ///
    /// If zstd fails; the records are gone then.
    pub fn finish(&mut self, meta: &PacketMeta) -> std::io::Result<&[u8]> {
        let result = self.build(meta);
        self.clear();
        result.map(|()| self.packet.as_slice())
    }

    fn build(&mut self, meta: &PacketMeta) -> std::io::Result<()> {
        let header_size = size_of::<PacketHeader>();
        self.encoded.clear();
        self.body.encode(&mut self.encoded);
        self.packet.clear();
        self.packet.resize(header_size + zstd::zstd_safe::compress_bound(self.encoded.len()), 0);
        let body_size =
            self.compressor.compress_to_buffer(&self.encoded, &mut self.packet[header_size..])?;
        self.packet.truncate(header_size + body_size);

        let mut header = PacketHeader::new_zeroed();
        header.magic = PACKET_MAGIC;
        header.header_size = header_size as u16;
        header.schema = SCHEMA_VERSION;
        header.sequence = meta.sequence;
        header.first_time = if self.records == 0 { 0 } else { self.first_time };
        header.last_time = self.last_time;
        header.produced = meta.produced;
        header.written = meta.written_before + self.events();
        header.lost = meta.lost;
        header.producer = meta.producer;
        header.records = self.records;
        header.rows = self.rows;
        header.raw_size = self.encoded.len() as u32;
        header.body_size = body_size as u32;
        header.flags = meta.flags;
        header.clock = self.clock.unwrap_or(Clock::Ticks as u8);
        header.body_crc = crc32fast::hash(&self.packet[header_size..]);
        let crc_at = std::mem::offset_of!(PacketHeader, header_crc);
        header.header_crc = crc32fast::hash(&header.as_bytes()[..crc_at]);
        self.packet[..header_size].copy_from_slice(header.as_bytes());
        Ok(())
    }

    fn clear(&mut self) {
        self.body.clear();
        self.records = 0;
        self.rows = 0;
        self.ledgers = 0;
        self.first_time = u64::MAX;
        self.last_time = 0;
        self.clock = None;
    }
}
