//! What became of a text, by its content: a conversation that grew by one message costs that message.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bounded::Bounded;
use super::shorten::Shortened;
use crate::error::Error;

/// Bytes of results that are kept, and for how long after their last use.
const LIMIT: usize = 32 << 20;
const KEEP: Duration = Duration::from_secs(60 * 60);
/// What an entry takes besides its text.
const ENTRY: usize = 160;

static CACHE: LazyLock<Mutex<Bounded<u64, Arc<Shortened>>>> =
    LazyLock::new(|| Mutex::new(Bounded::new(LIMIT, KEEP)));

fn lock() -> MutexGuard<'static, Bounded<u64, Arc<Shortened>>> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was counted, by what and for which encoding.
static COUNTS: LazyLock<Mutex<Bounded<u64, u32>>> =
    LazyLock::new(|| Mutex::new(Bounded::new(COUNTS_LIMIT, KEEP)));

/// Bytes of counts, and of one.
const COUNTS_LIMIT: usize = 4 << 20;
const COUNT: usize = 64;

/// The count of this key, made where it is not known.
pub fn counted(key: u64, count: impl FnOnce() -> Result<u32, Error>) -> Result<u32, Error> {
    let counts = || COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let known = counts().get(key, now);
    if let Some(known) = known {
        return Ok(known);
    }
    let counted = count()?;
    counts().put(key, counted, COUNT, now);
    Ok(counted)
}

pub fn get(key: u64, now: Instant) -> Option<Arc<Shortened>> {
    lock().get(key, now)
}

pub fn put(key: u64, shortened: &Arc<Shortened>, now: Instant) {
    let bytes = shortened.text.as_ref().map_or(0, |text| text.len()) + ENTRY;
    lock().put(key, Arc::clone(shortened), bytes, now);
}
