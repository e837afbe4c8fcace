//! Names and pools of blocks, declared once per process, so that records carry small numbers.

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};

use crate::lock;
use crate::record::{BlockPool, Head, Kind, Name, NameSpace};

/// Declarations that a process may make in all, so that a caller who passes request ids by mistake costs
/// bounded memory, and an id fits the 16 bits that a block event has for its pool in a lane.
const MOST: usize = u16::MAX as usize;

/// A name as the collector writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interned {
    /// What it is a name of.
    pub(crate) space: NameSpace,
    /// Its number in that space, from 1.
    pub(crate) id: u32,
    /// The text.
    pub(crate) text: Box<str>,
}

/// What was declared, as the collector writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Declaration {
    /// A name.
    Name(Interned),
    /// A pool of blocks; the latest of an id counts.
    Pool(BlockPool),
}

/// Why a declaration was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeclarationError {
    /// Longer than [`Name::MAX_LENGTH`] or empty.
    #[error("a name has 1 to {} bytes", Name::MAX_LENGTH)]
    Length,
    /// Too many declarations.
    #[error("a process may declare {MOST} names and pools")]
    TooMany,
    /// There is no pool with this id to be declared anew.
    #[error("no pool with this id was declared")]
    UnknownPool,
    /// Another declaration is under way and does not end, for instance because this one comes from a signal
    /// handler that has interrupted it.
    #[error("another declaration is under way")]
    Held,
}

#[derive(Default)]
struct Table {
    /// The ids of each space's names, which are their numbers from 1.
    ids: HashMap<NameSpace, HashMap<Box<str>, u32>>,
    in_order: Vec<Declaration>,
    pools: u32,
}

/// Declarations outlive sessions, because callers keep the ids. Made by the first of them, behind the lock.
static TABLE: Mutex<Option<Table>> = Mutex::new(None);

/// The id of a name; the same name always has the same id in a process.
///
/// # Errors
///
/// [`DeclarationError`] if the name is empty or too long, if there are too many names, or if the table is
/// held.
pub(crate) fn intern(space: NameSpace, text: &str) -> Result<u32, DeclarationError> {
    if text.is_empty() || text.len() > Name::MAX_LENGTH {
        return Err(DeclarationError::Length);
    }
    // Memory is taken and given back behind the lock alone: a handler that interrupts this gets no further.
    let mut table = take_table()?;
    let Table { ids, in_order, .. } = table.get_or_insert_default();
    let ids = ids.entry(space).or_default();
    if let Some(id) = ids.get(text) {
        return Ok(*id);
    }
    if in_order.len() >= MOST {
        return Err(DeclarationError::TooMany);
    }
    let id = ids.len() as u32 + 1;
    in_order.push(Declaration::Name(Interned { space, id, text: text.into() }));
    ids.insert(text.into(), id);
    Ok(id)
}

/// Declare a pool, whose id is 0, or say anew what the pool with that id is. Gives its id.
///
/// # Errors
///
/// [`DeclarationError`] if there is no pool with that id, if there are too many declarations, or if the
/// table is held.
pub(crate) fn declare_pool(mut pool: BlockPool) -> Result<u32, DeclarationError> {
    let mut table = take_table()?;
    let Table { in_order, pools, .. } = table.get_or_insert_default();
    if pool.id > *pools {
        return Err(DeclarationError::UnknownPool);
    }
    if in_order.len() >= MOST {
        return Err(DeclarationError::TooMany);
    }
    if pool.id == 0 {
        *pools += 1;
        pool.id = *pools;
    }
    pool.head = Head::new(Kind::BlockPool, size_of::<BlockPool>());
    in_order.push(Declaration::Pool(pool));
    Ok(pool.id)
}

fn take_table() -> Result<MutexGuard<'static, Option<Table>>, DeclarationError> {
    lock::take(&TABLE).ok_or(DeclarationError::Held)
}

/// The text behind an id, for the collector.
#[must_use]
pub(crate) fn text(space: NameSpace, id: u32) -> Option<String> {
    let table = TABLE.lock();
    table.as_ref()?.in_order.iter().find_map(|declaration| match declaration {
        Declaration::Name(name) if name.space == space && name.id == id => {
            Some(name.text.to_string())
        }
        _ => None,
    })
}

/// Up to `limit` declarations after the first `count`, in the order they were made, for the collector.
#[must_use]
pub(crate) fn after(count: usize, limit: usize) -> Vec<Declaration> {
    let table = TABLE.lock();
    let declarations = table.iter().flat_map(|table| &table.in_order);
    declarations.skip(count).take(limit).cloned().collect()
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn a_name_keeps_its_id_and_spaces_are_counted_apart() {
        let a = intern(NameSpace::Policy, "declarations-test-a").unwrap();
        let b = intern(NameSpace::Policy, "declarations-test-b").unwrap();
        assert_ne!(a, b);
        assert_eq!(intern(NameSpace::Policy, "declarations-test-a"), Ok(a));
        assert_eq!(text(NameSpace::Policy, b).as_deref(), Some("declarations-test-b"));
        assert_eq!(text(NameSpace::Pool, u32::MAX), None);
        assert!(after(0, usize::MAX).iter().any(|declaration| matches!(
            declaration,
            Declaration::Name(name) if name.id == b && &*name.text == "declarations-test-b"
        )));
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(intern(NameSpace::Pool, ""), Err(DeclarationError::Length));
        assert_eq!(intern(NameSpace::Pool, &"x".repeat(257)), Err(DeclarationError::Length));
    }

    #[test]
    fn a_pool_is_declared_anew_under_its_id() {
        let mut pool = BlockPool::new_zeroed();
        pool.capacity_blocks = 7;
        let id = declare_pool(pool).unwrap();
        assert_ne!(declare_pool(pool), Ok(id));
        pool.id = id;
        pool.capacity_blocks = 9;
        assert_eq!(declare_pool(pool), Ok(id));
        let of_id = |declaration| match declaration {
            Declaration::Pool(pool) if pool.id == id => Some(pool.capacity_blocks),
            _ => None,
        };
        let capacities: Vec<u64> = after(0, usize::MAX).into_iter().filter_map(of_id).collect();
        assert_eq!(capacities, [7, 9]);
        pool.id = u32::MAX;
        assert_eq!(declare_pool(pool), Err(DeclarationError::UnknownPool));
    }
}
