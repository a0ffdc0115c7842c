//! Recycled memory, for what enters the pool and for the large results that leave it.
//!
//! Every byte that enters the pool is copied once, on the JS thread, into memory the pool owns. Fresh memory of a
//! megabyte costs that thread more in page faults than the copy itself, so blocks are kept by size class and
//! handed out again. Blocks carry [`PADDING`] zero bytes behind their contents, which lets scanners read whole
//! vectors, and stop, without looking at the end.
//!
//! Results are written into a [`vector`] and handed over to V8, whose finaliser gives it to [`recycle`]: the JS thread
//! would otherwise unmap a megabyte with each result, and the pool thread map it anew, page by page.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

/// Zero bytes behind the contents of every block.
pub const PADDING: usize = 64;

/// Smallest and largest class kept, as powers of two: 4 KB to 16 MB. What is larger goes back to the system.
const CLASSES: std::ops::RangeInclusive<u32> = 12..=24;
/// Bytes kept for reuse, all classes together.
const KEEP: usize = 64 << 20;

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
    blocks: Vec<Vec<T>>,
    bytes: usize,
}

impl<T: Unit> Shelf<T> {
    const fn new() -> Self {
        Self { blocks: Vec::new(), bytes: 0 }
    }

    fn take(&mut self, capacity: usize) -> Option<Vec<T>> {
        // The latest block of the class is the one most likely still in a cache.
        let found = self.blocks.iter().rposition(|block| block.capacity() == capacity)?;
        let block = self.blocks.remove(found);
        self.bytes -= size_of::<T>() * block.capacity();
        Some(block)
    }

    fn put(&mut self, block: Vec<T>) {
        let bytes = size_of::<T>() * block.capacity();
        if self.bytes + bytes <= KEEP && self.blocks.len() < 256 {
            self.bytes += bytes;
            self.blocks.push(block);
        }
    }
}

/// An empty vector with room for `capacity` units, or more.
pub fn vector<T: Unit>(capacity: usize) -> Vec<T> {
    let class = (capacity * size_of::<T>()).next_power_of_two().max(1 << CLASSES.start());
    if !CLASSES.contains(&class.trailing_zeros()) {
        return Vec::with_capacity(capacity);
    }
    let class = class / size_of::<T>();
    let found = T::shelf().lock().unwrap_or_else(PoisonError::into_inner).take(class);
    found.unwrap_or_else(|| Vec::with_capacity(class))
}

/// Puts a vector's memory on the shelf, if it is that of a class.
pub fn recycle<T: Unit>(mut vector: Vec<T>) {
    let bytes = size_of::<T>() * vector.capacity();
    if bytes.is_power_of_two() && CLASSES.contains(&bytes.trailing_zeros()) {
        vector.clear();
        T::shelf().lock().unwrap_or_else(PoisonError::into_inner).put(vector);
    }
}

/// Bytes owned by the pool, followed by [`PADDING`] zeros; goes back on the shelf when dropped.
pub struct Block {
    bytes: Vec<u8>,
    /// Bytes written; everything before it is initialised, and so is the padding once sealed.
    len: usize,
    capacity: usize,
}

impl Block {
    /// An empty block with room for `capacity` bytes and the padding.
    pub fn with_capacity(capacity: usize) -> Self {
        let bytes = vector(capacity + PADDING);
        Self { bytes, len: 0, capacity }
    }

    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut block = Self::with_capacity(bytes.len());
        block.extend(bytes);
        block
    }

    /// Appends `bytes`.
    ///
    /// # Panics
    ///
    /// When they do not fit in the capacity asked for.
    pub fn extend(&mut self, bytes: &[u8]) {
        let room = self.spare();
        assert!(bytes.len() <= room.len(), "the block is full");
        // SAFETY: `room` has at least `bytes.len()` bytes, and a block never overlaps what a caller lends.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), room.as_mut_ptr().cast::<u8>(), bytes.len()) };
        self.len += bytes.len();
    }

    /// The room left, for a writer that fills memory by pointer; [`Block::advance`] makes it contents.
    pub fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
        // The vector's own length stays 0: the block counts its contents itself.
        // SAFETY: `MaybeUninit` needs no initialisation; the room lies within the vector's capacity.
        unsafe {
            let start = self.bytes.as_mut_ptr().add(self.len).cast();
            std::slice::from_raw_parts_mut(start, self.capacity - self.len)
        }
    }

    /// Declares `count` more bytes of [`Block::spare`] written.
    ///
    /// # Safety
    ///
    /// They must be initialised, and no more than there was room for.
    pub unsafe fn advance(&mut self, count: usize) {
        debug_assert!(self.len + count <= self.capacity);
        self.len += count;
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are initialised: `extend` and `advance` are the only writers of `len`.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr(), self.len) }
    }

    /// Contents and padding, the padding zeroed.
    pub fn padded(&mut self) -> Padded<'_> {
        let len = self.len;
        // SAFETY: every block is allocated with `PADDING` bytes behind `capacity`, and `len <= capacity`.
        unsafe { std::ptr::write_bytes(self.bytes.as_mut_ptr().add(len), 0, PADDING) };
        Padded { bytes: self.as_slice() }
    }
}

impl Block {
    /// The contents, to be handed over.
    pub fn into_vec(mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        // SAFETY: the first `len` bytes are initialised, see `as_slice`.
        unsafe { bytes.set_len(self.len) };
        bytes
    }

    /// Ends the writing: from here on the contents can be shared.
    pub fn seal(mut self) -> Sealed {
        self.padded();
        Sealed(self)
    }
}

/// A block whose contents are complete. Its padding is zeroed, and stays so.
#[derive(Debug)]
pub struct Sealed(Block);

impl Sealed {
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    pub fn padded(&self) -> Padded<'_> {
        Padded { bytes: self.0.as_slice() }
    }

    /// Bytes of memory held.
    pub fn footprint(&self) -> usize {
        self.0.bytes.capacity()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        recycle(std::mem::take(&mut self.bytes));
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("len", &self.len)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// Text that is followed by [`PADDING`] readable bytes, which are zero: only [`Block::padded`], [`Sealed::padded`] and
/// [`Padded::value`] make one.
#[derive(Clone, Copy, Debug)]
pub struct Padded<'a> {
    bytes: &'a [u8],
}

impl<'a> Padded<'a> {
    pub fn as_slice(self) -> &'a [u8] {
        self.bytes
    }

    /// One value of a text that is known to be JSON. What follows it is the rest of that text and the zeros behind,
    /// which stops a scanner as well: nothing in a valid text makes one value of two.
    #[must_use]
    pub fn value(self, span: std::ops::Range<usize>) -> Self {
        Self { bytes: &self.bytes[span] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_followed_by_zeros_also_in_reused_memory() {
        for round in 0..4 {
            let mut block = Block::with_capacity(5000);
            block.extend(&vec![0xff; 5000 - round]);
            let padded = block.padded().as_slice();
            assert_eq!(padded.len(), 5000 - round);
            // SAFETY: the padding is part of the block.
            let tail = unsafe { std::slice::from_raw_parts(padded.as_ptr().add(padded.len()), PADDING) };
            assert_eq!(tail, [0; PADDING]);
        }
    }

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
        assert!(vector::<u16>(20 << 20).capacity() >= 20 << 20);
    }

    #[test]
    #[should_panic(expected = "full")]
    fn more_than_the_capacity_is_refused() {
        Block::with_capacity(3).extend(b"four");
    }
}
