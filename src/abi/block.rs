//! Recording what happens to KV blocks, and declaring their pools.

use super::event::{leave_out, push};
use super::foreign::{self, ForeignRecord};
use super::guard::guarded;
use super::status::Status;
use crate::declarations;
use crate::record::{Block, BlockPool, Head, LossReason};
use crate::ring::BlockLane;
use crate::session;

/// # Safety
///
/// `block` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn record(block: *const Block) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| record_checked(unsafe { foreign::record(block) }?))
}

#[inline]
fn record_checked(block: ForeignRecord<'_, Block>) -> Result<(), Status> {
    match session::samples_block(hash(&block)) {
        Some(true) => push(block, None),
        Some(false) => leave_out(&block, LossReason::SampledOut),
        None => Ok(()),
    }
}

/// # Safety
///
/// `block` is NULL or points to `struct_size` readable bytes; `lane` is NULL or points to a writable pointer.
pub(super) unsafe extern "C" fn lane(block: *const Block, lane: *mut *const BlockLane) -> Status {
    guarded(|| {
        // Before anything is done: a call that fails has no effect.
        foreign::check_out(lane)?;
        // SAFETY: by the caller's promise.
        let block = unsafe { foreign::record(block) }?;
        let recorded = record_checked(block);
        if matches!(recorded, Ok(()) | Err(Status::Lost | Status::NotRunning)) {
            // SAFETY: by the caller's promise.
            unsafe { foreign::write(lane, session::lend_lane()) }?;
        }
        recorded
    })
}

/// # Safety
///
/// `pool` is NULL or points to `struct_size` readable bytes; `id` is NULL or points to a writable number.
pub(super) unsafe extern "C" fn declare_pool(pool: *const BlockPool, id: *mut u32) -> Status {
    guarded(|| {
        session::not_forked()?;
        // Before anything is done: a call that fails has no effect.
        foreign::check_out(id)?;
        // SAFETY: by the caller's promise.
        let pool = unsafe { foreign::record(pool) }?.copy();
        let declared = declarations::declare_pool(pool)?;
        // SAFETY: by the caller's promise.
        unsafe { foreign::write(id, declared) }
    })
}

fn hash(block: &ForeignRecord<'_, Block>) -> u64 {
    const HASH: usize = std::mem::offset_of!(Block, hash) - size_of::<Head>();
    let bytes = block.tail()[HASH..].first_chunk().expect("version 1 has the field");
    u64::from_le_bytes(*bytes)
}
