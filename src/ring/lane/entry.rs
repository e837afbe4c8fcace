//! What stands in a lane: events of blocks as the host's code writes them, and stamps, which say when and where they happened.

use crate::record::{Block, BlockEvent, BlockReason, Clock, Head, Kind, Tier, UNKNOWN_U32};

/// An event of a block, or the stamp of the events behind it.
///
/// An event is of the stamp's pool and tier. The first one behind a stamp happened at its time, and each that follows without one
/// a tick after the one before. A stamp and the event behind it are handed over together.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneEntry {
    /// Of an event, from the top: of the block's `PositionalLineageHash` of Dynamo 1.6, a number of 128 bits, the 26 that follow
    /// the upper 64; 28 bits for the slot's number in its pool, or, of a lookup (`HIT`, `MISS`), which names none, for how many
    /// blocks (all ones if it is unknown or larger); 5 for why (`block_reason`) and 5 for what happened (`block_event`). Of a stamp, from
    /// the bottom: 31 in 5 bits, 3 for where (`tier`), 8 unused, and 16 for the id of the pool as `block_pool` gave it, which
    /// never is larger, or 0 if it is unknown.
    pub what: u64,
    /// Of an event, the upper 64 bits of that number: from the top its mode (2 bits: 0, 1 or 2), the position (8, 16 or 24 bits) and
    /// the sequence hash (64, which go on in `what`). All ones, in `what` too (mode 3), if the block has none. Of a stamp, the time
    /// in ticks.
    pub lineage_or_time: u64,
}

const _: () = assert!(size_of::<LaneEntry>() == 16 && align_of::<LaneEntry>() == 8);

/// Bits of the lineage in [`LaneEntry::what`], of the slot or count, of the reason and of the event.
const LINEAGE_BITS: u32 = 26;
const SLOT_BITS: u32 = 28;
const REASON_BITS: u32 = 5;
const EVENT_BITS: u32 = 5;

const _: () = assert!(LINEAGE_BITS + SLOT_BITS + REASON_BITS + EVENT_BITS == u64::BITS);

/// What a stamp has in place of an event.
const STAMP: u64 = (1 << EVENT_BITS) - 1;

const _: () = assert!(BlockEvent::ALL.len() <= STAMP as usize);
const _: () = assert!(BlockReason::ALL.len() <= 1 << REASON_BITS);
const _: () = assert!(Tier::ALL.len() <= 1 << 3);

/// When and where an event happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ring) struct Stamp {
    pub(super) time: u64,
    tier: u8,
    pool: u16,
}

impl LaneEntry {
    /// `None` of an event.
    pub(super) fn stamp(self) -> Option<Stamp> {
        (self.what & STAMP == STAMP).then_some(Stamp {
            time: self.lineage_or_time,
            tier: (self.what >> EVENT_BITS) as u8 & 7,
            pool: (self.what >> 16) as u16,
        })
    }

    /// The record of an event, with a number.
    pub(super) fn to_block(self, stamp: Stamp, sequence: u32) -> Block {
        let (hash, position) = hash_and_position(self.lineage());
        let field = |shift: u32, bits: u32| (self.what >> shift & ((1 << bits) - 1)) as u32;
        let slot_or_count = match field(REASON_BITS + EVENT_BITS, SLOT_BITS) {
            count if count == (1 << SLOT_BITS) - 1 => UNKNOWN_U32,
            count => count,
        };
        let event = field(0, EVENT_BITS) as u8;
        let (block, count) = match BlockEvent::from_u8(event) {
            BlockEvent::Hit | BlockEvent::Miss => (UNKNOWN_U32, slot_or_count),
            _ => (slot_or_count, 1),
        };
        let mut head = Head::new(Kind::Block, size_of::<Block>());
        (head.clock, head.sequence, head.time) = (Clock::Ticks as u8, sequence, stamp.time);
        Block {
            head,
            hash,
            request: 0,
            block,
            position,
            pool: u32::from(stamp.pool),
            count,
            event,
            tier: stamp.tier,
            to_tier: 0,
            reason: field(EVENT_BITS, REASON_BITS) as u8,
            reserved: [0; 4],
        }
    }

