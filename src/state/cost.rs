//! The cost that Dynamo 1.6.1's default policy gives a candidate, recomputed from its components.
//!
//! With `bs` tokens per block and `RB = max(ceil(isl / bs), 1)`, for each candidate `w`:
//!
//! ```text
//! decay  = 1 / (1 + credit_decay * ((active_prefill(w) - min active_prefill) / bs) / RB)
//! credit = overlap_credit * decay * device + host_weight * host + disk_weight * disk
//!          + shared_multiplier * shared
//! decode = active_decode_blocks + additional_decode_blocks
//! cost   = (prefill_load_scale * max(prefill_tokens / bs - credit, 0) + decode
//!          + request_weight * active_requests) * preferred_taint_multiplier
//! ```
//!
//! where `prefill_tokens` is the worker's active prefill plus this prompt. A decode pool that takes
//! cache credit and does not track prefill subtracts the credit from `decode` instead. The order of the
//! floating-point operations is the router's, so that results are equal bit for bit.

use crate::record::{Candidate, CandidateFlag, Decision, DecisionFlag};

/// What a candidate's cost is made of, in KV blocks. Its sum, times the preferred taint multiplier, is
/// the cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// Credit for cached blocks, as far as it reached: already taken off one of the following.
    pub kv_overlap: f64,
    /// Weighted prefill work.
    pub prefill_load: f64,
    /// Blocks that decode holds and will hold.
    pub decode_load: f64,
    /// Weighted active requests.
    pub request_load: f64,
}

/// The formula with everything that the candidates of one decision share.
#[derive(Debug, Clone, Copy)]
pub struct CostFormula<'a> {
    decision: &'a Decision,
    block_size: f64,
    request_blocks: f64,
    min_prefill_tokens: u64,
    takes_cache_input: bool,
    overlap_credit: f64,
    decays: bool,
    subtracts_from_decode: bool,
}

impl<'a> CostFormula<'a> {
    /// Prepare the formula for one decision. `None` if the default policy was not in force, in which
    /// case nothing is known about the cost.
    #[must_use]
    pub fn new(decision: &'a Decision, candidates: &[Candidate]) -> Option<Self> {
        if !decision.has(DecisionFlag::DefaultPolicy) || decision.block_size == 0 {
            return None;
        }
        let tracks_prefill = decision.has(DecisionFlag::TracksPrefill);
        let plain_decode = decision.has(DecisionFlag::PlainDecode);
        let overlap_credit =
            if plain_decode && !tracks_prefill { 0.0 } else { decision.overlap_score_credit };
        Some(Self {
            decision,
            block_size: f64::from(decision.block_size),
            request_blocks: f64::from(decision.isl_tokens.div_ceil(decision.block_size).max(1)),
            min_prefill_tokens: candidates
                .iter()
                .map(|candidate| candidate.active_prefill_tokens)
                .min()
                .unwrap_or(0),
            takes_cache_input: !plain_decode && decision.overlap_score_credit != 0.0,
            overlap_credit,
            decays: tracks_prefill && decision.overlap_score_credit_decay > 0.0,
            subtracts_from_decode: decision.has(DecisionFlag::DecodeLabel)
                && !tracks_prefill
                && overlap_credit > 0.0,
        })
    }

    /// The cost of a candidate, in KV blocks.
    #[must_use]
    pub fn cost(&self, candidate: &Candidate) -> f64 {
        self.total(candidate, &self.components(candidate))
    }

    /// The cost of a candidate if no cached block earned any credit.
    #[must_use]
    pub fn cost_without_cache(&self, candidate: &Candidate) -> f64 {
        self.total(candidate, &self.components_with(candidate, 0, 0.0))
    }

    /// What the cost of a candidate is made of.
    #[must_use]
    pub fn components(&self, candidate: &Candidate) -> Components {
        if self.takes_cache_input {
            let cached_tokens = u64::from(candidate.cached_tokens);
            self.components_with(candidate, cached_tokens, self.credit(candidate))
        } else {
            self.components_with(candidate, 0, 0.0)
        }
    }

