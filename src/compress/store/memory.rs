//! A store in memory, bounded in bytes and time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Bounds;
use crate::compress::bounded::Bounded;
use crate::compress::content::Id;
use crate::error::Error;

/// Bytes kept, and for how long after their last use, unless it is told otherwise.
pub const MAX_BYTES: usize = 128 << 20;
pub const TTL: Duration = Duration::from_secs(4 * 60 * 60);

#[derive(Debug)]
pub struct Memory(Mutex<Bounded<Id, Arc<str>>>);

impl Default for Memory {
    fn default() -> Self {
        Self(Mutex::new(Bounded::new(MAX_BYTES, TTL)))
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Bounded<Id, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn bound(&self, bounds: Bounds) {
        let mut texts = self.lock();
        texts.limit =
            bounds.max_bytes.map_or(texts.limit, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        texts.keep = bounds.keep.unwrap_or(texts.keep);
    }

    pub fn put(&self, id: Id, text: &str) -> Result<(), Error> {
        let now = Instant::now();
        let known = self.lock().get(id, now);
        match known {
            Some(known) if *known == *text => Ok(()),
            Some(_) => Err(super::taken(id)),
            None => {
                // Copied before the lock is taken.
                let copy: Arc<str> = text.into();
                self.lock().put(id, copy, text.len(), now);
                Ok(())
            }
        }
    }

    pub fn get(&self, id: Id) -> Option<Arc<str>> {
        self.lock().get(id, Instant::now())
    }
}
