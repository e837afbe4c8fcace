use zerocopy::FromZeros;

use super::*;

const G1: u32 = 1;
const G2: u32 = 2;

fn pool(id: u32, tier: Tier, worker: u64) -> BlockPool {
    let mut pool = BlockPool::new_zeroed();
    (pool.id, pool.tier, pool.worker, pool.capacity_blocks) = (id, tier as u8, worker, 4);
    pool
}

fn lives(most: usize) -> BlockLives {
    let mut lives = BlockLives::new(1, most);
    lives.declare(&pool(G1, Tier::G1, 7));
    lives.declare(&pool(G2, Tier::G2, 7));
    lives
}

fn at(lives: &mut BlockLives, time: u64, pool: u32, event: BlockEvent, hash: u64) -> Meaning {
    let mut block = Block::new_zeroed();
    (block.pool, block.event, block.hash, block.request) = (pool, event as u8, hash, 100 + time);
    lives.event(&block, time)
}

#[test]
fn an_eviction_tells_what_still_holds_the_content_and_how_long_it_was_there() {
    let mut lives = lives(100);
    at(&mut lives, 1, G1, BlockEvent::Register, 5);
    at(&mut lives, 2, G2, BlockEvent::Register, 5);
    at(&mut lives, 3, G1, BlockEvent::Idle, 5);
    let evicted = at(&mut lives, 9, G1, BlockEvent::Evict, 5).eviction.unwrap();
    assert_eq!((evicted.from, evicted.to), (Tier::G1, Some(Tier::G2)));
    assert_eq!((evicted.lifetime_ns, evicted.idle_ns), (Some(8), Some(6)));
    let evicted = at(&mut lives, 10, G2, BlockEvent::Evict, 5).eviction.unwrap();
    assert_eq!((evicted.from, evicted.to, evicted.idle_ns), (Tier::G2, None, None));
    assert!(lives.pools().all(|pool| pool.present == 0));
}

#[test]
fn what_was_gone_for_good_and_comes_back_was_computed_twice() {
    let mut lives = lives(100);
    assert_eq!(at(&mut lives, 1, G1, BlockEvent::Register, 5).recomputed, None);
    at(&mut lives, 2, G2, BlockEvent::Register, 5);
    at(&mut lives, 3, G1, BlockEvent::Evict, 5);
    // Still in G2: brought back, not computed.
    assert_eq!(at(&mut lives, 4, G1, BlockEvent::Register, 5).recomputed, None);
    at(&mut lives, 5, G2, BlockEvent::Evict, 5);
    at(&mut lives, 6, G1, BlockEvent::Evict, 5);
    let gone = at(&mut lives, 7, G1, BlockEvent::Register, 5).recomputed.unwrap();
    assert_eq!(gone, Gone { evicted_by: 106, at_ns: 6, pool: G1 });
    // Only once.
    at(&mut lives, 8, G2, BlockEvent::Register, 5);
    assert_eq!(at(&mut lives, 8, G2, BlockEvent::Evict, 5).recomputed, None);
}

#[test]
fn workers_do_not_share_blocks_but_all_reach_a_pool_without_a_worker() {
    let mut lives = lives(100);
    lives.declare(&pool(3, Tier::G1, 8));
    lives.declare(&pool(4, Tier::G3, UNKNOWN_U64));
    at(&mut lives, 1, G1, BlockEvent::Register, 5);
    at(&mut lives, 1, 3, BlockEvent::Register, 5);
    let evicted = at(&mut lives, 2, G1, BlockEvent::Evict, 5).eviction.unwrap();
    assert_eq!(evicted.to, None, "another worker's copy is out of reach");
    at(&mut lives, 3, 4, BlockEvent::Register, 5);
    let evicted = at(&mut lives, 4, 3, BlockEvent::Evict, 5).eviction.unwrap();
    assert_eq!(evicted.to, Some(Tier::G3));
    at(&mut lives, 5, 4, BlockEvent::Evict, 5);
    // A copy downwards is no computation, whoever evicted it there before.
    assert_eq!(at(&mut lives, 6, 4, BlockEvent::Register, 5).recomputed, None);
    at(&mut lives, 7, 4, BlockEvent::Evict, 5);
    let gone = at(&mut lives, 8, G1, BlockEvent::Register, 5).recomputed.unwrap();
    assert_eq!((gone.pool, gone.at_ns), (4, 7));
}

