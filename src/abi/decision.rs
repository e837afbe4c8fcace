//! Recording a decision and its candidates.

use super::event::{lose, push};
use super::foreign::{self, ForeignRecord};
use super::guard::guarded;
use super::status::Status;
use crate::record::{Candidate, Decision, Head, Kind, LossReason};
use crate::trace::MAX_EVENT_BYTES;

/// # Safety
///
/// `decision` is NULL or points to `struct_size` readable bytes; `candidates` is NULL or points to
/// `count * stride` readable bytes.
pub(super) unsafe extern "C" fn record(
    decision: *const Decision,
    candidates: *const Candidate,
    count: u32,
    stride: u32,
) -> Status {
    guarded(|| {
        // SAFETY: by the caller's promise.
        let decision = unsafe { foreign::record(decision) }?;
        let chosen = chosen_row(&decision);
        if count == 0 || chosen >= count {
            return Err(Status::InvalidArgument);
        }
        if u64::from(count) * u64::from(stride) > MAX_EVENT_BYTES as u64 {
            return Err(lose(LossReason::TooBig, Kind::Decision, count));
        }
        // SAFETY: by the caller's promise.
        let rows = unsafe { foreign::rows(candidates, count, stride, Candidate::V1_SIZE) }?;
        push(decision, Some((rows, count)))
    })
}

fn chosen_row(decision: &ForeignRecord<'_, Decision>) -> u32 {
    const CHOSEN: usize = std::mem::offset_of!(Decision, chosen) - size_of::<Head>();
    let bytes = &decision.tail()[CHOSEN..CHOSEN + 4];
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
