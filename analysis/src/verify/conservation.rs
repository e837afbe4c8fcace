//! The law: for every producer and kind, produced = written + lost, and written is what stands there.

use nashtrace::record::{Kind, LossReason};

use super::records::Checks;
use crate::load::FileFacts;

/// Whether the law holds in a file, and where it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conservation {
    /// Whether every account balances and the file is complete.
    pub holds: bool,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Check the ledgers of a file against one another and against the records that were read. In a file
/// that was not completed only the numbering can be checked.
#[must_use]
pub fn conservation(facts: &FileFacts, checks: &Checks) -> Conservation {
    let path = facts.path.display();
    let mut problems = Vec::new();
    if facts.complete {
        problems.extend(unbalanced_ledgers(facts));
    } else {
        problems.push(format!(
            "{path}: the session did not complete the file, so the conservation law cannot be shown"
        ));
    }
    for producer in facts.producers.keys() {
        let counted = counted_gaps(facts, *producer);
        let gaps = checks.sequence_gaps(*producer, facts.follows_another_file());
        if gaps > counted {
            problems.push(format!(
                "{path}: producer {producer}: {gaps} events are missing by their sequence numbers, but \
                 only {counted} are accounted for as lost"
            ));
        }
    }
    Conservation { holds: problems.is_empty(), problems }
}

fn unbalanced_ledgers(facts: &FileFacts) -> Vec<String> {
    let path = facts.path.display();
    let mut problems = Vec::new();
    for ((producer, kind), ledger) in &facts.ledgers {
        let kind_name = Kind::from_u8(*kind).map_or("unknown", Kind::name);
        if !ledger.is_conserved() {
            problems.push(format!(
                "{path}: producer {producer}, {kind_name}: {} produced, but {} written and {} lost",
                ledger.produced,
                ledger.written,
                ledger.lost_total()
            ));
        }
        let found = events(facts, *producer, *kind);
        if found != ledger.written {
            problems.push(format!(
                "{path}: producer {producer}, {kind_name}: the ledger says {} written, but {found} are \
                 in the file",
                ledger.written
            ));
        }
    }
    for (producer, packets) in &facts.producers {
        for (kind, found) in &packets.events {
            // Ledgers do not account for themselves.
            if *kind != Kind::Loss as u8 && !facts.ledgers.contains_key(&(*producer, *kind)) {
                problems.push(format!(
                    "{path}: producer {producer}: {found} records of kind {kind} have no ledger"
                ));
            }
        }
    }
    problems
}

fn events(facts: &FileFacts, producer: u32, kind: u8) -> u64 {
    facts
        .producers
        .get(&producer)
        .and_then(|producer| producer.events.get(&kind))
        .copied()
        .unwrap_or(0)
}

/// Records that were numbered by a producer but lost before they reached the file: by its ledgers, or,
/// where the file ends before they were written, at most what its last packet says.
fn counted_gaps(facts: &FileFacts, producer: u32) -> u64 {
    const NUMBERED: [LossReason; 3] = [LossReason::Full, LossReason::TooBig, LossReason::Io];
    if !facts.complete {
        let lost = facts.producers.get(&producer).map(|packets| packets.lost).unwrap_or_default();
        return NUMBERED.iter().map(|reason| lost[*reason as usize]).sum();
    }
    facts
        .ledgers
        .iter()
        .filter(|((of, kind), _)| *of == producer && *kind != Kind::Candidate as u8)
        .flat_map(|(_, ledger)| NUMBERED.map(|reason| ledger.lost[reason as usize]))
        .sum()
}
