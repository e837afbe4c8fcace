//! The laws of KV blocks: in every pool, present = registered less evicted and dropped; never below zero
//! nor above what fits; and only what is present is used again or taken away.

use std::collections::BTreeMap;

use nashtrace::record::BlockEvent;
use nashtrace::state::Contradiction;

use crate::tables::ProcessBlocks;

/// Examples of contradictions that are told in full.
const EXAMPLES: usize = 3;

/// What the laws say of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockLaws {
    /// Block events that were checked.
    pub checked: u64,
    /// Why they were not, if they were not: events are known to be missing.
    pub unchecked: Option<String>,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Go through the block events of a process.
#[must_use]
pub fn block_laws(process: &ProcessBlocks) -> BlockLaws {
    let mut laws = BlockLaws::default();
    if process.events.is_empty() {
        return laws;
    }
    if let Some(why) = &process.incomplete {
        laws.unchecked = Some(format!("{}: {why}", process.label));
        return laws;
    }
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    let mut examples = Vec::new();
    let lives = process.replay(|time_ns, block, meaning, _| {
        laws.checked += 1;
        let Some(contradiction) = meaning.contradiction else { return };
        *found.entry(sentence(contradiction)).or_default() += 1;
        if examples.len() < EXAMPLES {
            examples.push(format!(
                "{}: at {time_ns} ns: {} of hash {:016x} in pool {} ({}): {}",
                process.label,
                BlockEvent::from_u8(block.event).name(),
                block.hash,
                process.pool_name(block.pool),
                block.pool,
                sentence(contradiction)
            ));
        }
    });
    for (what, count) in found {
        laws.problems.push(format!("{}: {count} block events: {what}", process.label));
    }
    laws.problems.extend(examples);
    let mut undeclared: Vec<u32> = lives.pools().map(|state| state.pool.id).collect();
    undeclared.retain(|id| *id != 0 && process.pools.iter().all(|(pool, _)| pool.id != *id));
    for id in undeclared {
        laws.problems.push(format!("{}: pool {id} was never declared", process.label));
    }
    laws
}

fn sentence(contradiction: Contradiction) -> &'static str {
    match contradiction {
        Contradiction::NotPresent => "the block was not present",
        Contradiction::AlreadyPresent => "the block was present already",
        Contradiction::OverCapacity => "the pool holds more blocks than fit",
    }
}
