//! Recycled memory, for what enters the pool and for the large results that leave it.
//!
//! Every byte that enters the pool is copied once, on the JS thread, into memory the pool owns. Fresh memory of a
//! megabyte costs that thread more in page faults than the copy itself, so blocks are kept by size class and
//! handed out again. Blocks carry [`PADDING`] zero bytes behind their contents, which lets scanners read whole
//! vectors, and stop, without looking at the end.
//!
//! Results are written into a [`vector`] and handed over to V8, whose finaliser gives it to [`recycle_soon`]: the JS thread
//! would otherwise unmap a megabyte with each result, and the pool thread map it anew, page by page. What is not kept is
//! freed on a thread of its own ([`discard`]).

//!
//! What nobody asks for again goes back to the system ([`trim`]).

mod discard;
mod shelf;
mod trim;

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "faults")]
pub use shelf::limit;
pub use shelf::{OutOfMemory, Unit, recycle, recycle_soon, try_copy, try_vector, try_zeroed, vector};
pub use trim::watch as give_back_soon;

/// Zero bytes behind the contents of every block.
pub const PADDING: usize = 64;

/// Bytes of the memory of blocks.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// What there is of recycled memory, in all pools of the process.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// Bytes of blocks: texts that are being read, and texts of documents.
    pub in_use: usize,
    /// Bytes kept for reuse, and the most that may be.
    pub kept: usize,
    pub limit: usize,
    /// Times that memory was asked for and there was some, or none.
    pub hits: usize,
    pub misses: usize,
    /// Bytes that went back to the system since nobody asked for them.
    pub trimmed: usize,
}

pub fn stats() -> Stats {
    let shelf::Counts { kept, hits, misses, trimmed } = shelf::counts();
    Stats { in_use: IN_USE.load(Ordering::Relaxed), kept, limit: shelf::KEEP, hits, misses, trimmed }
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
    ///
    /// # Panics
    ///
    /// When there is no memory; see [`vector`].
    pub fn with_capacity(capacity: usize) -> Self {
        Self::over(vector(capacity + PADDING), capacity)
    }

    /// The same, where a panic has nobody to catch it.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, OutOfMemory> {
        Ok(Self::over(try_vector(capacity + PADDING)?, capacity))
    }

    fn over(bytes: Vec<u8>, capacity: usize) -> Self {
        IN_USE.fetch_add(bytes.capacity(), Ordering::Relaxed);
        Self { bytes, len: 0, capacity }
    }

    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut block = Self::with_capacity(bytes.len());
        block.extend(bytes);
        block
    }

    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, OutOfMemory> {
        let mut block = Self::try_with_capacity(bytes.len())?;
        block.extend(bytes);
        Ok(block)
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
        let mut bytes = self.take();
        // SAFETY: the first `len` bytes are initialised, see `as_slice`.
        unsafe { bytes.set_len(self.len) };
        bytes
    }

    /// The memory, which is no longer the block's.
    fn take(&mut self) -> Vec<u8> {
        IN_USE.fetch_sub(self.bytes.capacity(), Ordering::Relaxed);
        std::mem::take(&mut self.bytes)
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
        recycle(self.take());
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
    #[should_panic(expected = "full")]
    fn more_than_the_capacity_is_refused() {
        Block::with_capacity(3).extend(b"four");
    }
}
