//! The life of KV blocks: evictions by tier, occupancy, lookups, lifetimes, reuse, recomputation.

use prometheus::local::LocalHistogram;
use prometheus::{HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{advance, families};
use crate::record::{Block, BlockEvent, BlockPool, Tier, UNKNOWN_U64};
use crate::state::{BlockLives, PoolState};

/// Contents that are followed at most while they are present, and as many that are gone: together about 64 MB.
const MOST_LIVES: usize = 1 << 18;

/// The label `to_tier` of an eviction after which no lower tier holds the content.
const NO_TIER: &str = "evict";

const TIERS: usize = Tier::ALL.len();

/// See the module documentation.
pub(crate) struct BlockMetrics {
    lives: BlockLives,
    totals: Totals,
    families: Families,
    lifetimes: [LocalHistogram; TIERS],
    idle_times: [LocalHistogram; TIERS],
    reuse_distances: [LocalHistogram; TIERS],
}

struct Families {
    events: IntCounterVec,
    lookups: IntCounterVec,
    evictions: IntCounterVec,
    recomputed_blocks: IntCounterVec,
    recomputed_tokens: IntCounterVec,
    occupancy: IntGaugeVec,
    capacity: IntGaugeVec,
    sample: IntGauge,
}

/// What the counters show, by tier.
#[derive(Default)]
struct Totals {
    /// Blocks, by event.
    events: [[u64; BlockEvent::ALL.len()]; TIERS],
    /// By the tier that still holds the content; `Unknown` stands for none.
    evictions: [[u64; TIERS]; TIERS],
    recomputed_blocks: [u64; TIERS],
    recomputed_tokens: [u64; TIERS],
}

impl BlockMetrics {
    pub(super) fn new(registry: &Registry, recorded_sample: u64) -> Self {
        let by_tier = |family: HistogramVec| {
            Tier::ALL.map(|tier| family.with_label_values(&[tier.name()]).local())
        };
        Self {
            lives: BlockLives::new(recorded_sample, MOST_LIVES),
            totals: Totals::default(),
            families: Families {
                events: families::BLOCK_EVENTS.counters(registry),
                lookups: families::BLOCK_LOOKUPS.counters(registry),
                evictions: families::BLOCK_EVICTIONS.counters(registry),
                recomputed_blocks: families::RECOMPUTED_BLOCKS.counters(registry),
                recomputed_tokens: families::RECOMPUTED_TOKENS.counters(registry),
                occupancy: families::TIER_OCCUPANCY.int_gauges(registry),
                capacity: families::TIER_CAPACITY.int_gauges(registry),
                sample: families::BLOCK_SAMPLE.int_gauges(registry).with_label_values::<&str>(&[]),
            },
            lifetimes: by_tier(families::BLOCK_LIFETIME.histograms(registry)),
            idle_times: by_tier(families::BLOCK_IDLE_TIME.histograms(registry)),
            reuse_distances: by_tier(families::REUSE_DISTANCE.histograms(registry)),
        }
    }

    /// A pool was declared, or declared anew.
    pub(crate) fn declare(&mut self, pool: &BlockPool) {
        self.lives.declare(pool);
    }

    /// Observe an event, in the order of time.
    pub(crate) fn event(&mut self, block: &Block, time_ns: u64) {
        let tier = Tier::from_u8(block.tier) as usize;
        self.totals.events[tier][BlockEvent::from_u8(block.event) as usize] +=
            u64::from(block.count) * self.lives.stands_for(block);
        let meaning = self.lives.event(block, time_ns);
        if let Some(eviction) = meaning.eviction {
            let from = eviction.from as usize;
            self.totals.evictions[from][eviction.to.map_or(0, |to| to as usize)] += meaning.weight;
            observe_ns(&self.lifetimes[from], eviction.lifetime_ns);
            observe_ns(&self.idle_times[from], eviction.idle_ns);
        }
        if let Some(reuse) = meaning.reuse {
            self.reuse_distances[tier].observe(reuse.distance as f64);
        }
        if meaning.recomputed.is_some() {
            let pool = self.lives.pool(block.pool);
            let tokens = pool.map_or(0, |state| u64::from(state.pool.block_size));
            self.totals.recomputed_blocks[tier] += meaning.weight;
            self.totals.recomputed_tokens[tier] += meaning.weight * tokens;
        }
    }

    /// Show what was observed since the last call.
    pub(crate) fn show(&self) {
        for tier in Tier::ALL {
            self.show_tier(tier);
        }
        let all_series = [&self.lifetimes, &self.idle_times, &self.reuse_distances];
        all_series.into_iter().flatten().for_each(LocalHistogram::flush);
        self.families.sample.set(self.lives.followed_sample() as i64);
    }

    fn show_tier(&self, tier: Tier) {
        let (name, index) = (tier.name(), tier as usize);
        let advance_if_any = |family: &IntCounterVec, labels: &[&str], total: u64| {
            if total > 0 {
                advance(family, labels, total);
            }
        };
        let (totals, families) = (&self.totals, &self.families);
        for event in BlockEvent::ALL {
            let total = totals.events[index][event as usize];
            advance_if_any(&families.events, &[name, event.name()], total);
            if matches!(event, BlockEvent::Hit | BlockEvent::Miss) {
                advance_if_any(&families.lookups, &[name, event.name()], total);
            }
        }
        for to in Tier::ALL {
            let to_name = if to == Tier::Unknown { NO_TIER } else { to.name() };
            let total = totals.evictions[index][to as usize];
            advance_if_any(&families.evictions, &[name, to_name], total);
        }
        advance_if_any(&families.recomputed_blocks, &[name], totals.recomputed_blocks[index]);
        advance_if_any(&families.recomputed_tokens, &[name], totals.recomputed_tokens[index]);
        self.show_occupancy(tier);
    }

    /// Bytes that are taken and that there are; only of tiers whose blocks have a known size.
    fn show_occupancy(&self, tier: Tier) {
        let is_sized = |state: &&PoolState| {
            Tier::from_u8(state.pool.tier) == tier && state.pool.bytes_per_block > 0
        };
        let pools = || self.lives.pools().filter(is_sized);
        if pools().next().is_none() {
            return;
        }
        let sample = i64::try_from(self.lives.recorded_sample()).unwrap_or(i64::MAX);
        let present = |state: &PoolState| bytes(state.present.max(0).saturating_mul(sample), state);
        let taken = pools().map(present).fold(0, i64::saturating_add);
        self.families.occupancy.with_label_values(&[tier.name()]).set(taken);
        let sized = pools().filter(|state| state.pool.capacity_blocks != UNKNOWN_U64);
        let capacity = |state: &PoolState| {
            bytes(i64::try_from(state.pool.capacity_blocks).unwrap_or(i64::MAX), state)
        };
        let there = sized.map(capacity).fold(0, i64::saturating_add);
        self.families.capacity.with_label_values(&[tier.name()]).set(there);
    }
}

/// As many bytes as a gauge can tell, whatever a caller declared.
fn bytes(blocks: i64, state: &PoolState) -> i64 {
    blocks.saturating_mul(i64::try_from(state.pool.bytes_per_block).unwrap_or(i64::MAX))
}

fn observe_ns(histogram: &LocalHistogram, ns: Option<u64>) {
    if let Some(ns) = ns {
        histogram.observe(ns as f64 / 1e9);
    }
}
