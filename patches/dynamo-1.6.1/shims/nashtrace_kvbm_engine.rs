// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in kvbm-engine: blocks that move to another tier, those that were to and do not, and how long
//! the copy took as the leader sees it, over all workers.

use std::any::TypeId;

use crate::nashtrace::{self as shim, Api};
use crate::nashtrace_blocks::{Event, Named, Pool, Reason, Tier};
use crate::nashtrace_transfers::Outcome;
use crate::{G1, G2, G3, G4, LogicalLayoutHandle, SequenceHash};

/// From one tier to another.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    from: Tier,
    to: Tier,
}

impl Route {
    pub(crate) fn new(from: LogicalLayoutHandle, to: LogicalLayoutHandle) -> Self {
        Self { from: tier(from), to: tier(to) }
    }

    /// The route between the tiers that two types stand for.
    pub(crate) fn between<From: 'static, To: 'static>() -> Self {
        Self { from: tier_of::<From>(), to: tier_of::<To>() }
    }

    /// A batch of these blocks is to move. The slots that it goes to are asked for next.
    #[inline]
    pub(crate) fn begin(self, hashes: &[SequenceHash]) -> Move {
        self.begin_with(hashes.iter().copied())
    }

    /// See [`Self::begin`].
    #[inline]
    pub(crate) fn begin_with(
        self,
        mut hashes: impl ExactSizeIterator<Item = SequenceHash>,
    ) -> Move {
        let blocks = hashes.len();
        let first = hashes.next().filter(|_| shim::api().is_some());
        let batch = first.map(|first| Batch { route: self, first, blocks });
        Move { batch, copy: None }
    }

    /// Collects the blocks of a transfer that its policies keep from moving.
    #[inline]
    pub(crate) fn filtered(self) -> Filtered {
        Filtered { route: self, first: None, blocks: 0 }
    }

    /// These blocks were evicted before they could move.
    #[inline]
    pub(crate) fn sources_gone(self, hashes: &[SequenceHash]) {
        if let Some(first) = hashes.first() {
            self.skipped(Reason::SourceGone, *first, hashes.len());
        }
    }

    fn skipped(self, reason: Reason, first: SequenceHash, blocks: usize) {
        if self.to as u8 > self.from as u8 {
            Pool::of_tier(self.from).moved(
                Event::OffloadSkipped,
                reason,
                named(first),
                blocks,
                self.to,
            );
        }
    }

    /// Blocks that are pulled from the same tier of another instance stay in their tier.
    fn moved(self, first: SequenceHash, blocks: usize) {
        let event = match (self.from as u8).cmp(&(self.to as u8)) {
            std::cmp::Ordering::Less => Event::Offload,
            std::cmp::Ordering::Greater => Event::Onboard,
            std::cmp::Ordering::Equal => return,
        };
        Pool::of_tier(self.from).moved(event, Reason::Unknown, named(first), blocks, self.to);
    }
}

/// See [`Route::filtered`].
pub(crate) struct Filtered {
    route: Route,
    first: Option<SequenceHash>,
    blocks: usize,
}

impl Filtered {
    #[inline]
    pub(crate) fn count(&mut self, hash: SequenceHash) {
        self.first.get_or_insert(hash);
        self.blocks += 1;
    }
}

impl Drop for Filtered {
    #[inline]
    fn drop(&mut self) {
        if let Some(first) = self.first {
            self.route.skipped(Reason::Filtered, first, self.blocks);
        }
    }
}

#[derive(Clone, Copy)]
struct Batch {
    route: Route,
    first: SequenceHash,
    blocks: usize,
}

/// When a copy began, was handed over and had ended, on the library's clock.
#[derive(Clone, Copy)]
struct Copy {
    began: u64,
    enqueued: u64,
    ended: u64,
}

/// A batch that is moving. Dropped before it arrives, it had no room, or the copy failed.
#[must_use]
pub(crate) struct Move {
    /// `None` without the library, and when it is told what became of it.
    batch: Option<Batch>,
    /// `None` until there is room.
    copy: Option<Copy>,
}

