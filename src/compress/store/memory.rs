//! A store in memory, bounded in bytes and time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::compress::bounded::Bounded;
use crate::compress::content::Id;
use crate::error::{Error, ErrorKind};

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

    pub fn put(&self, id: Id, text: &str) -> Result<(), Error> {
        let now = Instant::now();
        let known = self.lock().get(id, now);
        match known {
            Some(known) if *known == *text => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::InvalidArg, format!("another text has the id {id}"))),
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
