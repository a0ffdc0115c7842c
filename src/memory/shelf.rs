//! Memory that was used and is kept to be used again, by size class.

use std::alloc::{self, Layout};
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{discard, trim};

/// Smallest and largest class kept, as powers of two: 4 KB to 32 MB. What is larger goes back to the system.
const CLASSES: std::ops::RangeInclusive<u32> = 12..=25;
/// Bytes kept for reuse, all classes together.
pub const KEEP: usize = 64 << 20;
/// Blocks kept of each kind.
const KEEP_BLOCKS: usize = 256;

static KEPT: AtomicUsize = AtomicUsize::new(0);
static HITS: AtomicUsize = AtomicUsize::new(0);
static MISSES: AtomicUsize = AtomicUsize::new(0);
static TRIMMED: AtomicUsize = AtomicUsize::new(0);

pub struct Counts {
    pub kept: usize,
    pub hits: usize,
    pub misses: usize,
    pub trimmed: usize,
}

pub fn counts() -> Counts {
    let load = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    Counts { kept: kept(), hits: load(&HITS), misses: load(&MISSES), trimmed: load(&TRIMMED) }
}

/// Bytes kept.
pub fn kept() -> usize {
    KEPT.load(Ordering::SeqCst)
}

/// What recycled memory consists of. Memory goes back to the allocator with the alignment it came with, so there is a
/// shelf for each.
pub trait Unit: Copy + fmt::Debug + Send + 'static {
    fn shelf() -> &'static Mutex<Shelf<Self>>;
}

impl Unit for u8 {
    fn shelf() -> &'static Mutex<Shelf<Self>> {
        static SHELF: Mutex<Shelf<u8>> = Mutex::new(Shelf::new());
        &SHELF
    }
}

impl Unit for u16 {
    fn shelf() -> &'static Mutex<Shelf<Self>> {
        static SHELF: Mutex<Shelf<u16>> = Mutex::new(Shelf::new());
        &SHELF
    }
}

/// Empty vectors whose memory, in bytes, is that of a class.
#[derive(Debug)]
pub struct Shelf<T> {
    /// Each with the moment it was put here, which makes the first one the oldest.
    blocks: Vec<(Vec<T>, Instant)>,
}

impl<T: Unit> Shelf<T> {
    const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    fn take(&mut self, capacity: usize) -> Option<Vec<T>> {
        // The latest block of the class is the one most likely still in a cache.
        let found = self.blocks.iter().rposition(|(block, _)| block.capacity() == capacity)?;
        let (block, _) = self.blocks.remove(found);
        KEPT.fetch_sub(size_of::<T>() * block.capacity(), Ordering::SeqCst);
        Some(block)
    }

    /// Gives the block back when there is no room for it.
    fn put(&mut self, block: Vec<T>) -> Option<Vec<T>> {
        let bytes = size_of::<T>() * block.capacity();
        if self.blocks.len() >= KEEP_BLOCKS {
            return Some(block);
        }
        if KEPT.fetch_add(bytes, Ordering::SeqCst) + bytes > KEEP {
            KEPT.fetch_sub(bytes, Ordering::SeqCst);
            return Some(block);
        }
        self.blocks.push((block, Instant::now()));
        None
    }

    /// Takes out what has been here since `before`.
    fn expire(&mut self, before: Instant) -> Vec<Vec<T>> {
        let count = self.blocks.partition_point(|&(_, since)| since <= before);
        let expired: Vec<_> = self.blocks.drain(..count).map(|(block, _)| block).collect();
        let bytes = expired.iter().map(|block| size_of::<T>() * block.capacity()).sum();
        KEPT.fetch_sub(bytes, Ordering::SeqCst);
        TRIMMED.fetch_add(bytes, Ordering::Relaxed);
        expired
    }

    fn oldest(&self) -> Option<Instant> {
        self.blocks.first().map(|&(_, since)| since)
    }
}

