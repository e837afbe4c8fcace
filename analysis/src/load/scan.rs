//! One pass over a trace file: every packet goes to a visitor, and the facts about the file itself are
//! gathered on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nashtrace::record::{Anchor, Kind, Loss, LossReason, Name, NameSpace};
use nashtrace::trace::{
    Damage, FileHeader, Item, OpenError, Packet, PacketFlags, PacketHeader, RawRecord, Reader,
};

use super::clock::Timeline;

/// What a pass is made for: one of the two is overridden.
pub trait Visitor {
    /// A packet. Unless this is overridden, its records are visited one by one; who needs a few fields of
    /// them reads the columns of [`Packet::tables`] instead.
    fn packet(&mut self, packet: &Packet<'_>) {
        for record in packet.records() {
            self.record(&packet.header, &record);
        }
    }

    /// A record of a producer, in recorded order. Names, anchors and ledgers come too.
    fn record(&mut self, _: &PacketHeader, _: &RawRecord<'_>) {}
}

/// For the facts alone.
impl Visitor for () {
    fn packet(&mut self, _: &Packet<'_>) {}
}

/// The names of one file, by space and id.
pub type Names = BTreeMap<(u8, u32), String>;

/// The last ledger of each producer and kind.
pub type Ledgers = BTreeMap<(u32, u8), Loss>;

/// What the packets of one producer say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProducerFacts {
    /// Packets read.
    pub packets: u64,
    /// Packets that are missing between them.
    pub missing_packets: u64,
    /// Events read, by kind; rows count as events.
    pub events: BTreeMap<u8, u64>,
    /// The last packet's account: events begun, written, and lost by reason.
    pub produced: u64,
    /// See `produced`.
    pub written: u64,
    /// See `produced`.
    pub lost: [u64; LossReason::SLOTS],
    next_sequence: u64,
}

impl ProducerFacts {
    /// Events lost, for any reason that nobody wanted.
    #[must_use]
    pub fn lost_total(&self) -> u64 {
        let lost = self.lost.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        lost.saturating_sub(self.sampled_out())
    }

    /// Block events that were left out because their hash is not in the sample.
    #[must_use]
    pub fn sampled_out(&self) -> u64 {
        self.lost[LossReason::SampledOut as usize]
    }

    /// Events that were begun before the last packet and are neither written nor lost.
    fn unwritten(&self) -> u64 {
        let accounted = self.written.saturating_add(self.lost_total());
        self.produced.saturating_sub(accounted.saturating_add(self.sampled_out()))
    }
}

/// What a file says about itself.
#[derive(Debug, Clone)]
pub struct FileFacts {
    /// The file.
    pub path: PathBuf,
    /// Its header.
    pub header: FileHeader,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether the session completed it.
    pub complete: bool,
    /// Stretches that could not be read.
    pub damage: Vec<Damage>,
    /// By producer; 0 is the collector.
    pub producers: BTreeMap<u32, ProducerFacts>,
    /// By space and id.
    pub names: Names,
    /// The last ledger of each producer and kind.
    pub ledgers: Ledgers,
    /// Ticks and wall time.
    pub timeline: Timeline,
    /// A failure of the operating system that ended the pass, with the offset.
    pub interrupted: Option<(u64, String)>,
}

impl FileFacts {
    /// The name behind an id, or the id itself if its name was lost.
    #[must_use]
    pub fn name(&self, space: NameSpace, id: u32) -> String {
        match self.names.get(&(space as u8, id)) {
            Some(name) => name.clone(),
            None if id == 0 => "unknown".to_owned(),
            None => format!("#{id}"),
        }
    }

    /// Events read, by kind; rows count as events.
    #[must_use]
    pub fn events(&self) -> BTreeMap<u8, u64> {
        let mut sum = BTreeMap::new();
        for producer in self.producers.values() {
            for (kind, count) in &producer.events {
                *sum.entry(*kind).or_default() += count;
            }
        }
        sum
    }

    /// What is wrong with the file, one sentence each.
    #[must_use]
    pub fn damage_sentences(&self) -> Vec<String> {
        let damage = self.damage.iter().map(|damage| {
            format!("{}: offset {}: {}", self.path.display(), damage.offset, damage.kind)
        });
        let interrupted = self
            .interrupted
            .iter()
            .map(|(offset, error)| format!("{}: offset {offset}: {error}", self.path.display()));
        damage.chain(interrupted).collect()
    }

