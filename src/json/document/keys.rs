//! Tables of the keys of large objects.
//!
//! The members of most objects are few, and a walk over their keys is the fastest look-up. An object may also have a
//! hundred thousand members, and then a walk is work that an input puts on the main thread. Such objects get a hash
//! table, made off-thread with the index. Hashes are seeded per process.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::pointer::Token;

/// Members from which an object has a table.
pub const MANY: usize = 64;

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Places of members by key: open addressing, at most half full.
#[derive(Debug)]
pub struct Keys {
    /// The place of a member plus one; 0: free.
    slots: Box<[u32]>,
    /// Whether some key has several members. The table has the last one, as `JSON.parse` does.
    pub has_duplicates: bool,
}

impl Keys {
    /// The table of so many members. `hash` gives the hash of one's key, `same` whether two have the same key.
    pub fn new(members: usize, hash: impl Fn(usize) -> u64, same: impl Fn(usize, usize) -> bool) -> Self {
        let mut keys = Self {
            slots: vec![0; (2 * members).next_power_of_two()].into_boxed_slice(),
            has_duplicates: false,
        };
        // From the last one on, so that the first to come is the one that counts.
        for member in (0..members).rev() {
            let (slot, found) = keys.probe(hash(member), |other| same(member, other));
            if found.is_some() {
                keys.has_duplicates = true;
            } else {
                keys.slots[slot] = member as u32 + 1;
            }
        }
        keys
    }

    /// The member with this hash that `is_it`.
    pub fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        self.probe(hash, is_it).1
    }

    /// The slot that has the member, or could have it; the member.
    fn probe(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> (usize, Option<usize>) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return (slot, None),
                taken if is_it(taken as usize - 1) => return (slot, Some(taken as usize - 1)),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// Bytes of memory held.
    pub fn footprint(&self) -> usize {
        size_of_val(&*self.slots)
    }
}

/// Hash of a key that has no escapes.
pub fn hash_plain(key: &[u8]) -> u64 {
    SEED.hash_one(key)
}

/// Hash of a key's units: that of its UTF-8 where it has one.
pub fn hash_units(units: &[u16]) -> u64 {
    match String::from_utf16(units) {
        Ok(text) => hash_plain(text.as_bytes()),
        Err(_) => SEED.hash_one(units),
    }
}

pub fn hash_token(token: &Token) -> u64 {
    token.plain().map_or_else(|| hash_units(token.units()), |plain| hash_plain(plain.as_bytes()))
}
