//! The way of a checked record into the calling thread's ring.

use super::foreign::{ForeignRecord, ForeignRows};
use super::status::Status;
use crate::clock;
use crate::record::{Candidate, Clock, Head, Kind, LossReason, Record};
use crate::ring::Hook;
use crate::session;

/// A record's candidates, and how many they are.
type Rows<'a> = Option<(ForeignRows<'a, Candidate>, u32)>;

/// Put a checked record and its rows into this thread's ring.
///
/// This is the way of a thread that has a ring for the session that runs, and of a caller that is as old as
/// the library. Nothing is called on it, which keeps the hook's registers free; all else goes by
/// [`push_slowly`].
#[inline]
pub(super) fn push<T: Record>(record: ForeignRecord<'_, T>, rows: Rows<'_>) -> Result<(), Status> {
    let (head, clock) = checked_head(&record, rows)?;
    if record.tail().len() != tail_size::<T>() || !clock::has_counter() {
        return push_slowly(record, rows.as_ref());
    }
    // An event that is lost takes no reading.
    let time = || if is_time_wanted(&head, clock) { clock::counter() } else { head.time };
    let recorded = session::with_ring(
        |hook| (!hook.is_too_big(&head)).then(|| fill(hook, time, head, &record, rows)),
        |hook| Some(refuse(hook, head, rows)),
    );
    match recorded.flatten() {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(Status::Lost),
        None => push_slowly(record, rows.as_ref()),
    }
}

/// [`push`] for a thread's first event in a session, for one that comes where or when nothing is recorded,
/// for one that is too big, for an older caller, and for a clock that has to be called.
#[cold]
#[inline(never)]
fn push_slowly<T: Record>(
    record: ForeignRecord<'_, T>,
    rows: Option<&(ForeignRows<'_, Candidate>, u32)>,
) -> Result<(), Status> {
    let rows = rows.copied();
    let (mut head, clock) = checked_head(&record, rows)?;
    if is_time_wanted(&head, clock) {
        head.time = clock::ticks();
    }
    let recorded = session::with_producer(
        |hook| fill(hook, || head.time, head, &record, rows),
        |hook| refuse(hook, head, rows),
    );
    match recorded {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Status::Lost),
        Err(reason) => Err(lose(reason, T::KIND, head.rows)),
    }
}

#[inline]
fn refuse(hook: Hook<'_>, head: Head, rows: Rows<'_>) -> Result<(), LossReason> {
    hook.lose(head, counted_rows(rows), LossReason::SwitchedOff);
    Err(LossReason::SwitchedOff)
}

/// Count a checked record without rows that is left out on purpose.
#[inline]
pub(super) fn leave_out<T: Record>(
    record: &ForeignRecord<'_, T>,
    reason: LossReason,
) -> Result<(), Status> {
    let (head, _) = checked_head(record, None)?;
    let (leave, refuse) = (
        |hook: Hook<'_>| hook.lose(head, None, reason),
        |hook: Hook<'_>| hook.lose(head, None, LossReason::SwitchedOff),
    );
    if session::with_ring(leave, refuse).is_some() {
        return Ok(());
    }
    let counted = session::with_producer(leave, refuse);
    counted.map_err(|reason| lose(reason, T::KIND, 0))
}

/// The head as it is recorded, but for the time that the library reads; and the clock that it names.
#[inline]
fn checked_head<T: Record>(
    record: &ForeignRecord<'_, T>,
    rows: Rows<'_>,
) -> Result<(Head, Clock), Status> {
    let mut head = record.head();
    let clock = Clock::from_u8(head.clock).ok_or(Status::InvalidArgument)?;
    head.struct_size = size_of::<T>() as u32;
    head.kind = T::KIND as u8;
    head.row_size = T::ROW_SIZE as u16;
    head.rows = rows.map_or(0, |(_, count)| count);
    Ok((head, clock))
}

#[inline]
fn is_time_wanted(head: &Head, clock: Clock) -> bool {
    clock == Clock::Ticks && head.time == 0
}

#[inline]
fn counted_rows(rows: Rows<'_>) -> Option<Kind> {
    rows.map(|_| Kind::Candidate)
}

/// Bytes behind the head of a whole record.
const fn tail_size<T>() -> usize {
    size_of::<T>() - size_of::<Head>()
}

#[inline]
fn fill<T: Record>(
    hook: Hook<'_>,
    time: impl FnOnce() -> u64,
    head: Head,
    record: &ForeignRecord<'_, T>,
    rows: Rows<'_>,
) -> Result<(), LossReason> {
    let mut grant = hook.reserve_at(time, head, counted_rows(rows))?;
    let tail = record.tail();
    if let Some(whole) = tail.get(..tail_size::<T>()) {
        // A length that the compiler knows saves a call.
        grant.append(whole);
    } else {
        grant.append(tail);
        grant.append_zeros(tail_size::<T>() - tail.len());
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