    /// What is missing from the file, one sentence each; damage comes first.
    #[must_use]
    pub fn missing_sentences(&self) -> Vec<String> {
        let path = self.path.display();
        let mut sentences = self.damage_sentences();
        if !self.complete {
            let bound = self.setting("ring_bytes").map_or_else(String::new, |bytes| {
                format!(": at most what the rings held ({bytes} bytes per recording thread)")
            });
            let unwritten: u64 = self.producers.values().map(ProducerFacts::unwritten).sum();
            let begun = if unwritten > 0 {
                format!("; at least {unwritten} events were begun but never written")
            } else {
                String::new()
            };
            sentences.push(format!(
                "{path}: the session did not complete the file; the process still records, or it ended \
                 abruptly and its last events are missing{bound}{begun}"
            ));
        }
        let packets = self.missing_packets();
        if packets > 0 {
            sentences.push(format!("{path}: {packets} packets are missing"));
        }
        let lost = self.lost();
        if lost > 0 {
            sentences.push(format!("{path}: {lost} events were lost while recording"));
        }
        sentences
    }

    /// Whether the session had written another file before this one.
    #[must_use]
    pub fn follows_another_file(&self) -> bool {
        self.setting("file_number").is_some_and(|number| number != "0")
    }

    /// A setting of the session, or of the file's place in it.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        let found = self.header.settings.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Packets that are missing between those that were read.
    #[must_use]
    pub fn missing_packets(&self) -> u64 {
        self.producers.values().map(|producer| producer.missing_packets).sum()
    }

    /// Events that the process lost, by its own account.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.producers.values().map(ProducerFacts::lost_total).sum()
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        let header = &packet.header;
        self.complete = header.has(PacketFlags::FINAL);
        let producer = self.producers.entry(header.producer).or_default();
        producer.packets += 1;
        producer.missing_packets += header.sequence.saturating_sub(producer.next_sequence);
        producer.next_sequence = header.sequence.saturating_add(1);
        producer.produced = header.produced;
        producer.written = header.written;
        producer.lost = header.lost;
        for table in packet.tables() {
            *producer.events.entry(table.kind()).or_default() += table.records().len() as u64;
            if table.kind() == Kind::Decision as u8 {
                let candidates = producer.events.entry(Kind::Candidate as u8).or_default();
                *candidates += table.rows().len() as u64;
            }
        }
        // The records of all others need not be put together for the facts.
        let is_fact =
            |kind| [Kind::Name, Kind::Anchor, Kind::Loss].map(|fact| fact as u8).contains(&kind);
        if packet.tables().any(|table| is_fact(table.kind())) {
            packet.records().for_each(|record| self.fact(&record));
        }
    }

    fn fact(&mut self, record: &RawRecord<'_>) {
        if let Some(name) = record.to::<Name>() {
            let text = record.rows.get(..name.length as usize).unwrap_or_default();
            let text = String::from_utf8_lossy(text).into_owned();
            self.names.insert((name.space, name.id), text);
        } else if let Some(anchor) = record.to::<Anchor>() {
            self.timeline.add(&anchor);
        } else if let Some(ledger) = record.to::<Loss>() {
            self.ledgers.insert((ledger.producer, ledger.of_kind), ledger);
        }
    }
}

/// Read a file to its end. `progress` is told the offset after every packet.
///
/// # Errors
///
/// If the file cannot be opened or is not a trace of this format version. Damage further on is noted
/// in the facts.
pub fn scan(
    path: &Path,
    visitor: &mut impl Visitor,
    mut progress: impl FnMut(u64),
) -> Result<FileFacts, OpenError> {
    let mut reader = Reader::open(path)?;
    let mut facts = FileFacts {
        path: path.to_owned(),
        header: reader.header().clone(),
        bytes: reader.size(),
        complete: false,
        damage: Vec::new(),
        producers: BTreeMap::new(),
        names: Names::new(),
        ledgers: Ledgers::new(),
        timeline: Timeline::new(reader.header()),
        interrupted: None,
    };
    loop {
        match reader.next_item() {
            Ok(Some(Item::Packet(packet))) => {
                facts.packet(&packet);
                visitor.packet(&packet);
            }
            Ok(Some(Item::Damage(damage))) => {
                facts.complete = false;
                facts.damage.push(damage);
            }
            Ok(None) => return Ok(facts),
            Err(error) => {
                facts.complete = false;
                facts.interrupted = Some((reader.position(), error.to_string()));
                return Ok(facts);
            }
        }
        progress(reader.position());
    }
}
