//! What the collector adds to a decision before it is written.

use zerocopy::{FromBytes, IntoBytes};

use crate::record::{Candidate, Decision};
use crate::state;

/// Copy a decision out of the ring into `record`, with its candidates in worker order, its reason and
/// its propensity.
pub(super) fn complete_decision(
    entry: &[u8],
    candidates: &mut Vec<Candidate>,
    record: &mut Vec<u8>,
) -> Decision {
    let (mut decision, rows) = Decision::read_from_prefix(entry).expect("a whole decision");
    let rows = <[Candidate]>::ref_from_bytes(rows).expect("whole, aligned candidates");
    let place = |candidate: &Candidate| (candidate.worker, candidate.rank);
    candidates.clear();
    candidates.extend_from_slice(rows);
    if let Some(chosen) = rows.get(decision.chosen as usize) {
        candidates.sort_unstable_by_key(place);
        let row = candidates.partition_point(|candidate| place(candidate) < place(chosen));
        decision.chosen = row as u32;
    }
    let choice = state::judge(&decision, candidates);
    decision.reason = choice.reason as u8;
    decision.propensity = choice.propensity;
    record.clear();
    record.extend_from_slice(decision.as_bytes());
    record.extend_from_slice(candidates.as_bytes());
    decision
}
