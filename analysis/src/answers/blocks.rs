//! The life of KV blocks: what every tier did, where evicted blocks went, what was computed twice, and who
//! paid for it.

use std::collections::{BTreeMap, HashMap};

use nashtrace::record::{Block, BlockEvent, Reason, Tier, UNKNOWN_U64};
use nashtrace::state::{BlockLives, Meaning};

use crate::stats::quantile_sorted;
use crate::tables::{DecisionRow, ProcessBlocks};

/// Everything about the blocks of a run. Where the recorder took a sample of the hashes, all numbers of blocks are
/// estimates for all of them.
#[derive(Debug, Clone, Default)]
pub struct BlocksAnswer {
    /// By tier, from the uppermost down.
    pub tiers: BTreeMap<Tier, TierAnswer>,
    /// Every pool.
    pub pools: Vec<PoolLine>,
    /// Evicted blocks, by tier and by the uppermost lower tier that still held the content.
    pub evictions: BTreeMap<(Tier, Option<Tier>), u64>,
    /// What was computed twice.
    pub recomputation: Recomputation,
    /// Events that contradict what was recorded before them.
    pub contradictions: u64,
    /// Events read.
    pub events: u64,
    /// The recorder took one in so many hashes.
    pub recorded_sample: u64,
}

/// What happened in one tier, in blocks.
#[derive(Debug, Clone, Default)]
pub struct TierAnswer {
    /// By event.
    pub blocks: BTreeMap<BlockEvent, u64>,
    /// Between registration and eviction, in seconds.
    pub lifetime_s: Distribution,
    /// Between last use and eviction, in seconds.
    pub idle_s: Distribution,
    /// Blocks that became idle between last use and reuse.
    pub reuse_distance: Distribution,
}

impl TierAnswer {
    /// Blocks that an event befell.
    #[must_use]
    pub fn of(&self, event: BlockEvent) -> u64 {
        self.blocks.get(&event).copied().unwrap_or(0)
    }

    /// Blocks found, of those looked up; NaN if none was.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let (hits, misses) = (self.of(BlockEvent::Hit) as f64, self.of(BlockEvent::Miss) as f64);
        hits / (hits + misses)
    }
}

/// Quantiles of a measured quantity; NaN if it was never measured.
#[derive(Debug, Clone, Copy)]
pub struct Distribution {
    /// Measurements.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { count: 0, p50: f64::NAN, p90: f64::NAN, p99: f64::NAN }
    }
}

impl Distribution {
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let quantile = |q| quantile_sorted(&values, q);
        Self {
            count: values.len() as u64,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
        }
    }
}

/// One pool.
#[derive(Debug, Clone)]
pub struct PoolLine {
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// Dynamo's worker id, if the manager knows it.
    pub worker: Option<u64>,
    /// Blocks that fit, if known.
    pub capacity: Option<u64>,
    /// Bytes of a block, 0 if unknown.
    pub bytes_per_block: u64,
    /// Blocks registered.
    pub registered: u64,
    /// Blocks evicted.
    pub evicted: u64,
    /// Blocks present at the end.
    pub present: i64,
    /// Most blocks that were present at once.
    pub peak: i64,
}

/// Blocks that were computed again after every tier within reach had evicted them.
#[derive(Debug, Clone, Default)]
pub struct Recomputation {
    /// Whether it can be known: some process told of its device memory (G1). One that did not counts nothing.
    pub is_known: bool,
    /// Blocks.
    pub blocks: u64,
    /// Their tokens, as far as pools say how many a block has.
    pub tokens: u64,
    /// Blocks registered in the tiers where something was recomputed.
    pub registered: u64,
    /// By why the router had sent the evicting request to that worker; `Unknown` if that is not known.
    pub by_reason: BTreeMap<Reason, u64>,
    /// Between eviction and recomputation, in seconds.
    pub gap_s: Distribution,
    /// The requests that computed most of them, worst first.
    pub payers: Vec<Payer>,
    /// Requests that computed any.
    pub paying_requests: u64,
    /// Time to first token of those, in milliseconds, as far as outcomes are known.
    pub paying_ttft_ms: Distribution,
    /// The same of all other requests. What they differ by is not the price alone: who pays may also have
    /// a longer prompt.
    pub other_ttft_ms: Distribution,
}

/// A request that computed blocks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payer {
    /// Key of the request.
    pub request: u64,
    /// Blocks that it computed again.
    pub blocks: u64,
    /// The request that had evicted most of them, 0 if unknown.
    pub evicted_by: u64,
    /// Why the router had sent that one to the worker.
    pub reason: Reason,
}