fn class_of(bytes: usize) -> Option<usize> {
    let class = bytes.next_power_of_two().max(1 << CLASSES.start());
    CLASSES.contains(&class.trailing_zeros()).then_some(class)
}

/// The system has no memory of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory(usize);

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "out of memory: {} bytes", self.0)
    }
}

impl std::error::Error for OutOfMemory {}

/// An empty vector with room for `capacity` units, or more.
///
/// # Panics
///
/// When there is no memory: that ends one task, rather than the process. Where nobody catches it, ask [`try_vector`].
pub fn vector<T: Unit>(capacity: usize) -> Vec<T> {
    try_vector(capacity).unwrap_or_else(|error| panic!("{error}"))
}

/// An empty vector with room for `capacity` units, or more.
pub fn try_vector<T: Unit>(capacity: usize) -> Result<Vec<T>, OutOfMemory> {
    refuse(capacity * size_of::<T>())?;
    let Some(class) = class_of(capacity * size_of::<T>()) else { return fresh(capacity) };
    let class = class / size_of::<T>();
    let found = T::shelf().lock().unwrap_or_else(PoisonError::into_inner).take(class);
    let counter = if found.is_some() { &HITS } else { &MISSES };
    counter.fetch_add(1, Ordering::Relaxed);
    found.map_or_else(|| fresh(class), Ok)
}

/// An empty vector with room for `capacity` units, of the allocator's memory.
fn fresh<T>(capacity: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut vector = Vec::new();
    match vector.try_reserve_exact(capacity) {
        Ok(()) => Ok(vector),
        Err(_) => Err(OutOfMemory(capacity * size_of::<T>())),
    }
}

/// A copy in memory that is not recycled.
pub fn try_copy<T: Copy>(units: &[T]) -> Result<Vec<T>, OutOfMemory> {
    refuse(size_of_val(units))?;
    let mut copy = fresh(units.len())?;
    copy.extend_from_slice(units);
    Ok(copy)
}

/// Zeroed memory that is shared with JS, and not recycled. It is zeroed by the allocator, so that pages come into being when they are
/// first written.
pub fn try_zeroed(bytes: usize) -> Result<Box<[UnsafeCell<u64>]>, OutOfMemory> {
    refuse(bytes)?;
    let words = bytes.div_ceil(size_of::<u64>());
    let layout = Layout::array::<u64>(words).map_err(|_| OutOfMemory(bytes))?;
    if words == 0 {
        return Ok(Box::default());
    }
    // SAFETY: the layout has a size.
    let start: *mut UnsafeCell<u64> = unsafe { alloc::alloc_zeroed(layout) }.cast();
    if start.is_null() {
        return Err(OutOfMemory(bytes));
    }
    // SAFETY: so many zeroed words of the global allocator; `UnsafeCell<u64>` has the layout of `u64`.
    Ok(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, words)) })
}

#[cfg(not(feature = "faults"))]
#[allow(clippy::unnecessary_wraps, reason = "it refuses where faults are injected")]
fn refuse(_bytes: usize) -> Result<(), OutOfMemory> {
    Ok(())
}

#[cfg(feature = "faults")]
fn refuse(bytes: usize) -> Result<(), OutOfMemory> {
    if bytes > LARGEST.load(Ordering::Relaxed) { Err(OutOfMemory(bytes)) } else { Ok(()) }
}

#[cfg(feature = "faults")]
static LARGEST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// From now on, no more than so many bytes can be had at once.
#[cfg(feature = "faults")]
pub fn limit(bytes: usize) {
    LARGEST.store(bytes, Ordering::Relaxed);
}

/// Puts a vector's memory on the shelf, if it is that of a class, or frees it.
pub fn recycle<T: Unit>(vector: Vec<T>) {
    drop(keep(vector));
}

/// The same for a finaliser, which the event loop waits for: the memory is freed on another thread.
pub fn recycle_soon<T: Unit>(vector: Vec<T>) {
    if let Some(refused) = keep(vector) {
        discard::free_soon(refused);
    }
}

