//! Counts by content, and by the place in a document: what was counted once is looked up.
//!
//! Two generations of at most [`GENERATION`] entries. What is found in the old one moves to the young one; when that is full, it becomes the old
//! one, and what was not asked for since is forgotten. Some 6 MB at most.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::Encoding;
use super::fingerprint::fingerprint;

/// Shorter texts are counted faster than looked up.
const SHORTEST: usize = 64;
const GENERATION: usize = 1 << 16;

/// What the bytes are that a count is of.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Utf8,
    Utf16,
    /// What stands between the quotes of a JSON string.
    Literal,
    /// The JSON text of a message.
    Message,
    /// Consecutive messages of a list.
    Messages,
    /// The JSON text of a list of tools.
    Tools,
    /// That of a system prompt.
    Prompt,
}

/// Fingerprints are hashes already.
#[derive(Debug, Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("fingerprints are written as u128");
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

type Counts = HashMap<u128, u32, BuildHasherDefault<Folded>>;

#[derive(Debug, Default)]
struct Generations {
    young: Counts,
    old: Counts,
}

static CACHE: LazyLock<Mutex<Generations>> = LazyLock::new(Mutex::default);

impl Generations {
    fn find(&mut self, key: u128) -> Option<u32> {
        if let Some(&count) = self.young.get(&key) {
            return Some(count);
        }
        let count = self.old.remove(&key)?;
        self.insert(key, count);
        Some(count)
    }

    fn insert(&mut self, key: u128, count: u32) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, count);
    }
}

/// The count of these bytes: known, or counted now and kept unless there is none.
pub fn cached<E>(
    bytes: &[u8],
    kind: Kind,
    encoding: Encoding,
    count: impl FnOnce() -> Result<Option<usize>, E>,
) -> Result<Option<usize>, E> {
    if bytes.len() < SHORTEST {
        return count();
    }
    known_or(fingerprint(bytes, tag(kind, encoding)), count)
}

/// The same of a value of a document, by its place: without a look at its text, which does not change.
pub fn cached_place<E, const N: usize>(
    place: [u64; N],
    kind: Kind,
    encoding: Encoding,
    count: impl FnOnce() -> Result<Option<usize>, E>,
) -> Result<Option<usize>, E> {
    known_or(key_of_place(place, kind, encoding), count)
}

/// Whether the count of what is at a place is known.
pub fn is_place_known<const N: usize>(place: [u64; N], kind: Kind, encoding: Encoding) -> bool {
    find(key_of_place(place, kind, encoding)).is_some()
}

fn key_of_place<const N: usize>(place: [u64; N], kind: Kind, encoding: Encoding) -> u128 {
    let bytes = place.map(u64::to_le_bytes);
    fingerprint(bytes.as_flattened(), PLACE | tag(kind, encoding))
}

/// What places have in their fingerprints, and contents have not.
const PLACE: u64 = 1 << 16;

fn tag(kind: Kind, encoding: Encoding) -> u64 {
    (kind as u64) << 8 | encoding as u64
}

fn known_or<E>(key: u128, count: impl FnOnce() -> Result<Option<usize>, E>) -> Result<Option<usize>, E> {
    if let Some(known) = find(key) {
        return Ok(Some(known as usize));
    }
    let counted = count()?;
    if let Some(counted) = counted.and_then(|counted| u32::try_from(counted).ok()) {
        generations().insert(key, counted);
    }
    Ok(counted)
}

fn find(key: u128) -> Option<u32> {
    generations().find(key)
}

fn generations() -> MutexGuard<'static, Generations> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_survives() {
        let mut generations = Generations::default();
        for key in 0..GENERATION as u128 * 5 {
            assert_eq!(generations.find(key), None);
            generations.insert(key, key as u32);
            // Asked for all the time.
            assert_eq!(generations.find(0), Some(0), "at {key}");
        }
        assert_eq!(generations.find(1), None);
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }

    #[test]
    fn counts_once_per_content_kind_and_encoding() {
        let text = "a text that is long enough to be looked up rather than counted, and then some".as_bytes();
        let count = |kind, encoding, value| cached::<()>(text, kind, encoding, || Ok(Some(value))).unwrap();
        assert_eq!(count(Kind::Literal, Encoding::O200k, 7), Some(7));
        assert_eq!(count(Kind::Literal, Encoding::O200k, 8), Some(7));
        assert_eq!(count(Kind::Literal, Encoding::Cl100k, 9), Some(9));
        assert_eq!(count(Kind::Tools, Encoding::O200k, 10), Some(10));
        let at = |place, value| {
            cached_place::<(), 2>(place, Kind::Tools, Encoding::O200k, || Ok(Some(value))).unwrap()
        };
        assert_eq!((at([1, 2], 11), at([1, 2], 12), at([2, 1], 13)), (Some(11), Some(11), Some(13)));
        assert_eq!(cached::<()>(&text[1..], Kind::Literal, Encoding::O200k, || Ok(None)), Ok(None));
        assert_eq!(cached::<()>(&text[1..], Kind::Literal, Encoding::O200k, || Ok(Some(3))), Ok(Some(3)));
    }
}
