//! Recording what a planner sees, decides and brings about.

use super::event::push;
use super::foreign;
use super::guard::guarded;
use super::status::Status;
use crate::record::{PlannerDecision, PlannerEffect, PlannerTick};

/// # Safety
///
/// `tick` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn tick(tick: *const PlannerTick) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(unsafe { foreign::record(tick) }?, None))
}

/// # Safety
///
/// `decision` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn decision(decision: *const PlannerDecision) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(unsafe { foreign::record(decision) }?, None))
}

/// # Safety
///
/// `effect` is NULL or points to `struct_size` readable bytes.
pub(super) unsafe extern "C" fn effect(effect: *const PlannerEffect) -> Status {
    // SAFETY: by the caller's promise.
    guarded(|| push(unsafe { foreign::record(effect) }?, None))
}