/// Puts a vector's memory on the shelf, or gives it back.
fn keep<T: Unit>(mut vector: Vec<T>) -> Option<Vec<T>> {
    let bytes = size_of::<T>() * vector.capacity();
    if class_of(bytes) != Some(bytes) {
        return Some(vector);
    }
    vector.clear();
    let refused = T::shelf().lock().unwrap_or_else(PoisonError::into_inner).put(vector);
    if refused.is_none() {
        trim::watch();
    }
    refused
}

/// Frees what has been kept since `before`; how many bytes that was, and since when the oldest of the rest is there.
pub fn expire(before: Instant) -> (usize, Option<Instant>) {
    let (bytes, oldest) = expire_units::<u8>(before);
    let (more, other) = expire_units::<u16>(before);
    (bytes + more, [oldest, other].into_iter().flatten().min())
}

fn expire_units<T: Unit>(before: Instant) -> (usize, Option<Instant>) {
    let (expired, oldest) = {
        let mut shelf = T::shelf().lock().unwrap_or_else(PoisonError::into_inner);
        (shelf.expire(before), shelf.oldest())
    };
    // Freed here, where nobody waits for the lock.
    (expired.iter().map(|block| size_of::<T>() * block.capacity()).sum(), oldest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_recycled_vector_is_handed_out_again_empty() {
        let mut first = vector::<u16>(3 << 20);
        let capacity = first.capacity();
        assert_eq!(capacity, 4 << 20);
        first.push(7);
        let memory = first.as_ptr();
        recycle(first);
        let second = vector::<u16>((2 << 20) + 1);
        assert_eq!((second.as_ptr(), second.len(), second.capacity()), (memory, 0, capacity));
        // What is of no class is the allocator's.
        recycle(vec![0u16; 5000]);
        assert!(vector::<u16>(40 << 20).capacity() >= 40 << 20);
    }

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        let all = isize::MAX as usize;
        assert_eq!(try_vector::<u8>(all).unwrap_err(), OutOfMemory(all));
        assert_eq!(try_zeroed(all - 7).unwrap_err().to_string(), format!("out of memory: {} bytes", all - 7));
        assert!(try_zeroed(usize::MAX).is_err());
        assert!(std::panic::catch_unwind(|| vector::<u16>(all / 2)).is_err());
    }

    #[test]
    fn zeroed_memory_is_as_long_as_asked_for_and_zero() {
        for bytes in [0, 1, 8, 4099] {
            let memory = try_zeroed(bytes).unwrap();
            assert_eq!(memory.len(), bytes.div_ceil(8));
            // SAFETY: nobody else has it.
            assert!(memory.iter().all(|word| unsafe { *word.get() } == 0));
        }
        assert_eq!(try_copy(&[1.5, 2.5]).unwrap(), [1.5, 2.5]);
    }

    #[test]
    fn what_was_kept_longest_expires_first() {
        let mut shelf = Shelf::<u8>::new();
        for class in [1 << 12, 1 << 13, 1 << 12] {
            assert!(shelf.put(Vec::with_capacity(class)).is_none());
            std::thread::yield_now();
        }
        let middle = shelf.blocks[1].1;
        assert_eq!(shelf.oldest(), Some(shelf.blocks[0].1));
        let expired = shelf.expire(middle);
        assert!(expired.len() >= 2 && expired[0].capacity() == 1 << 12 && expired[1].capacity() == 1 << 13);
        assert!(shelf.expire(middle.checked_sub(Duration::from_secs(1)).unwrap()).is_empty());
        drop(shelf.expire(Instant::now()));
        assert_eq!(shelf.oldest(), None);
        assert!(shelf.take(1 << 12).is_none());
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let mut shelf = Shelf::<u8>::new();
        let refused = (0..6).filter(|_| shelf.put(Vec::with_capacity(16 << 20)).is_some()).count();
        // Other tests keep some, too.
        assert!(refused >= 2, "{refused}");
        assert!(kept() <= KEEP);
        drop(shelf.expire(Instant::now()));
    }
}
