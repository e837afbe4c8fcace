//! Copies between tiers, as kvbm-engine makes them: allocate below or above, copy, register; and their records.

use kvbm_logical::nashtrace::{self as shim, Transfer};
use kvbm_logical::nashtrace_blocks::{Event, Named, Pool, Reason, Tier};
use kvbm_logical::{ImmutableBlock, SequenceHash};

use crate::arena::{Arena, BLOCK_BYTES};
use crate::tiers::TierOf;

/// Numbers of the trace's format.
const MEDIUM_SYSTEM: u8 = 1;
const MEDIUM_DISK: u8 = 4;
const STRATEGY_MEMCPY: u8 = 1;
const OUTCOME_DONE: u8 = 1;

/// What a player did, by its own count.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    pub offloaded_blocks: u64,
    pub onboarded_blocks: u64,
    pub transfers: u64,
    pub refused_allocations: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.offloaded_blocks += other.offloaded_blocks;
        self.onboarded_blocks += other.onboarded_blocks;
        self.transfers += other.transfers;
        self.refused_allocations += other.refused_allocations;
    }
}

/// From one tier to another.
pub struct Hop {
    pub from: Tier,
    pub to: Tier,
}

impl Hop {
    /// Copy blocks. Nothing is copied if the other tier has no room.
    ///
    /// # Errors
    ///
    /// If the file of a tier cannot be read or written.
    pub fn copy<S, D>(
        &self,
        source: &TierOf<S>,
        target: &TierOf<D>,
        blocks: &[ImmutableBlock<S>],
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<ImmutableBlock<D>>>
    where
        S: Clone + Send + Sync + 'static,
        D: Clone + Send + Sync + 'static,
    {
        let Some(first) = blocks.first() else { return Ok(Vec::new()) };
        let named = named(first.sequence_hash());
        let Some(slots) = target.manager.allocate_blocks(blocks.len()) else {
            tally.refused_allocations += 1;
            if self.is_offload() {
                let pool = Pool::of_tier(self.from);
                pool.moved(Event::OffloadSkipped, Reason::NoRoom, named, blocks.len(), self.to);
            }
            return Ok(Vec::new());
        };
        let timed = Timed::begin();
        for (block, slot) in blocks.iter().zip(&slots) {
            target.arena.write(slot.block_id(), &source.arena.read(block.block_id())?)?;
        }
        timed.end(self, [&source.arena, &target.arena], blocks.len());
        let block_size = target.manager.block_size();
        let mut staged = Vec::with_capacity(slots.len());
        for (slot, block) in slots.into_iter().zip(blocks) {
            let complete = slot.stage(block.sequence_hash(), block_size);
            staged.push(complete.map_err(|error| anyhow::anyhow!("{error}"))?);
        }
        let registered = target.manager.register_blocks(staged);
        let event = if self.is_offload() { Event::Offload } else { Event::Onboard };
        Pool::of_tier(self.from).moved(event, Reason::Unknown, named, blocks.len(), self.to);
        let count = blocks.len() as u64;
        tally.transfers += 1;
        if self.is_offload() {
            tally.offloaded_blocks += count;
        } else {
            tally.onboarded_blocks += count;
        }
        Ok(registered)
    }

    fn is_offload(&self) -> bool {
        (self.from as u8) < self.to as u8
    }
}

fn named(hash: SequenceHash) -> Named {
    Named {
        hash: hash.current_sequence_hash(),
        position: u32::try_from(hash.position()).unwrap_or(shim::UNKNOWN_U32),
        ..Named::default()
    }
}

/// A copy under way, on the host's clock.
struct Timed {
    began: u64,
}

impl Timed {
    fn begin() -> Self {
        Self { began: shim::api().map_or(0, shim::Api::now) }
    }

    fn end(self, hop: &Hop, arenas: [&Arena; 2], blocks: usize) {
        let Some(api) = shim::api() else { return };
        let ended = api.now();
        let [from_medium, to_medium] = arenas.map(|arena| match arena {
            Arena::Memory(_) => MEDIUM_SYSTEM,
            Arena::Disk(_) => MEDIUM_DISK,
        });
        let transfer = Transfer {
            head: shim::Head { time: self.began, ..shim::Head::of::<Transfer>() },
            bytes: (blocks * BLOCK_BYTES) as u64,
            worker: shim::UNKNOWN_U64,
            enqueued: ended,
            ended,
            device_began: shim::UNKNOWN_U64,
            device_ns: shim::UNKNOWN_U64,
            blocks: blocks as u32,
            device: shim::UNKNOWN_U32,
            from_tier: hop.from as u8,
            to_tier: hop.to as u8,
            from_medium,
            to_medium,
            strategy: STRATEGY_MEMCPY,
            outcome: OUTCOME_DONE,
            ..Transfer::default()
        };
        // SAFETY: the struct is whole.
        unsafe { (api.transfer)(&raw const transfer) };
    }
}
