//! Why a candidate won, and how likely it was to win.

use super::cost::CostFormula;
use crate::record::{Candidate, Decision, DecisionFlag, Reason};

/// What a decision's costs say about its outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Why the chosen candidate won.
    pub reason: Reason,
    /// Probability with which this policy takes it; NaN if unknown.
    pub propensity: f64,
}

/// Judge a decision. A chosen row outside the candidates gives no reason and no propensity.
#[must_use]
pub fn judge(decision: &Decision, candidates: &[Candidate]) -> Choice {
    let chosen = decision.chosen as usize;
    if chosen >= candidates.len() {
        return Choice { reason: Reason::Unknown, propensity: f64::NAN };
    }
    Choice {
        reason: reason(decision, candidates, chosen),
        propensity: propensity(decision, candidates, chosen),
    }
}

fn reason(decision: &Decision, candidates: &[Candidate], chosen: usize) -> Reason {
    if decision.reason == Reason::NonKvMode as u8 {
        return Reason::NonKvMode;
    }
    if decision.has(DecisionFlag::Pinned) {
        return Reason::Pinned;
    }
    if decision.has(DecisionFlag::Affinity) {
        return Reason::Affinity;
    }
    if candidates.len() == 1 {
        return Reason::OnlyCandidate;
    }
    let lowest = lowest(candidates.iter().map(|candidate| candidate.cost));
    if candidates[chosen].cost > lowest {
        return if decision.temperature > 0.0 { Reason::TemperatureDraw } else { Reason::Unknown };
    }
    if candidates.iter().filter(|candidate| candidate.cost == lowest).count() > 1 {
        return Reason::Tie;
    }
    let Some(formula) = CostFormula::new(decision, candidates) else {
        return Reason::Unknown;
    };
    // Without the cache the same candidate would have won alone, or the cache decided.
    let without_cache = |candidate: &Candidate| formula.cost_without_cache(candidate);
    let others = candidates.iter().enumerate().filter(|(row, _)| *row != chosen);
    let lowest_other = self::lowest(others.map(|(_, candidate)| without_cache(candidate)));
    if without_cache(&candidates[chosen]) < lowest_other {
        Reason::LoadBalance
    } else {
        Reason::CacheHit
    }
}

/// The probability with which the policy in force takes a row.
///
/// At temperature 0 the cheapest candidates share the probability evenly. Above it a row is drawn with
/// probability proportional to `exp(-(cost - min) / ((max - min) * temperature))`, evenly if all costs
/// are equal. NaN if a custom policy was in force or the row does not exist.
#[must_use]
pub fn propensity(decision: &Decision, candidates: &[Candidate], row: usize) -> f64 {
    if row >= candidates.len() {
        return f64::NAN;
    }
    if decision.has(DecisionFlag::Pinned) || candidates.len() == 1 {
        return 1.0;
    }
    if !decision.has(DecisionFlag::DefaultPolicy) {
        return f64::NAN;
    }
    let costs = || candidates.iter().map(|candidate| candidate.cost);
    let lowest = lowest(costs());
    let highest = costs().fold(f64::NEG_INFINITY, f64::max);
    if decision.temperature == 0.0 || lowest == highest {
        let ties = costs().filter(|cost| *cost == lowest).count();
        return if candidates[row].cost == lowest { 1.0 / ties as f64 } else { 0.0 };
    }
    let scale = (highest - lowest) * decision.temperature;
    let weight = |cost: f64| (-(cost - lowest) / scale).exp();
    weight(candidates[row].cost) / costs().map(weight).sum::<f64>()
}

