//! Reading a file that may be anything: a sentence, or a partial reading that accounts for every byte.

use std::path::Path;

use nashtrace::field;
use nashtrace::record::{Anchor, Decision, Head, Loss, Name, Request, Setting};
use nashtrace::trace::{Damage, DamageKind, Field, Item, Packet, RawRecord, Reader};

/// What stands in a file that could be opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) packets: usize,
    pub(crate) records: usize,
    pub(crate) damage: Vec<DamageKind>,
}

/// Read all of a file and check what holds for any file.
///
/// # Errors
///
/// The sentence with which the reader refuses the file.
pub(crate) fn read_everything(path: &Path) -> Result<Reading, String> {
    let mut reader = match Reader::open(path) {
        Ok(reader) => reader,
        Err(error) => {
            let sentence = error.to_string();
            assert!(sentence.starts_with(&path.display().to_string()), "{sentence}");
            return Err(sentence);
        }
    };
    let mut reading = Reading::default();
    // Packets and damage tile the file: nothing is read twice, nothing is passed over in silence.
    let mut position = reader.position();
    while let Some(item) = reader.next_item().expect("a file that can be read") {
        match item {
            Item::Packet(packet) => {
                let header = packet.header;
                assert_eq!(packet.offset, position);
                position += u64::from(header.header_size) + u64::from(header.body_size);
                reading.packets += 1;
                look_at_tables(&packet);
                reading.records += packet.records().inspect(look_at).count();
            }
            Item::Damage(Damage { offset, length, kind, .. }) => {
                assert_eq!(offset, position);
                assert!(length > 0 && !kind.to_string().is_empty());
                position += length;
                reading.damage.push(kind);
            }
        }
        assert_eq!(reader.position(), position);
    }
    assert!(position >= reader.size(), "the end of the file was never reached");
    Ok(reading)
}

/// Read columns as the tool does, before anything else and beyond the end of every line.
fn look_at_tables(packet: &Packet<'_>) {
    let (mut numbers, mut counts) = (Vec::new(), Vec::new());
    for table in packet.tables() {
        let rows = table.records().read(field!(Head, rows), &mut counts);
        let rows: u64 = rows.iter().map(u64::from).sum();
        assert_eq!(rows, table.rows().len() as u64);
        for columns in [table.records(), table.rows()] {
            for offset in (0..columns.width().min(200) + 8).step_by(4) {
                let column = columns.read(Field::<f64>::at(offset), &mut numbers);
                assert_eq!(column.len(), columns.len());
            }
        }
    }
    let records: usize = packet.tables().map(|table| table.records().len()).sum();
    assert_eq!(records, packet.records().count());
}

/// Use a record as the tool does.
fn look_at(record: &RawRecord<'_>) {
    assert_eq!(record.fixed.len(), record.head.struct_size as usize);
    assert_eq!(record.rows.len(), record.head.rows as usize * usize::from(record.head.row_size));
    assert_eq!(record.rows().len(), record.head.rows as usize);
    let known = [
        record.to::<Decision>().is_some(),
        record.to::<Request>().is_some(),
        record.to::<Setting>().is_some(),
        record.to::<Anchor>().is_some(),
        record.to::<Loss>().is_some(),
        record.to::<Name>().is_some(),
    ];
    assert!(known.iter().filter(|known| **known).count() <= 1);
}
