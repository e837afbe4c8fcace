//! Reading a file that may be anything: a sentence, or a partial reading that accounts for every byte.

use std::path::Path;

use nashtrace::record::{Anchor, Decision, Loss, Name, Request, Setting};
use nashtrace::trace::{Damage, DamageKind, Item, RawRecord, Reader};

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
