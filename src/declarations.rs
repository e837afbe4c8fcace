//! Names and pools of blocks, declared once per process, so that records carry small numbers.

use std::collections::HashMap;

use once_cell::sync::Lazy;
use parking_lot::Mutex;

use crate::record::{BlockPool, Head, Kind, Name, NameSpace};

/// Declarations that a process may make in all, so that a caller who passes request ids by mistake costs
/// bounded memory.
const MOST: usize = 65_536;

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
}

#[derive(Default)]
struct Table {
    ids: HashMap<(NameSpace, Box<str>), u32>,
    in_order: Vec<Declaration>,
    /// Names of each space.
    counts: HashMap<NameSpace, u32>,
    pools: u32,
}

/// Declarations outlive sessions, because callers keep the ids.
static TABLE: Lazy<Mutex<Table>> = Lazy::new(Mutex::default);

/// The id of a name; the same name always has the same id in a process.
///
/// # Errors
///
/// [`DeclarationError`] if the name is empty or too long, or if there are too many names.
pub(crate) fn intern(space: NameSpace, text: &str) -> Result<u32, DeclarationError> {
    if text.is_empty() || text.len() > Name::MAX_LENGTH {
        return Err(DeclarationError::Length);
    }
    let mut table = TABLE.lock();
    let key = (space, Box::from(text));
    if let Some(id) = table.ids.get(&key) {
        return Ok(*id);
    }
    if table.in_order.len() >= MOST {
        return Err(DeclarationError::TooMany);
    }
    let count = table.counts.entry(space).or_default();
    *count += 1;
    let id = *count;
    let name = Interned { space, id, text: key.1.clone() };
    table.in_order.push(Declaration::Name(name));
    table.ids.insert(key, id);
    Ok(id)
}

/// The text behind an id.
#[must_use]
pub(crate) fn text(space: NameSpace, id: u32) -> Option<String> {
    let table = TABLE.lock();
    table.in_order.iter().find_map(|declaration| match declaration {
        Declaration::Name(name) if name.space == space && name.id == id => {
            Some(name.text.to_string())
        }
        _ => None,
    })
}

/// Declare a pool, whose id is 0, or say anew what the pool with that id is. Gives its id.
///
/// # Errors
///
/// [`DeclarationError::TooMany`] if there are too many declarations.
pub(crate) fn declare_pool(mut pool: BlockPool) -> Result<u32, DeclarationError> {
    let mut table = TABLE.lock();
    if table.in_order.len() >= MOST {
        return Err(DeclarationError::TooMany);
    }
    if pool.id == 0 {
        table.pools += 1;
        pool.id = table.pools;
    }
    pool.head = Head::new(Kind::BlockPool, size_of::<BlockPool>());
    table.in_order.push(Declaration::Pool(pool));
    Ok(pool.id)
}

/// Whether a pool with this id was declared.
#[must_use]
pub(crate) fn is_pool(id: u32) -> bool {
    (1..=TABLE.lock().pools).contains(&id)
}

/// Up to `limit` declarations after the first `count`, in the order they were made.
#[must_use]
pub(crate) fn after(count: usize, limit: usize) -> Vec<Declaration> {
    TABLE.lock().in_order.iter().skip(count).take(limit).cloned().collect()
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
        assert!(is_pool(id) && !is_pool(0));
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
    }
}
