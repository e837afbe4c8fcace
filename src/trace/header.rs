//! The header of a trace file.
//!
//! Magic, format version, length and CRC-32 of the header, then the header itself in bincode's fixed
//! integer encoding, which is a plain list of little-endian numbers and length-prefixed strings.

use bincode::config::{Config, Configuration, Fixint, Limit, LittleEndian};

/// The first eight bytes of every trace file.
pub const MAGIC: [u8; 8] = *b"NASHTRC\0";

/// The version of the file format. A reader refuses any other.
///
/// cbindgen:ignore
pub const FORMAT_VERSION: u32 = 1;

/// Magic, version, length, CRC-32.
pub(super) const PREAMBLE_BYTES: usize = 8 + 4 + 4 + 4;

/// Longest header that is believed.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// Who recorded a file, when, and how.
#[derive(Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct FileHeader {
    /// Version of the library that wrote the file.
    pub library_version: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub process_id: u32,
    /// Name of the process.
    pub process_name: String,
    /// `CLOCK_REALTIME` when the file began, nanoseconds since the Unix epoch.
    pub started_wall_ns: u64,
    /// `CLOCK_MONOTONIC` when the file began, nanoseconds.
    pub started_monotonic_ns: u64,
    /// Ticks when the file began.
    pub started_ticks: u64,
    /// What a tick is: `tsc`, `cntvct` or `monotonic` (nanoseconds).
    pub tick_source: String,
    /// The settings in force, name and value.
    pub settings: Vec<(String, String)>,
}

/// Why the beginning of a file is not a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The magic is missing.
    #[error("not a nashtrace file: it does not begin with NASHTRC")]
    NotATrace,
    /// Another version.
    #[error("format version {0}, but this program reads version {FORMAT_VERSION}")]
    Version(u32),
    /// The header is incomplete or damaged.
    #[error("the file header is torn or damaged")]
    Damaged,
}

fn encoding() -> Configuration<LittleEndian, Fixint, Limit<MAX_HEADER_BYTES>> {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<MAX_HEADER_BYTES>()
}

impl FileHeader {
    /// The header as it stands at the beginning of a file.
    ///
    /// # Errors
    ///
    /// If the header is longer than a reader would believe.
    pub fn encode(&self) -> std::io::Result<Vec<u8>> {
        let body = encode_body(self, encoding()).map_err(std::io::Error::other)?;
        let mut bytes = Vec::with_capacity(PREAMBLE_BYTES + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Check the first [`PREAMBLE_BYTES`] bytes of a file and return the length and the CRC of the
    /// header that follows.
    pub(super) fn decode_preamble(bytes: &[u8]) -> Result<(usize, u32), HeaderError> {
        if bytes.is_empty() {
            return Err(HeaderError::Empty);
        }
        let shared = bytes.len().min(MAGIC.len());
        if bytes[..shared] != MAGIC[..shared] {
            return Err(HeaderError::NotATrace);
        }
        if bytes.len() < PREAMBLE_BYTES {
            return Err(HeaderError::Damaged);
        }
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        if number(8) != FORMAT_VERSION {
            return Err(HeaderError::Version(number(8)));
        }
        let length = number(12) as usize;
        if length > MAX_HEADER_BYTES {
            return Err(HeaderError::Damaged);
        }
        Ok((length, number(16)))
    }

    /// Decode the header behind the preamble.
    pub(super) fn decode_body(body: &[u8], crc: u32) -> Result<Self, HeaderError> {
        if crc32fast::hash(body) != crc {
            return Err(HeaderError::Damaged);
        }
        bincode::decode_from_slice(body, encoding())
            .map(|(header, _)| header)
            .map_err(|_| HeaderError::Damaged)
    }
}

fn encode_body<C: Config>(
    header: &FileHeader,
    config: C,
) -> Result<Vec<u8>, bincode::error::EncodeError> {
    bincode::encode_to_vec(header, config)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::trace) fn example() -> FileHeader {
        FileHeader {
            library_version: "0.0.0-test".into(),
            host: "host".into(),
            process_id: 42,
            process_name: "router".into(),
            started_wall_ns: 3,
            started_monotonic_ns: 4,
            started_ticks: 5,
            tick_source: "tsc".into(),
            settings: vec![("ring_bytes".into(), "4096".into())],
        }
    }

    fn decode(bytes: &[u8]) -> Result<FileHeader, HeaderError> {
        let (length, crc) = FileHeader::decode_preamble(&bytes[..bytes.len().min(PREAMBLE_BYTES)])?;
        let body =
            bytes.get(PREAMBLE_BYTES..PREAMBLE_BYTES + length).ok_or(HeaderError::Damaged)?;
        FileHeader::decode_body(body, crc)
    }

    #[test]
    fn a_header_round_trips() {
        assert_eq!(decode(&example().encode().unwrap()), Ok(example()));
    }

    #[test]
    fn each_damage_has_its_name() {
        let good = example().encode().unwrap();
        assert_eq!(decode(&[]), Err(HeaderError::Empty));
        assert_eq!(decode(b"PK\x03\x04"), Err(HeaderError::NotATrace));
        assert_eq!(decode(&good[..5]), Err(HeaderError::Damaged));
        assert_eq!(decode(&good[..30]), Err(HeaderError::Damaged));
        let mut newer = good.clone();
        newer[8] = 9;
        assert_eq!(decode(&newer), Err(HeaderError::Version(9)));
        let mut flipped = good;
        *flipped.last_mut().unwrap() ^= 1;
        assert_eq!(decode(&flipped), Err(HeaderError::Damaged));
    }
}
