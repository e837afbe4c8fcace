//! Reading a trace file: every whole packet, and a name for everything that is not one.

use std::cell::{Cell, OnceCell};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::body::{Body, Cursor};
use super::header::{FileHeader, HeaderError, PREAMBLE_BYTES};
use super::packet::{PACKET_MAGIC, PacketHeader};
use super::tables::Tables;
use crate::record::{Head, Record};

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// It does not begin like a trace.
    #[error("{}: offset 0: {source}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with its first bytes.
        source: HeaderError,
    },
}

/// What is wrong with a stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// The file ends inside a packet.
    #[error("the file ends inside a packet")]
    Torn,
    /// No packet begins here.
    #[error("no packet begins here")]
    NoPacket,
    /// The packet's body does not match its checksum.
    #[error("the packet's checksum is wrong")]
    Checksum,
    /// The body does not decompress to what its header says.
    #[error("the packet cannot be decompressed")]
    Compression,
    /// The decompressed body does not hold the records that it should.
    #[error("the packet's tables are inconsistent")]
    Tables,
}

/// A stretch of a file that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// What is wrong.
    pub kind: DamageKind,
    /// The packet's header, if that much was readable.
    pub header: Option<PacketHeader>,
}

/// The next thing in a file.
pub enum Item<'a> {
    /// A whole packet.
    Packet(Packet<'a>),
    /// Something that is not.
    Damage(Damage),
}

/// A whole packet.
pub struct Packet<'a> {
    /// Its header.
    pub header: PacketHeader,
    /// Where it begins in the file.
    pub offset: u64,
    contents: &'a Contents,
}

impl<'a> Packet<'a> {
    /// The records of the packet, in the order in which they were recorded. They are put together when
    /// this is first called; who needs a few of their fields only is served faster by
    /// [`Packet::tables`].
    #[must_use]
    pub fn records(&self) -> Records<'a> {
        let body = self.contents.body();
        Records { body, cursors: vec![Cursor::default(); body.tables().len()] }
    }

    /// The records of the packet by kind and size, to be read column by column.
    #[must_use]
    pub fn tables(&self) -> Tables<'a> {
        Tables::new(&self.contents.encoded)
    }
}

/// What a packet holds. Its memory is reused from packet to packet.
#[derive(Default)]
struct Contents {
    /// The tables as planes, checked.
    encoded: Vec<u8>,
    /// The same record by record, once somebody has asked for it.
    body: OnceCell<Body>,
    /// The memory of the packet before.
    spare: Cell<Body>,
    /// To check with.
    buffer: Vec<u32>,
}

impl Contents {
    fn body(&self) -> &Body {
        self.body.get_or_init(|| {
            let mut body = self.spare.take();
            body.interleave(Tables::new(&self.encoded));
            body
        })
    }

    /// Take what a body decompresses to, `size` bytes of tables.
    fn decompress(
        &mut self,
        body: &[u8],
        size: usize,
        decompressor: &mut zstd::bulk::Decompressor<'_>,
    ) -> Result<(), DamageKind> {
        if let Some(body) = self.body.take() {
            self.spare.set(body);
        }
        self.encoded.clear();
        self.encoded.reserve_exact(size);
        let decompressed = decompressor.decompress_to_buffer(body, &mut self.encoded);
        if decompressed.map_err(|_| DamageKind::Compression)? != size {
            return Err(DamageKind::Compression);
        }
        Tables::check(&self.encoded, &mut self.buffer).ok_or(DamageKind::Tables)
    }
}

/// A record as it stands in a packet, of any kind.
#[derive(Debug, Clone, Copy)]
pub struct RawRecord<'a> {
    /// Its head.
    pub head: Head,
    /// The struct, head included; `head.struct_size` bytes.
    pub fixed: &'a [u8],
    /// The rows, `head.row_size` bytes each.
    pub rows: &'a [u8],
}

impl<'a> RawRecord<'a> {
    /// The record as `T`, whatever size it was recorded with. `None` if it is of another kind.
    #[must_use]
    pub fn to<T: Record>(&self) -> Option<T> {
        if self.head.kind == T::KIND as u8 { T::read(self.fixed) } else { None }
    }

    /// The bytes of each row.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        // `chunks_exact` refuses a size of 0, with which there are no rows.
        self.rows.chunks_exact(usize::from(self.head.row_size).max(1))
    }
}

/// Iterator over the records of a packet.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    body: &'a Body,
    /// Where each table's next record is.
    cursors: Vec<Cursor>,
}

impl<'a> Iterator for Records<'a> {
    type Item = RawRecord<'a>;

    fn next(&mut self) -> Option<RawRecord<'a>> {
        let tables = self.body.tables();
        let fronts = self.cursors.iter().enumerate().filter_map(|(index, cursor)| {
            tables[index].record(*cursor).map(|front| (index, front))
        });
        // Sequence numbers may wrap around, but never by half their range within a packet.
        let (index, (head, fixed, rows, behind)) = fronts.reduce(|first, other| {
            let is_later = other.1.0.sequence.wrapping_sub(first.1.0.sequence) < u32::MAX / 2;
            if is_later { first } else { other }
        })?;
        self.cursors[index] = behind;
        Some(RawRecord { head, fixed, rows })
    }
}

