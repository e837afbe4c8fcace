//! The trace file: a header, then packets of records. `FORMAT.md` beside this file is enough to write
//! a reader in another language.

mod body;
mod columns;
mod header;
mod packet;
mod planes;
#[cfg(test)]
mod properties;
mod reader;
mod tables;
mod writer;

pub use columns::{Column, Columns, Field, Number};
pub use header::{FORMAT_VERSION, FileHeader, HeaderError, MAGIC};
pub use packet::{
    MAX_EVENT_BYTES, MAX_RAW_BYTES, PACKET_MAGIC, PacketBuilder, PacketFlags, PacketHeader,
    PacketMeta, SCHEMA_VERSION,
};
pub use reader::{Damage, DamageKind, Item, OpenError, Packet, RawRecord, Reader, Records};
pub use tables::{Table, Tables};
#[cfg(test)]
pub(crate) use writer::FAULT as WRITER_FAULT;
pub use writer::{Writer, create_directory, sync_file, write_whole};

/// The file name extension of traces.
pub const EXTENSION: &str = "nash";
