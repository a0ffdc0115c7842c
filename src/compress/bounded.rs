//! A map that is bounded in bytes and in time: what was used least recently goes first, what is too old goes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: usize,
    used: Instant,
    /// Of its last use: tells its place in the order from places it had before.
    stamp: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Bounded<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// Uses, oldest first; some of them have been overtaken.
    order: VecDeque<(K, u64)>,
    stamp: u64,
    bytes: usize,
    pub limit: usize,
    pub keep: Duration,
}

impl<K: Copy + Eq + Hash, V: Clone> Bounded<K, V> {
    pub fn new(limit: usize, keep: Duration) -> Self {
        Self { slots: HashMap::new(), order: VecDeque::new(), stamp: 0, bytes: 0, limit, keep }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value of a key, which counts as a use.
    pub fn get(&mut self, key: K, now: Instant) -> Option<V> {
        self.expire(now);
        let slot = self.slots.get_mut(&key)?;
        self.stamp += 1;
        (slot.used, slot.stamp) = (now, self.stamp);
        let value = slot.value.clone();
        self.order.push_back((key, self.stamp));
        self.tidy();
        Some(value)
    }

    /// Puts a value that holds so many bytes; one that is larger than the bound is not kept.
    pub fn put(&mut self, key: K, value: V, bytes: usize, now: Instant) {
        self.remove(key);
        if bytes > self.limit {
            return;
        }
        self.stamp += 1;
        self.bytes += bytes;
        self.slots.insert(key, Slot { value, bytes, used: now, stamp: self.stamp });
        self.order.push_back((key, self.stamp));
        self.expire(now);
        while self.bytes > self.limit && self.drop_oldest() {}
        self.tidy();
    }

    fn remove(&mut self, key: K) {
        if let Some(slot) = self.slots.remove(&key) {
            self.bytes -= slot.bytes;
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&(key, stamp)) = self.order.front() {
            match self.slots.get(&key) {
                Some(slot) if slot.stamp == stamp => {
                    if now.saturating_duration_since(slot.used) <= self.keep {
                        return;
                    }
                    self.remove(key);
                }
                _ => {}
            }
            self.order.pop_front();
        }
    }

    /// Whether there was one.
    fn drop_oldest(&mut self) -> bool {
        let Some((key, stamp)) = self.order.pop_front() else { return false };
        if self.slots.get(&key).is_some_and(|slot| slot.stamp == stamp) {
            self.remove(key);
        }
        true
    }

    /// Forgets places that were overtaken once they are most of the order.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.slots.len() + 64 {
            let Self { order, slots, .. } = self;
            order.retain(|(key, stamp)| slots.get(key).is_some_and(|slot| slot.stamp == *stamp));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_not_used_for_too_long_is_gone() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut map = Bounded::new(100, Duration::from_secs(10));
        map.put(1, 'a', 10, start);
        map.put(2, 'b', 10, after(5));
        assert_eq!(map.get(1, after(9)), Some('a'));
        assert_eq!((map.get(2, after(16)), map.get(1, after(16))), (None, Some('a')));
        assert_eq!(map.bytes(), 10);
    }

    proptest! {
        #[test]
        fn it_holds_what_was_used_last(uses in prop::collection::vec((0u8..8, prop::option::of(1usize..40)), 0..200)) {
            let now = Instant::now();
            let mut map = Bounded::new(100, Duration::from_secs(1));
            // Keys and bytes, last used last.
            let mut model: Vec<(u8, usize)> = Vec::new();
            for (key, put) in uses {
                let found = model.iter().position(|entry| entry.0 == key).map(|at| model.remove(at));
                match (put, found) {
                    (Some(bytes), _) => {
                        map.put(key, bytes, bytes, now);
                        model.push((key, bytes));
                    }
                    (None, found) => {
                        prop_assert_eq!(map.get(key, now), found.map(|entry| entry.1));
                        model.extend(found);
                    }
                }
                while model.iter().map(|entry| entry.1).sum::<usize>() > 100 {
                    model.remove(0);
                }
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.bytes(), model.iter().map(|entry| entry.1).sum::<usize>());
                prop_assert!(map.order.len() <= 2 * map.len() + 65);
            }
        }
    }
}
