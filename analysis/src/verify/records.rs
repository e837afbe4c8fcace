//! Checks of single records: clock order, and the cost of every candidate.

use std::collections::BTreeMap;
use std::path::Path;

use nashtrace::record::{Candidate, Decision, Kind};
use nashtrace::state::CostFormula;
use nashtrace::trace::{PacketHeader, RawRecord};

use crate::load::Visitor;
use crate::tables::candidates;

/// Recomputed and recorded cost may differ by this much, relative to the larger of the cost and 1.
const TOLERANCE: f64 = 1e-9;

/// Examples of each problem that are told in full.
const EXAMPLES: usize = 3;

/// What the checks found.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// Tracked decisions.
    pub tracked: u64,
    /// Tracked decisions whose costs were recomputed.
    pub decisions_checked: u64,
    /// Candidates of those decisions.
    pub candidates_checked: u64,
    /// Decisions with a candidate whose recorded cost is not the recomputed one.
    pub cost_mismatches: u64,
    /// Candidates whose recomputed cost equals the recorded one in every bit.
    pub costs_bit_equal: u64,
    /// Tracked decisions without known weights.
    pub custom_policy: u64,
    /// Decisions whose chosen row does not exist.
    pub impossible_choices: u64,
    /// Times that went back within a producer and clock.
    pub clock_reversals: u64,
    examples: Vec<String>,
    last_time: BTreeMap<(u32, u8), u64>,
    sequences: BTreeMap<u32, Sequences>,
}

/// The event numbers of one producer.
#[derive(Debug, Clone, Copy, Default)]
struct Sequences {
    /// The number of the first one.
    first: u32,
    records: u64,
    /// The number after the last one, without wrapping.
    next: u64,
}

impl Visitor for Checks {
    fn record(&mut self, packet: &PacketHeader, record: &RawRecord<'_>) {
        self.check_clock(packet.producer, record);
        let sequences = self.sequences.entry(packet.producer).or_default();
        if sequences.records == 0 {
            sequences.first = record.head.sequence;
        }
        sequences.records += 1;
        let step = record.head.sequence.wrapping_sub(sequences.next as u32);
        sequences.next += u64::from(step) + 1;
        if let Some(decision) = record.to::<Decision>() {
            self.check_decision(&decision, &candidates(record));
        }
    }
}

impl Checks {
    fn check_clock(&mut self, producer: u32, record: &RawRecord<'_>) {
        let head = &record.head;
        // A copy is recorded when it has ended, and its time is when it began.
        if head.kind == Kind::Transfer as u8 {
            return;
        }
        let last = self.last_time.entry((producer, head.clock)).or_insert(head.time);
        if head.time < *last {
            self.clock_reversals += 1;
        }
        *last = head.time;
    }

    fn check_decision(&mut self, decision: &Decision, candidates: &[Candidate]) {
        if decision.chosen as usize >= candidates.len() {
            self.impossible_choices += 1;
        }
        if !decision.is_tracked() {
            return;
        }
        self.tracked += 1;
        let Some(formula) = CostFormula::new(decision, candidates) else {
            self.custom_policy += 1;
            return;
        };
        self.decisions_checked += 1;
        let mut mismatch = None;
        for candidate in candidates {
            let recomputed = formula.cost(candidate);
            self.candidates_checked += 1;
            self.costs_bit_equal += u64::from(recomputed.to_bits() == candidate.cost.to_bits());
            let tolerance = TOLERANCE * candidate.cost.abs().max(1.0);
            // Written so that a cost that is not a number, or not finite, never passes.
            let is_equal = (recomputed - candidate.cost).abs() <= tolerance;
            if !is_equal || !candidate.cost.is_finite() {
                mismatch = Some((candidate, recomputed));
            }
        }
        if let Some((candidate, recomputed)) = mismatch {
            self.cost_mismatches += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(format!(
                    "request {:016x}: worker {} rank {} is recorded with cost {}, the formula gives \
                     {recomputed}",
                    decision.request, candidate.worker, candidate.rank, candidate.cost
                ));
            }
        }
    }

    /// Events that are missing from a producer's numbering. In a file that follows another one of its
    /// session the numbering goes on, so that nothing is known about what came before the first one.
    #[must_use]
    pub fn sequence_gaps(&self, producer: u32, follows_another_file: bool) -> u64 {
        self.sequences.get(&producer).map_or(0, |sequences| {
            let before = if follows_another_file { sequences.first } else { 0 };
            sequences.next - sequences.records - u64::from(before)
        })
    }

    /// Tracked decisions that cannot be recomputed, by reason.
    #[must_use]
    pub fn not_recomputable(&self) -> BTreeMap<&'static str, u64> {
        let mut reasons = BTreeMap::new();
        if self.custom_policy > 0 {
            reasons.insert(
                "a custom policy was in force, whose cost is not known",
                self.custom_policy,
            );
        }
        reasons
    }

    /// What is wrong, one sentence each.
    #[must_use]
    pub fn problems(&self, path: &Path) -> Vec<String> {
        let path = path.display();
        let mut problems = Vec::new();
        if self.clock_reversals > 0 {
            problems.push(format!(
                "{path}: time goes back {} times within a producer",
                self.clock_reversals
            ));
        }
        if self.impossible_choices > 0 {
            problems.push(format!(
                "{path}: {} decisions chose a row that does not exist",
                self.impossible_choices
            ));
        }
        if self.cost_mismatches > 0 {
            problems.push(format!(
                "{path}: {} decisions have a recorded cost that the formula does not give",
                self.cost_mismatches
            ));
        }
        problems.extend(self.examples.iter().map(|example| format!("{path}: {example}")));
        problems
    }

    /// Add the counts of another file.
    pub fn add(&mut self, other: &Self) {
        self.tracked += other.tracked;
        self.decisions_checked += other.decisions_checked;
        self.candidates_checked += other.candidates_checked;
        self.cost_mismatches += other.cost_mismatches;
        self.costs_bit_equal += other.costs_bit_equal;
        self.custom_policy += other.custom_policy;
        self.impossible_choices += other.impossible_choices;
        self.clock_reversals += other.clock_reversals;
    }
}
