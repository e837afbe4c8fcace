//! The most regretted decisions of a run, as its record keeps them.

use nashtrace::record::{Candidate, Reason};

use super::record::{OfferedWorker, RegrettedDecision};
use crate::tables::{DecisionTable, FullDecision};

/// Decisions that are kept of a run.
pub(super) const KEPT: usize = 5;

/// Candidates of a decision that are kept, the cheapest, beside the chosen one and the one with the longest prefix.
const CHEAPEST: usize = 6;

/// What a table kept.
pub(super) fn regretted(table: &DecisionTable) -> Vec<RegrettedDecision> {
    table.worst.iter().map(|full| one(full, &table.pools)).collect()
}

fn one(full: &FullDecision, pools: &[String]) -> RegrettedDecision {
    let FullDecision { row, decision, candidates } = full;
    RegrettedDecision {
        request: format!("{:016x}", decision.request),
        time_s: row.time_ns / 1e9,
        pool: pools.get(row.chosen.pool as usize).cloned().unwrap_or_default(),
        isl_tokens: decision.isl_tokens,
        predicted_regret: known(row.predicted),
        overlap_regret: known(row.overlap),
        reason: Reason::from_u8(decision.reason).name().to_owned(),
        offered: candidates.len(),
        candidates: worth_keeping(candidates, decision.chosen as usize),
    }
}

fn worth_keeping(candidates: &[Candidate], chosen: usize) -> Vec<OfferedWorker> {
    let overlap = |place: &usize| candidates[*place].effective_overlap_blocks;
    // Of equal prefixes the cheaper counts: it comes first, and the first of equals is kept.
    let mut by_cost: Vec<usize> = (0..candidates.len()).collect();
    by_cost.sort_by(|a, b| candidates[*a].cost.total_cmp(&candidates[*b].cost));
    let longest = by_cost.iter().copied().rev().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
    let kept = by_cost.iter().enumerate().filter(|(place, candidate)| {
        *place < CHEAPEST || **candidate == chosen || Some(**candidate) == longest
    });
    kept.map(|(_, place)| offered(&candidates[*place], *place == chosen)).collect()
}

fn offered(candidate: &Candidate, chosen: bool) -> OfferedWorker {
    OfferedWorker {
        worker: candidate.worker,
        rank: candidate.rank,
        chosen,
        cost: known(candidate.cost),
        overlap_blocks: known(candidate.effective_overlap_blocks),
        prefill_tokens: candidate.active_prefill_tokens,
        decode_blocks: candidate.active_decode_blocks,
        requests: candidate.active_requests,
    }
}

fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn the_cheapest_the_chosen_and_the_longest_prefix_are_kept() {
        let candidate = |worker: u64| Candidate {
            worker,
            cost: if worker == 3 { f64::NAN } else { 20.0 - worker as f64 },
            effective_overlap_blocks: if worker == 1 { 9.0 } else { 2.0 },
            ..Candidate::new_zeroed()
        };
        let candidates: Vec<Candidate> = (0..12).map(candidate).collect();
        let kept = worth_keeping(&candidates, 2);
        let workers: Vec<u64> = kept.iter().map(|kept| kept.worker).collect();
        assert_eq!(workers, [11, 10, 9, 8, 7, 6, 2, 1]);
        assert_eq!(kept.iter().position(|kept| kept.chosen), Some(6));
        assert_eq!((kept[6].cost, kept[7].overlap_blocks), (Some(18.0), Some(9.0)));
        let unknown = worth_keeping(&candidates, 3);
        assert_eq!(unknown.last().map(|kept| (kept.worker, kept.cost)), Some((3, None)));
    }
}