fn lowest(costs: impl Iterator<Item = f64>) -> f64 {
    costs.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;
    use crate::record::CandidateFlag;

    fn decision(temperature: f64, chosen: u32) -> Decision {
        let mut decision = Decision::new_zeroed();
        decision.flags = DecisionFlag::DefaultPolicy as u16
            | DecisionFlag::TracksPrefill as u16
            | DecisionFlag::TierMatches as u16;
        decision.block_size = 1;
        decision.isl_tokens = 10;
        decision.overlap_score_credit = 1.0;
        decision.prefill_load_scale = 1.0;
        decision.temperature = temperature;
        decision.chosen = chosen;
        decision
    }

    /// Candidates given as (cached device blocks, active decode blocks), costed by the formula.
    fn candidates(decision: &Decision, rows: &[(u32, u32)]) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = rows
            .iter()
            .map(|&(device_blocks, active_decode_blocks)| {
                let mut candidate = Candidate::new_zeroed();
                candidate.preferred_taint_multiplier = 1.0;
                candidate.flags = CandidateFlag::LoadKnown as u32;
                candidate.device_blocks = device_blocks;
                candidate.active_decode_blocks = active_decode_blocks;
                candidate
            })
            .collect();
        let formula = CostFormula::new(decision, &candidates).unwrap();
        let costs: Vec<f64> = candidates.iter().map(|candidate| formula.cost(candidate)).collect();
        for (candidate, cost) in candidates.iter_mut().zip(costs) {
            candidate.cost = cost;
        }
        candidates
    }

    fn judged(temperature: f64, chosen: u32, rows: &[(u32, u32)]) -> Choice {
        let decision = decision(temperature, chosen);
        judge(&decision, &candidates(&decision, rows))
    }

    #[test]
    fn the_cache_decided() {
        let choice = judged(0.0, 1, &[(0, 0), (8, 3)]);
        assert_eq!(choice, Choice { reason: Reason::CacheHit, propensity: 1.0 });
    }

    #[test]
    fn the_cache_decided_between_workers_of_equal_load() {
        assert_eq!(judged(0.0, 1, &[(0, 2), (4, 2), (0, 2)]).reason, Reason::CacheHit);
    }

    #[test]
    fn the_load_decided() {
        let choice = judged(0.0, 0, &[(0, 0), (2, 3)]);
        assert_eq!(choice, Choice { reason: Reason::LoadBalance, propensity: 1.0 });
    }

    #[test]
    fn ties_share_the_probability() {
        let choice = judged(0.0, 1, &[(0, 0), (0, 0), (0, 5)]);
        assert_eq!(choice, Choice { reason: Reason::Tie, propensity: 0.5 });
    }

    #[test]
    fn a_temperature_draws_what_is_not_cheapest() {
        // Costs 10, 11, 12: normalised 0, 1/2, 1; temperature 1/2 gives weights 1, 1/e, 1/e^2.
        let choice = judged(0.5, 1, &[(0, 0), (0, 1), (0, 2)]);
        let e = std::f64::consts::E;
        assert_eq!(choice.reason, Reason::TemperatureDraw);
        assert!((choice.propensity - (1.0 / e) / (1.0 + 1.0 / e + 1.0 / (e * e))).abs() < 1e-15);
    }

    #[test]
    fn propensities_sum_to_one() {
        for temperature in [0.0, 0.05, 0.2, 1.0] {
            let decision = decision(temperature, 0);
            let candidates = candidates(&decision, &[(0, 3), (1, 1), (4, 9), (2, 2)]);
            let sum: f64 =
                (0..candidates.len()).map(|row| propensity(&decision, &candidates, row)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "temperature {temperature}: {sum}");
        }
    }

    #[test]
    fn constraints_come_before_costs() {
        let mut pinned = decision(0.0, 0);
        pinned.flags |= DecisionFlag::Pinned as u16;
        let row = candidates(&pinned, &[(0, 4)]);
        assert_eq!(judge(&pinned, &row), Choice { reason: Reason::Pinned, propensity: 1.0 });
        let only = decision(0.0, 0);
        assert_eq!(judge(&only, &row), Choice { reason: Reason::OnlyCandidate, propensity: 1.0 });
        let mut affine = decision(0.0, 0);
        affine.flags |= DecisionFlag::Affinity as u16;
        assert_eq!(judge(&affine, &row).reason, Reason::Affinity);
    }

    #[test]
    fn a_custom_policy_gives_no_propensity_and_an_impossible_choice_no_reason() {
        let mut custom = decision(0.0, 1);
        let rows = candidates(&custom, &[(0, 0), (0, 1)]);
        assert_eq!(judge(&custom, &rows).reason, Reason::Unknown);
        assert_eq!(judge(&custom, &rows).propensity, 0.0);
        custom.flags &= !(DecisionFlag::DefaultPolicy as u16);
        assert!(judge(&custom, &rows).propensity.is_nan());
        custom.chosen = 2;
        assert_eq!(judge(&custom, &rows).reason, Reason::Unknown);
    }
}