    fn credit(&self, candidate: &Candidate) -> f64 {
        let decision = self.decision;
        let device = if decision.has(DecisionFlag::TierMatches) {
            f64::from(candidate.device_blocks)
        } else {
            candidate.effective_overlap_blocks
        };
        self.overlap_credit * self.decay(candidate) * device
            + decision.host_cache_hit_weight * f64::from(candidate.host_blocks)
            + decision.disk_cache_hit_weight * f64::from(candidate.disk_blocks)
            + weighted(decision.shared_cache_multiplier, candidate.shared_blocks)
    }

    fn decay(&self, candidate: &Candidate) -> f64 {
        if !self.decays {
            return 1.0;
        }
        let excess_tokens = candidate.active_prefill_tokens - self.min_prefill_tokens;
        let excess_blocks = excess_tokens as f64 / self.block_size;
        1.0 / (1.0
            + self.decision.overlap_score_credit_decay * (excess_blocks / self.request_blocks))
    }

    fn components_with(
        &self,
        candidate: &Candidate,
        cached_tokens: u64,
        credit: f64,
    ) -> Components {
        let decision = self.decision;
        let decode = (u64::from(candidate.active_decode_blocks)
            + u64::from(candidate.additional_decode_blocks)) as f64;
        let request_load =
            weighted(decision.decode_active_request_weight, candidate.active_requests);
        if self.subtracts_from_decode {
            let decode_load = (decode - credit).max(0.0);
            let kv_overlap = credit.min(decode);
            return Components { kv_overlap, prefill_load: 0.0, decode_load, request_load };
        }
        let prefill = self.prefill_tokens(candidate, cached_tokens) as f64 / self.block_size;
        Components {
            kv_overlap: decision.prefill_load_scale * credit.min(prefill),
            prefill_load: decision.prefill_load_scale * (prefill - credit).max(0.0),
            decode_load: decode,
            request_load,
        }
    }

    fn total(&self, candidate: &Candidate, parts: &Components) -> f64 {
        let load = if self.subtracts_from_decode {
            parts.decode_load + parts.request_load
        } else {
            parts.prefill_load + parts.decode_load + parts.request_load
        };
        load * candidate.preferred_taint_multiplier
    }

    fn prefill_tokens(&self, candidate: &Candidate, cached_tokens: u64) -> u64 {
        let isl_tokens = u64::from(self.decision.isl_tokens);
        if !self.decision.has(DecisionFlag::TracksPrefill) {
            0
        } else if candidate.has(CandidateFlag::LoadKnown) {
            let uncached = isl_tokens.saturating_sub(cached_tokens);
            (candidate.active_prefill_tokens + uncached).saturating_add(cached_tokens)
        } else {
            isl_tokens
        }
    }
}

