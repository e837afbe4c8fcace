//! A block event as the host's code writes it, and as it is read.

use crate::record::{Block, BlockEvent, Clock, Head, Kind, Tier, UNKNOWN_U32};

/// Something happened to a KV block, as it stands in a lane: what a block manager has at hand.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneEvent {
    /// Time in ticks.
    pub time: u64,
    /// The block's `PositionalLineageHash` of Dynamo 1.6 as a number of 128 bits, the lower 64 first: from the top its
    /// mode (2 bits: 0, 1 or 2), the position (8, 16 or 24 bits), the sequence hash (64) and a part of the parent's. All
    /// ones (mode 3) if the block has none.
    pub lineage: [u64; 2],
    /// Number of the slot in its pool; `UNKNOWN_U32`. Of a lookup (`HIT`, `MISS`), which names none: how many blocks.
    pub block_or_count: u32,
    /// What happened (`block_event`) in the lower five bits, and where (`tier`) in the upper three.
    pub event_and_tier: u8,
    /// Why (`block_reason`).
    pub reason: u8,
    /// Id of the pool, as `block_pool` gave it, which never is larger; 0 if unknown.
    pub pool: u16,
}

const _: () = assert!(size_of::<LaneEvent>() == 32 && align_of::<LaneEvent>() == 8);

/// Bits of the event in [`LaneEvent::event_and_tier`].
const EVENT_BITS: u32 = 5;

const _: () = assert!(BlockEvent::ALL.len() <= 1 << EVENT_BITS);
const _: () = assert!(Tier::ALL.len() <= 1 << (u8::BITS - EVENT_BITS));

impl LaneEvent {
    /// The record of this event, with a number.
    pub(super) fn to_block(self, sequence: u32) -> Block {
        let (hash, position) = hash_and_position(self.lineage);
        let event = self.event_and_tier & ((1 << EVENT_BITS) - 1);
        let (block, count) = match BlockEvent::from_u8(event) {
            BlockEvent::Hit | BlockEvent::Miss => (UNKNOWN_U32, self.block_or_count),
            _ => (self.block_or_count, 1),
        };
        let mut head = Head::new(Kind::Block, size_of::<Block>());
        (head.clock, head.sequence, head.time) = (Clock::Ticks as u8, sequence, self.time);
        Block {
            head,
            hash,
            request: 0,
            block,
            position,
            pool: u32::from(self.pool),
            count,
            event,
            tier: self.event_and_tier >> EVENT_BITS,
            to_tier: 0,
            reason: self.reason,
            reserved: [0; 4],
        }
    }
}
/// Sequence hash and position in a lineage; 0 and [`UNKNOWN_U32`] if it has none.
fn hash_and_position([low, high]: [u64; 2]) -> (u64, u32) {
    let position_bits = match high >> 62 {
        0 => 8,
        1 => 16,
        2 => 24,
        _ => return (0, UNKNOWN_U32),
    };
    let parent_bits = 62 - position_bits;
    let hash = (high << (64 - parent_bits)) | (low >> parent_bits);
    let position = (high >> parent_bits) & ((1 << position_bits) - 1);
    (hash, position as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hash_and_position_are_what_was_packed(
            mode in 0_u32..3, position: u32, hash: u64, parent: u64,
        ) {
            let position_bits = 8 + 8 * mode;
            let parent_bits = 62 - position_bits;
            let position = u128::from(position) % (1 << position_bits);
            let parent = u128::from(parent) % (1 << parent_bits);
            let lineage = (u128::from(mode) << 126)
                | (position << (64 + parent_bits))
                | (u128::from(hash) << parent_bits)
                | parent;
            let words = [lineage as u64, (lineage >> 64) as u64];
            prop_assert_eq!(hash_and_position(words), (hash, position as u32));
        }
    }

    #[test]
    fn a_block_without_a_lineage_has_neither_hash_nor_position() {
        assert_eq!(hash_and_position([u64::MAX; 2]), (0, UNKNOWN_U32));
    }
}