/// A trace file being read. Memory use is bounded by one packet.
pub struct Reader {
    file: BufReader<File>,
    header: FileHeader,
    position: u64,
    size: u64,
    body: Vec<u8>,
    contents: Contents,
    decompressor: zstd::bulk::Decompressor<'static>,
}

impl Reader {
    /// Open a file and read its header. The file may still grow: what is there now is read.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or does not begin like a trace of this format version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io { path: path.into(), source };
        let header_error = |source| OpenError::Header { path: path.into(), source };
        let file = File::open(path).map_err(io_error)?;
        let size = file.metadata().map_err(io_error)?.len();
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut preamble = Vec::with_capacity(PREAMBLE_BYTES);
        file.by_ref().take(PREAMBLE_BYTES as u64).read_to_end(&mut preamble).map_err(io_error)?;
        let (length, crc) = FileHeader::decode_preamble(&preamble).map_err(header_error)?;
        let mut body = Vec::new();
        file.by_ref().take(length as u64).read_to_end(&mut body).map_err(io_error)?;
        let header = FileHeader::decode_body(&body, crc).map_err(header_error)?;
        Ok(Self {
            file,
            header,
            position: (PREAMBLE_BYTES + length) as u64,
            size,
            body: Vec::new(),
            contents: Contents::default(),
            decompressor: zstd::bulk::Decompressor::new().map_err(io_error)?,
        })
    }

    /// The file's header.
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Bytes of the file when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where the next item begins.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next packet or the next stretch of damage; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// If the operating system fails to read.
    pub fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        let offset = self.position;
        if offset >= self.size {
            return Ok(None);
        }
        let mut header_bytes = [0; size_of::<PacketHeader>()];
        if !self.read_exact(&mut header_bytes)? {
            return self.damage(offset, self.size, DamageKind::Torn, None);
        }
        let Some(header) = PacketHeader::decode(&header_bytes) else {
            let end = self.find_packet(offset + 1)?;
            return self.damage(offset, end, DamageKind::NoPacket, None);
        };
        // A later version may have a longer header: skip what is not known.
        let body_at = offset + u64::from(header.header_size);
        let end = body_at + u64::from(header.body_size);
        if end > self.size {
            return self.damage(offset, self.size, DamageKind::Torn, Some(header));
        }
        self.seek(body_at)?;
        let mut body = std::mem::take(&mut self.body);
        body.resize(header.body_size as usize, 0);
        let whole = self.read_exact(&mut body)?;
        self.body = body;
        if !whole {
            return self.damage(offset, self.size, DamageKind::Torn, Some(header));
        }
        match self.decode_body(&header) {
            Ok(()) => Ok(Some(Item::Packet(Packet { header, offset, contents: &self.contents }))),
            Err(kind) => self.damage(offset, end, kind, Some(header)),
        }
    }

    fn decode_body(&mut self, header: &PacketHeader) -> Result<(), DamageKind> {
        if crc32fast::hash(&self.body) != header.body_crc {
            return Err(DamageKind::Checksum);
        }
        self.contents.decompress(&self.body, header.raw_size as usize, &mut self.decompressor)
    }

    fn damage(
        &mut self,
        offset: u64,
        end: u64,
        kind: DamageKind,
        header: Option<PacketHeader>,
    ) -> io::Result<Option<Item<'_>>> {
        self.seek(end)?;
        Ok(Some(Item::Damage(Damage { offset, length: end - offset, kind, header })))
    }

    /// Where the next plausible packet begins at or after `from`; the end of the file if none does.
    fn find_packet(&mut self, from: u64) -> io::Result<u64> {
        let mut candidate = from;
        loop {
            candidate = self.find_magic(candidate)?;
            if candidate >= self.size {
                return Ok(self.size);
            }
            self.seek(candidate)?;
            let mut header_bytes = [0; size_of::<PacketHeader>()];
            if !self.read_exact(&mut header_bytes)? {
                return Ok(self.size);
            }
            if PacketHeader::decode(&header_bytes).is_some() {
                return Ok(candidate);
            }
            candidate += 1;
        }
    }

    fn find_magic(&mut self, from: u64) -> io::Result<u64> {
        self.seek(from)?;
        let mut window = [0_u8; PACKET_MAGIC.len()];
        let mut byte = [0];
        while self.position < self.size && self.read_exact(&mut byte)? {
            window.rotate_left(1);
            window[PACKET_MAGIC.len() - 1] = byte[0];
            if window == PACKET_MAGIC && self.position >= from + PACKET_MAGIC.len() as u64 {
                return Ok(self.position - PACKET_MAGIC.len() as u64);
            }
        }
        Ok(self.size)
    }

    /// Fill `buffer`; `false` if the file ends first.
    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match self.file.read_exact(buffer) {
            Ok(()) => {
                self.position += buffer.len() as u64;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn seek(&mut self, position: u64) -> io::Result<()> {
        if position != self.position {
            // Relative, so that the buffer is kept when the target lies inside it.
            let file_position = self.file.stream_position()?;
            self.file.seek_relative(position.wrapping_sub(file_position) as i64)?;
            self.position = position;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("position", &self.position)
            .field("size", &self.size)
            .finish()
    }
}
