//! What the trace says, in the order in which it happened.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, ensure};
use nashtrace::record::{
    Block, BlockEvent, BlockPool, BlockReason, Loss, Name, NameSpace, Transfer, UNKNOWN_U32,
};
use nashtrace::trace::{Item, Reader};

/// An event of a block, without what this check does not need.
#[derive(Clone, Copy)]
pub struct Event {
    pub time: u64,
    pub hash: u64,
    pub producer: u32,
    pub sequence: u32,
    pub pool: u32,
    pub block: u32,
    pub count: u32,
    pub event: BlockEvent,
    pub reason: BlockReason,
}

/// A pool that was declared.
#[derive(Clone, Copy)]
pub struct Pool {
    pub id: u32,
    pub capacity: u64,
    pub tier: u8,
}

/// All that was recorded.
#[derive(Default)]
pub struct Trace {
    /// Ordered by time; a thread's events of one moment in the order in which it told them.
    pub events: Vec<Event>,
    pub transfers: Vec<Transfer>,
    /// By name.
    pub pools: HashMap<String, Pool>,
}

impl Trace {
    /// Read all files of a directory.
    ///
    /// # Errors
    ///
    /// If a file is damaged or incomplete, or if an event was lost.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        let mut trace = Self::default();
        let mut names = HashMap::new();
        let mut pools = Vec::new();
        let mut ledgers = HashMap::new();
        for file in std::fs::read_dir(directory)? {
            let path = file?.path();
            let mut reader = Reader::open(&path)?;
            while let Some(item) = reader.next_item()? {
                let Item::Packet(packet) = item else {
                    anyhow::bail!("{} is damaged", path.display());
                };
                let producer = packet.header.producer;
                for record in packet.records() {
                    if let Some(block) = record.to::<Block>() {
                        trace.events.push(Event::new(producer, &block));
                    } else if let Some(transfer) = record.to::<Transfer>() {
                        trace.transfers.push(transfer);
                    } else if let Some(pool) = record.to::<BlockPool>() {
                        pools.push(pool);
                    } else if let Some(loss) = record.to::<Loss>() {
                        ledgers
                            .insert((loss.producer, loss.of_kind), loss.lost.iter().sum::<u64>());
                    } else if let Some(name) = record.to::<Name>()
                        && name.space == NameSpace::BlockPool as u8
                    {
                        let text: Vec<u8> = record.rows().flatten().copied().collect();
                        let text = text.get(..name.length as usize).context("a name is torn")?;
                        names.insert(name.id, String::from_utf8(text.to_vec())?);
                    }
                }
            }
        }
        let lost: u64 = ledgers.values().sum();
        ensure!(lost == 0, "{lost} events were lost: make NASHTRACE_RING_BYTES larger");
        for pool in pools {
            let name = names.get(&pool.name).context("a pool has no name")?.clone();
            let known = Pool { id: pool.id, capacity: pool.capacity_blocks, tier: pool.tier };
            trace.pools.insert(name, known);
        }
        trace.events.sort_unstable_by_key(|event| (event.time, event.producer, event.sequence));
        Ok(trace)
    }
}

impl Event {
    fn new(producer: u32, block: &Block) -> Self {
        Self {
            time: block.head.time,
            hash: block.hash,
            producer,
            sequence: block.head.sequence,
            pool: block.pool,
            block: block.block,
            count: block.count,
            event: BlockEvent::from_u8(block.event),
            reason: BlockReason::from_u8(block.reason),
        }
    }

    /// The slot that it happened to.
    ///
    /// # Errors
    ///
    /// If there is none of this number.
    pub fn slot(&self, slots: usize) -> anyhow::Result<usize> {
        ensure!(self.block != UNKNOWN_U32, "an event of a slot has no slot");
        let slot = self.block as usize;
        ensure!(slot < slots, "slot {slot} of {slots}");
        Ok(slot)
    }
}