    /// The upper bits of the lineage, with zeros below.
    fn lineage(self) -> u128 {
        let below = self.what & !(u64::MAX >> LINEAGE_BITS);
        u128::from(self.lineage_or_time) << 64 | u128::from(below)
    }
}

/// Sequence hash and position in a lineage; 0 and [`UNKNOWN_U32`] if it has none.
fn hash_and_position(lineage: u128) -> (u64, u32) {
    let position_bits = match lineage >> 126 {
        0 => 8,
        1 => 16,
        2 => 24,
        _ => return (0, UNKNOWN_U32),
    };
    let parent_bits = 62 - position_bits;
    let position = (lineage >> (64 + parent_bits)) & ((1 << position_bits) - 1);
    ((lineage >> parent_bits) as u64, position as u32)
}

#[cfg(test)]
impl Stamp {
    pub(in crate::ring) fn of(time: u64, tier: Tier, pool: u16) -> Self {
        Self { time, tier: tier as u8, pool }
    }

    /// As a host writes it.
    pub(in crate::ring) fn entry(self) -> LaneEntry {
        let what = u64::from(self.pool) << 16 | u64::from(self.tier) << EVENT_BITS | STAMP;
        LaneEntry { what, lineage_or_time: self.time }
    }
}

#[cfg(test)]
impl LaneEntry {
    /// An event as a host writes it.
    pub(in crate::ring) fn event(
        event: BlockEvent,
        reason: BlockReason,
        slot_or_count: u32,
        lineage: u128,
    ) -> Self {
        let slot_or_count = slot_or_count.min((1 << SLOT_BITS) - 1);
        let what = u64::from(slot_or_count) << 10 | (reason as u64) << 5 | event as u64;
        let lineage_or_time = (lineage >> 64) as u64;
        Self { what: lineage as u64 & !(u64::MAX >> LINEAGE_BITS) | what, lineage_or_time }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_read_is_what_was_packed(
            mode in 0_u32..3, position: u32, hash: u64, parent: u64,
            event in 0..BlockEvent::ALL.len(), reason in 0..BlockReason::ALL.len(), slot in 0_u32..1 << 28,
            time: u64, tier in 0..Tier::ALL.len(), pool: u16,
        ) {
            let position_bits = 8 + 8 * mode;
            let parent_bits = 62 - position_bits;
            let position = u128::from(position) % (1 << position_bits);
            let parent = u128::from(parent) % (1 << parent_bits);
            let lineage = (u128::from(mode) << 126)
                | (position << (64 + parent_bits))
                | (u128::from(hash) << parent_bits)
                | parent;
            let stamp = Stamp::of(time, Tier::ALL[tier], pool);
            prop_assert_eq!(stamp.entry().stamp(), Some(stamp));
            let event = BlockEvent::ALL[event];
            let entry = LaneEntry::event(event, BlockReason::ALL[reason], slot, lineage);
            prop_assert_eq!(entry.stamp(), None);
            let block = entry.to_block(stamp, 9);
            prop_assert_eq!((block.hash, block.position), (hash, position as u32));
            let slot = if slot == (1 << 28) - 1 { UNKNOWN_U32 } else { slot };
            let is_lookup = matches!(event, BlockEvent::Hit | BlockEvent::Miss);
            let expected = if is_lookup { (UNKNOWN_U32, slot) } else { (slot, 1) };
            prop_assert_eq!((block.block, block.count), expected);
            prop_assert_eq!((block.event, block.reason), (event as u8, reason as u8));
            let place = (block.tier, block.pool, block.head.time, block.head.sequence);
            prop_assert_eq!(place, (tier as u8, u32::from(pool), time, 9));
        }
    }

    #[test]
    fn a_block_without_a_lineage_has_neither_hash_nor_position() {
        let entry = LaneEntry::event(BlockEvent::Idle, BlockReason::Unknown, u32::MAX, u128::MAX);
        let block = entry.to_block(Stamp::default(), 0);
        assert_eq!((block.hash, block.position, block.block), (0, UNKNOWN_U32, UNKNOWN_U32));
    }
}
