//! Any bytes as a trace file: a sentence or a partial reading, never a panic.
//!
//! The first byte says how the rest is meant: as a file, as a file whose checksums are made right, or as
//! the decompressed tables of a packet. Without the last two a checksum would stop nearly every input.

#![no_main]

#[path = "../../tests/traces/mod.rs"]
mod traces;

use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use traces::damage::{file_of, repair_checksums};
use traces::file_header;
use traces::read::read_everything;

fuzz_target!(|input: &[u8]| {
    let Some((meaning, rest)) = input.split_first() else { return };
    let mut bytes = rest.to_vec();
    match meaning % 3 {
        0 => {}
        1 => repair_checksums(&mut bytes),
        _ => bytes = file_of(&file_header(), rest),
    }
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(&bytes).and_then(|()| file.rewind()).expect("room");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let _ = read_everything(&path);
});