impl Move {
    /// There are slots for it; the copy begins.
    #[inline]
    pub(crate) fn has_room(&mut self) {
        if let Some(api) = self.api() {
            let unknown = shim::UNKNOWN_U64;
            self.copy = Some(Copy { began: api.now(), enqueued: unknown, ended: unknown });
        }
    }

    /// The workers have all of it.
    #[inline]
    pub(crate) fn enqueued(&mut self) {
        if let (Some(api), Some(copy)) = (self.api(), &mut self.copy) {
            copy.enqueued = api.now();
        }
    }

    /// The copy is over.
    #[inline]
    pub(crate) fn copied(&mut self) {
        if let (Some(api), Some(copy)) = (self.api(), &mut self.copy) {
            copy.ended = api.now();
        }
    }

    /// The blocks are present in their new tier.
    #[inline]
    pub(crate) fn arrived(mut self) {
        if let Some(batch) = self.batch.take() {
            self.tell_copy(batch, Outcome::Done);
            batch.route.moved(batch.first, batch.blocks);
        }
    }

    /// Of all its blocks, these are present in their new tier.
    #[inline]
    pub(crate) fn arrived_in_part(mut self, all: &[SequenceHash], arrived: &[SequenceHash]) {
        let Some(batch) = self.batch.take() else { return };
        if let Some(first) = arrived.first() {
            let arrived = Batch { first: *first, blocks: arrived.len(), ..batch };
            self.tell_copy(arrived, Outcome::Done);
            arrived.route.moved(arrived.first, arrived.blocks);
        } else {
            self.tell_copy(batch, Outcome::Failed);
        }
        if let Some(first) = all.iter().find(|hash| !arrived.contains(hash)) {
            batch.route.skipped(Reason::Failed, *first, all.len() - arrived.len());
        }
    }

    fn api(&self) -> Option<&'static Api> {
        self.batch.and_then(|_| shim::api())
    }

    fn tell_copy(&self, batch: Batch, outcome: Outcome) {
        let (Some(api), Some(copy)) = (shim::api(), self.copy) else { return };
        let ended = if copy.ended == shim::UNKNOWN_U64 { api.now() } else { copy.ended };
        let transfer = shim::Transfer {
            head: shim::Head { time: copy.began, ..shim::Head::of::<shim::Transfer>() },
            worker: shim::UNKNOWN_U64,
            enqueued: copy.enqueued,
            ended,
            device_began: shim::UNKNOWN_U64,
            device_ns: shim::UNKNOWN_U64,
            blocks: u32::try_from(batch.blocks).unwrap_or(u32::MAX),
            device: shim::UNKNOWN_U32,
            from_tier: batch.route.from as u8,
            to_tier: batch.route.to as u8,
            outcome: outcome as u8,
            ..shim::Transfer::default()
        };
        // SAFETY: the struct is whole.
        unsafe { (api.transfer)(&raw const transfer) };
    }
}

impl Drop for Move {
    #[inline]
    fn drop(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        if self.copy.is_some() {
            self.tell_copy(batch, Outcome::Failed);
            batch.route.skipped(Reason::Failed, batch.first, batch.blocks);
        } else {
            batch.route.skipped(Reason::NoRoom, batch.first, batch.blocks);
        }
    }
}

fn tier(layout: LogicalLayoutHandle) -> Tier {
    match layout {
        LogicalLayoutHandle::G1 => Tier::G1,
        LogicalLayoutHandle::G2 => Tier::G2,
        LogicalLayoutHandle::G3 => Tier::G3,
        LogicalLayoutHandle::G4 => Tier::G4,
    }
}

fn tier_of<T: 'static>() -> Tier {
    let tiers = [
        (TypeId::of::<G1>(), Tier::G1),
        (TypeId::of::<G2>(), Tier::G2),
        (TypeId::of::<G3>(), Tier::G3),
        (TypeId::of::<G4>(), Tier::G4),
    ];
    let known = tiers.into_iter().find(|(id, _)| *id == TypeId::of::<T>());
    known.map_or(Tier::Unknown, |(_, tier)| tier)
}

fn named(hash: SequenceHash) -> Named {
    Named {
        hash: hash.current_sequence_hash(),
        position: u32::try_from(hash.position()).unwrap_or(shim::UNKNOWN_U32),
        ..Named::default()
    }
}