impl BlocksAnswer {
    /// Answer for the processes of a run. Tracked decisions tell why a request came to a worker, and what
    /// became of it where outcomes are known; `top` payers are kept.
    #[must_use]
    pub fn of(processes: &[ProcessBlocks], decisions: &[DecisionRow], top: usize) -> Self {
        let tracked = decisions.iter().filter(|row| row.tracked && row.request != 0);
        let reasons: HashMap<(u64, u64), Reason> = tracked
            .clone()
            .map(|row| ((row.request, row.chosen.worker), Reason::from_u8(row.reason)))
            .collect();
        let ttft_ms: HashMap<u64, f64> = tracked.map(|row| (row.request, row.ttft_ms)).collect();
        let mut gathering = Gathering::default();
        let mut answer = Self { recorded_sample: 1, ..Self::default() };
        for process in processes {
            answer.recorded_sample = answer.recorded_sample.max(process.recorded_sample);
            gathering.recomputation.is_known |= process.has_device_memory();
            let mut peaks: BTreeMap<u32, i64> = BTreeMap::new();
            let mut counts: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
            let lives = process.replay(|time_ns, block, meaning, lives| {
                answer.event(block, meaning, lives);
                gathering.event(time_ns, block, meaning, lives, &reasons);
                let present = lives.pool(block.pool).map_or(0, |state| state.present);
                let present = present * lives.recorded_sample() as i64;
                let peak = peaks.entry(block.pool).or_default();
                *peak = present.max(*peak);
                let of_pool = counts.entry(block.pool).or_default();
                match BlockEvent::from_u8(block.event) {
                    BlockEvent::Register => of_pool[0] += lives.stands_for(block),
                    BlockEvent::Evict => of_pool[1] += lives.stands_for(block),
                    _ => {}
                }
            });
            let mut pools: Vec<_> = lives.pools().collect();
            pools.sort_by_key(|state| (state.pool.tier, state.pool.worker, state.pool.id));
            answer.pools.extend(pools.into_iter().map(|state| {
                let id = state.pool.id;
                let [registered, evicted] = counts.get(&id).copied().unwrap_or_default();
                let known = |value: u64| (value != UNKNOWN_U64).then_some(value);
                PoolLine {
                    name: process.pool_name(id),
                    tier: Tier::from_u8(state.pool.tier),
                    worker: known(state.pool.worker),
                    capacity: known(state.pool.capacity_blocks),
                    bytes_per_block: state.pool.bytes_per_block,
                    registered,
                    evicted,
                    present: state.present * lives.recorded_sample() as i64,
                    peak: peaks.get(&id).copied().unwrap_or(0),
                }
            }));
        }
        gathering.finish(&mut answer, &ttft_ms, top);
        answer
    }

    fn event(&mut self, block: &Block, meaning: &Meaning, lives: &BlockLives) {
        self.events += 1;
        let tier = self.tiers.entry(Tier::from_u8(block.tier)).or_default();
        let event = BlockEvent::from_u8(block.event);
        let blocks = u64::from(block.count) * lives.stands_for(block);
        *tier.blocks.entry(event).or_default() += blocks;
        self.contradictions += u64::from(meaning.contradiction.is_some());
        if let Some(eviction) = meaning.eviction {
            *self.evictions.entry((eviction.from, eviction.to)).or_default() += meaning.weight;
        }
    }
}

/// Single measurements, until they are summed up.
#[derive(Default)]
struct Gathering {
    lifetimes: BTreeMap<Tier, Vec<f64>>,
    idle_times: BTreeMap<Tier, Vec<f64>>,
    reuse_distances: BTreeMap<Tier, Vec<f64>>,
    gaps: Vec<f64>,
    recomputation: Recomputation,
    recomputed_in: std::collections::BTreeSet<Tier>,
    /// By paying request: blocks, and how many of them each evicting request had evicted.
    payers: BTreeMap<u64, BTreeMap<(u64, Reason), u64>>,
}

impl Gathering {
    fn event(
        &mut self,
        time_ns: u64,
        block: &Block,
        meaning: &Meaning,
        lives: &BlockLives,
        reasons: &HashMap<(u64, u64), Reason>,
    ) {
        let tier = Tier::from_u8(block.tier);
        let seconds = |ns: u64| ns as f64 / 1e9;
        if let Some(eviction) = meaning.eviction {
            self.lifetimes.entry(tier).or_default().extend(eviction.lifetime_ns.map(seconds));
            self.idle_times.entry(tier).or_default().extend(eviction.idle_ns.map(seconds));
        }
        if let Some(reuse) = meaning.reuse {
            self.reuse_distances.entry(tier).or_default().push(reuse.distance as f64);
        }
        let Some(gone) = meaning.recomputed else { return };
        let worker = lives.pool(gone.pool).map(|state| state.pool.worker);
        let sent = worker.and_then(|worker| reasons.get(&(gone.evicted_by, worker)));
        let reason = sent.copied().unwrap_or(Reason::Unknown);
        let tokens = lives.pool(block.pool).map_or(0, |state| u64::from(state.pool.block_size));
        self.recomputed_in.insert(tier);
        self.recomputation.blocks += meaning.weight;
        self.recomputation.tokens += meaning.weight * tokens;
        *self.recomputation.by_reason.entry(reason).or_default() += meaning.weight;
        self.gaps.push(seconds(time_ns.saturating_sub(gone.at_ns)));
        let evictors = self.payers.entry(block.request).or_default();
        *evictors.entry((gone.evicted_by, reason)).or_default() += meaning.weight;
    }

