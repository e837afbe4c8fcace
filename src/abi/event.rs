//! The way of a checked record into the calling thread's ring.

use super::foreign::{ForeignRecord, ForeignRows};
use super::status::Status;
use crate::clock;
use crate::record::{Candidate, Clock, Head, Kind, LossReason, Record};
use crate::ring::Hook;
use crate::session;

/// Put a checked record and its rows into this thread's ring.
#[inline]
pub(super) fn push<T: Record>(
    record: &ForeignRecord<'_, T>,
    rows: Option<(&ForeignRows<'_, Candidate>, u32)>,
) -> Result<(), Status> {
    let (head, clock) = checked_head(record, rows.map_or(0, |(_, count)| count))?;
    let wants_time = |time| clock == Clock::Ticks && time == 0;
    let mut head = head;
    if wants_time(head.time) && !clock::has_counter() {
        head.time = clock::ticks();
    }
    // An event that is lost takes no reading. Nothing is called in here, which keeps the hook's registers
    // free.
    let given = head.time;
    let time = || if wants_time(given) { clock::counter() } else { given };
    let counted_rows = rows.map(|_| Kind::Candidate);
    let recorded = session::with_producer(
        |hook| fill(hook, time, head, counted_rows, record, rows),
        |hook| {
            hook.lose(head, counted_rows, LossReason::SwitchedOff);
            Err(LossReason::SwitchedOff)
        },
    );
    match recorded {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Status::Lost),
        Err(reason) => Err(lose(reason, T::KIND, head.rows)),
    }
}

/// Count a checked record without rows that is left out on purpose.
#[inline]
pub(super) fn leave_out<T: Record>(
    record: &ForeignRecord<'_, T>,
    reason: LossReason,
) -> Result<(), Status> {
    let (head, _) = checked_head(record, 0)?;
    let counted = session::with_producer(
        |hook| hook.lose(head, None, reason),
        |hook| hook.lose(head, None, LossReason::SwitchedOff),
    );
    counted.map_err(|reason| lose(reason, T::KIND, 0))
}

/// The head as it is recorded, but for the time that the library reads; and the clock that it names.
#[inline]
fn checked_head<T: Record>(
    record: &ForeignRecord<'_, T>,
    rows: u32,
) -> Result<(Head, Clock), Status> {
    let mut head = *record.head();
    let clock = Clock::from_u8(head.clock).ok_or(Status::InvalidArgument)?;
    head.struct_size = size_of::<T>() as u32;
    head.kind = T::KIND as u8;
    head.row_size = T::ROW_SIZE as u16;
    head.rows = rows;
    Ok((head, clock))
}

#[inline]
fn fill<T: Record>(
    hook: Hook<'_>,
    time: impl FnOnce() -> u64,
    head: Head,
    counted_rows: Option<Kind>,
    record: &ForeignRecord<'_, T>,
    rows: Option<(&ForeignRows<'_, Candidate>, u32)>,
) -> Result<(), LossReason> {
    let mut grant = hook.reserve_at(time, head, counted_rows)?;
    let whole = size_of::<T>() - size_of::<Head>();
    if record.tail().len() == whole {
        // The usual caller is as old as the library: a length that the compiler knows saves two calls.
        grant.append(&record.tail()[..whole]);
    } else {
        grant.append(record.tail());
        grant.append_zeros(whole - record.tail().len());
    }
    if let Some((rows, _)) = rows {
        match rows.contiguous() {
            Some(bytes) => grant.append(bytes),
            None => rows.each().for_each(|row| {
                grant.append(row);
                grant.append_zeros(size_of::<Candidate>() - row.len());
            }),
        }
    }
    grant.commit()
}

/// Count an event that reached no ring; `rows` are its candidates.
#[cold]
#[inline(never)]
pub(super) fn lose(reason: LossReason, kind: Kind, rows: u32) -> Status {
    let mut counted = false;
    session::count_without_ring(|losses| {
        losses.lose(reason, kind, 1);
        losses.lose(reason, Kind::Candidate, rows.into());
        counted = true;
    });
    if counted { Status::Lost } else { Status::NotRunning }
}
