//! Names, interned once per process and told apart by space, so that records carry small numbers.

use std::collections::HashMap;

use once_cell::sync::Lazy;
use parking_lot::Mutex;

use crate::record::{Name, NameSpace};

/// Names that a process may intern in all, so that a caller who passes request ids by mistake costs
/// bounded memory.
const MAX_NAMES: usize = 65_536;

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

/// Why a name was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// Longer than [`Name::MAX_LENGTH`] or empty.
    #[error("a name has 1 to {} bytes", Name::MAX_LENGTH)]
    Length,
    /// Too many names.
    #[error("a process may intern {MAX_NAMES} names")]
    TooMany,
}

#[derive(Default)]
struct Table {
    ids: HashMap<(NameSpace, Box<str>), u32>,
    in_order: Vec<Interned>,
    /// Names of each space.
    counts: HashMap<NameSpace, u32>,
}

/// Names outlive sessions, because callers keep the ids.
static TABLE: Lazy<Mutex<Table>> = Lazy::new(Mutex::default);

/// The id of a name; the same name always has the same id in a process.
///
/// # Errors
///
/// [`NameError`] if the name is empty or too long, or if there are too many names.
pub(crate) fn intern(space: NameSpace, text: &str) -> Result<u32, NameError> {
    if text.is_empty() || text.len() > Name::MAX_LENGTH {
        return Err(NameError::Length);
    }
    let mut table = TABLE.lock();
    let key = (space, Box::from(text));
    if let Some(id) = table.ids.get(&key) {
        return Ok(*id);
    }
    if table.in_order.len() >= MAX_NAMES {
        return Err(NameError::TooMany);
    }
    let count = table.counts.entry(space).or_default();
    *count += 1;
    let id = *count;
    table.in_order.push(Interned { space, id, text: key.1.clone() });
    table.ids.insert(key, id);
    Ok(id)
}

/// The text behind an id.
#[must_use]
pub(crate) fn text(space: NameSpace, id: u32) -> Option<String> {
    let table = TABLE.lock();
    let name = table.in_order.iter().find(|name| name.space == space && name.id == id);
    name.map(|name| name.text.to_string())
}

/// Up to `limit` names after the first `count`, in the order they were interned.
#[must_use]
pub(crate) fn after(count: usize, limit: usize) -> Vec<Interned> {
    TABLE.lock().in_order.iter().skip(count).take(limit).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_id_and_spaces_are_counted_apart() {
        let a = intern(NameSpace::Policy, "names-test-a").unwrap();
        let b = intern(NameSpace::Policy, "names-test-b").unwrap();
        assert_ne!(a, b);
        assert_eq!(intern(NameSpace::Policy, "names-test-a"), Ok(a));
        assert_eq!(text(NameSpace::Policy, b).as_deref(), Some("names-test-b"));
        assert_eq!(text(NameSpace::Pool, u32::MAX), None);
        assert!(
            after(0, usize::MAX).iter().any(|name| name.id == b && &*name.text == "names-test-b")
        );
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(intern(NameSpace::Pool, ""), Err(NameError::Length));
        assert_eq!(intern(NameSpace::Pool, &"x".repeat(257)), Err(NameError::Length));
    }
}
