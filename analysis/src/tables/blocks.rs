//! The table of block events: per process, in time order, with the pools that they name.

use std::collections::BTreeMap;

use nashtrace::record::{Block, BlockPool, Clock, NameSpace, Tier};
use nashtrace::state::{BlockLives, Meaning};
use nashtrace::trace::{PacketHeader, RawRecord};

use crate::load::{FileFacts, Visitor, session_of};

/// The block events of one file, as they come.
#[derive(Debug, Clone, Default)]
pub struct FileBlocks {
    /// Producer and event.
    events: Vec<(u32, Block)>,
    pools: Vec<BlockPool>,
}

impl Visitor for FileBlocks {
    fn record(&mut self, packet: &PacketHeader, record: &RawRecord<'_>) {
        if let Some(block) = record.to::<Block>() {
            self.events.push((packet.producer, block));
        } else if let Some(pool) = record.to::<BlockPool>() {
            self.pools.push(pool);
        }
    }
}

impl FileBlocks {
    /// Whether the file has neither.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.pools.is_empty()
    }
}

/// A block event of a process.
#[derive(Debug, Clone, Copy)]
pub struct BlockRow {
    /// Time in nanoseconds, on the caller's clock or since 1970.
    pub time_ns: u64,
    /// The recording thread.
    pub producer: u32,
    /// The record.
    pub block: Block,
}

impl BlockRow {
    /// Sorts events as they happened: what threads order by a tick is in that order, and what one thread does in
    /// one tick is in the order in which it was told.
    fn order(&self) -> (u8, u64, u32, u32) {
        let head = &self.block.head;
        (head.clock, head.time, self.producer, head.sequence)
    }
}

/// The block events of one session of a process, in time order.
#[derive(Debug, Clone, Default)]
pub struct ProcessBlocks {
    /// Host and process, as people name them.
    pub label: String,
    /// Every event.
    pub events: Vec<BlockRow>,
    /// Every declaration of a pool, in order, and its name.
    pub pools: Vec<(BlockPool, String)>,
    /// The recorder took one in so many hashes.
    pub recorded_sample: u64,
    /// Why events are known to be missing, if they are.
    pub incomplete: Option<String>,
}

impl ProcessBlocks {
    /// Go through the events in the order of time. `each` gets the time, the event, what it meant, and
    /// what is known after it.
    pub fn replay(&self, mut each: impl FnMut(u64, &Block, &Meaning, &BlockLives)) -> BlockLives {
        let mut lives = BlockLives::new(self.recorded_sample, usize::MAX);
        for (pool, _) in &self.pools {
            lives.declare(pool);
        }
        for BlockRow { time_ns, block, .. } in &self.events {
            let meaning = lives.event(block, *time_ns);
            each(*time_ns, block, &meaning, &lives);
        }
        lives
    }

    /// Whether device memory is seen: what came back to a lower tier may have been in it otherwise.
    #[must_use]
    pub fn has_device_memory(&self) -> bool {
        self.pools.iter().any(|(pool, _)| Tier::from_u8(pool.tier) == Tier::G1)
    }

    /// The name of a pool; its number if it has none.
    #[must_use]
    pub fn pool_name(&self, id: u32) -> String {
        let named = self.pools.iter().rev().find(|(pool, _)| pool.id == id && pool.name != 0);
        named.map_or_else(|| format!("#{id}"), |(_, name)| name.clone())
    }
}

/// The block events of a run, by process: the files that a session wrote one after another belong together, and
/// processes do not share the numbers of pools. A process that was started anew under the same number, as in a
/// container, is another one.
#[must_use]
pub fn by_process<'a>(
    files: impl IntoIterator<Item = (&'a FileFacts, &'a FileBlocks)>,
) -> Vec<ProcessBlocks> {
    let mut processes: BTreeMap<_, ProcessBlocks> = BTreeMap::new();
    for (facts, blocks) in files.into_iter().filter(|(_, blocks)| !blocks.is_empty()) {
        let process = processes.entry(session_of(facts)).or_default();
        process.label = format!("{}, process {}", facts.header.host, facts.header.process_id);
        let sample = facts.setting("block_sample").and_then(|sample| sample.parse().ok());
        process.recorded_sample = sample.unwrap_or(1_u64).max(1).next_power_of_two();
        process.incomplete = process.incomplete.take().or_else(|| incomplete(facts));
        let named = |pool: &BlockPool| (*pool, facts.name(NameSpace::BlockPool, pool.name));
        process.pools.extend(blocks.pools.iter().map(named));
        process.events.extend(blocks.events.iter().map(|(producer, block)| BlockRow {
            time_ns: time_ns(block, facts),
            producer: *producer,
            block: *block,
        }));
    }
    for process in processes.values_mut() {
        process.events.sort_by_key(BlockRow::order);
    }
    processes.into_values().collect()
}

fn time_ns(block: &Block, facts: &FileFacts) -> u64 {
    if block.head.clock == Clock::Caller as u8 {
        block.head.time
    } else {
        facts.timeline.wall_ns(block.head.time).max(0) as u64
    }
}

fn incomplete(facts: &FileFacts) -> Option<String> {
    let path = facts.path.display();
    if !facts.damage.is_empty() || facts.interrupted.is_some() || facts.missing_packets() > 0 {
        Some(format!("{path} is damaged"))
    } else if facts.lost() > 0 {
        Some(format!("{path} lacks {} events that were lost while recording", facts.lost()))
    } else if facts.setting("files_deleted").is_some_and(|count| count != "0") {
        Some(format!("{path} follows files that were deleted"))
    } else {
        None
    }
}