#[test]
fn a_reuse_tells_how_many_became_idle_in_between() {
    let mut lives = lives(100);
    for hash in 1..=3 {
        at(&mut lives, hash, G1, BlockEvent::Register, hash);
        at(&mut lives, hash, G1, BlockEvent::Idle, hash);
    }
    let reuse = at(&mut lives, 10, G1, BlockEvent::Resurrect, 1).reuse.unwrap();
    assert_eq!(reuse, Reuse { distance: 2, idle_ns: 9 });
    assert_eq!(at(&mut lives, 11, G1, BlockEvent::Resurrect, 1).reuse, None);
}

#[test]
fn contradictions_are_told() {
    let mut lives = lives(100);
    let told = |meaning: Meaning| meaning.contradiction;
    assert_eq!(told(at(&mut lives, 1, G1, BlockEvent::Evict, 5)), Some(Contradiction::NotPresent));
    at(&mut lives, 1, G1, BlockEvent::Register, 5);
    assert_eq!(
        told(at(&mut lives, 1, G1, BlockEvent::Register, 5)),
        Some(Contradiction::AlreadyPresent)
    );
    for hash in 6..=9 {
        let full = (hash == 9).then_some(Contradiction::OverCapacity);
        assert_eq!(told(at(&mut lives, 1, G1, BlockEvent::Register, hash)), full, "{hash}");
    }
}

#[test]
fn of_more_present_contents_than_fit_a_sample_stands_for_all() {
    const HASHES: u64 = 20_000;
    let mut lives = BlockLives::new(1, 1_000);
    let mut unbounded = pool(G1, Tier::G1, 7);
    unbounded.capacity_blocks = UNKNOWN_U64;
    lives.declare(&unbounded);
    let (mut evictions, mut recomputed) = (0, 0);
    for round in 0..2 {
        for hash in 1..=HASHES {
            let registered = at(&mut lives, round, G1, BlockEvent::Register, hash);
            recomputed += registered.recomputed.map_or(0, |_| registered.weight);
        }
        for hash in 1..=HASHES {
            let evicted = at(&mut lives, round, G1, BlockEvent::Evict, hash);
            evictions += evicted.eviction.map_or(0, |_| evicted.weight);
        }
    }
    assert!(lives.followed_sample() >= 20);
    assert!(evictions.abs_diff(2 * HASHES) < HASHES / 5, "{evictions}");
    assert!(recomputed.abs_diff(HASHES) < HASHES / 5, "{recomputed}");
    assert_eq!(lives.pool(G1).unwrap().present, 0, "occupancy is exact");
}

#[test]
fn contents_that_are_gone_are_forgotten_and_those_that_are_present_stay_exact() {
    let mut lives = BlockLives::new(1, 100);
    let mut unbounded = pool(G1, Tier::G1, 7);
    unbounded.capacity_blocks = UNKNOWN_U64;
    lives.declare(&unbounded);
    at(&mut lives, 0, G1, BlockEvent::Register, 1);
    for hash in 2..=10_000 {
        at(&mut lives, 1, G1, BlockEvent::Register, hash);
        at(&mut lives, 2, G1, BlockEvent::Evict, hash);
    }
    assert_eq!((lives.followed_sample(), lives.lives.len()), (1, 1));
    let mut comes_back =
        |hash| at(&mut lives, 3, G1, BlockEvent::Register, hash).recomputed.is_some();
    assert!((9_951..=10_000).all(&mut comes_back) && !comes_back(2));
    let eviction = at(&mut lives, 9, G1, BlockEvent::Evict, 1).eviction.unwrap();
    assert_eq!(eviction.lifetime_ns, Some(9));
}

#[test]
fn without_device_memory_nobody_knows_what_was_computed_twice() {
    let mut lives = BlockLives::new(1, 100);
    lives.declare(&pool(G2, Tier::G2, 7));
    at(&mut lives, 1, G2, BlockEvent::Register, 5);
    at(&mut lives, 2, G2, BlockEvent::Evict, 5);
    assert_eq!(at(&mut lives, 3, G2, BlockEvent::Register, 5).recomputed, None);
}
