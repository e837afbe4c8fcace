//! The trace of a pool played again: every event must be one that its slot allows at that moment.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, bail, ensure};
use nashtrace::record::{BlockEvent, BlockReason};

use crate::trace::{Event, Pool, Trace};

/// What a slot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    Free,
    /// Somebody fills it.
    Taken,
    /// Filled, and given up for the block that is present.
    Rejected(u64),
    /// A copy of a present block, in use.
    Duplicate(u64),
    /// The block that is present under its hash.
    Present {
        hash: u64,
        is_idle: bool,
    },
}

/// What happened in a pool, by what its manager counts itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub allocations: u64,
    pub evictions: u64,
    pub registrations: u64,
    pub duplicates: u64,
    pub rejected: u64,
    pub found: u64,
    pub missed: u64,
    /// Evicted because the pool was emptied, or dropped though present.
    pub reset: u64,
    pub resurrections: u64,
}

/// A pool as the trace leaves it.
pub struct Replayed {
    pub counts: Counts,
    pub present: usize,
    pub idle: usize,
    pub free: usize,
    pub most_present: usize,
}

/// Play the events of a pool.
///
/// # Errors
///
/// Names the first event that its slot does not allow.
pub fn pool(trace: &Trace, pool: Pool) -> anyhow::Result<Replayed> {
    let capacity = usize::try_from(pool.capacity)?;
    let mut replay = Replay {
        slots: vec![Slot::Free; capacity],
        present: HashMap::new(),
        most_present: 0,
        counts: Counts::default(),
    };
    for event in trace.events.iter().filter(|event| event.pool == pool.id) {
        replay.play(event).with_context(|| {
            let Event { time, producer, sequence, event, reason, block, hash, .. } = event;
            format!(
                "{event:?} ({reason:?}) of slot {block}, hash {hash:016x}, at {time} by thread \
                 {producer}, event {sequence}"
            )
        })?;
        replay.most_present = replay.most_present.max(replay.present.len());
    }
    let counts = replay.counts;
    let registered = counts.registrations - counts.duplicates - counts.rejected;
    let gone = counts.evictions + counts.reset;
    ensure!(
        replay.present.len() as u64 == registered - gone,
        "{} present, {registered} registered, {gone} evicted or dropped",
        replay.present.len()
    );
    let is_idle = |slot: &&Slot| matches!(slot, Slot::Present { is_idle: true, .. });
    Ok(Replayed {
        counts,
        present: replay.present.len(),
        idle: replay.slots.iter().filter(is_idle).count(),
        free: replay.slots.iter().filter(|slot| **slot == Slot::Free).count(),
        most_present: replay.most_present,
    })
}

struct Replay {
    slots: Vec<Slot>,
    /// Slot of every present hash.
    present: HashMap<u64, usize>,
    most_present: usize,
    counts: Counts,
}

impl Replay {
    fn play(&mut self, event: &Event) -> anyhow::Result<()> {
        let count = u64::from(event.count);
        match event.event {
            BlockEvent::Hit => self.counts.found += count,
            BlockEvent::Miss => self.counts.missed += count,
            BlockEvent::AllocationFailed => {}
            _ => self.play_slot(event)?,
        }
        Ok(())
    }

    fn play_slot(&mut self, event: &Event) -> anyhow::Result<()> {
        let at = event.slot(self.slots.len())?;
        let hash = event.hash;
        let busy = Slot::Present { hash, is_idle: false };
        let idle = Slot::Present { hash, is_idle: true };
        let counts = &mut self.counts;
        match (event.event, event.reason) {
            (BlockEvent::Allocate, _) => {
                counts.allocations += 1;
                self.step(at, &[Slot::Free], Slot::Taken)
            }
            (BlockEvent::Register, _) => {
                counts.registrations += 1;
                ensure!(hash != 0, "it has no hash");
                ensure!(self.present.insert(hash, at).is_none(), "the hash is present already");
                self.step(at, &[Slot::Taken], busy)
            }
            (BlockEvent::Duplicate, reason) => {
                counts.registrations += 1;
                ensure!(self.present.contains_key(&hash), "nothing is present under the hash");
                let is_rejected = reason == BlockReason::Duplicate;
                *(if is_rejected { &mut counts.rejected } else { &mut counts.duplicates }) += 1;
                let to = if is_rejected { Slot::Rejected(hash) } else { Slot::Duplicate(hash) };
                self.step(at, &[Slot::Taken], to)
            }
            (BlockEvent::Idle, _) => self.step(at, &[busy], idle),
            (BlockEvent::Resurrect, _) => {
                counts.resurrections += 1;
                self.step(at, &[idle], busy)
            }
            (BlockEvent::Evict, BlockReason::Capacity) => {
                counts.evictions += 1;
                self.leave(at, hash)?;
                self.step(at, &[idle], Slot::Free)
            }
            (BlockEvent::Evict, BlockReason::Reset) => {
                counts.reset += 1;
                self.leave(at, hash)?;
                self.step(at, &[idle], Slot::Taken)
            }
            (BlockEvent::Drop, BlockReason::Unfilled | BlockReason::Unregistered) => {
                self.step(at, &[Slot::Taken], Slot::Free)
            }
            (BlockEvent::Drop, BlockReason::Duplicate) => {
                self.step(at, &[Slot::Duplicate(hash), Slot::Rejected(hash)], Slot::Free)
            }
            (BlockEvent::Drop, BlockReason::ResetOnRelease) => {
                counts.reset += 1;
                self.leave(at, hash)?;
                self.step(at, &[busy], Slot::Free)
            }
            _ => bail!("this does not happen in kvbm-logical"),
        }
    }

    fn leave(&mut self, at: usize, hash: u64) -> anyhow::Result<()> {
        let left = self.present.remove(&hash);
        ensure!(left == Some(at), "the hash is present in slot {left:?}");
        Ok(())
    }

    fn step(&mut self, at: usize, from: &[Slot], to: Slot) -> anyhow::Result<()> {
        let slot = &mut self.slots[at];
        ensure!(from.contains(slot), "the slot is {slot:x?}");
        *slot = to;
        Ok(())
    }
}

/// Play births and deaths of hashes: how many are alive in the end.
///
/// # Errors
///
/// If a hash is born that lives, or dies that does not.
pub fn registry(trace: &Trace) -> anyhow::Result<usize> {
    let mut alive = HashSet::new();
    for event in &trace.events {
        let fits = match event.event {
            BlockEvent::Birth => alive.insert(event.hash),
            BlockEvent::Death => alive.remove(&event.hash),
            _ => continue,
        };
        ensure!(fits, "{:?} of {:016x} at {}", event.event, event.hash, event.time);
    }
    Ok(alive.len())
}