    /// `ttft_ms` is NaN where a request's outcome is not known.
    fn finish(self, answer: &mut BlocksAnswer, ttft_ms: &HashMap<u64, f64>, top: usize) {
        for (tier, values) in self.lifetimes {
            answer.tiers.entry(tier).or_default().lifetime_s = Distribution::of(values);
        }
        for (tier, values) in self.idle_times {
            answer.tiers.entry(tier).or_default().idle_s = Distribution::of(values);
        }
        for (tier, values) in self.reuse_distances {
            answer.tiers.entry(tier).or_default().reuse_distance = Distribution::of(values);
        }
        let registered =
            |tier| answer.tiers.get(tier).map_or(0, |tier| tier.of(BlockEvent::Register));
        let mut recomputation = self.recomputation;
        recomputation.registered = self.recomputed_in.iter().map(registered).sum();
        recomputation.gap_s = Distribution::of(self.gaps);
        let known = ttft_ms.iter().filter(|(_, ttft_ms)| !ttft_ms.is_nan());
        let (paying, other): (Vec<_>, Vec<_>) =
            known.partition(|(request, _)| self.payers.contains_key(request));
        let times =
            |of: Vec<(&u64, &f64)>| Distribution::of(of.into_iter().map(|(_, ms)| *ms).collect());
        recomputation.paying_ttft_ms = times(paying);
        recomputation.other_ttft_ms = times(other);
        let known = self.payers.iter().filter(|(request, _)| **request != 0);
        let mut payers: Vec<Payer> =
            known.map(|(request, evictors)| payer(*request, evictors)).collect();
        recomputation.paying_requests = payers.len() as u64;
        payers.sort_by_key(|payer| (std::cmp::Reverse(payer.blocks), payer.request));
        payers.truncate(top);
        recomputation.payers = payers;
        answer.recomputation = recomputation;
    }
}

fn payer(request: u64, evictors: &BTreeMap<(u64, Reason), u64>) -> Payer {
    let most = evictors.iter().max_by_key(|(key, blocks)| (**blocks, std::cmp::Reverse(**key)));
    let ((evicted_by, reason), _) = most.expect("a payer has an evictor");
    Payer { request, blocks: evictors.values().sum(), evicted_by: *evicted_by, reason: *reason }
}

#[cfg(test)]
mod tests {
    use nashtrace::record::BlockPool;
    use zerocopy::FromZeros;

    use super::*;
    use crate::tables::BlockRow;

    /// A process with a pool of a tier, in which each of these blocks is registered and evicted twice.
    fn process(tier: Tier, recorded_sample: u64, hashes: &[u64]) -> ProcessBlocks {
        let mut pool = BlockPool::new_zeroed();
        (pool.id, pool.tier, pool.capacity_blocks) = (1, tier as u8, UNKNOWN_U64);
        let lives = [BlockEvent::Register, BlockEvent::Evict].repeat(2);
        let events = (0..).zip(lives).flat_map(|(time_ns, event)| {
            hashes.iter().map(move |hash| {
                let mut block = Block::new_zeroed();
                (block.hash, block.pool, block.count) = (*hash, 1, 1);
                (block.event, block.tier) = (event as u8, tier as u8);
                BlockRow { time_ns, producer: 1, block }
            })
        });
        ProcessBlocks {
            events: events.collect(),
            pools: vec![(pool, "pool".to_owned())],
            recorded_sample,
            ..ProcessBlocks::default()
        }
    }

    #[test]
    fn a_sample_stands_for_all_in_every_number_alike() {
        // The first is in every sample: its product with the mixing constant is 1.
        let answer = BlocksAnswer::of(&[process(Tier::G1, 8, &[0xf1de_83e1_9937_733d])], &[], 9);
        let g1 = &answer.tiers[&Tier::G1];
        assert_eq!((g1.of(BlockEvent::Register), g1.of(BlockEvent::Evict)), (16, 16));
        assert_eq!(answer.evictions[&(Tier::G1, None)], 16);
        assert_eq!((answer.recomputation.blocks, answer.recomputation.registered), (8, 16));
        let [pool] = &answer.pools[..] else { panic!("{:?}", answer.pools) };
        assert_eq!((pool.registered, pool.evicted, pool.present, pool.peak), (16, 16, 0, 8));
    }

    #[test]
    fn without_device_memory_it_is_not_known_what_was_computed_twice() {
        let known = |tier| {
            let answer = BlocksAnswer::of(&[process(tier, 1, &[5, 6])], &[], 9);
            (answer.recomputation.is_known, answer.recomputation.blocks)
        };
        assert_eq!((known(Tier::G1), known(Tier::G2)), ((true, 2), (false, 0)));
    }
}
