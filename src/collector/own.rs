//! What the collector itself puts into the file: anchors, ledgers, names, pools, and copies that it has
//! seen end.

use zerocopy::FromZeros;

use super::account::Account;
use crate::clock;
use crate::declarations::{Declaration, Interned};
use crate::record::{Head, Kind, Name, Record};
use crate::ring::{NO_PRODUCER, Snapshot};
use crate::trace::PacketBuilder;

/// The collector's own records, and the account of events that never reached a ring.
pub(super) struct OwnRecords {
    pub(super) account: Account,
    /// Declarations of each kind that could not be written, and will be tried again.
    declarations_lost: [u64; Kind::COUNT],
    /// What was counted without a ring when the accounts were last brought up to date.
    pub(super) without_ring_at_last_look: Snapshot,
    /// Number of the next record.
    sequence: u32,
    /// Number of the first record that is not in the file.
    unwritten: u32,
    record: Vec<u8>,
    /// Copies that the collector has seen end, apart from those that were lost without a ring.
    transfers: u64,
}

impl Default for OwnRecords {
    fn default() -> Self {
        Self {
            account: Account::new(NO_PRODUCER),
            declarations_lost: [0; Kind::COUNT],
            without_ring_at_last_look: Snapshot::default(),
            sequence: 0,
            unwritten: 0,
            record: Vec::new(),
            transfers: 0,
        }
    }
}

impl OwnRecords {
    /// The collector's records of the next file, whose names and numbers begin anew.
    pub(super) fn of_next_file(&self) -> Self {
        Self { without_ring_at_last_look: self.without_ring_at_last_look, ..Self::default() }
    }

    /// Add a record to the packet that is being built.
    pub(super) fn push<T: Record>(
        &mut self,
        mut record: T,
        rows: &[u8],
        builder: &mut PacketBuilder,
    ) {
        record.head_mut().sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        self.record.clear();
        self.record.extend_from_slice(record.as_bytes());
        self.record.extend_from_slice(rows);
        builder.push(record.head(), &self.record);
    }

    /// The records added since the last call are in the file, or they are not and their numbers are free.
    pub(super) fn settle(&mut self, is_written: bool) {
        if is_written {
            self.unwritten = self.sequence;
        } else {
            self.sequence = self.unwritten;
        }
    }

    /// Add declarations; gives how many of each kind. Those that were lost before no longer are.
    pub(super) fn push_declarations(
        &mut self,
        declarations: &[Declaration],
        builder: &mut PacketBuilder,
    ) -> [u64; Kind::COUNT] {
        let mut kinds = [0; Kind::COUNT];
        for declaration in declarations {
            let kind = match declaration {
                Declaration::Name(name) => {
                    self.push_name(name, builder);
                    Kind::Name
                }
                Declaration::Pool(pool) => {
                    let mut pool = *pool;
                    // Like a name's: in a later file it stands again, and time does not go back.
                    pool.head.time = clock::ticks();
                    self.push(pool, &[], builder);
                    Kind::BlockPool
                }
            };
            kinds[kind as usize] += 1;
            if self.declarations_lost[kind as usize] > 0 {
                self.declarations_lost[kind as usize] -= 1;
                self.account.recover(kind, 1);
            }
            self.account.produce(kind, 1);
        }
        kinds
    }

    /// The declarations that were added could not be written.
    pub(super) fn lose_declarations(&mut self, kinds: &[u64; Kind::COUNT]) {
        for (lost, added) in self.declarations_lost.iter_mut().zip(kinds) {
            *lost += added;
        }
    }

    /// So many copies are about to be written.
    pub(super) fn begin_transfers(&mut self, count: u64) {
        self.transfers += count;
        self.account.produce(Kind::Transfer, count);
    }

    fn push_name(&mut self, name: &Interned, builder: &mut PacketBuilder) {
        let mut text = name.text.as_bytes().to_vec();
        text.resize(text.len().next_multiple_of(Name::TEXT_ROW), 0);
        let mut record = Name::new_zeroed();
        record.head = Head::new(Kind::Name, size_of::<Name>());
        record.head.row_size = Name::TEXT_ROW as u16;
        record.head.rows = (text.len() / Name::TEXT_ROW) as u32;
        record.head.time = clock::ticks();
        record.id = name.id;
        record.length = name.text.len() as u32;
        record.space = name.space as u8;
        self.push(record, &text, builder);
    }

    /// Bring the account up to date with what was lost without a ring. What the collector itself began
    /// is counted elsewhere and stays.
    pub(super) fn look_at_losses(&mut self, now: Snapshot, before: &Snapshot) {
        let own = self.account.counts.produced;
        self.account.counts = now.since(before);
        for kind in [Kind::Name, Kind::BlockPool, Kind::Anchor] {
            self.account.counts.produced[kind as usize] = own[kind as usize];
        }
        self.account.counts.produced[Kind::Transfer as usize] += self.transfers;
        self.without_ring_at_last_look = now;
    }
}