/// A term that the router leaves out of the sum when its weight is zero, keeping the zero's sign.
fn weighted(weight: f64, count: u32) -> f64 {
    if weight == 0.0 { weight } else { weight * f64::from(count) }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    /// A prompt of 10 blocks of 64 tokens on two workers, the second one holding 4 blocks.
    fn example() -> (Decision, [Candidate; 2]) {
        let mut decision = Decision::new_zeroed();
        decision.flags = DecisionFlag::DefaultPolicy as u16
            | DecisionFlag::TracksPrefill as u16
            | DecisionFlag::TierMatches as u16;
        decision.block_size = 64;
        decision.isl_tokens = 640;
        decision.overlap_score_credit = 1.0;
        decision.prefill_load_scale = 1.0;
        decision.host_cache_hit_weight = 0.75;
        decision.disk_cache_hit_weight = 0.25;
        let mut idle = Candidate::new_zeroed();
        idle.preferred_taint_multiplier = 1.0;
        idle.flags = CandidateFlag::LoadKnown as u32;
        idle.additional_decode_blocks = 10;
        let mut warm = idle;
        warm.worker = 1;
        warm.device_blocks = 4;
        warm.cached_tokens = 256;
        warm.active_prefill_tokens = 128;
        warm.active_decode_blocks = 3;
        warm.active_requests = 2;
        (decision, [idle, warm])
    }

    fn costs(decision: &Decision, candidates: &[Candidate]) -> Vec<f64> {
        let formula = CostFormula::new(decision, candidates).unwrap();
        candidates.iter().map(|candidate| formula.cost(candidate)).collect()
    }

    #[test]
    fn cached_blocks_reduce_the_prefill_term() {
        let (decision, candidates) = example();
        // idle: 640/64 + 10; warm: (640 + 128)/64 - 4 + 3 + 10
        assert_eq!(costs(&decision, &candidates), [20.0, 21.0]);
    }

    #[test]
    fn every_weight_enters() {
        let (mut decision, mut candidates) = example();
        decision.prefill_load_scale = 2.0;
        decision.overlap_score_credit = 0.5;
        decision.decode_active_request_weight = 1.5;
        decision.shared_cache_multiplier = 0.5;
        candidates[1].host_blocks = 2;
        candidates[1].disk_blocks = 4;
        candidates[1].shared_blocks = 3;
        candidates[1].preferred_taint_multiplier = 2.0;
        // credit 0.5*4 + 0.75*2 + 0.25*4 + 0.5*3 = 6; (2*(12 - 6) + 13 + 3) * 2
        assert_eq!(costs(&decision, &candidates), [30.0, 56.0]);
    }

    #[test]
    fn components_say_what_the_credit_was_worth() {
        let (mut decision, mut candidates) = example();
        decision.prefill_load_scale = 2.0;
        decision.decode_active_request_weight = 1.5;
        let parts = |decision: &Decision, candidates: &[Candidate]| {
            CostFormula::new(decision, candidates).unwrap().components(&candidates[1])
        };
        let whole = Components {
            kv_overlap: 8.0,
            prefill_load: 16.0,
            decode_load: 13.0,
            request_load: 3.0,
        };
        assert_eq!(parts(&decision, &candidates), whole);
        // No more can be saved than there is to do.
        candidates[1].device_blocks = 40;
        let parts = parts(&decision, &candidates);
        assert_eq!((parts.kv_overlap, parts.prefill_load), (24.0, 0.0));
    }

    #[test]
    fn the_credit_decays_with_excess_prefill() {
        let (mut decision, candidates) = example();
        decision.overlap_score_credit_decay = 5.0;
        // excess 128/64 = 2 blocks of 10: decay 1/(1 + 5*0.2) = 0.5, credit 2
        assert_eq!(costs(&decision, &candidates), [20.0, 23.0]);
    }

    #[test]
    fn a_decode_pool_subtracts_the_credit_from_its_blocks() {
        let (mut decision, candidates) = example();
        decision.flags &= !(DecisionFlag::TracksPrefill as u16);
        decision.flags |= DecisionFlag::DecodeLabel as u16;
        assert_eq!(costs(&decision, &candidates), [10.0, 9.0]);
        decision.flags |= DecisionFlag::PlainDecode as u16;
        assert_eq!(costs(&decision, &candidates), [10.0, 13.0]);
    }

    #[test]
    fn without_a_load_row_only_the_prompt_counts() {
        let (decision, mut candidates) = example();
        candidates[1].flags = 0;
        assert_eq!(costs(&decision, &candidates), [20.0, 19.0]);
    }

    #[test]
    fn nothing_is_claimed_about_a_custom_policy() {
        let (mut decision, candidates) = example();
        decision.flags &= !(DecisionFlag::DefaultPolicy as u16);
        assert!(CostFormula::new(&decision, &candidates).is_none());
    }
}
