//! What is remembered of things that are gone: as many as fit, and the oldest are forgotten first.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// A map in two generations: when the younger one is full, the older one is forgotten and the younger takes its
/// place. So the last half of what fits is always there.
pub(super) struct Departed<K, V, S> {
    young: HashMap<K, V, S>,
    old: HashMap<K, V, S>,
    most_in_one: usize,
}

impl<K: Hash + Eq, V, S: BuildHasher + Default> Departed<K, V, S> {
    /// Nothing yet; at most `most` are remembered.
    pub(super) fn new(most: usize) -> Self {
        let most_in_one = (most / 2).max(1);
        Self { young: HashMap::default(), old: HashMap::default(), most_in_one }
    }

    /// Remember one; what was remembered of it before is replaced.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.most_in_one {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// What is remembered of one, which is then forgotten.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Forget all others.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&K) -> bool) {
        self.young.retain(|key, _| is_kept(key));
        self.old.retain(|key, _| is_kept(key));
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_nothing_is_remembered_twice() {
        let mut departed = Departed::<u32, u32, RandomState>::new(10);
        for key in 0..100 {
            departed.insert(key, key);
            assert!(departed.young.len() + departed.old.len() <= 10);
        }
        assert_eq!(departed.take(&0), None);
        assert!((95..100).all(|key| departed.take(&key) == Some(key)));
        let mut departed = Departed::<u32, u32, RandomState>::new(2);
        departed.insert(1, 10);
        departed.insert(2, 20);
        departed.insert(1, 11);
        assert_eq!((departed.take(&1), departed.take(&1)), (Some(11), None));
    }
}
